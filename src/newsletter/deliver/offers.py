"""Which relay can carry what: a message that needs an extension waits for a relay that offers it, if there is one."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from typing import Final

from newsletter.deliver.parcel import Parcel
from newsletter.deliver.wire import Offer
from newsletter.model.delivery import Reply

_NOT_NOW: Final = 451


class Offers:
    """What each relay said to EHLO. One that was never asked may offer anything."""

    def __init__(self, relays: Sequence[str]) -> None:
        self.aside: deque[Parcel] = deque()
        """Begun parcels that some relay could not carry and another may."""
        self._relays = relays
        self._offers: dict[str, Offer] = {}
        self._smallest = 0
        """The least size that any relay gave as its limit; 0 if none did."""

    def heard(self, offer: Offer) -> None:
        """Note what a relay offers."""
        self._offers[offer.relay] = offer
        self._smallest = min((each.size for each in self._offers.values() if each.size), default=0)

    def from_aside(self, relay: str, *, away: Collection[str]) -> Parcel | None:
        """The first of those aside that this relay should carry."""
        for _ in range(len(self.aside)):
            parcel = self.aside.popleft()
            if self._is_for(relay, parcel, away):
                return parcel
            self.aside.append(parcel)
        return None

    def next(self, relay: str, parcels: deque[Parcel], *, away: Collection[str]) -> Parcel | None:
        """The first of these that this relay should carry; what another should is put aside.

        One that nobody can carry is given to whoever asks.
        """
        while parcels:
            parcel = parcels.popleft()
            if self._is_plain(parcel) or self._is_for(relay, parcel, away):
                return parcel
            self.aside.append(parcel)
        return None

    def _is_plain(self, parcel: Parcel) -> bool:
        packed = parcel.packed
        return not packed.needs and (not self._smallest or packed.size <= self._smallest)

    def _is_for(self, relay: str, parcel: Parcel, away: Collection[str]) -> bool:
        if self._may(relay, parcel):
            return True
        others = [other for other in self._relays if other != relay and self._may(other, parcel)]
        if others and all(other in away for other in others):
            text = f"relay {relay} cannot carry it, and {' and '.join(others)}, which may, cannot be reached"
            parcel.instead = Reply(code=_NOT_NOW, text=text)
            return True
        return not others

    def _may(self, relay: str, parcel: Parcel) -> bool:
        offer = self._offers.get(relay)
        return offer is None or offer.lacking(parcel.packed) is None
