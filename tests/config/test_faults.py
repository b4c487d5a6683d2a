"""Faults are found all at once, each where it stands."""

import re
from pathlib import Path

import pytest

from newsletter.config import load_settings
from newsletter.errors import SettingsError
from tests.config.samples import CONFIG, FEED, Faults, WriteSite

TEN_FAULTS = """\
[publication]
name = "The Brief"
base_url = "http://brief.example.org"
from = "The Brief <brief@news.example.org>"
bounce_address = "bounces@bounce.example.org"
timezone = "Europe/Londn"
langauge = "en"

[[relays]]
name = "main"
url = "smtp://127.0.0.1:2525"

[[relays]]
name = "spare"
connections = 0

[collect]
  allow_private_hosts = "127.0.0.1"

[lists.brief]
title = "The Brief"

[digests.daily]
list = "breif"
schedule = "0 25 * * *"
feeds = [
  "harbour",
  "harbor",
]
"""
FEED_WITH_FAULT = """\
partner = "The Harbour"
url = "https://harbour.example.org/feed"
filter = { include = [], exclude = ["/(/"] }
"""


def places(faults: tuple[str, ...]) -> list[tuple[str, ...]]:
    matches = (re.match(r"(\S+?:\d+:\d+): (\S+): ", fault) for fault in faults)
    return [match.groups() for match in matches if match]


def test_ten_faults_are_told_as_ten_lines_each_with_file_line_column_and_key(faults: Faults) -> None:
    found = faults(TEN_FAULTS, harbour=FEED_WITH_FAULT)
    assert places(found) == [
        ("config.toml:3:12", "publication.base_url"),
        ("config.toml:6:12", "publication.timezone"),
        ("config.toml:7:1", "publication.langauge"),
        ("config.toml:13:1", "relays.1.url"),
        ("config.toml:15:15", "relays.1.connections"),
        ("config.toml:18:25", "collect.allow_private_hosts"),
        ("config.toml:24:8", "digests.daily.list"),
        ("config.toml:25:12", "digests.daily.schedule"),
        ("config.toml:28:3", "digests.daily.feeds.1"),
        ("feeds/harbour.toml:3:37", "filter.exclude.0"),
    ]


def test_a_fault_names_the_rule_and_what_was_there_instead(faults: Faults) -> None:
    found = dict(zip([key for _, key in places(faults(TEN_FAULTS))], faults(TEN_FAULTS), strict=True))
    assert found["relays.1.url"].endswith(": required (got nothing)")
    assert found["relays.1.connections"].endswith(": expected at least 1 (got 0)")
    assert found["collect.allow_private_hosts"].endswith(': expected an array: […] (got "127.0.0.1")')
    assert found["publication.langauge"].endswith(": unknown key, did you mean 'language'? (got \"langauge\")")
    assert found["publication.timezone"].endswith("did you mean 'Europe/London'? (got \"Europe/Londn\")")
    assert found["digests.daily.list"].endswith(": no such list, did you mean 'brief'? (got \"breif\")")
    assert found["digests.daily.feeds.1"].endswith(": no such feed, did you mean 'harbour'? (got \"harbor\")")


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ('from = "The Brief"', "expected a mail address: an email address must have an @-sign"),
        ("from = 3", "expected a sender"),
        ('reply_to = "editors@@example.org"', "expected a mail address"),
        ('bounce_address = "bounces-that-are-much-too-long-for-a-token@example.org"', "at most 34 characters before"),
        ('bounce_address = "ошибки@example.org"', "expected only ASCII before the @"),
        ('base_url = "brief.example.org"', "expected an address that begins with https:// or http://"),
        ('base_url = "https://brief.example.org/?a=1"', "expected an address without ? and #"),
        ('base_url = "http://127.0.0.1.example.org"', "http:// is for loopback only"),
        ('language = "english"', "expected a language tag (BCP 47)"),
        ('language = "en_GB"', "did you mean 'en-GB'?"),
        ('timezone = "../etc/passwd"', "expected a time zone"),
        ('name = ""', "expected a text that is not empty"),
        ("links = 1", "expected a table"),
        ('links = { Home = "javascript:alert(1)" }', "expected an address that begins with https:// or http://"),
        ('key_file = "keys/none"', "no such file"),
    ],
)
def test_what_a_publication_says_is_checked(faults: Faults, line: str, rule: str) -> None:
    key = line.split(maxsplit=1)[0]
    head, rest = CONFIG.split("\n\n", 1)
    kept = [each for each in head.splitlines() if not each.startswith(f"{key} ")]
    (fault,) = faults("\n".join([kept[0], line, *kept[1:], "", rest]))
    assert fault.startswith("config.toml:2:")
    assert rule in fault


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("schedule = '0 7 * *'", "expected five fields"),
        ("schedule = '0 7 30 2 *'", "expected a time that comes: no day matches"),
        ("min_items = 5\nmax_items = 4", "expected at least min_items, which is 5"),
        ("min_items = 0", "expected at least 1"),
        ("max_items = '12'", "expected a whole number"),
        ("approval = 'perhaps'", "expected 'auto' or 'editor'"),
        ("catch_up = '6 hours'", "expected a duration"),
        ("catch_up = '999999999w'", "expected at most 3650 days"),
        ("weekly = 'sat'", "expected five fields"),
        ("already_sent = 'never'", "expected 'leave-out', 'shorten' or 'keep'"),
        ("segment = 'town = Cork'", "at character 1: expected a name: language, domain"),
        ("segment = 'format = plain'", 'at character 10: expected html or text (got "plain")'),
        ("timezone = 'Mars/Olympus'", "expected a time zone"),
        ("max_itms = 3", "did you mean 'max_items'?"),
        ("postal_address = 'x'", "unknown key, expected list, title"),
        ("[[digests.daily.sections]]\nfeeds = ['nobody']", "no such feed, there is harbour"),
        ("[lists.'The Brief']\ntitle = 'x'", "expected lower-case letters, digits, - and _"),
        ("[digests.weekly]\nlist = 'brief'", "expected feeds, or sections that have feeds (got neither)"),
        ("[digest.weekly]\nlist = 'brief'", "unknown key, did you mean 'digests'?"),
        ("[[relays]]\nname = 'main'\nurl = 'smtp://127.0.0.1'", "expected a name that no other relay has"),
        ("[[relays]]\nname = 'x'\nurl = 'http://127.0.0.1'", "expected smtp://, smtps:// or smtp+starttls://"),
        ("[[relays]]\nname = 'x'\nurl = 'smtp://h'\nrate = '6000'", "expected a rate such as"),
        ("[[relays]]\nname = 'x'\nurl = 'smtp://h'\nwarm_up = [500, 1000]", "expected a date with warm_up"),
        ("[[relays]]\nname = 'x'\nurl = 'smtp://h'\nwarm_up = [0]\nwarm_up_from = 2026-11-23", "expected at least 1"),
        ("[[relays]]\nname = 'x'\nurl = 'smtp://h'\nwarm_up_from = 'Monday'", "expected a day such as 2026-11-23"),
        ("[providers.google]\ndomains = ['not a domain']", "expected"),
        (
            "[providers.one]\ndomains = ['a.example']\n[providers.two]\ndomains = ['b.example', 'a.example']",
            "expected a domain that one does not have",
        ),
        ("[providers.google]\nrate = 'slow'", "expected a rate such as"),
        ("[store]\nurl = 'mysql://localhost/x'", "expected sqlite:///path/of/file.db or postgresql://"),
        ("[collect]\nallow_private_hosts = ['10.1.2.3/16']", "expected a network such as 10.1.0.0/16"),
        ("[collect]\nallow_private_hosts = ['a b']", "expected a host name or an IP address"),
        ("[collect]\nuser_agent_contact = 'us'", "expected an address that begins with https://"),
        ("[deliver]\nunknown = 'retry'", "expected 'hold' or 'resend'"),
        ("[deliver]\nfirst_wait = '0s'", "expected more than no time at all"),
        ("[deliver]\nfirst_wait = '5h'\nlongest_wait = '1h'", "expected no less than first_wait"),
        ("[[dkim]]\ndomain = 'a.example'\nselector = 'n1'\nkey_file = 'n1.pem'", "no such file"),
        ("[[dkim]]\ndomain = 'a.example'\nselector = 'n1'\nkey_file = 'config.toml'", "expected a private key in PEM"),
    ],
)
def test_what_the_rest_of_the_config_says_is_checked(faults: Faults, line: str, rule: str) -> None:
    kept = "".join(each for each in CONFIG.splitlines(keepends=True) if not line.startswith(each.split("=")[0] + "="))
    (fault,) = faults(kept + line)
    assert rule in fault
    assert int(fault.split(":")[1]) > len(kept.splitlines())


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("first_poll = -1", "expected at least 0 (got -1)"),
        ("poll_every = '0h'", "expected more than no time at all"),
        ("topics = ['']", "expected a text that is not empty"),
        ("language = 'x'", "expected a language tag"),
        ("encoding = 'utf-9'", "expected an encoding"),
        (
            "homepage = 'https://user:pw@example.org'",
            'expected no user name or password in the address (got "https://…@',
        ),
        ("reuse = 'full'", "unknown key here, it belongs in [rights]"),
        ("[rights]\nreuse = 'all'", "expected 'full', 'excerpt', 'teaser' or 'none'"),
        ("[rights]\ncredit = 'By {author}'", "expected no other placeholder than {partner}"),
        ("[rights]\ncredit = 'By {'", "expected text with {partner} at most"),
        ("[rights]\ntopics = ['x']", "unknown key here, it belongs above the first [table]"),
        ("[filter]\ninclude = ['/[/']", "expected a regular expression"),
        ("[filter]\ninclude = [' ']", "expected a word or a /regular expression/"),
    ],
)
def test_what_a_feed_file_says_is_checked(faults: Faults, line: str, rule: str) -> None:
    (fault,) = faults(harbour=FEED + line)
    assert fault.startswith("feeds/harbour.toml:")
    assert rule in fault


def test_two_feeds_with_the_same_address_are_a_fault(faults: Faults) -> None:
    (fault,) = faults(harbour=FEED, quay=FEED)
    assert fault.startswith("feeds/quay.toml:1:7: url: expected an address that no other feed has")


def test_a_feed_file_whose_name_cannot_be_an_id_is_a_fault(faults: Faults) -> None:
    (fault,) = faults(**{"harbour": FEED, "The Quay": FEED.replace("harbour", "quay")})
    assert fault.startswith("feeds/The Quay.toml:1:1: file name: expected lower-case letters")


def test_a_file_that_is_no_toml_is_one_fault_beside_those_of_other_files(faults: Faults) -> None:
    found = faults(CONFIG.replace("title =", "titel ="), harbour='url = "https://x.example\npartner = "X"\n')
    assert places(found) == [
        ("config.toml:11:1", "lists.brief.title"),
        ("config.toml:12:1", "lists.brief.titel"),
        ("feeds/harbour.toml:1:25", "TOML"),
    ]


def test_a_key_given_twice_is_located_at_its_second_place(faults: Faults) -> None:
    (fault,) = faults(harbour=FEED + 'partner = "Again"\n')
    assert fault == "feeds/harbour.toml:3:1: TOML: expected each key once (got partner = …)"


def test_a_file_in_another_encoding_is_located_at_its_first_strange_byte(write_site: WriteSite) -> None:
    folder = write_site()
    (folder / "feeds" / "harbour.toml").write_bytes(FEED.encode() + 'homepage = "é"'.encode("latin-1"))
    with pytest.raises(SettingsError) as caught:
        load_settings(folder, environment={})
    assert caught.value.faults == ("feeds/harbour.toml:3:13: TOML: expected UTF-8 (got byte 0xe9)",)


def test_a_missing_config_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"config\.toml:1:1: file: expected one that can be read"):
        load_settings(tmp_path, environment={})
