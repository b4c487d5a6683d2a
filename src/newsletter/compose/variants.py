"""The few forms that an edition needs: what each group of readers should get, and which of that is worth rendering.

A group's wish says what to leave out or shorten and in which language to speak around it. The wishes of most readers
are granted, up to a bound; whoever is left gets the nearest form that keeps no more from them than they wished. So the
bound may show somebody a story again, and never hides one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from newsletter.compose.draft import Plan
from newsletter.compose.topics import topics_of, topics_offered
from newsletter.model.edition import Draft, Part, Piece, Rendered, Role
from newsletter.model.publication import AlreadySent
from newsletter.model.variant import HAD_IT_ALL, NOTHING_CHOSEN, Group, Place, Readership, Variant, Variants

MOST_DOCUMENTS = 24
"""Rendering one takes a fifth of a second, and senders keep them all at hand."""

_TEXT_ONLY = "t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one form of an edition would show. `language` is None for the publication's own."""

    left_out: frozenset[int] = frozenset()
    shortened: frozenset[int] = frozenset()
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the wishes of an edition's readers depend on, besides themselves.

    `topics` are those of each of its stories that readers may choose from, without case; `chrome` gives the language
    that mails to a reader of a language are worded in, None for the publication's.
    """

    topics: Mapping[int, frozenset[str]]
    already_sent: AlreadySent
    chrome: Callable[[str | None], str | None]


def wish_of(group: Group, terms: Terms) -> Wish | str:
    """What a group should get, or why there is nothing for them.

    A story with none of the topics that are offered could not be chosen, and is for everybody.
    """
    chosen = {topic.casefold() for topic in group.topics}
    unwanted = {story for story, topics in terms.topics.items() if chosen and topics and not topics & chosen}
    wanted = terms.topics.keys() - unwanted
    seen = wanted & group.seen if terms.already_sent is not AlreadySent.KEEP else frozenset()
    if wanted == seen:
        return HAD_IT_ALL if wanted else NOTHING_CHOSEN
    language = terms.chrome(group.language)
    if terms.already_sent is AlreadySent.SHORTEN:
        return Wish(left_out=frozenset(unwanted), shortened=frozenset(seen), language=language)
    return Wish(left_out=frozenset(unwanted | seen), language=language)


def plan_topics(plan: Plan, draft: Draft) -> dict[int, frozenset[str]]:
    """By story of the draft, those of its topics that readers may choose from."""
    offered = {topic.casefold() for topic in topics_offered([plan.digest], plan.feeds)}
    about = {chosen.item.id: topics_of(chosen.item, chosen.feed) for _, chosen in plan.chosen}
    return {piece.story_id: about[piece.item_id] & offered for piece in draft.pieces}


def chrome_language(tag: str | None, *, languages: Collection[str], ours: str) -> str | None:
    """The language that mails to a reader are worded in: theirs where the templates have it; None for our own."""
    known = {language.lower(): language for language in languages}
    wanted = (tag or "").lower()
    base = wanted.split("-", 1)[0]
    if base == ours.lower().split("-", 1)[0]:
        return None
    return known.get(wanted) or known.get(base)


def variants_of(
    draft: Draft,
    readership: Readership,
    terms: Terms,
    *,
    render: Callable[[Draft], Rendered],
    most: int = MOST_DOCUMENTS,
) -> Variants:
    """Rendered forms, and a rule that finds anybody's, also of those who change their minds later."""
    granted = _granted(readership.groups, terms, most=most)
    kinds = sorted({False, *(group.text_only for group in readership.groups)})
    forms: list[tuple[Variant, Rendered | None]] = []
    for name, wish in granted.items():
        rendered = render(drafted(draft, wish)) if name else None
        forms += [(_form(name, wish, text_only=each), None if each else rendered) for each in kinds]
    place = partial(_place, terms=terms, granted=granted, kinds=kinds)
    return Variants(readership=readership, forms=tuple(forms), place=place)


def drafted(draft: Draft, wish: Wish) -> Draft:
    """The draft as a wish has it. What is new comes first, so that the lead and the subject are never an old story."""
    parts = [_part(part, wish, language=draft.publication.language) for part in draft.parts]
    kept = sorted((part for part in parts if part.pieces), key=lambda part: part.pieces[0].story_id in wish.shortened)
    first, *rest = kept
    lead, *others = first.pieces
    first = replace(first, pieces=(replace(lead, role=Role.LEAD), *others))
    publication = replace(draft.publication, language=wish.language or draft.publication.language)
    return replace(draft, parts=(first, *rest), publication=publication)


def _part(part: Part, wish: Wish, *, language: str) -> Part:
    pieces = [
        # A piece that does not say is in the publication's language, whatever is spoken around it.
        replace(_cut(piece, wish), role=Role.TEASER, language=piece.language or language)
        for piece in part.pieces
        if piece.story_id not in wish.left_out
    ]
    return replace(part, pieces=tuple(sorted(pieces, key=lambda piece: piece.story_id in wish.shortened)))


def _cut(piece: Piece, wish: Wish) -> Piece:
    if piece.story_id not in wish.shortened:
        return piece
    return replace(piece, dek="", html="", paragraphs=(), image=None, whole=False)


def _granted(groups: Iterable[Group], terms: Terms, *, most: int) -> dict[str, Wish]:
    """Names of documents and what they show: the whole edition, then what most readers wish."""
    wished: Counter[Wish] = Counter()
    for group in groups:
        if isinstance(wish := wish_of(group, terms), Wish):
            wished[wish] += group.readers
    wished.pop(Wish(), None)
    ranked = sorted(wished, key=lambda wish: (-wished[wish], _spelt(wish)))
    return {str(number or ""): wish for number, wish in enumerate((Wish(), *ranked[: most - 1]))}


def _spelt(wish: Wish) -> tuple[str, list[int], list[int]]:
    return wish.language or "", sorted(wish.left_out), sorted(wish.shortened)


def _form(name: str, wish: Wish, *, text_only: bool) -> Variant:
    return Variant(
        name=name + _TEXT_ONLY * text_only,
        document=name,
        text_only=text_only,
        language=wish.language,
        left_out=tuple(sorted(wish.left_out)),
        shortened=tuple(sorted(wish.shortened)),
    )


def _place(group: Group, *, terms: Terms, granted: Mapping[str, Wish], kinds: Sequence[bool]) -> Place:
    wish = wish_of(group, terms)
    if not isinstance(wish, Wish):
        return Place(variant=None, because=wish)
    name, given = max(
        ((name, given) for name, given in granted.items() if _keeps_no_more(given, wish)),
        key=lambda pair: (len(pair[1].left_out | pair[1].shortened), pair[1].language == wish.language),
    )
    text_only = group.text_only and group.text_only in kinds
    return Place(
        variant=name + _TEXT_ONLY * text_only,
        spared=bool(group.seen & (given.left_out | given.shortened)),
        nearest=given != wish or text_only != group.text_only,
    )


def _keeps_no_more(given: Wish, wish: Wish) -> bool:
    return (
        given.left_out <= wish.left_out
        and given.shortened <= wish.shortened
        and given.language in {None, wish.language}
    )
