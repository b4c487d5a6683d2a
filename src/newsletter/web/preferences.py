"""A reader's own page: lists, rhythm, topics, language, format, what is known about them, and being forgotten.

GET changes nothing. Everything is a form that works without scripts and cookies; whoever has the link has the say.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.compose.topics import topics_offered
from newsletter.language.catalogue import LANGUAGES, nearest
from newsletter.model.clock import Clock
from newsletter.model.publication import MailingList
from newsletter.model.settings import Settings
from newsletter.model.subscriber import Preferences, Subscriber, Subscription, SubscriptionState, Taste
from newsletter.readers.record import person_document
from newsletter.readers.tokens import token_id
from newsletter.store.ports import Person, Subscribers
from newsletter.store.seam import in_thread
from newsletter.web.links import form_of
from newsletter.web.views import PRIVATE, Views

_MOST_FIELDS = 1000
_ON_LIST = {SubscriptionState.ACTIVE, SubscriptionState.PENDING}


class Site(Protocol):
    """What this page needs of the application."""

    @property
    def settings(self) -> Settings:
        """The site's settings."""

    @property
    def subscribers(self) -> Subscribers:
        """The people."""

    @property
    def clock(self) -> Clock:
        """Tells the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What this page shares with others: whose link it is, and the ways onto a list and off it."""

    holder: Callable[[Request], Awaitable[Subscription]]
    join: Callable[..., Awaitable[None]]
    """(address, list, text=, token=): `text` is what the page told them, `token` names their link."""
    leave: Callable[..., Awaitable[None]]
    """(request, subscription, text=)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A list as the page shows it. `topics` are (topic, chosen) pairs; none where there is nothing to choose."""

    list: MailingList
    active: bool
    pending: bool
    weekly: bool
    offers_weekly: bool
    topics: tuple[tuple[str, bool], ...]


class PreferencePages:
    """The handlers of `/p/TOKEN` and what is below it."""

    def __init__(self, site: Site, views: Views, doors: Doors) -> None:
        self._site = site
        self._views = views
        self._doors = doors

    async def prefer(self, request: Request) -> Response:
        """The page; POST joins or leaves one list, or saves all the rest."""
        person = await self._person(request)
        done = ""
        if request.method == "POST":
            done = await self._done(request, person)
            person = await in_thread(self._site.subscribers.person, person.subscriber.address)
        return self._views.page(
            request,
            "preferences",
            private=True,
            reader=person.subscriber.language,
            rows=[self._row(each, person) for each in self._site.settings.lists],
            reading=nearest(person.subscriber.language or ""),
            subscriber=person.subscriber,
            here=f"/p/{request.path_params['token']}",
            done=done,
        )

    async def data(self, request: Request) -> Response:
        """Everything known about the reader, as a file."""
        person = await self._person(request)
        document = {"address": person.subscriber.address} | person_document(person)
        text = json.dumps(document, ensure_ascii=False, indent=2, default=_plain)
        headers = PRIVATE | {"content-disposition": 'attachment; filename="my-data.json"'}
        return Response(text, headers=headers, media_type="application/json")

    async def erase(self, request: Request) -> Response:
        """GET asks whether they are sure; POST that says so forgets them, for good."""
        person = await self._person(request)
        sure = request.method == "POST" and bool((await form_of(request)).get("sure"))
        if sure:
            now = self._site.clock.now()
            await in_thread(self._site.subscribers.erase, person.subscriber.address, source="preferences", now=now)
        name = "erased" if sure else "erase"
        return self._views.page(request, name, private=True, reader=person.subscriber.language)

    async def _person(self, request: Request) -> Person:
        holder = await self._doors.holder(request)
        subscriber = await in_thread(self._site.subscribers.subscriber, holder.subscriber_id)
        return await in_thread(self._site.subscribers.person, subscriber.address)

    async def _done(self, request: Request, person: Person) -> str:
        """Do what a form asks; which of "left", "joined", "saved" that was, or "" for a form that is none of ours."""
        form = await form_of(request, most_fields=_MOST_FIELDS)
        if wanted := _said(form, "list"):
            for each in person.subscriptions:
                if each.list_id == wanted:
                    await self._doors.leave(request, each, text=self._wording(request, person, wanted))
            return "left"
        if (wanted := _said(form, "join")) in {each.id for each in self._site.settings.lists}:
            await self._doors.join(
                person.subscriber.address,
                self._site.settings.mailing_list(wanted),
                text=self._wording(request, person, wanted),
                token=token_id(request.path_params["token"]),
            )
            return "joined"
        if _said(form, "save"):
            preferences = self._preferences(person, form)
            await in_thread(self._site.subscribers.prefer, person.subscriber.id, preferences)
            return "saved"
        return ""

    def _wording(self, request: Request, person: Person, list_id: str) -> str:
        """What the page says of one list, with the button that was pressed."""
        rows = [self._row(each, person) for each in self._site.settings.lists if each.id == list_id]
        return self._views.wording(request, "preferences", reader=person.subscriber.language, rows=rows)

    def _preferences(self, person: Person, form: FormData) -> Preferences:
        rows = {each.id: self._row(each, person) for each in self._site.settings.lists}
        return Preferences(
            language=_language(person.subscriber, _said(form, "language")),
            text_only=_said(form, "format") == "text",
            tracking=bool(_said(form, "tracking")),
            tastes={
                each.list_id: _taste(rows[each.list_id], each, form)
                for each in person.subscriptions
                if each.list_id in rows and each.state in _ON_LIST
            },
        )

    def _row(self, mailing_list: MailingList, person: Person) -> Row:
        on_list = next((each for each in person.subscriptions if each.list_id == mailing_list.id), None)
        settings = self._site.settings
        digests = [digest for digest in settings.digests if digest.list_id == mailing_list.id]
        offered = topics_offered(digests, {feed.id: feed for feed in settings.feeds})
        chosen = {topic.casefold() for topic in (on_list.topics if on_list else ())}
        return Row(
            list=mailing_list,
            active=on_list is not None and on_list.state is SubscriptionState.ACTIVE,
            pending=on_list is not None and on_list.state is SubscriptionState.PENDING,
            weekly=on_list is not None and on_list.weekly,
            offers_weekly=any(digest.weekly for digest in digests),
            # With a single topic there is nothing to choose.
            topics=tuple((topic, not chosen or topic.casefold() in chosen) for topic in offered) if offered[1:] else (),
        )


def _taste(row: Row, before: Subscription, form: FormData) -> Taste:
    """What the form says of one list. What it could not offer stays as it was; all topics are the same as none."""
    ticked = set(form.getlist(f"topics.{row.list.id}"))
    chosen = tuple(topic for topic, _ in row.topics if topic in ticked)
    everything = len(chosen) == len(row.topics)
    return Taste(
        weekly=_said(form, f"rhythm.{row.list.id}") == "weekly" if row.offers_weekly else before.weekly,
        topics=before.topics if not row.topics else () if everything else chosen,
    )


def _language(subscriber: Subscriber, said: str) -> str | None:
    """The language chosen. Who leaves it to us keeps one that we do not offer yet."""
    if said in LANGUAGES:
        return subscriber.language if nearest(subscriber.language or "") == said else said
    return subscriber.language if not nearest(subscriber.language or "") else None


def _said(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)
