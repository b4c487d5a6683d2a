"""What an edition waits for besides retries: providers that are held back, relays that warm up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.deliver.turns import ceiling_on, local_day, scope_of, why_spent
from newsletter.model.delivery import Report
from newsletter.model.pacing import Slowdown, rate_at
from newsletter.model.settings import Relay, Settings
from newsletter.store.ports import Pacing


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Who is waited for, by how many deliveries where that is known, why, and until when where that is known."""

    who: str
    many: int | None
    because: str
    until: datetime | None


def waits(report: Report, *, pacing: Pacing, settings: Settings, now: datetime) -> tuple[Wait, ...]:
    """What an edition waits for now; nothing if all of it has an outcome."""
    if not report.queued + report.deferred:
        return ()
    slowdowns = {each.provider: each for each in pacing.slowdowns()}
    rates = {each.name: each.rate_per_minute for each in settings.providers}
    of_providers = [
        _of_provider(name, many, slowdowns.get(name), rate=rates.get(name), now=now) for name, many in report.waiting
    ]
    of_relays = [wait for relay in settings.relays if (wait := _of_relay(relay, pacing, settings, now=now))]
    return (*of_providers, *of_relays)


def _of_provider(name: str, many: int, slowdown: Slowdown | None, *, rate: float | None, now: datetime) -> Wait:
    so_far = rate_at(slowdown, now) if slowdown else None
    if slowdown is None or so_far is None:
        because = f"no more than {rate:g} a minute" if rate else "their turn has come"
        return Wait(who=f"provider {name}", many=many, because=because, until=None)
    if so_far == 0:
        return Wait(who=f"provider {name}", many=many, because=slowdown.because, until=slowdown.closed_until)
    because = f"{min(so_far, rate or so_far):.0f} a minute and slowly more: {slowdown.because}"
    return Wait(who=f"provider {name}", many=many, because=because, until=None)


def _of_relay(relay: Relay, pacing: Pacing, settings: Settings, *, now: datetime) -> Wait | None:
    day, ends_at = local_day(now, settings.paces.zone)
    ceiling = ceiling_on(relay, day)
    if ceiling is None or pacing.taken_of_day(scope_of(relay), day) < ceiling:
        return None
    return Wait(who=f"relay {relay.name}", many=None, because=why_spent(relay, ceiling, ends_at), until=ends_at)
