"""What is counted where a digest counts: how often an edition was opened and its links followed, and never by whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tracking(StrEnum):
    """What a digest counts. Most count nothing."""

    OPENS = "opens"
    CLICKS = "clicks"


class Agent(StrEnum):
    """Who asked, as far as can be told: somebody reading; a mail provider that fetches pictures for its users, read or
    not; or a program that looks into mails for harm.
    """

    PERSON = "person"
    PROXY = "proxy"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often. `url` is the link's, empty for the edition being opened."""

    url: str
    agent: Agent
    count: int
