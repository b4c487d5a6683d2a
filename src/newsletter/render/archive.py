"""An edition for other eyes than a mail reader's: the web archive, which has nobody's links, and a preview."""

from __future__ import annotations

import html
from collections.abc import Mapping

from lxml import etree
from lxml import html as lxml_html

from newsletter.model.edition import Rendered
from newsletter.render.merge import cut
from newsletter.render.recipient import Recipient, values_of


def web_version(rendered: Rendered, *, list_url: str) -> str:
    """The page as sent, without what only its reader may use: elements with `data-only="mail"` are left out.

    Should a site's own templates show a reader's link elsewhere, it leads to the list's page; names are left out.
    """
    tree = lxml_html.document_fromstring(rendered.html)
    for element in list(tree.iter()):
        if isinstance(element, lxml_html.HtmlElement) and element.get("data-only") == "mail":
            element.drop_tree()
    page = etree.tostring(tree, method="html", encoding="unicode", doctype="<!DOCTYPE html>")
    return _filled(str(page), rendered.nonce, _nobody(list_url), markup=True)


def web_text(rendered: Rendered, *, list_url: str) -> str:
    """The text part without anybody's address or links."""
    return _filled(rendered.text, rendered.nonce, _nobody(list_url), markup=False)


def personal(rendered: Rendered, recipient: Recipient) -> tuple[str, str]:
    """The HTML and the text part as one reader gets them."""
    values = values_of(recipient)
    page = _filled(rendered.html, rendered.nonce, values, markup=True)
    return page, _filled(rendered.text, rendered.nonce, values, markup=False)


def _nobody(list_url: str) -> dict[str, str]:
    return {"address": "…", "name": "", "unsubscribe": list_url, "preferences": list_url, "confirm": list_url}


def _filled(document: str, nonce: str, values: Mapping[str, str], *, markup: bool) -> str:
    pieces, fields = cut(document, nonce)
    shown = [html.escape(values[field]) if markup else values[field] for field in fields]
    return pieces[0] + "".join(value + piece for value, piece in zip(shown, pieces[1:], strict=True))
