"""How many messages a lane may have begun and not answered. Pure: time comes in as seconds of any steady clock."""

from __future__ import annotations

from typing import Final

_SPAN: Final = 0.1
_LEAST: Final = 2


class Window:
    """As many as the lane gets answered in a tenth of a second: a pause or a cancel takes effect within that.

    It starts with one, and grows with each answer. `most` is where it ends; with 1 nothing is ever begun ahead.
    """

    __slots__ = ("_answered", "_most", "_since", "size")

    def __init__(self, most: int) -> None:
        self.size = 1
        self._most = most
        self._answered = 0
        self._since = 0.0

    def answered(self, now: float) -> None:
        """Note an answer."""
        if not self._since:
            self._since = now
        self._answered += 1
        if now - self._since >= _SPAN:
            self.size = self._bounded(int(self._answered * _SPAN / (now - self._since)))
            self._since, self._answered = now, 0
        elif self._answered >= self.size:
            self.size = self._bounded(self._answered + 1)

    def _bounded(self, size: int) -> int:
        return min(self._most, max(_LEAST, size))
