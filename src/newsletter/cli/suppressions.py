"""`newsletter suppressions`: who is never mailed, whatever any import says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, group, instant, opened, partly

if TYPE_CHECKING:
    from newsletter.model.subscriber import Suppression

suppressions = group("List, add and lift suppressions of addresses and whole domains.")

WhomArgument = Annotated[str, typer.Argument(metavar="WHOM", help="ADDRESS, example.org, or *.example.org.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept.")]


@suppressions.command("list")
def list_(*, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """List every suppression: kind, reason and time; the address itself only as long as the person is known.

    Kinds: complaint, bounce (the address is dead), objection (asked us never to write), erased, domain.

    Example: newsletter suppressions list
    """
    with opened(site) as app:
        rows = [_row(each, address) for each, address in app.suppressions.listed()]
        rows += [_row(each, None) for each in app.suppressions.domains()]
    lines = (
        f"{instant(row['at'])}  {row['kind']:9}  {row['address'] or row['key'][:40]}  {row['reason']}" for row in rows
    )
    answer({"suppressions": rows}, as_json=as_json, lines=lines)


@suppressions.command()
def add(whom: WhomArgument, *, reason: ReasonOption, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Never mail an address again, or nobody at a domain. What waits for an address is not sent.

    example.org is the domain itself, *.example.org every domain below it. A rule for a domain moves nobody: once it is
    lifted, everybody is where they were.

    Example: newsletter suppressions add "*.example.org" --reason "the company asked us to"
    """
    from newsletter.readers.address import checked
    from newsletter.readers.domains import domain_rule

    with opened(site) as app:
        now = app.clock.now()
        if (rule := domain_rule(whom)) is not None:
            added = app.suppressions.add_domain(rule, reason=reason, now=now)
        else:
            added = app.subscribers.suppression(checked(whom)) is None
            app.subscribers.suppress(checked(whom), reason=reason, now=now)
    answer(
        {"suppressed": rule or whom, "new": added},
        as_json=as_json,
        lines=["never mailed again" if added else "was suppressed already"],
    )


@suppressions.command()
def lift(whom: WhomArgument, *, reason: ReasonOption, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Let an address or a domain be mailed again.

    Whom a mere bounce had stopped goes on getting what they had subscribed to. Whoever complained or objected is not
    brought back by this, but may sign up and confirm again.

    Example: newsletter suppressions lift ann@example.org --reason "her mailbox was full of our test mails"
    """
    from newsletter.readers.address import checked
    from newsletter.readers.domains import domain_rule

    with opened(site) as app:
        if (rule := domain_rule(whom)) is not None:
            kind = "domain" if app.suppressions.lift_domain(rule) else None
        else:
            lifted = app.subscribers.lift(checked(whom), reason=reason, now=app.clock.now())
            kind = (lifted.kind or "objection") if lifted else None
    answer({"lifted": kind}, as_json=as_json, lines=[f"lifted, it was: {kind}" if kind else "was not suppressed"])
    if kind is None:
        partly()


def _row(suppression: Suppression, address: str | None) -> dict[str, Any]:
    kind = suppression.kind or ("domain" if "." in suppression.key else "objection")
    shown = {"key": suppression.key, "address": address, "kind": kind}
    return shown | {"reason": suppression.reason, "at": suppression.at}
