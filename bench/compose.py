"""How long composing an edition takes, beside lxml reading the same articles once and nothing more.

Run: `python bench/compose.py [candidates]`. Twelve of 5,000 candidates from fifty partners are chosen, made into pieces
and held against their partners' rights. Rendering and the store have benchmarks of their own; bare documents stand in.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

from lxml import html as lxml_html

from newsletter.compose.choose import choose
from newsletter.compose.chrome import article_of
from newsletter.compose.draft import Plan, draft_of, full_shape
from newsletter.compose.pieces import Chosen
from newsletter.compose.rights import check_rights
from newsletter.model.edition import Choice, Draft, Rendered
from newsletter.model.feed import Feed, Reuse, Rights
from newsletter.model.item import Entry, Item, ItemState
from newsletter.model.publication import Digest, Full, MailingList, Section
from newsletter.render.samples import PUBLICATION

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
LIST = MailingList(id="brief", title="The Brief")
DIGEST = Digest(
    id="daily",
    list_id="brief",
    schedule=None,
    subject="",
    timezone="Europe/London",
    full=Full.ALL,
    sections=(Section(title="Sea", topics=("Sea",), max_items=6), Section(title="Everything")),
)
FEEDS = {
    f"partner-{number}": Feed(
        id=f"partner-{number}",
        url=f"https://partner-{number}.example/feed",
        partner=f"Partner {number}",
        topics=("Sea",) if number % 3 else ("Land",),
        rights=Rights(reuse=list(Reuse)[number % 3], credit="Courtesy of {partner}."),
    )
    for number in range(50)
}
_SENTENCES = (
    "The soundings stop where the disputed shelf begins, said Gen. Okoro of the U.S. Navy. "
    "“Who drew this line?” asked <em>the pilot</em>, who had sailed it for 3.5 decades. "
    'Nobody knew, though <a href="https://archive.example/maps">the maps of 1911</a> show it twice. '
)
ARTICLE = "<h2>The shelf</h2>" + f"<p>{_SENTENCES * 2}</p>" * 16
TEXT = "\n\n".join([lxml_html.fromstring(f"<p>{_SENTENCES * 2}</p>").text_content()] * 16)


def candidates(many: int) -> tuple[Item, ...]:
    return tuple(
        Item(
            id=number,
            feed_id=f"partner-{number * 7 % 50}",
            story_id=number - number % 5 % 2,
            state=ItemState.ACCEPTED,
            entry=Entry(
                guid=None,
                url=f"https://partner.example/{number}",
                headline=f"Piece {number}",
                html=ARTICLE,
                text=TEXT,
                language="en",
                published_at=NOW - timedelta(minutes=number),
            ),
            first_seen_at=NOW,
        )
        for number in range(many)
    )


def drafted(choices: tuple[Choice, ...]) -> Draft:
    taken = sorted(((one.section, one) for one in choices if one.section is not None), key=lambda pair: pair[0])
    chosen = tuple(
        (section, Chosen(item=one.item, feed=FEEDS[one.item.feed_id], article=article_of(one.item.entry)))
        for section, one in taken
    )
    plan = Plan(digest=DIGEST, mailing_list=LIST, publication=PUBLICATION, feeds=FEEDS, dated_at=NOW, chosen=chosen)
    return draft_of(plan, full_shape(plan), name="daily-2026-11-23", number=1)


def documents(draft: Draft) -> Rendered:
    shown = [(piece, f'<a href="{piece.url}">{piece.headline}</a>') for piece in draft.pieces]
    return Rendered(
        subject="",
        html="".join(f"<h2>{link}</h2>{piece.html}<p>{piece.credit_line}</p>" for piece, link in shown),
        text="\n\n".join("\n\n".join((*piece.paragraphs, piece.url, piece.credit_line)) for piece, _ in shown),
        preheader="",
        nonce="nl",
        fields=(),
        html_bytes=0,
        template_hash="",
    )


def milliseconds(work: Callable[[], object], *, times: int = 7) -> float:
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return median(taken) * 1000


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    items = candidates(many)
    by_id = {item.id: item for item in items}
    choices = choose(items, DIGEST, feeds=FEEDS, at=NOW)
    draft = drafted(choices)
    rendered = documents(draft)
    articles = [by_id[piece.item_id].entry.html for piece in draft.pieces]

    reference = milliseconds(lambda: [lxml_html.fragment_fromstring(one, create_parent="div") for one in articles])
    choosing = milliseconds(lambda: choose(items, DIGEST, feeds=FEEDS, at=NOW))
    drafting = milliseconds(lambda: drafted(choices))
    checking = milliseconds(lambda: check_rights(draft, rendered, items=by_id, feeds=FEEDS))

    kilobytes = sum(map(len, articles)) / 1024
    print(f"{len(draft.pieces)} pieces of {many} candidates, {kilobytes:.0f} KB of articles; medians of 7, CPU time")
    print(f"lxml reads the articles       {reference:8.2f} ms   1.0 ×")
    for name, taken in (("choose", choosing), ("pieces and draft", drafting), ("check rights", checking)):
        print(f"{name:<30}{taken:8.2f} ms {taken / reference:5.1f} ×   {taken * 1000 / len(articles):8.0f} µs a piece")
    total = choosing + drafting + checking
    print(f"{'compose in all':<30}{total:8.2f} ms {total / reference:5.1f} ×")
    print(f"choosing takes {choosing * 1000 / many:.1f} µs a candidate")


if __name__ == "__main__":
    main()
