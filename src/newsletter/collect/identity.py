"""Whether an entry is a new item, a changed one or one we have, and whether it tells a story that another feed told.

Strong keys decide, weak ones only nominate and the text decides. Where the evidence is thin the answer is "new": a
false merge hides a piece for good, a missed one shows it twice. A name that does not name, a guid or a link that
several different entries carry, decides nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice

from newsletter.collect.admission import admitted
from newsletter.collect.renamed import is_the_same, renamed
from newsletter.collect.revision import changes
from newsletter.collect.sketch import ALIKE, FEWEST_PHRASES, NEARLY_ALL, Likeness, likeness, phrases, same_text, words
from newsletter.model.feed import Feed
from newsletter.model.identity import Decision, KeyedEntry, Lookup, Verdict
from newsletter.model.item import Entry, Item, ItemState, Key, KeyKind

_STRENGTH = tuple(KeyKind)
_GIVEN_NAMES = frozenset({KeyKind.GUID, KeyKind.BARE_GUID, KeyKind.POST_ID})
_HARDLY = 0.2
_ANOTHER_DAY = timedelta(days=1)
# A sketch made of boilerplate names half the archive: of the items that it nominates, those that share most are read.
_MOST_COMPARED = 12
# Words that so many stories share are a formula of their publishers.
_SEVERAL = 4

_Name = tuple[KeyKind, str]


def decide(lookup: Lookup, entries: tuple[KeyedEntry, ...], *, feed: Feed, first: bool) -> tuple[Decision, ...]:
    """One decision for each different entry of a document; the keys of its duplicates go with the one they repeat.

    `first` is true for a feed that was never read before.
    """
    entries = _without_repeats(entries)
    memory = _recall(lookup, entries)
    claims = _claims(entries, memory, feed.id)
    decisions = [_decision(entry, claims.get(at), memory, feed.id) for at, entry in enumerate(entries)]
    for at, item in renamed(lookup, decisions, feed=feed.id).items():
        decisions[at] = _under_a_new_name(decisions[at], item)
    return admitted(_once_each(decisions), feed=feed, first=first, held=lookup.is_held(feed.id))


def _under_a_new_name(decision: Decision, item: Item) -> Decision:
    """An entry with the headline of a known item, in a document that gives everything new names."""
    entry = decision.keyed.entry
    if is_the_same(entry, item.entry):
        return _seen(decision.keyed, item, because=f"item {item.id} under a new name, like most of its feed")
    why = f"most of the feed came under new names at once, and this has the headline of item {item.id} but not its text"
    return replace(decision, state=ItemState.HELD, because=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """What the store knows about the keys of a document."""

    owners: Mapping[_Name, tuple[int, ...]]
    items: Mapping[int, Item]
    strong_owners: Mapping[Key, tuple[int, ...]]
    vague: frozenset[_Name]
    """Names that several different entries or items carry."""
    parted: Mapping[int, frozenset[int]]
    """Stories that an operator said an item does not tell."""

    def nominees(self, keys: Iterable[Key]) -> dict[int, frozenset[KeyKind]]:
        """Items that share keys with an entry and the kinds they share, those that share most first."""
        shared: defaultdict[int, list[KeyKind]] = defaultdict(list)
        for key in keys:
            # A name that several bear decides nothing.
            if (key.kind, key.value) not in self.vague:
                for item_id in self.owners.get((key.kind, key.value), ()):
                    shared[item_id].append(key.kind)
        ranked = sorted(shared.items(), key=lambda one: (-len(one[1]), -one[0]))
        return {item_id: frozenset(kinds) for item_id, kinds in ranked if item_id in self.items}


def _recall(lookup: Lookup, entries: tuple[KeyedEntry, ...]) -> _Memory:
    keys = tuple(dict.fromkeys(key for entry in entries for key in entry.keys))
    found = lookup.by_keys(keys)
    owners: defaultdict[_Name, set[int]] = defaultdict(set)
    for key, ids in found.items():
        owners[key.kind, key.value].update(ids)
    wanted = {item_id for entry in entries for item_id in _worth_reading(entry, found)}
    items = lookup.items(tuple(sorted(wanted)))
    overused = {(key.kind, key.value) for key, ids in found.items() if key.strong and len(ids) > 1}
    return _Memory(
        owners={name: tuple(sorted(ids)) for name, ids in owners.items()},
        items=items,
        strong_owners={key: ids for key, ids in found.items() if key.strong},
        vague=frozenset(overused | _vague_names(entries)),
        parted=lookup.parted(tuple(sorted(items))),
    )


def _worth_reading(entry: KeyedEntry, found: Mapping[Key, tuple[int, ...]]) -> set[int]:
    """The items that an entry may be: all that share a name, and of those that share a sketch alone the likeliest."""
    named = {item_id for key in entry.keys if key.kind is not KeyKind.SKETCH for item_id in found.get(key, ())}
    alike = Counter(item_id for key in entry.keys if key.kind is KeyKind.SKETCH for item_id in found.get(key, ()))
    ranked = sorted(alike, key=lambda item_id: (-alike[item_id], -item_id))
    return named.union(ranked[:_MOST_COMPARED])


def _vague_names(entries: tuple[KeyedEntry, ...]) -> frozenset[_Name]:
    """Strong keys under which the document has entries with different headlines and no other name in common."""
    bearers: defaultdict[Key, list[KeyedEntry]] = defaultdict(list)
    for entry in entries:
        for key in entry.keys:
            if key.strong:
                bearers[key].append(entry)
    return frozenset(
        (key.kind, key.value)
        for key, those in bearers.items()
        if len({words(one.entry.headline) for one in those}) > 1 and not _another_name(those, key)
    )


def _another_name(entries: list[KeyedEntry], key: Key) -> bool:
    """Whether the entries share a link besides a guid, or a guid besides a link."""
    shared = Counter(other for entry in entries for other in set(entry.keys) if other.strong)
    is_link = key.kind is KeyKind.LINK
    return any(count == len(entries) and (other.kind is KeyKind.LINK) is not is_link for other, count in shared.items())


def _without_repeats(entries: tuple[KeyedEntry, ...]) -> tuple[KeyedEntry, ...]:
    """The document without what it says twice: the first of each stays and takes the keys of the others."""
    vague = _vague_names(entries)
    leaders: list[KeyedEntry] = []
    by_name: dict[_Name, int] = {}
    by_words: dict[tuple[Key, str], int] = {}
    for entry in entries:
        names = [(key.kind, key.value) for key in entry.keys if key.strong]
        # The very same words on the same day are one piece whatever its names.
        said = [(key, entry.entry.content_hash) for key in entry.keys if key.kind is KeyKind.TITLE_DAY]
        at = next((by_name[name] for name in names if name in by_name and name not in vague), None)
        if at is None:
            at = next((by_words[key] for key in said if key in by_words), None)
        if at is None:
            at = len(leaders)
            leaders.append(entry)
        else:
            leaders[at] = replace(leaders[at], keys=_united(leaders[at].keys, entry.keys))
        for name in names:
            by_name.setdefault(name, at)
        for key in said:
            by_words.setdefault(key, at)
    return tuple(leaders)


def _united(keys: tuple[Key, ...], more: tuple[Key, ...]) -> tuple[Key, ...]:
    return tuple(dict.fromkeys((*keys, *more)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """An entry is this item, and why where that needed thought."""

    item: Item
    because: str | None


def _claims(entries: tuple[KeyedEntry, ...], memory: _Memory, feed: str) -> dict[int, _Claim]:
    """The stored item of this feed that each entry is, by position; entries that are new are absent."""
    found = {}
    for at, entry in enumerate(entries):
        for item, kinds in _ranked(memory.nominees(entry.keys), memory, feed):
            if (claim := _claim(entry.entry, item, kinds)) is not None:
                found[at] = claim
                break
    return found


def _ranked(
    nominees: dict[int, frozenset[KeyKind]], memory: _Memory, feed: str
) -> Iterator[tuple[Item, frozenset[KeyKind]]]:
    """Nominees of this feed, those with the strongest names first, then the latest."""
    own = [(memory.items[item_id], kinds) for item_id, kinds in nominees.items()]
    own = [(item, kinds) for item, kinds in own if item.feed_id == feed]
    return iter(sorted(own, key=lambda one: (min(map(_STRENGTH.index, one[1])), -len(one[1]), -one[0].id)))


def _claim(entry: Entry, item: Item, kinds: frozenset[KeyKind]) -> _Claim | None:
    if kinds & _GIVEN_NAMES and (KeyKind.LINK in kinds or not _reused(entry, item.entry)):
        return _Claim(item=item, because=None)
    if KeyKind.LINK in kinds:
        return _Claim(item=item, because=None)
    if KeyKind.TITLE_DAY in kinds and _says_the_same(entry, item.entry):
        return _Claim(item=item, because=f"same headline, day and text as item {item.id}")
    if KeyKind.LINK_PATH in kinds and not kinds & _GIVEN_NAMES and _moved(entry, item.entry):
        return _Claim(item=item, because=f"item {item.id} under another host")
    return None


def _reused(entry: Entry, stored: Entry) -> bool:
    """Whether a guid names another piece now: other link, other day, other headline and other text."""
    if not entry.published_at or not stored.published_at:
        return False
    if abs(entry.published_at - stored.published_at) <= _ANOTHER_DAY:
        return False
    found = _likeness(entry, stored)
    return found.headline < _HARDLY and found.share < _HARDLY


def _says_the_same(entry: Entry, stored: Entry) -> bool:
    if entry.content_hash == stored.content_hash:
        return True
    found = _likeness(entry, stored)
    return found.phrases >= FEWEST_PHRASES and found.share >= NEARLY_ALL


def _moved(entry: Entry, stored: Entry) -> bool:
    found = _likeness(entry, stored)
    return found.headline >= ALIKE and (found.share >= ALIKE or entry.content_hash == stored.content_hash)


def _likeness(entry: Entry, stored: Entry) -> Likeness:
    return likeness(headlines=(entry.headline, stored.headline), texts=(entry.text, stored.text))


def _decision(entry: KeyedEntry, claim: _Claim | None, memory: _Memory, feed: str) -> Decision:
    if claim is None:
        story, because = _story(entry, memory, feed)
        return Decision(
            keyed=_with_free_keys(entry, None, memory), verdict=Verdict.NEW, story_id=story, because=because
        )
    return _seen(_with_free_keys(entry, claim.item.id, memory), claim.item, because=claim.because)


def _seen(keyed: KeyedEntry, item: Item, *, because: str | None) -> Decision:
    """An entry that is an item we have, as it is or with something changed in it that a reader would want to know."""
    changed = changes(item.entry, keyed.entry)
    return Decision(
        keyed=keyed,
        verdict=Verdict.CHANGED if changed else Verdict.KNOWN,
        item_id=item.id,
        because=because or changed,
        changed=changed,
    )


def _with_free_keys(entry: KeyedEntry, item_id: int | None, memory: _Memory) -> KeyedEntry:
    """The entry with the keys that name another item, or several entries, made weak: a strong key has one owner."""
    return replace(
        entry,
        keys=tuple(
            replace(key, strong=False)
            if key.strong
            and ((key.kind, key.value) in memory.vague or set(memory.strong_owners.get(key, ())) - {item_id})
            else key
            for key in entry.keys
        ),
    )


def _story(entry: KeyedEntry, memory: _Memory, feed: str) -> tuple[int | None, str | None]:
    """The story of another feed that a new entry tells too, and why."""
    nominees = memory.nominees(entry.keys)
    others = {item_id: kinds for item_id, kinds in nominees.items() if memory.items[item_id].feed_id != feed}
    boilerplate = _boilerplate(entry.entry, (memory.items[item_id] for item_id in nominees))
    found = [
        (match, memory.items[item_id])
        for item_id, kinds in islice(others.items(), _MOST_COMPARED)
        if (match := _same_story(entry.entry, memory.items[item_id], kinds, boilerplate))
    ]
    found = [one for one in found if not _belongs_elsewhere(entry, one, nominees, memory)]
    if not found:
        return None, None
    (_, because), item = max(found, key=lambda one: (one[0][0], -one[1].id))
    return item.story_id, because


def _belongs_elsewhere(
    entry: KeyedEntry,
    match: tuple[tuple[float, str], Item],
    nominees: Mapping[int, frozenset[KeyKind]],
    memory: _Memory,
) -> bool:
    """Whether the entry is at least as much like an item that an operator has parted from the matched one's story."""
    (share, _), item = match
    rivals = (
        (memory.items[item_id], kinds)
        for item_id, kinds in nominees.items()
        if item.story_id in memory.parted.get(item_id, ())
        or memory.items[item_id].story_id in memory.parted.get(item.id, ())
    )
    found = ((rival, _same_story(entry.entry, rival, kinds)) for rival, kinds in rivals)
    mark = share, _as_long(entry.entry, item.entry)
    return any(same is not None and (same[0], _as_long(entry.entry, rival.entry)) >= mark for rival, same in found)


def _as_long(entry: Entry, stored: Entry) -> float:
    """How near two texts are in length, at most 1: what tells a copy from a part where all words are shared."""
    shorter, longer = sorted((len(entry.text), len(stored.text)))
    return shorter / longer if longer else 1.0


def _boilerplate(entry: Entry, items: Iterable[Item]) -> frozenset[int]:
    """What an entry has in common with several stories, and which therefore makes it none of them."""
    told: dict[int, frozenset[int]] = {}
    for item in items:
        told[item.story_id] = told.get(item.story_id, frozenset()) | (phrases(entry.text) & phrases(item.entry.text))
    tellers = Counter(phrase for story in told.values() for phrase in story)
    return frozenset(phrase for phrase, many in tellers.items() if many >= _SEVERAL)


def _same_story(
    entry: Entry, item: Item, kinds: frozenset[KeyKind], boilerplate: frozenset[int] = frozenset()
) -> tuple[float, str] | None:
    whose = f"item {item.id} of {item.feed_id}"
    if KeyKind.LINK in kinds:
        return 1.0, f"same link as {whose}"
    texts = entry.text, item.entry.text
    found = likeness(
        headlines=(entry.headline, item.entry.headline),
        texts=texts,
        bylines=(entry.byline, item.entry.byline),
        boilerplate=boilerplate,
    )
    return (found.share, f"same text as {whose}: {found.words}") if same_text(found) else None


def _once_each(decisions: list[Decision]) -> tuple[Decision, ...]:
    """At most one decision an item: the first entry that is the item speaks and takes the others' keys."""
    kept: dict[object, Decision] = {}
    for at, decision in enumerate(decisions):
        owner = ("new", at) if decision.item_id is None else decision.item_id
        first = kept.get(owner)
        if first is None:
            kept[owner] = decision
        else:
            keys = _united(first.keyed.keys, decision.keyed.keys)
            kept[owner] = replace(first, keyed=replace(first.keyed, keys=keys))
    return tuple(kept.values())
