"""Compose: what was accepted and not yet issued on a list becomes its next edition, frozen with its recipients.

Candidates come from the ledger, never from dates. They are chosen (`choose`), made into pieces (`pieces`), rendered,
made small enough (`fit`), held against their partners' rights once more (`rights`), cut to the few forms that readers
need (`variants`), and written down in one transaction. If somebody else issued one of the stories or took the number
meanwhile, all of it is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

from newsletter.compose.choose import Refusal, choose, originals, passes_all, republished, waiting, wanted_feeds
from newsletter.compose.chrome import article_of
from newsletter.compose.draft import Plan, draft_of, edition_id, full_shape
from newsletter.compose.fit import LARGEST_HTML_BYTES, merged_bytes, smaller, warnings_about
from newsletter.compose.pieces import Chosen
from newsletter.compose.rights import check_rights
from newsletter.compose.variants import Terms, chrome_language, plan_topics, variants_of
from newsletter.errors import EditionError
from newsletter.model.clock import Clock
from newsletter.model.edition import Choice, Draft, EditionState, Rendered
from newsletter.model.feed import Feed
from newsletter.model.publication import Approval, Digest, MailingList, Publication, WhenFew
from newsletter.model.text import counted
from newsletter.model.variant import Variants
from newsletter.store.ports import Editions, Items
from newsletter.store.seam import in_thread

Render = Callable[[Draft, str], Rendered]
"""(draft, nonce) → the documents. Passed in, so that compose need not know render."""

_TRIES = 3
_LOOK_BACK = timedelta(days=8)
"""For the editions of a week: a day more than that, since some are late. None is told twice for it."""
_LONGEST_LOOK_BACK = timedelta(days=22)
"""Where weeks were missed or called off: two of them. Older pieces are no news to who has just joined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What became of an edition: its id, number, size and state, or why there is none.

    `recipients` are those who were written down with it; of a large list there are more to come (`freeze_rest`).
    """

    edition_id: str | None = None
    number: int | None = None
    items: int = 0
    recipients: int = 0
    because: str | None = None
    state: EditionState | None = None
    warnings: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    earlier: bool = False
    """Whether it was frozen for this slot before, by somebody else."""


async def compose(
    digest: Digest,
    *,
    publication: Publication,
    lists: Mapping[str, MailingList],
    feeds: Mapping[str, Feed],
    items: Items,
    editions: Editions,
    render: Render,
    clock: Clock,
    nonce: Callable[[], str],
    slot: str,
    dated_at: datetime,
    refusal: Refusal = passes_all,
    languages: Collection[str] = (),
) -> Composed:
    """Freeze the next edition of a digest, or say why there is none; an edition frozen for `slot` before is that one.

    `slot` is the key of the moment it was due, `dated_at` that moment. `refusal` is the feeds' filter, asked again for
    items accepted before it was changed; `languages` are those that the templates are worded in. RightsError if the
    finished documents break what a partner allows; EditionError if others took its place three times, or its template
    alone is too large.
    """
    plan = Plan(
        digest=digest, mailing_list=lists[digest.list_id], publication=publication, feeds=feeds, dated_at=dated_at
    )
    state = EditionState.AWAITING if digest.approval is Approval.EDITOR else EditionState.APPROVED
    for attempt in range(1, _TRIES + 1):
        if earlier := await in_thread(_frozen_for, editions, digest.id, slot):
            return earlier
        if digest.weekly_of and not await in_thread(editions.anybody_weekly, digest.list_id):
            return Composed(because="nobody on the list wants one edition a week")
        choices = await _choices(plan, items, editions, refusal)
        if because := _too_few(plan, choices):
            await _pass_over(plan, items, choices)
            return Composed(because=because, choices=choices)
        check = partial(_check, choices=choices, feeds=feeds)
        full = await _with_articles(plan, items, choices)
        draft, rendered = await _fitted(full, editions, render, nonce())
        await in_thread(check, draft, rendered)
        made = partial(_checked, render=lambda form: render(form, nonce()), check=check)
        variants = await in_thread(_variants, full, draft, editions, languages, made)
        try:
            recipients = await in_thread(
                editions.freeze, draft, rendered, slot=slot, state=state, now=clock.now(), variants=variants
            )
        except EditionError:
            if attempt == _TRIES:
                raise
            continue
        return Composed(
            edition_id=draft.id,
            number=draft.number,
            items=len(draft.pieces),
            recipients=recipients,
            state=state,
            warnings=rendered.warnings,
            choices=choices,
        )
    raise AssertionError("the last try returns or raises")


def _frozen_for(editions: Editions, digest_id: str, slot: str) -> Composed | None:
    """What was frozen for this slot by a run that died before it could say so, or by another one just now."""
    edition = editions.for_slot(digest_id, slot)
    if edition is None:
        return None
    return Composed(
        edition_id=edition.id,
        number=edition.number,
        items=len(editions.pieces(edition.id).pieces),
        recipients=editions.report(edition.id).recipients,
        state=edition.state,
        warnings=edition.warnings,
        earlier=True,
    )


async def _choices(plan: Plan, items: Items, editions: Editions, refusal: Refusal) -> tuple[Choice, ...]:
    digest = plan.digest
    wanted = wanted_feeds(digest, plan.feeds)
    if digest.weekly_of:
        last = await in_thread(editions.last_frozen_at, digest.id)
        since = week_since(plan.dated_at, last=last)
        told = await in_thread(items.told, digest.weekly_of, weekly_id=digest.id, since=since)
        candidates = tuple(item for item in told if item.feed_id in wanted)
    else:
        candidates = await in_thread(items.candidates, list_id=plan.mailing_list.id, feed_ids=wanted)
        if stories := republished(candidates, plan.feeds):
            sources = await in_thread(items.sources, stories)
            candidates += originals(chain.from_iterable(sources.values()), digest, plan.feeds)
    return await in_thread(choose, candidates, plan.digest, feeds=plan.feeds, at=plan.dated_at, refusal=refusal)


def week_since(dated_at: datetime, *, last: datetime | None) -> datetime:
    """From when on the editions of a week are told, if the one before was frozen at `last`.

    A week that nobody was sent, whatever kept it, is told with the next one.
    """
    since = dated_at - _LOOK_BACK
    return since if last is None else max(min(since, last - _LOOK_BACK), dated_at - _LONGEST_LOOK_BACK)


def _too_few(plan: Plan, choices: tuple[Choice, ...]) -> str | None:
    """Why there is no edition, or None if there are items enough for one."""
    digest, taken = plan.digest, len(_taken(choices))
    if taken >= max(digest.min_items, 1):
        return None
    if taken:
        next_time = "they wait for the next edition" if digest.when_few is WhenFew.KEEP else "they are passed over"
        return f"{counted(taken, 'item')}, the digest wants at least {digest.min_items}; {next_time}"
    embargoed = waiting(choices, plan.feeds, at=plan.dated_at)
    return f"nothing to issue yet: {counted(embargoed, 'item')} under embargo" if embargoed else "nothing new to issue"


def _taken(choices: tuple[Choice, ...]) -> list[tuple[int, Choice]]:
    """(section, choice) of those taken, in reading order: a section's own order is kept."""
    taken = [(choice.section, choice) for choice in choices if choice.section is not None]
    return sorted(taken, key=lambda pair: pair[0])


async def _pass_over(plan: Plan, items: Items, choices: tuple[Choice, ...]) -> None:
    taken = [choice.item.story_id for _, choice in _taken(choices)]
    if taken and plan.digest.when_few is WhenFew.SKIP:
        await in_thread(items.pass_over, list_id=plan.mailing_list.id, story_ids=taken)


async def _with_articles(plan: Plan, items: Items, choices: tuple[Choice, ...]) -> Plan:
    """The plan with what was chosen: articles read, and who else has each story."""
    taken = _taken(choices)
    sources = await in_thread(items.sources, [choice.item.story_id for _, choice in taken])
    chosen = []
    for section, choice in taken:
        article = await in_thread(article_of, choice.item.entry)
        others = tuple(other for other in sources.get(choice.item.story_id, ()) if other.id != choice.item.id)
        feed = plan.feeds[choice.item.feed_id]
        chosen.append((section, Chosen(item=choice.item, feed=feed, article=article, others=others)))
    return replace(plan, chosen=tuple(chosen))


async def _fitted(plan: Plan, editions: Editions, render: Render, nonce: str) -> tuple[Draft, Rendered]:
    """The largest draft whose HTML no mail reader clips; a warning tells what had to be shortened or left out."""
    name = await in_thread(editions.free_id, edition_id(plan.digest, plan.dated_at))
    number = await in_thread(editions.next_number, plan.mailing_list.id)
    shape = full = full_shape(plan)
    while True:
        draft = draft_of(plan, shape, name=name, number=number)
        rendered = await in_thread(render, draft, nonce)
        size = merged_bytes(rendered)
        if size <= LARGEST_HTML_BYTES:
            break
        next_shape = smaller(shape, size=size)
        if next_shape is None:
            raise EditionError(name, f"its HTML has {size:,} bytes with one piece; mail readers clip at 102 KB")
        shape = next_shape
    warnings = warnings_about(full, shape, draft_of(plan, full, name=name, number=number))
    return draft, replace(rendered, warnings=(*rendered.warnings, *warnings))


def _variants(
    plan: Plan, draft: Draft, editions: Editions, languages: Collection[str], render: Callable[[Draft], Rendered]
) -> Variants:
    """The forms that the edition's readers need besides the whole one."""
    ours = plan.publication.language
    terms = Terms(
        topics=plan_topics(plan, draft),
        already_sent=plan.digest.already_sent,
        chrome=partial(chrome_language, languages=languages, ours=ours),
    )
    return variants_of(draft, editions.readership(draft), terms, render=render)


def _checked(
    draft: Draft, *, render: Callable[[Draft], Rendered], check: Callable[[Draft, Rendered], None]
) -> Rendered:
    rendered = render(draft)
    check(draft, rendered)
    return rendered


def _check(draft: Draft, rendered: Rendered, *, choices: tuple[Choice, ...], feeds: Mapping[str, Feed]) -> None:
    check_rights(draft, rendered, items={choice.item.id: choice.item for choice in choices}, feeds=feeds)
