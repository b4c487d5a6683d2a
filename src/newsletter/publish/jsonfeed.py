"""JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

from __future__ import annotations

import json
from typing import Any

from newsletter.publish.atom import stamp
from newsletter.publish.channel import Channel, Shown

_VERSION = "https://jsonfeed.org/version/1.1"


def json_feed(channel: Channel) -> bytes:
    urls = dict(channel.urls)
    document = {
        "version": _VERSION,
        "title": channel.title,
        "home_page_url": channel.home_url,
        "feed_url": channel.url,
        "next_url": urls.get("prev-archive"),
        "description": channel.description,
        "language": channel.language,
        "hubs": [{"type": "WebSub", "url": channel.hub}] if channel.hub else [],
        # No authors here: they would count for every piece without a byline.
        "items": [_item(shown) for shown in channel.shown],
    }
    return json.dumps(_said(document), ensure_ascii=False, separators=(",", ":")).encode()


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value or name == "items"}


def _item(shown: Shown) -> dict[str, Any]:
    picture = shown.picture
    # A piece must have content, were it only its headline.
    text = {"content_html": shown.html} if shown.html else {"content_text": shown.dek or shown.headline}
    attached = [{"url": picture.url, "mime_type": picture.type}] if picture and picture.type else []
    return _said(
        {
            "id": shown.id,
            # Both are the original: our own page shows the whole edition and would be the same for all its pieces.
            "url": shown.url,
            "external_url": shown.url,
            "title": shown.headline,
            "summary": shown.dek,
            **text,
            "image": picture.url if picture else "",
            "date_published": stamp(shown.published_at),
            "date_modified": stamp(shown.updated_at),
            "authors": [{"name": shown.byline}] if shown.byline else [],
            "tags": list(shown.labels),
            "language": shown.language,
            "attachments": attached,
            "_newsletter": {
                "source": {"name": shown.partner, "url": shown.source_url},
                "edition": {"title": shown.edition_title, "url": shown.edition_url},
                "also_at": [{"name": partner, "url": url} for partner, url in shown.also_at],
            },
        }
    )
