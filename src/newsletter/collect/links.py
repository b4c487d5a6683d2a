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
# Together they name a subscription, and no key of the store's is longer than some 2,700 bytes.
_LONGEST_NAME = 1_000


def announced(header: str, links: Iterable[tuple[str, str]], *, url: str) -> Announced | None:
    """The first hub over https, else the first one, and the feed's own name there; None if it has no hub.

    What the Link `header` of its answer says counts before what the document says. Without a self link the name is
    `url`, where the document came from. What came over https has no hub but over https: others could read the secret
    that we send there, and then write in the feed's name.
    """
    found = (*_in_headers(header, url), *links)
    hubs = sorted((link for rel, link in found if rel == "hub"), key=lambda link: not _is_sealed(link))
    if not hubs or (_is_sealed(url) and not _is_sealed(hubs[0])):
        return None
    topic = next((link for rel, link in found if rel == "self"), url)
    return Announced(hub=hubs[0], topic=topic) if max(len(hubs[0]), len(topic)) <= _LONGEST_NAME else None


def _is_sealed(url: str) -> bool:
    return url.startswith("https:")


def _in_headers(value: str, base: str) -> Iterator[tuple[str, str]]:
    for target, parameters in _LINK.findall(value[:_LONGEST_HEADER]):
        said = ((quoted or plain) for name, quoted, plain in _PARAMETER.findall(parameters) if name.lower() == "rel")
        # Only the first rel counts (RFC 8288 section 3.3).
        for rel in next(said, "").lower().split():
            if rel in HUB_LINKS and (url := absolute(target, base)):
                yield rel, url
