"""The tables and keys of feeds/NAME.toml, with their rules. docs/settings.md is made from these too."""

from __future__ import annotations

from datetime import timedelta
from importlib.util import find_spec
from typing import Annotated

from pydantic import Field, field_validator

from newsletter.model.feed import Reuse
from newsletter.settings import kinds
from newsletter.settings.faults import refuse
from newsletter.settings.schema import CHOICE, Table


class RightsTable(Table):
    """What the partner allows."""

    reuse: Annotated[Reuse, CHOICE] = Field(
        default=Reuse.TEASER,
        description="How much may be shown: the whole text (full), an excerpt, a teaser, or nothing (none).",
    )
    credit: kinds.Credit = Field(default="", description="Line of thanks or licence; `{partner}` is filled in.")
    embargo: kinds.Duration = Field(default=timedelta(0), description="Nothing is shown before it is this old.")
    expires: kinds.Wait | None = Field(default=None, description="Nothing is shown when it is older.")


class FilterTable(Table):
    """What is taken from the feed: words or `/regular expressions/` on headline, text, category and author."""

    include: list[kinds.Pattern] = Field(default=[], description="Only items with one of these.")
    exclude: list[kinds.Pattern] = Field(default=[], description="No items with any of these.")


class FeedFile(Table):
    """feeds/NAME.toml: one partner feed; NAME is its id."""

    url: kinds.WebAddress = Field(description="Where the feed is: RSS, Atom, RDF or JSON Feed.")
    partner: kinds.Text = Field(description="Who publishes it, as credits name them.")
    homepage: kinds.WebAddress | None = Field(default=None, description="The partner's home page.")
    kind: str = Field(default="", description='What the partner writes, for the section line "Analysis | Middle East".')
    topics: list[kinds.Text] = Field(default=[], description="What it is about: the rest of the section line.")
    language: kinds.Language | None = Field(default=None, description="BCP 47, if the feed does not say or lies.")
    encoding: kinds.Encoding | None = Field(default=None, description="If the feed declares a wrong one.")
    enabled: bool = Field(default=True, description="false: not asked any more; nothing is lost.")
    poll_every: kinds.Wait = Field(default=timedelta(hours=1), description="How often to ask, at most.")
    original: bool = Field(default=True, description="This partner writes it; false: it may republish others.")
    first_poll: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=10, description="Newest items that count as news when the feed is seen for the first time."
    )
    full_text: bool = Field(
        default=False,
        description="Whether new items are completed from their own pages, where robots.txt lets us. "
        "Needs `pip install 'newsletter[fulltext]'`.",
    )
    rights: RightsTable = RightsTable()
    filter: FilterTable = FilterTable()

    @field_validator("full_text")
    @classmethod
    def _installed(cls, value: bool) -> bool:  # noqa: FBT001 pydantic hands it over
        if value and find_spec("trafilatura") is None:
            raise refuse("expected false unless the extra is installed: pip install 'newsletter[fulltext]'")
        return value
