"""Secrets come from files and variables too, and nothing shows them."""

from pathlib import Path

import pytest

from newsletter.model.settings import Secret, Tls
from tests.config.samples import CONFIG, Faults, Load

RELAY = """
[[relays]]
name = "spare-1"
url = "smtp+starttls://user%40example.org:hunter2@mail.example.org"
"""


def revealed(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None


def test_a_relays_url_gives_its_parts(settings: Load) -> None:
    relay = settings(CONFIG + RELAY).relays[1]
    assert (relay.host, relay.port, relay.tls) == ("mail.example.org", 587, Tls.STARTTLS)
    assert relay.username == "user@example.org"
    assert revealed(relay.password) == "hunter2"


def test_a_password_can_be_in_a_file(settings: Load, tmp_path: Path) -> None:
    (tmp_path / "relay-password").write_text("from file\n")
    relay = settings(CONFIG + RELAY + 'password_file = "relay-password"\n').relays[1]
    assert revealed(relay.password) == "from file"


def test_a_password_can_be_in_a_variable_which_wins_over_the_files(settings: Load) -> None:
    environment = {"NEWSLETTER_RELAY_SPARE_1_PASSWORD": "from variable"}
    relay = settings(CONFIG + RELAY + 'password_file = "not/there"\n', environment=environment).relays[1]
    assert revealed(relay.password) == "from variable"


def test_a_password_and_its_file_are_not_given_together(faults: Faults, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("x")
    (fault,) = faults(CONFIG + RELAY + 'password = "hunter2"\npassword_file = "pw"\n')
    assert "password_file: expected either this or password, not both" in fault


def test_the_database_password_goes_into_its_url(settings: Load) -> None:
    store = '[store]\nurl = "postgresql://news@db.example.org:5433/news?sslmode=require"\n'
    found = settings(CONFIG + store, environment={"NEWSLETTER_STORE_PASSWORD": "p@ss/word"})
    assert found.store_url.reveal() == "postgresql://news:p%40ss%2Fword@db.example.org:5433/news?sslmode=require"


def test_the_path_of_an_sqlite_file_is_relative_to_the_site(settings: Load, tmp_path: Path) -> None:
    assert settings().store_url.reveal() == f"sqlite:///{tmp_path}/var/newsletter.db"
    elsewhere = settings(CONFIG + '[store]\nurl = "sqlite:////srv/news.db"\n')
    assert elsewhere.store_url.reveal() == "sqlite:////srv/news.db"


def test_a_value_out_of_a_variable_is_checked_like_any_other_and_the_fault_names_the_variable(faults: Faults) -> None:
    environment = {"NEWSLETTER_PUBLICATION_BASE_URL": "ftp://x", "NEWSLETTER_COLLECT_CONCURRENCY": "0"}
    assert sorted(fault.partition(" (got")[0] for fault in faults(environment=environment)) == [
        "NEWSLETTER_COLLECT_CONCURRENCY: collect.concurrency: expected at least 1",
        "NEWSLETTER_PUBLICATION_BASE_URL: publication.base_url: expected an address that begins with https:// or http://",
    ]


def test_variables_stand_in_for_keys_of_every_type(settings: Load) -> None:
    environment = {
        "NEWSLETTER_PUBLICATION_BASE_URL": "https://other.example.org",
        "NEWSLETTER_COLLECT_CONCURRENCY": "3",
        "NEWSLETTER_COLLECT_ALLOW_PRIVATE_HOSTS": '["127.0.0.1", "10.1.0.0/16"]',
        "NEWSLETTER_DELIVER_UNKNOWN": "resend",
        "NEWSLETTER_SITE_KEY": "k" * 32,
    }
    found = settings(environment=environment)
    assert found.publication.base_url == "https://other.example.org"
    assert (found.collect.concurrency, found.collect.allow_private_hosts) == (3, ("127.0.0.1", "10.1.0.0/16"))
    assert found.deliver.unknown == "resend"
    assert revealed(found.site_key) == "k" * 32


@pytest.mark.parametrize(
    "lines",
    [
        "[[relays]]\nname = 'x'\nurl = 'smtp://user:hunter2@'",
        "[[relays]]\nname = 'x'\nurl = 'smtp://user:hunter2'",
        "[[relays]]\nname = 'x'\nurl = 'smtpz://user:hunter2@mail.example.org/x'",
        "[[relays]]\nname = 'x'\nurl = 'smtp://h'\npassword = ['hunter2']",
        "[[relays]]\nname = 'x'\nurl = 'smtp://h'\npasword = 'hunter2'",
        "[[relays]]\nname = 'x'\nurl = 'smtp://h'\npassword = 'hunter2",
        "[[relays]]\nname = 'x'\nurl = 'smtp://h'\npassword = '''\nhunter2",
        "[store]\nurl = 'postgres://news:hunter2@db/news'",
        "[collect]\nuser_agent_contact = 'https://u:hunter2@example.org'",
        "[dkim]\nurl = 'smtp://user:hunter2@h'",
        "store = 'postgresql://news:hunter2@db/news'",
    ],
)
def test_no_fault_shows_a_secret(faults: Faults, lines: str) -> None:
    found = faults(CONFIG + lines) if lines.startswith("[") else faults(f"{lines}\n{CONFIG}")
    assert found
    assert "hunter2" not in "".join(found)


def test_nothing_shows_the_secrets_of_settings_by_accident(settings: Load) -> None:
    found = settings(CONFIG + RELAY, environment={"NEWSLETTER_SITE_KEY": "hunter2" * 5})
    assert "hunter2" not in f"{found!r} {found.site_key}"
