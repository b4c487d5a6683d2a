"""How long freezing takes where readers had some of it before, or prefer something, beside the same edition for all.

Run: `python bench/variants.py [readers] [store url]`. Every reader is on two lists. The first list's edition goes out;
the second list's shares four of its twelve stories, and is frozen with each reader's own form. A third list, whose
readers prefer nothing and had nothing, is the reference: one INSERT … SELECT in the same run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from newsletter.compose.variants import Terms, variants_of
from newsletter.model.edition import Draft, EditionState, Part, Piece, Rendered, Role
from newsletter.model.publication import AlreadySent, Digest, MailingList, Section
from newsletter.render.samples import PUBLICATION
from newsletter.store.editions import Editions
from newsletter.store.engine import Store

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
ITEMS, SHARED = 12, 4
LISTS = ("morning", "evening", "alike")


def people(store: Store, many: int) -> None:
    """`many` readers on the first two lists, as many others on the third."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)"
    address = "'reader-' || i || '@example.org'"
    columns = "id, address, address_key, name, fields, created_at"
    since = NOW if not store.is_sqlite else NOW.strftime("%Y-%m-%d %H:%M:%S.%f")
    with store.write() as connection:
        connection.execute(
            text(f"INSERT INTO subscribers ({columns}) {numbers} SELECT i, {address}, {address}, '', '[]', :at FROM n"),
            {"many": 2 * many, "at": since},
        )
        for name in LISTS:
            connection.execute(
                text(
                    "INSERT INTO subscriptions (subscriber_id, list_id, state, since_at) SELECT id, :name, 'active', "
                    "created_at FROM subscribers WHERE (id <= :many) = :first ORDER BY id"
                ),
                {"name": name, "many": many, "first": name != "alike"},
            )


def items(store: Store, many: int) -> list[tuple[int, int]]:
    """(item, story) of new accepted items."""
    with store.write() as connection:
        connection.execute(
            text("INSERT INTO feeds (id, url, state, failures) VALUES ('f', 'http://f.example/', 'active', 0)")
        )
        for number in range(1, many + 1):
            connection.execute(text("INSERT INTO stories (id, created_at) VALUES (:n, :at)"), {"n": number, "at": NOW})
            connection.execute(
                text(
                    "INSERT INTO items (id, feed_id, story_id, state, url, headline, dek, byline, section_line, "
                    "categories, html, text, direction, dated_at, content_hash, source_digest, first_seen_at, "
                    "last_seen_at) VALUES (:n, 'f', :n, 'accepted', '', '', '', '', '', '[]', '', '', 'ltr', :at, '', "
                    "'', :at, :at)"
                ),
                {"n": number, "at": NOW},
            )
    return [(number, number) for number in range(1, many + 1)]


def draft(name: str, stories: list[tuple[int, int]]) -> Draft:
    pieces = tuple(
        Piece(item_id=item, story_id=story, feed_id="f", role=Role.TEASER, headline="H", url="", partner="P")
        for item, story in stories
    )
    digest = Digest(id=name, list_id=name, schedule=None, subject="", timezone="UTC", sections=(Section(title=""),))
    return Draft(
        id=name, number=1, digest=digest, mailing_list=MailingList(id=name, title=name), publication=PUBLICATION,
        dated_at=NOW, parts=(Part(title="", pieces=pieces),),
    )  # fmt: skip


RENDERED = Rendered(subject="S", html="", text="", preheader="", nonce="nl", fields=(), html_bytes=0, template_hash="")


def freeze(store: Store, made: Draft) -> int:
    """Freeze an edition as compose does, but for the rendering."""
    editions = Editions(store)
    terms = Terms(
        topics={piece.story_id: frozenset() for piece in made.pieces},
        already_sent=AlreadySent.LEAVE_OUT,
        chrome=lambda _: None,
    )
    variants = variants_of(made, editions.readership(made), terms, render=lambda _: replace(RENDERED))
    state = EditionState.APPROVED
    return editions.freeze(made, RENDERED, slot=made.id, state=state, now=NOW, variants=variants)


def seconds(work: Callable[[], int]) -> tuple[float, int]:
    start = time.perf_counter()
    done = work()
    return time.perf_counter() - start, done


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[2] if len(sys.argv) > 2 else "sqlite:///bench.db"
        with Store.open(url, site_dir=Path(folder)) as store:
            people(store, many)
            stories = items(store, 3 * ITEMS)
            first, second = stories[:ITEMS], stories[ITEMS - SHARED : 2 * ITEMS - SHARED]
            seconds(lambda: freeze(store, draft("morning", first)))
            taken, frozen = seconds(lambda: freeze(store, draft("alike", stories[2 * ITEMS :])))
            print(f"{many:,} readers, {ITEMS} items, on {'SQLite' if store.is_sqlite else 'PostgreSQL'}")
            print(f"the same for all        {taken:7.2f} s   1.0 ×   {frozen:,} deliveries")
            shared, frozen = seconds(lambda: freeze(store, draft("evening", second)))
            report = Editions(store).report("evening")
            print(
                f"{SHARED} of {ITEMS} had before      {shared:7.2f} s {shared / taken:5.1f} ×   {frozen:,} deliveries"
            )
            assert (report.recipients, report.left_out) == (many, many), report


if __name__ == "__main__":
    main()
