"""An edition's page with links that are counted: for those digests that count, and readers who may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from lxml import etree
from lxml import html as lxml_html

from newsletter.model.edition import Rendered
from newsletter.model.links import safe_url
from newsletter.render.transfer import encoded_bytes


def links_of(rendered: Rendered, *, base_url: str) -> tuple[str, ...]:
    """The links of a page that lead away from us, each once."""
    tree = lxml_html.document_fromstring(rendered.html)
    return tuple(dict.fromkeys(link.get("href", "") for link in _leading_away(tree, rendered.nonce, base_url)))


def counted(
    rendered: Rendered, *, base_url: str, link: Callable[[str], str] | None, picture_url: str | None
) -> Rendered:
    """The page with each link that leads away replaced by `link` of it, and a picture that nobody sees at its end.

    Either may be None: then it stays as it is. Our own pages and readers' own links are never counted, and the text
    part shows where its links lead.
    """
    tree = lxml_html.document_fromstring(rendered.html)
    for element in _leading_away(tree, rendered.nonce, base_url) if link else ():
        assert link is not None
        element.set("href", link(element.get("href", "")))
    if picture_url:
        picture = lxml_html.Element("img", src=picture_url, width="1", height="1", alt="")
        next(tree.iter("body")).append(picture)
    page = etree.tostring(tree, method="html", encoding="unicode", doctype="<!DOCTYPE html>")
    return replace(rendered, html=page, html_bytes=encoded_bytes(page))


def _leading_away(tree: lxml_html.HtmlElement, nonce: str, base_url: str) -> Iterator[lxml_html.HtmlElement]:
    for element in tree.iter("a"):
        url = element.get("href", "")
        if safe_url(url) and nonce not in url and url != base_url and not url.startswith(f"{base_url}/"):
            yield element
