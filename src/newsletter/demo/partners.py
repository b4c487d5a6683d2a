"""The demo's sample partners: their articles, and the feeds and pages they would be served as."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from importlib.resources import files
from string import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One sample article; `body` is HTML, `hours_ago` says how old it is when the demo starts."""

    slug: str
    headline: str
    dek: str
    byline: str
    categories: tuple[str, ...]
    hours_ago: int
    body: str
    picture: str = ""
    alt: str = ""
    caption: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A sample partner; `style` is the publishing system its feed looks like: wordpress or rebelmouse."""

    id: str
    partner: str
    kind: str
    topics: tuple[str, ...]
    language: str
    original: bool
    style: str
    reuse: str
    credit: str
    articles: tuple[Article, ...]


def load_partners() -> tuple[Partner, ...]:
    """All sample partners, the originals before those that republish from them."""
    documents = [
        tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(files(__package__).joinpath("partners").iterdir(), key=lambda path: path.name)
        if path.name.endswith(".toml")
    ]
    bodies = {
        f"{document['id']}/{article['slug']}": article["body"]
        for document in documents
        for article in document["articles"]
    }
    return tuple(_partner(document, bodies) for document in documents)


def _partner(document: dict[str, object], bodies: dict[str, str]) -> Partner:
    raw = document.pop("articles")
    assert isinstance(raw, list)
    topics = document.pop("topics")
    assert isinstance(topics, list)
    return Partner(**document, topics=tuple(topics), articles=tuple(_article(each, bodies) for each in raw))  # type: ignore[arg-type]


def _article(raw: dict[str, object], bodies: dict[str, str]) -> Article:
    """A republication gets a lead of its own, the original's text and a line of thanks."""
    original = raw.pop("republishes", None)
    lead, thanks = raw.pop("lead", ""), raw.pop("thanks", "")
    if original is not None:
        raw["body"] = f"{lead}{bodies[str(original)]}<p><em>{thanks}</em></p>"
    categories = raw.pop("categories")
    assert isinstance(categories, list)
    return Article(**raw, categories=tuple(categories))  # type: ignore[arg-type]


_FEED = Template("""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">
<channel>
<title>$title</title><link>$home</link><description>$title</description><language>$language</language>
$items
</channel>
</rss>
""")

_ITEM = Template("""<item>
<title>$headline</title><link>$link?utm_source=rss&amp;utm_medium=feed</link>
<guid isPermaLink="false">$guid</guid><pubDate>$date</pubDate><dc:creator>$byline</dc:creator>
$categories
<description>$dek</description>
<content:encoded>$content</content:encoded>
$media
</item>""")

_PAGE = Template("""<!DOCTYPE html>
<html lang="$language" dir="$direction"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>$headline · $partner</title><link rel="alternate" type="application/rss+xml" href="/$id/feed">
<style>body{font:1.1rem/1.6 Georgia,serif;max-width:40rem;margin:2rem auto;padding:0 1rem}img{max-width:100%}
figcaption{font-size:.85rem;opacity:.75}header{font-family:sans-serif;font-size:.9rem}:root{color-scheme:light dark}
</style><header><a href="/$id">$partner</a> · a sample partner of the demo</header>
<main><h1>$headline</h1><p><strong>$dek</strong></p><p>$byline</p>$figure$body</main></html>
""")


def link_of(partner: Partner, article: Article, base_url: str) -> str:
    """Where an article stands."""
    return f"{base_url}/{partner.id}/{article.slug}"


def feed_xml(partner: Partner, *, base_url: str, now: datetime) -> bytes:
    """A partner's RSS 2.0 feed as its publishing system would write it."""
    items = "\n".join(_item(partner, article, base_url=base_url, now=now) for article in partner.articles)
    home = f"{base_url}/{partner.id}"
    text = _FEED.substitute(title=escape(partner.partner), home=home, language=partner.language, items=items)
    return text.encode()


def _item(partner: Partner, article: Article, *, base_url: str, now: datetime) -> str:
    wordpress = partner.style == "wordpress"
    number = 1000 + partner.articles.index(article)
    return _ITEM.substitute(
        headline=escape(article.headline),
        link=link_of(partner, article, base_url),
        guid=f"{base_url}/{partner.id}/?p={number}" if wordpress else f"{partner.id}-{number}",
        date=format_datetime(now - timedelta(hours=article.hours_ago)),
        byline=escape(article.byline),
        categories="".join(f"<category>{escape(name)}</category>" for name in article.categories),
        dek=escape(article.dek),
        content=escape((_figure(article, base_url) if wordpress else "") + article.body.strip()),
        media="" if wordpress else _media(article, base_url),
    )


def _figure(article: Article, base_url: str) -> str:
    if not article.picture:
        return ""
    credit = f" <cite>({escape(article.credit)})</cite>" if article.credit else ""
    return (
        f'<figure class="wp-block-image"><img src="{base_url}/pictures/{article.picture}" width="1200" height="675"'
        f' alt="{escape(article.alt)}"><figcaption>{escape(article.caption)}{credit}</figcaption></figure>'
    )


def _media(article: Article, base_url: str) -> str:
    if not article.picture:
        return ""
    return (
        f'<media:content medium="image" url="{base_url}/pictures/{article.picture}" width="1200" height="675"/>'
        f"<media:description>{escape(article.caption)}</media:description>"
    )


def article_page(partner: Partner, article: Article, *, base_url: str) -> str:
    """The page a keep-reading link leads to."""
    return _PAGE.substitute(
        language=partner.language,
        direction="rtl" if partner.language == "ar" else "ltr",
        id=partner.id,
        partner=escape(partner.partner),
        headline=escape(article.headline),
        dek=escape(article.dek),
        byline=escape(article.byline),
        figure=_figure(article, base_url),
        body=article.body,
    )
