"""A part of a list's readers, said in a line that an editor writes and a program can trust.

    field.town in ("Cork", "Galway") and joined after 2026-01-01 and not delivered before 90d ago

Tests joined by `and`, `or`, `not` and brackets. A test is a name, `=` or `!=` and a text, or `in` and several; for
instants `before` or `after` and a date (its first moment, UTC) or an age; for `delivered` also `never`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from newsletter.errors import SegmentError

FIELD = "field."
"""What an imported field's name has before it."""

CHOICES = {"format": ("html", "text"), "rhythm": ("each", "weekly")}
TEXTS = ("language", "domain", "topic", *CHOICES)
INSTANTS = ("joined", "delivered")

_LONGEST = 2000
_DEEPEST = 20
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<word>[^\s()=!,"']+)|(?P<sign>!=|[()=,])|(?P<wrong>\S))""", re.DOTALL
)
_AGE = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Is:
    """What `about` names is one of these texts."""

    about: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Something happened after, or before, an instant: a fixed one, or one that is an age ago."""

    about: str
    after: bool
    at: datetime | timedelta

    def instant(self, now: datetime) -> datetime:
        """The instant, as seen from now."""
        return now - self.at if isinstance(self.at, timedelta) else self.at


@dataclass(frozen=True, slots=True)
class Never:
    """No edition was ever delivered."""


@dataclass(frozen=True, slots=True)
class Not:
    """What the other is not true of."""

    part: Segment


@dataclass(frozen=True, slots=True)
class Every:
    """What all parts are true of."""

    parts: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """What at least one part is true of."""

    parts: tuple[Segment, ...]


Segment = Is | When | Never | Not | Every | Some


def parsed(line: str) -> Segment:
    """What a line says, or SegmentError with the place where it goes wrong."""
    if len(line) > _LONGEST:
        raise SegmentError(f"expected at most {_LONGEST} characters", at=_LONGEST + 1, got="")
    return _Reader(line).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int
    """Counted from 1."""


class _Reader:
    """Reads from left to right; `or` binds least, then `and`, then `not`."""

    def __init__(self, line: str) -> None:
        self._tokens = [_token(match) for match in _TOKEN.finditer(line)]
        self._end = _Token("end", "", len(line) + 1)
        self._place = 0
        self._depth = 0

    def whole(self) -> Segment:
        found = self._some()
        if self._next.kind != "end":
            raise self._wrong("expected and, or, or the end")
        return found

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place] if self._place < len(self._tokens) else self._end

    def _some(self) -> Segment:
        parts = [self._every()]
        while self._took("or"):
            parts.append(self._every())
        return Some(tuple(parts)) if parts[1:] else parts[0]

    def _every(self) -> Segment:
        parts = [self._one()]
        while self._took("and"):
            parts.append(self._one())
        return Every(tuple(parts)) if parts[1:] else parts[0]

    def _one(self) -> Segment:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._wrong(f"expected at most {_DEEPEST} brackets and nots inside one another")
        found: Segment
        if self._took("not"):
            found = Not(self._one())
        elif self._took("("):
            found = self._some()
            self._need(")")
        else:
            found = self._test()
        self._depth -= 1
        return found

    def _test(self) -> Segment:
        name = self._next
        is_field = name.text.startswith(FIELD) and name.text != FIELD
        if name.kind != "word" or not (is_field or name.text in (*TEXTS, *INSTANTS)):
            raise self._wrong(_unknown(name.text))
        self._place += 1
        return self._when(name.text) if name.text in INSTANTS else self._is(name.text)

    def _is(self, about: str) -> Segment:
        if self._took("in"):
            self._need("(")
            texts = [self._text(about)]
            while self._took(","):
                texts.append(self._text(about))
            self._need(")")
            return Is(about=about, texts=tuple(texts))
        if self._took("="):
            return Is(about=about, texts=(self._text(about),))
        if self._took("!="):
            return Not(Is(about=about, texts=(self._text(about),)))
        raise self._wrong("expected =, != or in (…)")

    def _when(self, about: str) -> Segment:
        if about == "delivered" and self._took("never"):
            return Never()
        for word in ("after", "before"):
            if self._took(word):
                return When(about=about, after=word == "after", at=self._instant())
        raise self._wrong("expected before or after" + (", or never" if about == "delivered" else ""))

    def _text(self, about: str) -> str:
        token = self._next
        if token.kind not in {"text", "word"}:
            unclosed = token.text.startswith('"')
            raise self._wrong("expected a quote that ends" if unclosed else "expected a text, such as “Cork” in quotes")
        text = token.text[1:-1] if token.kind == "text" else token.text
        if about in CHOICES and text not in CHOICES[about]:
            raise self._wrong(f"expected {' or '.join(CHOICES[about])}")
        self._place += 1
        return text

    def _instant(self) -> datetime | timedelta:
        token = self._next
        if age := _AGE.fullmatch(token.text):
            self._place += 1
            self._need("ago")
            return int(age[1]) * _UNITS[age[2]]
        try:
            day = datetime.strptime(token.text, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            raise self._wrong("expected a date such as 2026-01-31, or an age such as 30d ago (h, d, w)") from None
        self._place += 1
        return day

    def _took(self, what: str) -> bool:
        if self._next.kind == "text" or self._next.text != what:
            return False
        self._place += 1
        return True

    def _need(self, what: str) -> None:
        if not self._took(what):
            raise self._wrong(f"expected {what}")

    def _wrong(self, rule: str) -> SegmentError:
        return SegmentError(rule, at=self._next.at, got=self._next.text)


def _token(match: re.Match[str]) -> _Token:
    kind = match.lastgroup or "wrong"
    return _Token(kind, match[kind], match.start(kind) + 1)


def _unknown(name: str) -> str:
    known = (*TEXTS, *INSTANTS)
    close = get_close_matches(name, known, n=1)
    if close and name not in known:
        return f"no such name, did you mean {close[0]}?"
    return f"expected a name: {', '.join(known)}, or {FIELD}NAME for a column that was imported"
