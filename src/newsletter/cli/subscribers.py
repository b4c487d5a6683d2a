"""`newsletter subscribers`: people, by hand and from files."""

from __future__ import annotations

import gc
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, group, opened, partly, progress
from newsletter.model.text import counted

if TYPE_CHECKING:
    from newsletter.model.settings import Settings
    from newsletter.readers.admission import Imported, Terms
    from newsletter.store.ports import Added

_OBJECTS_BETWEEN_LOOKS = 200_000

subscribers = group("Add, import, export, show, unsubscribe and erase people.")

AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="A mail address.")]
ListOption = Annotated[str | None, typer.Option("--list", metavar="LIST", help="Only this list.")]
ConfirmedOption = Annotated[
    bool, typer.Option("--confirmed", help="They gave their consent elsewhere; needs --source. Else they are asked.")
]
SegmentOption = Annotated[
    str | None, typer.Option("--segment", metavar="LINE", help="Only these readers, as in a digest's `segment`.")
]
SourceOption = Annotated[str | None, typer.Option("--source", metavar="TEXT", help="Where and how they consented.")]


@subscribers.command()
def add(
    address: AddressArgument,
    *,
    name: Annotated[str, typer.Option("--name", help="What to call them.")] = "",
    lists: Annotated[
        list[str] | None, typer.Option("--list", metavar="LIST", help="Which list; may be repeated.")
    ] = None,
    confirmed: ConfirmedOption = False,
    source: SourceOption = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add one person to a list (or several).

    They get a mail that asks them to confirm, unless they did elsewhere (--confirmed --source TEXT) or the list does
    not ask (double_opt_in = false). Who has left or is suppressed is not added.

    Example: newsletter subscribers add ann@example.org --list brief --confirmed --source "asked in person, 3 May"
    """
    from newsletter.model.subscriber import Newcomer
    from newsletter.model.text import one_line
    from newsletter.readers.address import checked
    from newsletter.readers.admission import admit

    terms = _terms(confirmed=confirmed, source=source, otherwise="cli")
    with opened(site) as app:
        known = tuple(app.settings.mailing_list(each).id for each in lists or _only_list(app.settings))
        if not known:
            raise typer.BadParameter(f"which --list, of {', '.join(each.id for each in app.settings.lists) or 'none'}?")
        newcomer = Newcomer(address=checked(address), name=one_line(name, limit=200), lists=known)
        added = admit(app.subscribers, [newcomer], lists=app.settings.lists, terms=terms, now=app.clock.now())
    answer(_counts(added), as_json=as_json, lines=_counted(added))
    if added.left or added.suppressed:
        partly()


@subscribers.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="CSV with a header line; - is standard input.")],
    *,
    list_id: Annotated[str | None, typer.Option("--list", metavar="LIST", help="For rows that name no list.")] = None,
    confirmed: ConfirmedOption = False,
    source: SourceOption = None,
    wording: Annotated[
        str | None, typer.Option("--wording", metavar="TEXT", help="What exactly they agreed to, for the record.")
    ] = None,
    bad_rows: Annotated[
        Path | None, typer.Option("--bad-rows", metavar="FILE", help="A CSV of the bad rows: line and reason.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check the file; add nobody.")] = False,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add people from a CSV file: columns address, name, list, language, and any further as fields.

    Bad rows are told with line and reason (in a file with --bad-rows), and the others are taken. An import never
    brings back who has left, and never lifts a suppression. Importing the same file again adds nobody twice.

    Example: newsletter subscribers import people.csv --list brief --confirmed --source "council minutes 2025"
    """
    from functools import partial

    from newsletter.cli.files import bad_row_report, csv_lines, rows_in
    from newsletter.readers.admission import admit, admit_rows
    from newsletter.readers.importing import read_newcomers
    from newsletter.store.ports import Added

    terms = _terms(
        confirmed=confirmed, source=source, otherwise=f"import: {file.name}", prefix="import: ", wording=wording
    )
    with (
        opened(site) as app,
        csv_lines(file) as lines,
        bad_row_report(bad_rows, file=file) as tell,
        progress("importing", total=rows_in(file)) as bar,
    ):
        lists = app.settings.lists
        default = app.settings.mailing_list(list_id).id if list_id else next(iter(_only_list(app.settings)), None)
        take = partial(admit, app.subscribers, lists=lists, terms=terms, now=app.clock.now())
        rows = read_newcomers(lines, file=str(file), lists=[each.id for each in lists], default_list=default)
        # Millions of rows come and go, none of them in a circle: looking for circles would take a fifth of the time.
        gc.freeze()
        gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
        imported = admit_rows(
            rows,
            admit=(lambda _: Added()) if dry_run else take,
            on_rows=bar.advance,
            on_bad=tell,
        )
    document = {"dry_run": dry_run, "rows": imported.people + imported.bad_rows, "people": imported.people}
    answer(
        document | _counts(imported.added) | {"bad_rows": imported.bad_rows, "bad": imported.bad},
        as_json=as_json,
        lines=_imported(imported, dry_run=dry_run),
    )
    if imported.bad_rows:
        partly()


@subscribers.command()
def count(
    *, list_id: ListOption = None, segment: SegmentOption = None, site: SiteOption = None, as_json: JsonOption = False
) -> None:
    """Count active readers, list by list; with a segment, those that a digest for it would go to.

    Example: newsletter subscribers count --list brief --segment 'field.town = "Cork" and joined before 90d ago'
    """
    from newsletter.model.segment import parsed

    with opened(site) as app:
        if list_id:
            app.settings.mailing_list(list_id)
        counted = app.subscribers.in_segment(list_id, parsed(segment) if segment else None, now=app.clock.now())
    lists = {list_id: counted.get(list_id, 0)} if list_id else dict(counted)
    lines = [f"{each}: {many}" for each, many in lists.items()] or ["nobody"]
    answer({"segment": segment, "active": sum(lists.values()), "lists": lists}, as_json=as_json, lines=lines)


@subscribers.command()
def export(
    *,
    list_id: ListOption = None,
    segment: SegmentOption = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to, if not standard output.")] = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write down everybody, on all lists or on one, or those in a segment: CSV, or JSON with --json.

    CSV has a row for each subscription. Cells that a spreadsheet would take for a formula get an apostrophe in front;
    an import takes it off again.

    Example: newsletter subscribers export --list brief --out brief.csv
    """
    from functools import partial

    from newsletter.cli.files import write_json, written
    from newsletter.model.segment import parsed
    from newsletter.readers.exporting import as_document, field_names, write_csv

    with opened(site) as app, written(out) as to:
        if list_id:
            app.settings.mailing_list(list_id)
        everybody = partial(
            app.subscribers.exported, list_id, segment=parsed(segment) if segment else None, now=app.clock.now()
        )
        if as_json:
            people = write_json((as_document(*each) for each in everybody()), to)
        else:
            people = write_csv(everybody(), fields=field_names(everybody()), to=to)
    if out is not None:
        lines = [f"{out}: {counted(people, 'person', 'people')}"]
        answer({"people": people, "file": str(out)}, as_json=as_json, lines=lines)


@subscribers.command()
def show(address: AddressArgument, *, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Show everything known about one person: subscriptions with the record of consent, mails, suppression.

    The record of consent has every move with its time, its source, the exact text that was shown, with its version (the
    SHA-256 of the text), and which link was used.

    Example: newsletter subscribers show ann@example.org
    """
    from newsletter.cli.person import person_lines
    from newsletter.errors import NotFoundError
    from newsletter.readers.address import checked
    from newsletter.readers.record import person_document, suppression_document

    with opened(site) as app:
        why = app.subscribers.suppression(checked(address))
        document: dict[str, Any] = {"address": address, "suppressed": why is not None, "subscriptions": []}
        document["suppression"] = suppression_document(why) if why else None
        try:
            document |= person_document(app.subscribers.person(checked(address)))
        except NotFoundError:
            # A suppression outlives the person: it is kept when they are erased.
            if why is None:
                raise
    answer(document, as_json=as_json, lines=person_lines(document))


@subscribers.command()
def unsubscribe(
    address: Annotated[str | None, typer.Argument(metavar="ADDRESS", help="A mail address.")] = None,
    *,
    list_id: ListOption = None,
    mails: Annotated[
        list[Path] | None,
        typer.Option("--mail", metavar="PATH", help="Mails that ask to leave: mbox, Maildir, one message; - is stdin."),
    ] = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take one person off a list, or off all: at once, and what is queued for them is not sent.

    With --mail, whoever followed the mailto address of List-Unsubscribe: have your mail server hand it what comes to
    bounce_address. The token in a mail's subject or recipient says who leaves what; all other mails are passed over.

    Example: newsletter subscribers unsubscribe ann@example.org --list brief
    """
    from newsletter.cli.leave import leave_by_hand, leave_by_mail
    from newsletter.cli.mails import mails_in
    from newsletter.readers.address import checked

    if (address is None) is not bool(mails):
        raise typer.BadParameter("either an ADDRESS or --mail PATH")
    with opened(site) as app:
        if list_id:
            app.settings.mailing_list(list_id)
        if address is None:
            counts = leave_by_mail(app, (mail for path in mails or () for mail in mails_in(path)))
            answer(counts, as_json=as_json, lines=[f"{counts['left']} of {counts['asked']} who asked were still there"])
            return
        left = leave_by_hand(app, checked(address), list_id=list_id)
    lines = [f"left {', '.join(left)}"] if left else ["was on none of these lists any more"]
    answer({"address": address, "left": left}, as_json=as_json, lines=lines)


@subscribers.command()
def departures(*, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Tell why people left, by list and month: how many gave which reason, and their words, never whose they are.

    Reasons: too-often, not-for-me, never-asked, elsewhere, other. Nobody has to give one.

    Example: newsletter subscribers departures
    """
    with opened(site) as app:
        listed = app.departures.listed()
    lines = [
        line
        for each in listed
        for line in (f"{each.list_id} {each.month}: {each.many} {each.reason}", *(f"  {said}" for said in each.words))
    ]
    answer({"departures": listed}, as_json=as_json, lines=lines or ["nobody gave a reason yet"])


@subscribers.command()
def erase(address: AddressArgument, *, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Forget one person: address, name, language and fields are gone at once, and what waits for them is not sent.

    It is not asked twice and cannot be undone. What was delivered stays counted, as nobody's. A keyed hash of the
    address stays, by which no import and no sign-up brings it back.

    Example: newsletter subscribers erase ann@example.org
    """
    from newsletter.readers.address import checked

    with opened(site) as app:
        erased = app.subscribers.erase(checked(address), source="cli", now=app.clock.now())
    lines = ["erased, and never mailed again" if erased else "not known, and suppressed already: nothing to erase"]
    answer({"erased": erased, "suppressed": True}, as_json=as_json, lines=lines)


def _terms(
    *, confirmed: bool, source: str | None, otherwise: str, prefix: str = "", wording: str | None = None
) -> Terms:
    from newsletter.readers.admission import Terms

    if confirmed and not source:
        raise typer.BadParameter("--confirmed needs --source TEXT: where and how did they consent?")
    return Terms(confirmed=confirmed, source=f"{prefix}{source}" if source else otherwise, text=wording or "")


def _only_list(settings: Settings) -> tuple[str, ...]:
    """The list that is meant where none is named: nobody can be in doubt only if there is just one."""
    return (settings.lists[0].id,) if len(settings.lists) == 1 else ()


def _counts(added: Added) -> dict[str, int]:
    return {each.name: getattr(added, each.name) for each in fields(added)}


def _counted(added: Added) -> list[str]:
    said = {
        "added": added.added - added.pending,
        "asked to confirm": added.pending,
        "on the list already": added.known,
        "had left, not brought back": added.left,
        "suppressed, not added": added.suppressed,
    }
    return [f"{count} {what}" for what, count in said.items() if count] or ["nobody added"]


def _imported(imported: Imported, *, dry_run: bool) -> list[str]:
    lines = [f"{counted(imported.people, 'person', 'people')} read"] if dry_run else _counted(imported.added)
    return [*lines, f"bad rows, not taken: {imported.bad_rows}"] if imported.bad_rows else lines
