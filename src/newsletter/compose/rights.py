"""What partners allow: checked when an item is chosen, and once more on the finished documents.

The second check trusts nothing that came before it: neither compose's own cutting nor an editor's templates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from lxml import html as lxml_html
from lxml.html import HtmlElement

from newsletter.compose.blocks import reading_length
from newsletter.compose.sentences import sentence_ends
from newsletter.compose.teaser import EXCERPT, TEASER
from newsletter.errors import RightsError
from newsletter.model.edition import Draft, Piece, Rendered
from newsletter.model.feed import Feed, Reuse
from newsletter.model.item import Entry, Item
from newsletter.model.text import one_line, spelled

_MOST_LETTERS = {Reuse.EXCERPT: EXCERPT.limit, Reuse.TEASER: TEASER.limit}
_IN_LINKS = "%/:?#[]@!$&'()*+,;=~-._"
_TELLING = 30
"""Sentences shorter than this, in letters, may stand anywhere by chance."""


def credit_line(feed: Feed) -> str:
    """The credit line a feed's pieces carry; empty where the partner asks for none."""
    return one_line(feed.rights.credit.format(partner=feed.partner))


def held_back(item: Item, feed: Feed, *, at: datetime) -> str | None:
    """Why an item may not be shown at a moment, or None."""
    rights = feed.rights
    if rights.reuse is Reuse.NONE:
        return f"{feed.partner} allows no reuse"
    if rights.embargo and item.dated_at + rights.embargo > at:
        return f"{feed.partner} asks to wait until {_stamp(item.dated_at + rights.embargo)} (embargo)"
    if rights.expires is not None and item.dated_at + rights.expires <= at:
        return f"{feed.partner} let it be shown until {_stamp(item.dated_at + rights.expires)} (expires)"
    return None


def waits(item: Item, feed: Feed, *, at: datetime) -> bool:
    """Whether what holds an item back passes by itself."""
    rights = feed.rights
    return rights.reuse is not Reuse.NONE and bool(rights.embargo) and item.dated_at + rights.embargo > at


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What a reader of the finished documents sees, spelled, and where its links lead."""

    html: str
    text: str
    links: frozenset[str]
    text_links: frozenset[str]


def check_rights(draft: Draft, rendered: Rendered, *, items: Mapping[int, Item], feeds: Mapping[str, Feed]) -> None:
    """RightsError, naming item, partner and rule, unless the documents keep to what partners allow.

    Every piece has its credit line and its link in both parts, none is embargoed, expired or not to be reused on the
    edition's date, and of an article that may not be republished whole no more is there than its rights allow.
    """
    shown = _shown(rendered)
    for piece in draft.pieces:
        for broken in _broken(piece, draft, items=items, feeds=feeds, shown=shown):
            raise RightsError(draft.id, f"item {piece.item_id} “{piece.headline}” of {piece.partner}: {broken}")
    for line, times in Counter(spelled(piece.credit_line) for piece in draft.pieces).items():
        if line and min(shown.html.count(line), shown.text.count(line)) < times:
            owed = next(piece for piece in draft.pieces if spelled(piece.credit_line) == line)
            because = f"{times} pieces owe “{owed.credit_line}”, the templates show it less often"
            raise RightsError(draft.id, f"{owed.partner}: {because}")


def _broken(
    piece: Piece, draft: Draft, *, items: Mapping[int, Item], feeds: Mapping[str, Feed], shown: _Shown
) -> Iterator[str]:
    """The rules a piece breaks, worst first."""
    item, feed = items[piece.item_id], feeds[piece.feed_id]
    if because := held_back(item, feed, at=draft.dated_at):
        yield because
    if _encoded(piece.url) not in shown.links:
        yield f"its link {piece.url} is missing in the HTML part"
    if not {piece.url, _encoded(piece.url)} & shown.text_links:
        yield f"its link {piece.url} is missing in the text part"
    credit = spelled(piece.credit_line)
    if credit not in shown.html or credit not in shown.text:
        yield f"its credit line “{piece.credit_line}” is missing"
    most = _MOST_LETTERS.get(feed.rights.reuse)
    if most is None:
        return
    if piece.whole:
        yield f"only {_allowed(feed)} is allowed, the whole article is shown"
    elsewhere = spelled(" ".join(words for other in draft.pieces if other is not piece for words in other.paragraphs))
    letters = _letters_shown(item.entry, shown, elsewhere=elsewhere) - reading_length(piece.dek)
    if letters > most:
        yield f"only {_allowed(feed)} of at most {most} letters is allowed, {letters} are shown"


def _allowed(feed: Feed) -> str:
    return "an excerpt" if feed.rights.reuse is Reuse.EXCERPT else "a teaser"


def _letters_shown(entry: Entry, shown: _Shown, *, elsewhere: str) -> int:
    """How much of an article's text stands in the documents, counted by its sentences.

    A sentence that another piece shows counts there: the same text may come from a partner who allows more.
    """
    sentences = [sentence for part in entry.text.split("\n\n") for sentence in _sentences(part, entry.language)]
    keys = {spelled(sentence): reading_length(sentence) for sentence in sentences}
    present = {key: letters for key, letters in keys.items() if len(key) >= _TELLING and key not in elsewhere}
    return max(sum(letters for key, letters in present.items() if key in part) for part in (shown.html, shown.text))


def _sentences(text: str, language: str | None) -> Iterator[str]:
    start = 0
    for end in (*sentence_ends(text, language=language), len(text)):
        yield text[start:end]
        start = end


def _shown(rendered: Rendered) -> _Shown:
    root = lxml_html.document_fromstring(rendered.html)
    words: list[str] = []
    links: set[str] = set()
    _collect(root, words, links)
    return _Shown(
        html=spelled(" ".join(words)),
        text=spelled(rendered.text),
        links=frozenset(map(_encoded, links)),
        text_links=frozenset(word for found in rendered.text.split() for word in (found, found.strip("<>()[],;."))),
    )


def _encoded(url: str) -> str:
    """A link as it is written in markup: some writers encode what others leave."""
    return quote(url, safe=_IN_LINKS)


def _collect(element: HtmlElement, words: list[str], links: set[str]) -> None:
    """Visible words and links: what a style hides does not count as shown."""
    hidden = "display:none" in (element.get("style") or "").replace(" ", "").lower()
    if hidden or element.tag in {"style", "script", "head", "title", "template"}:
        return
    if element.tag == "a" and (href := element.get("href")):
        links.add(href)
    words.append(element.text or "")
    for child in element:
        if isinstance(child.tag, str):
            _collect(child, words, links)
        words.append(child.tail or "")
