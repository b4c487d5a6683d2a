"""Telling the hub that a list has published (WebSub, the publisher's side), so that followers are told at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from newsletter.errors import FetchError
from newsletter.model.announcement import Announcement
from newsletter.model.clock import Clock
from newsletter.model.publication import MailingList, Publication
from newsletter.publish.channel import feed_url
from newsletter.publish.publish import Form
from newsletter.store.ports import Announcements, Editions
from newsletter.store.seam import in_thread

Post = Callable[[str, Mapping[str, str]], Awaitable[int]]
"""Sends a form to a URL; returns the status, or raises FetchError."""

_FIRST_WAIT = timedelta(minutes=1)
_MOST_TRIES = 8
_TAKEN = range(200, 300)

log = structlog.get_logger()


async def due_announcements(
    lists: Sequence[MailingList], *, editions: Editions, announcements: Announcements, clock: Clock
) -> tuple[Announcement, ...]:
    """What the hub is to be told now: one for each list whose feed is not what was told last."""
    now = clock.now()
    found = [await in_thread(_due, each.id, editions, announcements, now) for each in lists]
    return tuple(each for each in found if each is not None)


async def announce(
    due: Sequence[Announcement], *, publication: Publication, announcements: Announcements, post: Post, clock: Clock
) -> int:
    """Tell the hub; returns of how many lists it took word. What it does not take is tried again, for some hours."""
    taken = 0
    for each in due:
        because = await _told(publication, each.list_id, post)
        await in_thread(announcements.keep, _after(each, failed=because is not None, now=clock.now()))
        if because is None:
            taken += 1
            log.info("hub told", list=each.list_id)
        else:
            log.warning("hub not told", list=each.list_id, tries=each.tries + 1, because=because)
    return taken


def _due(list_id: str, editions: Editions, announcements: Announcements, now: datetime) -> Announcement | None:
    newest = editions.newest_published(list_id)
    if not newest:
        return None
    (edition,) = editions.published(list_id, first=newest, last=newest) or (None,)
    if edition is None:
        return None
    last = announcements.last(list_id)
    if last is None or last.mark != edition.id:
        return Announcement(list_id=list_id, mark=edition.id)
    return last if last.next_try_at is not None and last.next_try_at <= now else None


def _after(tried: Announcement, *, failed: bool, now: datetime) -> Announcement:
    tries = tried.tries + 1
    again = now + _FIRST_WAIT * 2 ** (tries - 1) if failed and tries < _MOST_TRIES else None
    return Announcement(list_id=tried.list_id, mark=tried.mark, tries=tries, next_try_at=again)


async def _told(publication: Publication, list_id: str, post: Post) -> str | None:
    """Tell the hub of each form of a list's feed; why it did not take one, or None."""
    assert publication.hub is not None
    for form in Form:
        topic = feed_url(publication, list_id, form)
        try:
            # The recommendation leaves this side to hub and publisher; hubs ask for one name or the other.
            status = await post(publication.hub, {"hub.mode": "publish", "hub.url": topic, "hub.topic": topic})
        except FetchError as error:
            return str(error)
        if status not in _TAKEN:
            return f"it answered {status}"
    return None
