"""Links that are counted, where a digest counts."""

from __future__ import annotations

import re

from newsletter.render.counted import counted, links_of
from newsletter.render.environment import Templates
from newsletter.render.render import render_digest
from newsletter.render.samples import NONCE, PUBLICATION, plain_draft

HREF = re.compile(r'<a [^>]*?href="([^"]*)"')


def test_only_links_that_lead_away_are_counted_and_all_of_them(templates: Templates) -> None:
    rendered = render_digest(plain_draft(), NONCE, templates=templates)
    links = links_of(rendered, base_url=PUBLICATION.base_url)

    page = counted(
        rendered,
        base_url=PUBLICATION.base_url,
        link=lambda url: f"https://n.example/l/{links.index(url)}",
        picture_url=None,
    )

    assert len(links) >= 3
    before, after = HREF.findall(rendered.html), HREF.findall(page.html)
    assert len(before) == len(after)
    for was, now in zip(before, after, strict=True):
        ours = was.startswith(PUBLICATION.base_url) or NONCE in was or not was.startswith("http")
        assert (now == was) is ours, was
    assert page.text == rendered.text, "the text part shows where its links lead"
    assert page.fields == rendered.fields


def test_a_picture_tells_of_opening_and_leaves_the_links_alone(templates: Templates) -> None:
    rendered = render_digest(plain_draft(), NONCE, templates=templates)

    page = counted(rendered, base_url=PUBLICATION.base_url, link=None, picture_url="https://n.example/o/1/x")

    assert HREF.findall(page.html) == HREF.findall(rendered.html)
    assert page.html.count('src="https://n.example/o/1/x"') == 1
    assert page.html.count("<img") == rendered.html.count("<img") + 1
    assert page.html_bytes > rendered.html_bytes
