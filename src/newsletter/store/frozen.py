"""What an edition was composed of and rendered to, as text to be kept and back again."""

from __future__ import annotations

from functools import cache

from pydantic import TypeAdapter

from newsletter.model.edition import Draft, Rendered


def draft_text(draft: Draft) -> str:
    return _drafts().dump_json(draft).decode()


def draft_from(text: str) -> Draft:
    return _drafts().validate_json(text)


def rendered_text(rendered: Rendered) -> str:
    return _rendereds().dump_json(rendered).decode()


def rendered_from(text: str) -> Rendered:
    return _rendereds().validate_json(text)


# Built when first used: commands that touch no edition do not wait for them.
@cache
def _drafts() -> TypeAdapter[Draft]:
    return TypeAdapter(Draft)


@cache
def _rendereds() -> TypeAdapter[Rendered]:
    return TypeAdapter(Rendered)
