"""The whole error family: one branch per noun, facts as plain attributes, nothing of ours imported.

A refusal by a mail server or a feed's "not modified" is an answer, not an error, and has no class here.
"""

from __future__ import annotations

import signal

_SIGNALLED = {
    signal.SIGKILL: "was killed, as the system does where memory runs out",
    signal.SIGALRM: "was ended because it took too long",
    signal.SIGTERM: "was told to end",
}


def ended(code: int) -> str:
    """How a process ended, in words: by itself, or with a negative code by a signal (POSIX)."""
    if code >= 0:
        return f"ended with code {code}: see what it logged"
    try:
        by = signal.Signals(-code)
    except ValueError:
        return f"was ended by signal {-code}"
    return f"{_SIGNALLED.get(by, 'crashed')} ({by.name})"


class NewsletterError(Exception):
    """Anything this program raises on purpose. `str()` of it is one line an operator can act on."""


class SettingsError(NewsletterError):
    """Settings that cannot be used; `faults` has one line for each, already located."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class SiteError(NewsletterError):
    """A site folder that cannot be read or written."""

    def __init__(self, folder: str, *, because: str) -> None:
        self.folder = folder
        self.because = because
        super().__init__(f"{folder}: {because}")


class LockedError(NewsletterError):
    """Another run holds the site's lock."""

    def __init__(self, lock: str, *, holder: str) -> None:
        self.lock = lock
        self.holder = holder
        super().__init__(f"another run holds {lock} ({holder}): wait for it or stop it")


class ProcessError(NewsletterError):
    """A process that does a part of our work has ended before it was told to, or without having done it."""

    def __init__(self, part: str, *, code: int) -> None:
        self.part = part
        self.code = code
        super().__init__(f"the process that {part} {ended(code)}")


class StoreError(NewsletterError):
    """The database cannot be reached, is newer than this program, or refused a statement."""


class ConflictError(StoreError):
    """A constraint refused a row: another writer made it first, or what it refers to is not there."""


class NotFoundError(NewsletterError):
    """A named thing is not there; `noun` and `name` say which."""

    def __init__(self, noun: str, name: str, *, hint: str = "") -> None:
        self.noun = noun
        self.name = name
        super().__init__(f"no {noun} named {name!r}" + (f": {hint}" if hint else ""))


class FeedError(NewsletterError):
    """Anything about one feed; `feed` is its id."""

    def __init__(self, feed: str, because: str) -> None:
        self.feed = feed
        self.because = because
        super().__init__(f"feed {feed}: {because}")


class FetchError(FeedError):
    """A feed could not be fetched. `status` is the HTTP status where one came."""

    def __init__(self, feed: str, because: str, *, status: int | None = None) -> None:
        self.status = status
        super().__init__(feed, because)


class AddressGuardError(FetchError):
    """A feed's host resolved to an address that must not be dialled."""


class ParseError(FeedError):
    """A body that is not a feed, or that could not be parsed within its limits."""


class EditionError(NewsletterError):
    """An edition that cannot be composed, or a decision that does not fit its state."""

    def __init__(self, edition: str, because: str) -> None:
        self.edition = edition
        self.because = because
        super().__init__(f"edition {edition}: {because}")


class RightsError(EditionError):
    """An edition would show more of an item than its partner allows."""


class TemplateError(NewsletterError):
    """A template that does not parse, uses an unknown name, or renders something a mail must not carry."""

    def __init__(self, template: str, because: str, *, line: int | None = None) -> None:
        self.template = template
        self.line = line
        self.because = because
        where = f"{template}:{line}" if line is not None else template
        super().__init__(f"{where}: {because}")


class AddressError(NewsletterError):
    """A text that is not a mail address. The text itself is not part of the message: it may be personal."""

    def __init__(self, because: str) -> None:
        self.because = because
        super().__init__(because)


class ImportFileError(NewsletterError):
    """A file of subscribers or feeds that cannot be read at all; a bad line in it is an answer, not an error."""

    def __init__(self, file: str, because: str) -> None:
        self.file = file
        self.because = because
        super().__init__(f"{file}: {because}")


class DkimKeyError(NewsletterError):
    """A text that is not a key we can sign with. Nothing of the text is part of the message: it may be a secret."""

    def __init__(self, because: str) -> None:
        self.because = because
        super().__init__(because)


class SegmentError(NewsletterError):
    """A segment that says nothing we understand: the rule, and where, in characters counted from 1."""

    def __init__(self, rule: str, *, at: int, got: str) -> None:
        self.rule = rule
        self.at = at
        self.got = got
        super().__init__(f"segment, character {at}: {rule}" + (f" (got {got!r})" if got else ""))


class TokenError(NewsletterError):
    """A token that this site did not make, or made for another purpose."""


class RelayError(NewsletterError):
    """A relay that cannot be reached or spoken to. `begun` is true if message bytes may have been accepted."""

    def __init__(self, relay: str, because: str, *, begun: bool = False) -> None:
        self.relay = relay
        self.because = because
        self.begun = begun
        super().__init__(f"relay {relay}: {because}")


class MoveError(NewsletterError):
    """A state change that the table of moves does not allow."""

    def __init__(self, noun: str, before: str, after: str) -> None:
        self.noun = noun
        self.before = before
        self.after = after
        super().__init__(f"{noun}: {before} may not become {after}")
