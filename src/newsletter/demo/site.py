"""The demo's site: settings and feed files as an editor would write them, and a few hundred subscribers."""

from __future__ import annotations

import json
from pathlib import Path

from newsletter.demo.partners import Partner
from newsletter.model.subscriber import Newcomer

_CONFIG = """\
[publication]
name = "The Example Brief"
base_url = "{base_url}"
from = "The Example Brief <brief@news.example.org>"
reply_to = "editors@example.org"
bounce_address = "bounces@bounce.example.org"
language = "en"
timezone = "Europe/London"
postal_address = "1 Example Street, London"
links = {{ Mastodon = "https://social.example/@brief" }}

[store]
url = "sqlite:///var/newsletter.db"

[[relays]]
name = "mailbox"
url = "smtp://127.0.0.1:{smtp_port}"

[collect]
user_agent_contact = "https://example.org/feeds"
allow_private_hosts = ["127.0.0.1"]

[lists.brief]
title = "The Brief"
description = "World affairs, each weekday, from partners near the places they write about."

[digests.daily]
list = "brief"
schedule = "0 7 * * mon-fri"
subject = "{{{{ lead.headline }}}}"
max_items = 12

{sections}"""

_SECTION = """\
[[digests.daily.sections]]
title = {title}
feeds = [{feed}]

"""

_FEED = """\
url = {url}
partner = {partner}
homepage = {homepage}
kind = {kind}
topics = [{topics}]
original = {original}

[rights]
reuse = {reuse}
credit = {credit}
"""

_TITLES = {"harbour-institute": "Analysis", "overland-review": "Dispatches", "waha-observatory": "بالعربية"}
_FIRST = ("Ada", "Bram", "Chiara", "Dara", "Émile", "Fatima", "Grete", "Hassan", "Inés", "Jürgen", "Khadija", "سلمى")
_LAST = ("Abara", "Bianchi", "Çelik", "Durand", "Eriksson", "Farouk", "Gómez", "Haddad", "Ito", "Jansen")


def write_site(folder: Path, partners: tuple[Partner, ...], *, partner_url: str, base_url: str, smtp_port: int) -> None:
    """Write config.toml and feeds/ into `folder`; the templates are the starter's."""
    (folder / "feeds").mkdir(parents=True)
    sections = "".join(_SECTION.format(title=_text(_TITLES[each.id]), feed=_text(each.id)) for each in partners)
    config = _CONFIG.format(base_url=base_url, smtp_port=smtp_port, sections=sections)
    (folder / "config.toml").write_text(config, encoding="utf-8")
    for each in partners:
        (folder / "feeds" / f"{each.id}.toml").write_text(_feed(each, partner_url), encoding="utf-8")


def _feed(partner: Partner, partner_url: str) -> str:
    return _FEED.format(
        url=_text(f"{partner_url}/{partner.id}/feed"),
        partner=_text(partner.partner),
        homepage=_text(f"{partner_url}/{partner.id}"),
        kind=_text(partner.kind),
        topics=", ".join(_text(topic) for topic in partner.topics),
        original="true" if partner.original else "false",
        reuse=_text(partner.reuse),
        credit=_text(partner.credit),
    )


def _text(value: str) -> str:
    """A TOML basic string; JSON's are spelt the same."""
    return json.dumps(value, ensure_ascii=False)


def sample_readers(count: int) -> tuple[Newcomer, ...]:
    """`count` invented people on the demo's list."""
    return tuple(
        Newcomer(
            address=f"reader{number:03}@mail{number % 5}.example.org",
            name=f"{_FIRST[number % len(_FIRST)]} {_LAST[number // len(_FIRST) % len(_LAST)]}",
            lists=("brief",),
        )
        for number in range(count)
    )
