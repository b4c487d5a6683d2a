"""The demo: sample partners, a site, a mailbox and the pages, all on loopback, and the pipeline run over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.types import ASGIApp

from newsletter.app import App
from newsletter.demo.partners import load_partners
from newsletter.demo.serve import PartnerSite
from newsletter.demo.site import sample_readers, write_site
from newsletter.errors import EditionError, NewsletterError
from newsletter.listening import listening, url_of
from newsletter.mailbox.box import FolderBox
from newsletter.mailbox.page import mailbox_app
from newsletter.mailbox.server import MailboxServer
from newsletter.serving import serve
from newsletter.site import open_site
from newsletter.store.seam import in_thread
from newsletter.web.public import public_app
from newsletter.web.views import Views

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the demo did. It went well if every subscriber has exactly one mail."""

    items: int
    edition: str
    subscribers: int
    mails: int
    missing: int
    repeated: int
    seconds: float
    mailbox_url: str
    archive_url: str
    partner_url: str

    @property
    def went_well(self) -> bool:
        """Whether everybody has one mail and nobody two."""
        return self.missing == 0 and self.repeated == 0 and self.mails == self.subscribers


async def run_demo(folder: Path, *, readers: int, stop: asyncio.Event, tell: Tell, stay: bool) -> Outcome:
    """Run the pipeline once in `folder`, which must be empty; with `stay` the pages are served until `stop`.

    EditionError if no edition came of it. `stop` ends the pipeline early too.
    """
    try:
        return await _run(folder, readers=readers, stop=stop, tell=tell, stay=stay)
    except* NewsletterError as failures:
        raise failures.exceptions[0] from None


async def _run(folder: Path, *, readers: int, stop: asyncio.Event, tell: Tell, stay: bool) -> Outcome:
    done = asyncio.Event()
    pages, partner_pages, mail_pages = (listening("127.0.0.1", 0) for _ in range(3))
    partners, now = load_partners(), datetime.now(UTC)
    box = FolderBox(folder / "mails")
    async with MailboxServer(box) as mailbox, asyncio.TaskGroup() as group:
        write_site(
            folder / "site",
            partners,
            partner_url=url_of(partner_pages),
            base_url=url_of(pages),
            smtp_port=mailbox.port,
        )
        async with _opened(folder / "site") as app:
            views = Views(app.settings.publication)
            served: tuple[tuple[ASGIApp, object], ...] = (
                (PartnerSite(partners=partners, base_url=url_of(partner_pages), now=now).app(), partner_pages),
                (mailbox_app(box), mail_pages),
                (public_app(app, views), pages),
            )
            for application, sock in served:
                group.create_task(serve(application, sock, stop=done))  # type: ignore[arg-type]
            try:
                started = asyncio.get_running_loop().time()
                edition, items = await _pipeline(app, readers=readers, stop=stop, tell=tell)
                outcome = Outcome(
                    items=items,
                    edition=edition,
                    subscribers=readers,
                    mails=mailbox.counts.total(),
                    missing=readers - len(mailbox.counts),
                    repeated=sum(count > 1 for count in mailbox.counts.values()),
                    seconds=asyncio.get_running_loop().time() - started,
                    mailbox_url=url_of(mail_pages),
                    archive_url=f"{url_of(pages)}/archive/brief/1",
                    partner_url=f"{url_of(partner_pages)}/{partners[0].id}",
                )
                _conclude(outcome, tell, stay=stay)
                if stay and outcome.went_well:
                    tell("")
                    tell("Look around; Ctrl-C ends it.")
                    await stop.wait()
            finally:
                done.set()
    return outcome


@asynccontextmanager
async def _opened(site: Path) -> AsyncIterator[App]:
    app = await in_thread(lambda: App.open(open_site(site)))
    try:
        yield app
    finally:
        await in_thread(app.close)


async def _pipeline(app: App, *, readers: int, stop: asyncio.Event, tell: Tell) -> tuple[str, int]:
    """Each step as an operator would take it; returns the edition's id and how many items it has."""
    people = sample_readers(readers)
    text, now = "Invented for the demo.", app.clock.now()
    await in_thread(app.subscribers.add, people, confirmed=True, source="demo", text=text, now=now)
    tell(f"{len(people)} subscribers on the list “The Brief”")
    for report in await app.poll(stop=stop):
        tell(
            f"polled {report.feed}: {report.status}, {report.new} new"
            + (f" ({report.because})" if report.because else "")
        )
    for item in app.items.listed():
        if item.because:
            tell(f"item {item.id} of {item.feed_id}: {item.because}")
    composed = await app.compose("daily")
    if composed.edition_id is None:
        raise EditionError("daily", composed.because or "there is none")
    tell(f"composed {composed.edition_id}: {composed.items} items for {composed.recipients} recipients")
    sent = await app.dispatch.send(stop=stop)
    tell(f"sent: {sum(report.sent for report in sent.reports)} of {composed.recipients} messages were accepted")
    return composed.edition_id, composed.items


def _conclude(outcome: Outcome, tell: Tell, *, stay: bool) -> None:
    if outcome.went_well:
        tell(f"Every subscriber has exactly one mail ({outcome.seconds:.1f} s from the first poll to the last reply).")
    else:
        tell(f"Not as it should be: {outcome.missing} subscribers have no mail, {outcome.repeated} have several.")
    if not stay:
        tell("Without --once the mails are there to be looked at.")
        return
    tell("")
    tell(f"  The mails          {outcome.mailbox_url}")
    tell(f"  The web version    {outcome.archive_url}")
    tell(f"  A partner's page   {outcome.partner_url}")
