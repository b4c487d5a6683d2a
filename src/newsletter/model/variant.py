"""The few forms that an edition has, and which readers get which: made once a form, never once a reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from newsletter.model.edition import Rendered

HAD_IT_ALL = "nothing in it that was not sent to this reader before"
NOTHING_CHOSEN = "nothing in it on the topics that this reader chose"
NOT_SENT = (HAD_IT_ALL, NOTHING_CHOSEN)
"""Why a recipient's delivery was settled as the edition was frozen: it would have been empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One form of an edition. `document` names the documents it is made from: a text-only form has none of its own.

    `left_out` and `shortened` are ids of stories; `language` is that of the phrases around them, None for the
    publication's. The form named "" is the whole edition.
    """

    name: str = ""
    document: str = ""
    text_only: bool = False
    language: str | None = None
    left_out: tuple[int, ...] = ()
    shortened: tuple[int, ...] = ()


WHOLE = Variant()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Recipients who are alike in all that the form of an edition may depend on, and how many they are.

    `seen` are those of the edition's stories that other editions have brought them or are about to bring.
    """

    text_only: bool = False
    language: str | None = None
    topics: tuple[str, ...] = ()
    seen: frozenset[int] = frozenset()
    readers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readership:
    """An edition's recipients in groups; none at all where every one of them gets the whole edition.

    `overlap` is what the groups' `seen` rests on: other editions with stories of this one, and which.
    """

    groups: tuple[Group, ...] = ()
    overlap: tuple[tuple[str, frozenset[int]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a group belongs: a variant's name, or None and the reason why there is nothing to send."""

    variant: str | None
    because: str = ""
    spared: bool = False
    """Whether something was left out or shortened because they had it."""
    nearest: bool = False
    """Whether it is not quite their own: there would have been too many forms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """The forms to be kept with an edition, the documents of those that have some of their own, and who gets which.

    `place` is asked again when the edition is frozen: people change their minds in the meantime.
    """

    readership: Readership
    forms: tuple[tuple[Variant, Rendered | None], ...]
    place: Callable[[Group], Place]
