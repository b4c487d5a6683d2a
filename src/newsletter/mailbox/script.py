"""What a mailbox server does instead of saying yes: for trying out how the sender takes it, and for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Act(StrEnum):
    """Things a server does that are no reply."""

    YES = "yes"
    """It answers as usual: a place holder in a row of answers."""
    CUT = "cut"
    """It cuts the connection, and has kept nothing."""
    KEEP_AND_CUT = "keep-and-cut"
    """It keeps the message, and cuts the connection before its reply (only after the final dot)."""


Answer = Act | str
"""What to do, or a reply as it goes over the wire: `451 4.3.0 try later`. After one of 421 it hangs up."""

Answers = str | tuple[Answer, ...]
"""One reply that is given every time, or several answers in turn; after the last of them it is yes."""


@dataclass(slots=True, kw_only=True)
class Script:
    """Answers by moment. `rcpt` and `data` (the reply to the final dot) go by recipient, in lower case.

    Final dots are answered after `delay` seconds, and not before `hold` is set, if there is one.
    """

    greeting: Answers = ()
    mail: Answers = ()
    rcpt: Mapping[str, Answers] = field(default_factory=dict)
    data: Mapping[str, Answers] = field(default_factory=dict)
    delay: float = 0.0
    hold: asyncio.Event | None = None
    _taken: dict[tuple[str, str], int] = field(default_factory=dict)

    def at_greeting(self) -> Answer:
        """How to greet."""
        return self._next("greeting", "", self.greeting)

    def at_mail(self) -> Answer:
        """What to answer to MAIL."""
        return self._next("mail", "", self.mail)

    def at_rcpt(self, recipient: str) -> Answer:
        """What to answer to RCPT."""
        return self._next("rcpt", recipient.lower(), self.rcpt.get(recipient.lower(), ()))

    def at_data(self, recipient: str) -> Answer:
        """What to answer to the final dot."""
        return self._next("data", recipient.lower(), self.data.get(recipient.lower(), ()))

    def _next(self, moment: str, whom: str, answers: Answers) -> Answer:
        if isinstance(answers, str):
            return answers
        turn = self._taken.get((moment, whom), 0)
        self._taken[moment, whom] = turn + 1
        return answers[turn] if turn < len(answers) else Act.YES
