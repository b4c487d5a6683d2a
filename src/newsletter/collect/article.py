"""The article on a page, found by trafilatura and cleaned like a feed's own text. Runs where it can be killed."""

from __future__ import annotations

import re

import trafilatura

from newsletter.collect.body import Page
from newsletter.collect.clean import Cleaned, cleaned
from newsletter.collect.document import utf8_of

_CHARSET = re.compile(r"charset\s*=", re.IGNORECASE)


def article_of(page: Page) -> Cleaned:
    """The article, without its headline; nothing where there is none."""
    # Without a label in the headers the page's own counts, which trafilatura looks for.
    labelled = _CHARSET.search(page.content_type)
    content = utf8_of(page.content, content_type=page.content_type).decode() if labelled else page.content
    found = trafilatura.extract(
        content,
        url=page.url,
        output_format="html",
        include_links=True,
        include_formatting=True,
        include_comments=False,
        include_tables=False,
        favor_precision=True,
        prune_xpath="//h1",
    )
    return cleaned(found, page.url) if found else Cleaned()
