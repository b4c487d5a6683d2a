"""What a reading process and its parent say to each other, and how it travels: a pickle behind its length."""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from datetime import datetime

from newsletter.collect.body import Body

LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A document to read."""

    body: Body
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which of these digests are known? The answer is a frozenset."""

    digests: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a document was not read."""

    because: str


def packed(value: object) -> bytes:
    """A value as it travels."""
    content = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(content)) + content
