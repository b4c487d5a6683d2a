"""What an edition was composed of and rendered to, as text to be kept and back again."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from newsletter.model.edition import Draft, Rendered

if TYPE_CHECKING:
    from pydantic import TypeAdapter


def prepare() -> None:
    """Load what the first text takes a tenth of a second for: not while others wait to write."""
    _drafts()
    _rendereds()


def draft_text(draft: Draft) -> str:
    return _drafts().dump_json(draft).decode()


def draft_from(text: str) -> Draft:
    return _drafts().validate_json(text)


def rendered_text(rendered: Rendered) -> str:
    return _rendereds().dump_json(rendered).decode()


def rendered_from(text: str) -> Rendered:
    return _rendereds().validate_json(text)


# Loaded and built when first used: what touches no edition neither waits for pydantic nor has room for it.
@cache
def _drafts() -> TypeAdapter[Draft]:
    from pydantic import TypeAdapter

    return TypeAdapter(Draft)


@cache
def _rendereds() -> TypeAdapter[Rendered]:
    from pydantic import TypeAdapter

    return TypeAdapter(Rendered)
