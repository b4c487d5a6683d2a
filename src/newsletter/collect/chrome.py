"""Which paragraphs of a feed's text are furniture of the page it was taken from."""

from __future__ import annotations

from newsletter.model.furniture import APPEARED_FIRST, CUT_SIGN, is_button, leads_on


def is_chrome(text: str, *, at_end: bool) -> bool:
    """Whether a whole paragraph is furniture. More is believed to be at the end of a text than within it."""
    return is_button(text) or bool(APPEARED_FIRST.match(text)) or (at_end and leads_on(text))


def without_cut_mark(text: str) -> str:
    """The text without a final "[…]" or "(more…)"; where one stood there is an ellipsis now."""
    kept = CUT_SIGN.sub("", text)
    return text if kept == text else kept.rstrip(" .…") + "…"
