"""How many messages a run may have begun and not answered. Pure: time comes in as seconds of any steady clock."""

from __future__ import annotations

from typing import Final

_SPAN: Final = 0.1


class Window:
    """As many as were answered in the last tenth of a second: a pause or a cancel takes effect within that.

    It starts with none and grows with each answer.
    """

    __slots__ = ("_answered", "_since", "size")

    def __init__(self) -> None:
        self.size = 0
        self._answered = 0
        self._since = 0.0

    def answered(self, now: float) -> None:
        """Note an answer."""
        if not self._since:
            self._since = now
        self._answered += 1
        if now - self._since >= _SPAN:
            self.size = int(self._answered * _SPAN / (now - self._since))
            self._since, self._answered = now, 0
        elif self._answered >= self.size:
            self.size = self._answered + 1
