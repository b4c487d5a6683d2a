"""Five publishing systems' ways to write a feed, each with pictures whose caption and credit stand somewhere else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape

CAPTION = "Caption number {number}, which is about a picture and no teaser."
CREDIT = "Photographer {number}/Agency"
OPENING = "Item {number} begins with this sentence about the harbour."

_RSS = (
    '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:media="http://search.yahoo.com/mrss/"><channel><title>A Partner</title>'
    "<link>https://partner.example/</link>{items}</channel></rss>"
)


def _facts(name: str, number: int) -> dict[str, str]:
    at = datetime.now(UTC) - timedelta(hours=1 + number)
    facts = {
        "headline": f"Headline {number} of {name}: the quay is {number} metres long",
        "link": f"https://{name}.example/2026/the-quay-is-{number}-metres-long/",
        "picture": f"https://{name}.example/pictures/{number}.jpg",
        "caption": CAPTION.format(number=number),
        "credit": CREDIT.format(number=number),
        "opening": OPENING.format(number=number),
        "date": format_datetime(at),
        "instant": at.isoformat(),
    }
    return {key: escape(value) for key, value in facts.items()}


def _wordpress(facts: dict[str, str]) -> str:
    body = (
        f'<figure class="wp-block-image"><img src="{facts["picture"]}" width="1200" height="675" alt="">'
        f"<figcaption>{facts['caption']} <cite>({facts['credit']})</cite></figcaption></figure>"
        f"<p>{facts['opening']}</p><p>And it goes on for a while after that.</p>"
    )
    return (
        f"<item><title>{facts['headline']}</title><link>{facts['link']}?utm_source=rss&amp;utm_medium=rss</link>"
        f'<guid isPermaLink="false">https://wordpress.example/?p={facts["link"].split("-")[-2]}</guid>'
        f"<pubDate>{facts['date']}</pubDate><description>{facts['opening']} [&amp;#8230;]</description>"
        f"<content:encoded>{escape(body)}</content:encoded></item>"
    )


def _beside(facts: dict[str, str]) -> str:
    """Caption and credit as siblings of the picture, before the description."""
    return (
        f'<item><media:content height="900" medium="image" url="{facts["picture"]}" width="1600"/>'
        f"<media:credit>{facts['credit']}</media:credit><media:description>{facts['caption']}</media:description>"
        f"<title>{facts['headline']}</title><link>{facts['link']}</link><guid>{facts['link']}</guid>"
        f"<pubDate>{facts['date']}</pubDate><description>{facts['opening']}</description></item>"
    )


def _nested(facts: dict[str, str]) -> str:
    return (
        f"<item><title>{facts['headline']}</title><link>{facts['link']}</link><guid>{facts['link']}</guid>"
        f"<pubDate>{facts['date']}</pubDate><description>{facts['opening']}</description>"
        f'<media:content url="{facts["picture"]}" medium="image"><media:credit>{facts["credit"]}</media:credit>'
        f"<media:description>{facts['caption']}</media:description></media:content></item>"
    )


def _shortcode(facts: dict[str, str]) -> str:
    body = (
        f'<p class="shortcode-media"><img src="{facts["picture"]}" alt="">'
        f'<small class="image-media media-caption">{facts["caption"]}</small>'
        f'<small class="image-media media-photo-credit">{facts["credit"]}</small></p>'
        f"<p>{facts['opening']}</p><p>keep reading<span>Show less</span></p>"
    )
    return (
        f"<item><title>{facts['headline']}</title><link>{facts['link']}?traffic_source=rss</link>"
        f"<guid>{facts['link']}</guid><pubDate>{facts['date']}</pubDate><description>{escape(body)}</description></item>"
    )


def _atom(facts: dict[str, str]) -> str:
    body = (
        f'<figure><img src="{facts["picture"]}" alt=""><figcaption>{facts["caption"]} '
        f"Photo: {facts['credit']}</figcaption></figure><p>{facts['opening']}</p>"
    )
    return (
        f"<entry><title>{facts['headline']}</title><id>tag:{facts['link']}</id><updated>{facts['instant']}</updated>"
        f'<published>{facts["instant"]}</published><link rel="alternate" href="{facts["link"]}"/>'
        f'<content type="html">{escape(body)}</content></entry>'
    )


_ITEMS: dict[str, Callable[[dict[str, str]], str]] = {
    "wordpress": _wordpress,
    "beside": _beside,
    "nested": _nested,
    "shortcode": _shortcode,
}
SHAPES = (*_ITEMS, "atom")


def document(shape: str, items: int) -> bytes:
    """A feed of this shape, newest item first."""
    facts = [_facts(shape, number) for number in range(1, items + 1)]
    if shape == "atom":
        return (
            '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>A Partner</title>'
            f"<id>urn:feed</id>{''.join(map(_atom, facts))}</feed>"
        ).encode()
    return _RSS.format(items="".join(map(_ITEMS[shape], facts))).encode()
