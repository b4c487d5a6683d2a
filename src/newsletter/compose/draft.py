"""Chosen items → a draft, whole or made smaller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from newsletter.compose.fit import Shape
from newsletter.compose.pieces import Chosen, Form, form_of, piece_of
from newsletter.model.edition import Draft, Part, Piece, Role
from newsletter.model.feed import Feed
from newsletter.model.publication import Digest, MailingList, Publication


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that an edition is made from but its name. `chosen` has (section, item) in reading order."""

    digest: Digest
    mailing_list: MailingList
    publication: Publication
    feeds: Mapping[str, Feed]
    dated_at: datetime
    chosen: tuple[tuple[int, Chosen], ...] = ()


def edition_id(digest: Digest, dated_at: datetime) -> str:
    """The name of an edition by the date where its digest is at home, such as `daily-2026-11-23`."""
    return f"{digest.id}-{dated_at.astimezone(ZoneInfo(digest.timezone)):%Y-%m-%d}"


def full_shape(plan: Plan) -> Shape:
    """The shape that shows everything as the digest wants it."""
    return Shape(pieces=len(plan.chosen), whole=sum(form is Form.WHOLE for form in _forms(plan)))


def draft_of(plan: Plan, shape: Shape, *, name: str, number: int) -> Draft:
    """The draft with as much in it as the shape allows."""
    whole = 0
    placed: list[tuple[int, Piece]] = []
    for form, (section, chosen) in list(zip(_forms(plan), plan.chosen, strict=True))[: shape.pieces]:
        whole += form is Form.WHOLE
        shown = Form.EXCERPT if form is Form.WHOLE and whole > shape.whole else form
        role = Role.TEASER if placed else Role.LEAD
        placed.append((section, piece_of(chosen, role=role, form=shown, scale=shape.scale, feeds=plan.feeds)))
    return Draft(
        id=name,
        number=number,
        digest=plan.digest,
        mailing_list=plan.mailing_list,
        publication=plan.publication,
        dated_at=plan.dated_at,
        parts=tuple(
            Part(title=plan.digest.sections[section].title, pieces=tuple(piece for _, piece in group))
            for section, group in groupby(placed, key=lambda pair: pair[0])
        ),
    )


def _forms(plan: Plan) -> list[Form]:
    return [
        form_of(chosen, role=Role.TEASER if place else Role.LEAD, full=plan.digest.full)
        for place, (_, chosen) in enumerate(plan.chosen)
    ]
