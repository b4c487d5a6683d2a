"""The line that a list of mails shows behind the subject."""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.model.text import one_line
from newsletter.render.views import PieceView

_LIMIT = 140
_MARKS = ("## ", "- ", "> ")


def preheader_of(pieces: Sequence[PieceView]) -> str:
    """What the lead is about, then what else there is: the subject usually is the lead's headline already."""
    if not pieces:
        return ""
    lead, *others = pieces
    opening = lead.dek or next((text for text in lead.paragraphs if not text.startswith(_MARKS)), "")
    texts = [opening, *(piece.headline for piece in others)]
    return one_line(" · ".join(filter(None, texts)), limit=_LIMIT)
