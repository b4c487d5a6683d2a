"""The hub that a feed announces: in Link headers (RFC 8288), else in its document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from newsletter.collect.source import HUB_LINKS
from newsletter.collect.urls import absolute
from newsletter.model.feed import Announced

_LINK = re.compile(r"<([^<>]{0,2000})>((?:\s*;\s*[\w*-]+(?:\s*=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s\",;]*))?)*)")
_PARAMETER = re.compile(r";\s*([\w*-]+)(?:\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\",;]*)))?")
_LONGEST_HEADER = 16_384


def announced(header: str, links: Iterable[tuple[str, str]], *, url: str) -> Announced | None:
    """The first hub over https, else the first one, and the feed's own name there; None if it has no hub.

    What the Link `header` of its answer says counts before what the document says. Without a self link the name is
    `url`, where the document came from.
    """
    found = (*_in_headers(header, url), *links)
    hubs = sorted((link for rel, link in found if rel == "hub"), key=lambda link: not link.startswith("https:"))
    if not hubs:
        return None
    return Announced(hub=hubs[0], topic=next((link for rel, link in found if rel == "self"), url))


def _in_headers(value: str, base: str) -> Iterator[tuple[str, str]]:
    for target, parameters in _LINK.findall(value[:_LONGEST_HEADER]):
        said = ((quoted or plain) for name, quoted, plain in _PARAMETER.findall(parameters) if name.lower() == "rel")
        # Only the first rel counts (RFC 8288 section 3.3).
        for rel in next(said, "").lower().split():
            if rel in HUB_LINKS and (url := absolute(target, base)):
                yield rel, url
