"""What happens to pieces on their way through feeds: each mutation makes an entry of one, and knows what it is.

The pieces are in `data/pieces-*.txt`, written for this project: `#` begins a piece (topic and headline), `## again`
another report of the same event, `## de` a translation.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from newsletter.collect.identity import decide
from newsletter.collect.keys import keyed
from newsletter.model.identity import Decision
from newsletter.model.item import Entry
from tests.collect.makers import DATA, NOW, Memory, a_feed, an_entry

OWN = a_feed("courier")
OTHER = a_feed("saltmarsh")
IMPRINT = (
    "The Saltmarsh Review is an association of its readers, who elect the editors every second winter. It accepts neither"
    " advertising nor advice. Reprints are welcome if the author and the review are named, in full and on the same page."
    " Letters to the editors reach us at the old customs house, Harbour Street, and are read aloud at breakfast."
)


class Truth(StrEnum):
    """What an entry is, beside the item it was made from."""

    ITEM = "the same item"
    STORY = "the same story in another feed"
    OTHER = "another piece"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """An article as its publisher wrote it, other reports of its event, and translations."""

    number: int
    topic: str
    headline: str
    text: str
    others: tuple[tuple[str, str, str], ...] = ()
    """(what it is, headline, text)"""

    @property
    def entry(self) -> Entry:
        return made("courier", self.headline, self.text, number=self.number)


def made(site: str, headline: str, text: str, *, number: int, days: float = 0, guid: str = "") -> Entry:
    """An entry in the shape that a blog system gives it."""
    slug = "-".join(re.findall(r"\w+", headline.casefold()))[:60]
    return an_entry(
        guid=guid or f"https://{site}.example/?p={len(site)}{number:04}{int(days * 10)}",
        url=f"https://{site}.example/2026/{slug}-{number}-{int(days * 10)}/",
        headline=headline,
        text=text,
        published_at=NOW - timedelta(days=number % 20) + timedelta(days=days),
    )


def pieces() -> tuple[Piece, ...]:
    """All that were written."""
    found: list[Piece] = []
    for path in sorted(DATA.glob("pieces-*.txt")):
        for block in re.split(r"(?m)^(?=##? )", path.read_text(encoding="utf-8")):
            if block.strip():
                _take(found, block)
    return tuple(found)


def features() -> tuple[Piece, ...]:
    """Articles of a usual length: three pieces each, told as one."""
    written = [piece for piece in pieces() if len(paragraphs(piece)) > 1]
    trios = [written[at : at + 3] for at in range(0, len(written) - 2, 3)]
    return tuple(
        Piece(
            number=at,
            topic=trio[0].topic,
            headline=f"Three views on {trio[0].headline}",
            text="\n\n".join(piece.text for piece in trio),
        )
        for at, trio in enumerate(trios)
    )


def _take(found: list[Piece], block: str) -> None:
    head, text = block.split("\n", 1)
    what, headline = (part.strip() for part in head.lstrip("# ").split("|", 1))
    if head.startswith("## "):
        found[-1] = replace(found[-1], others=(*found[-1].others, (what, headline, text.strip())))
    else:
        found.append(Piece(number=len(found), topic=what, headline=headline, text=text.strip()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """`make` gives nothing for pieces that it cannot be applied to."""

    name: str
    truth: Truth
    make: Callable[[Piece], Entry | None]
    floor: float = 1.0
    """The least part of the pieces that has to be recognised."""
    floor_of_features: float = 1.0
    """The same of long articles."""


def _copy(headline: str, text: str, piece: Piece, *, days: float = 0.3) -> Entry:
    return made("saltmarsh", headline, text, number=piece.number, days=days)


def _other(what: str, site: str, *, same_headline: bool = False) -> Callable[[Piece], Entry | None]:
    """Another report of the event, or a translation."""

    def make(piece: Piece) -> Entry | None:
        found = next(((headline, text) for kind, headline, text in piece.others if kind == what), None)
        if found is None:
            return None
        headline = piece.headline if same_headline else found[0]
        return made(site, headline, found[1], number=piece.number, days=0.1, guid=f"other-{site}")

    return make


def paragraphs(piece: Piece) -> list[str]:
    return piece.text.split("\n\n")


def sub_edited(text: str) -> str:
    """One word of forty is another one."""
    found = text.split(" ")
    for at in range(7, len(found), 40):
        found[at] = found[at][::-1]
    return " ".join(found)


def typeset(text: str) -> str:
    """The same words by another typesetter: quotation marks, dashes, ligatures, spaces, decomposed letters."""
    for before, after in (('"', "”"), ("'", "’"), (" - ", " – "), ("fi", "ﬁ"), (", ", ",\u00a0"), ("...", "…")):
        text = text.replace(before, after)
    return unicodedata.normalize("NFD", text)


def corrected(text: str) -> str:
    """A number is another one, and a note says so."""
    return (
        re.sub(r"\d+", "17", text, count=1) + "\n\nCorrection: an earlier version of this article gave a wrong number."
    )


_NEW_LEADS = (
    (
        "It is a small story, and it began, like most of them, with somebody who had had enough. We print it because it says"
        " more about these islands than a year of statistics."
    ),
    "Our partners at the Courier have looked into something that we had overlooked, although it lies on our doorstep.",
)


def _retitled(piece: Piece, headline: str, *, guid: str) -> Entry:
    entry = piece.entry
    return an_entry(guid=guid, url=entry.url, headline=headline, text=piece.text, published_at=entry.published_at)


def _names(piece: Piece, **fields: str) -> Entry:
    return replace(piece.entry, **fields)  # type: ignore[arg-type]  # texts all of them


_Make = Callable[[Piece], Entry | None]


def _of_long(headline: str, text: Callable[[Piece], str]) -> _Make:
    """A copy in another feed, of pieces with more than a paragraph; without a headline it keeps its own."""
    return lambda piece: _copy(headline or piece.headline, text(piece), piece) if len(paragraphs(piece)) > 1 else None


_SAME_ITEM: dict[str, _Make] = {
    "as it was": lambda piece: piece.entry,
    "host move": lambda piece: _names(
        piece, guid=f"https://moved.example/?p={piece.number}9", url=piece.entry.url.replace("courier.", "moved.")
    ),
    "guid rewrite": lambda piece: _names(piece, guid=f"urn:uuid:{piece.number:08}-0000"),
    "guid follows headline": lambda piece: _retitled(piece, f"{piece.headline}, updated", guid=f"{piece.headline} 2"),
    "https, www and a slash": lambda piece: _names(
        piece, guid="", url=piece.entry.url.replace("https://", "http://www.").rstrip("/")
    ),
    "tracking noise": lambda piece: _names(
        piece, guid="", url=piece.entry.url + "?utm_source=rss&utm_medium=feed&fbclid=Iw1#comments"
    ),
    "CMS move": lambda piece: _names(
        piece, guid=f"n{piece.number}", url=f"https://courier.example/node/{piece.number}7"
    ),
    "headline edit": lambda piece: _retitled(piece, "Another headline altogether", guid=str(piece.entry.guid)),
    "correction": lambda piece: an_entry(
        guid=piece.entry.guid, url=piece.entry.url, headline=piece.headline, text=corrected(piece.text)
    ),
}
# What part of short pieces and of long articles is recognised at least.
_SAME_STORY: dict[str, tuple[float, float, _Make]] = {
    "whole copy": (1, 1, lambda piece: _copy(piece.headline, piece.text, piece)),
    "typographic changes": (1, 1, lambda piece: _copy(typeset(piece.headline), typeset(piece.text), piece)),
    "small edits": (0.9, 1, lambda piece: _copy(piece.headline, sub_edited(piece.text), piece)),
    "headline edit": (1, 1, _of_long("What the islands make of it", lambda piece: piece.text)),
    "another headline, a lead before it": (
        1,
        1,
        _of_long("A story from our partners", lambda piece: f"{_NEW_LEADS[piece.number % 2]}\n\n{piece.text}"),
    ),
    # Of a hundred words a third are others, and the headline too: an imprint may leave as much in common.
    "another headline, its lead replaced": (
        0,
        1,
        _of_long("From our partners", lambda piece: "\n\n".join([_NEW_LEADS[0], *paragraphs(piece)[1:]])),
    ),
    "two thirds of it": (1, 1, _of_long("", lambda piece: "\n\n".join(paragraphs(piece)[:2]))),
    "lead alone": (1, 1, _of_long("", lambda piece: paragraphs(piece)[0])),
    "lead alone, another headline": (0.3, 0, _of_long("Elsewhere in the press", lambda piece: paragraphs(piece)[0])),
    "copy with an imprint": (1, 1, _of_long("", lambda piece: f"{piece.text}\n\n{IMPRINT}")),
    "correction": (1, 1, _of_long("", lambda piece: corrected(piece.text))),
    "link to the original": (
        1,
        1,
        lambda piece: _names(piece, guid=f"pick-{piece.number}", url=piece.entry.url),
    ),
    "translation": (0, 0, lambda piece: _other("de", "saltmarsh")(piece) or _other("en", "saltmarsh")(piece)),
}


def _column(site: str, *, days: float) -> Callable[[Piece], Entry | None]:
    return lambda piece: made(
        site, piece.headline, _own_words(piece.number, 9), number=piece.number, days=days, guid=f"column-{site}"
    )


_SUBJECTS = "harbour master,choir,pilot,baker,council,ferry,school,museum,lighthouse,cooperative,court,library".split(
    ","
)
_VERBS = "praised,refused,measured,painted,postponed,found,counted,forgot,repaired,announced,sold".split(",")
_OBJECTS = (
    "the western mole,eleven lamps,a budget of its own,the winter timetable,two barrels of tar,a new chart".split(",")
)
_WHEN = (
    "before dawn,on market day,without a word,for the third time,in spite of the rain,after long talks,by hand".split(
        ","
    )
)


def _own_words(number: int, sentences: int) -> str:
    """So many sentences that no other number has."""
    told = []
    for at in range(sentences):
        luck = number * 31 + at * 17 + number * at
        one, verb, thing, when = (
            words[luck // step % len(words)]
            for words, step in ((_SUBJECTS, 1), (_VERBS, 3), (_OBJECTS, 7), (_WHEN, 13))
        )
        told.append(f"In the matter of case {number * 100 + at} the {one} {verb} {thing} {when}.")
    return " ".join(told)


BACKGROUND = (
    "The dockers of Great Harbour stopped work over night shifts in the spring. Talks have broken down twice since; a"
    " mediator was appointed by the ministry of transport and resigned for reasons of health."
)


def days_list(number: int) -> str:
    """A list of a day's events, as newspapers repeat it daily: form and background stay, the events are others."""
    return (
        f"Here is where things stand on day {1455 + number} of the strike.\n\n{_own_words(number + 500, 3)}\n\n"
        f"{_own_words(number + 900, 3)}\n\n{BACKGROUND}"
    )


_ANOTHER_PIECE: dict[str, _Make] = {
    "another report, same feed": _other("again", "courier"),
    "another report, other feed": _other("again", "saltmarsh"),
    "another report, same headline, other feed": _other("again", "saltmarsh", same_headline=True),
    "same headline, other day, same feed": _column("courier", days=7),
    "same headline, same day, other feed": _column("saltmarsh", days=0),
    "same imprint, other feed": lambda piece: _copy(
        f"Notes on {piece.topic} from our own office, number {piece.number}",
        f"{_own_words(piece.number, 4)}\n\n{IMPRINT}",
        piece,
    ),
    "a day's list with standing background": lambda piece: _copy(
        f"The strike at Great Harbour: what happened on day {1455 + piece.number}", days_list(piece.number), piece
    ),
}


def mutations() -> tuple[Mutation, ...]:
    """All of them."""
    return (
        *(Mutation(name=name, truth=Truth.ITEM, make=make) for name, make in _SAME_ITEM.items()),
        *(
            Mutation(name=name, truth=Truth.STORY, make=make, floor=floor, floor_of_features=of_features)
            for name, (floor, of_features, make) in _SAME_STORY.items()
        ),
        *(Mutation(name=name, truth=Truth.OTHER, make=make) for name, make in _ANOTHER_PIECE.items()),
    )


@dataclass(slots=True)
class Score:
    """How often a mutation was tried, recognised, and taken for what it is not."""

    tried: int = 0
    recognised: int = 0
    false: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.recognised / self.tried if self.tried else 1.0


def archive(written: tuple[Piece, ...]) -> Memory:
    """A store that has every piece as its publisher wrote it, among columns, lists and notes with the imprint."""
    memory = Memory()
    for piece in written:
        memory.poll(OWN, piece.entry)
        day = f"The strike at Great Harbour: what happened on day {piece.number}"
        memory.poll(OWN, made("courier", day, days_list(piece.number + 60), number=piece.number + 100))
    office = f"{_own_words(7001, 4)}\n\n{IMPRINT}"
    memory.poll(OWN, made("courier", "A word from the office of the review", office, number=991))
    return memory


def scored(mutation: Mutation, written: tuple[Piece, ...], memory: Memory) -> Score:
    """Decide about the mutation of each piece, one at a time, and compare with the truth."""
    score = Score()
    stored = {item.entry.url: item.id for item in memory.items_by_id.values()}
    for piece in written:
        if (entry := mutation.make(piece)) is None:
            continue
        own = mutation.truth is Truth.ITEM or (mutation.truth is Truth.OTHER and "//courier." in entry.url)
        feed = OWN if own else OTHER
        (decision,) = decide(memory, (keyed(entry, feed),), feed=feed, first=False)
        _count(score, mutation, decision, item=stored[piece.entry.url])
    return score


def _count(score: Score, mutation: Mutation, decision: Decision, *, item: int) -> None:
    """Each item of the archive tells a story of its own, so that an item and its story have one number."""
    found = decision.item_id if decision.item_id is not None else decision.story_id
    score.tried += 1
    wanted = None if mutation.truth is Truth.OTHER else item
    score.recognised += found == wanted
    if found not in {None, wanted}:
        score.false.append(f"{mutation.name}: {decision.keyed.entry.headline!r} taken for {found}: {decision.because}")
