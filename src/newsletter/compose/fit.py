"""Making an edition small enough: mail readers clip long messages, and what they clip is the way to unsubscribe.

Gmail shows 102 KB of a message's HTML. Teasers are shortened first, then what is carried whole becomes an excerpt with
a link to the rest, from the last piece to the lead; only then are pieces left out, the last ones first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from newsletter.model.edition import Draft, Rendered

LARGEST_HTML_BYTES = 100_000
_ROOM_PER_FIELD = 300
"""What a placeholder may become: a link with a token, or an address and a name."""

_SCALES = (1.0, 0.75, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How much of an edition is shown: its first `pieces`, of those the first `whole` whole, teasers scaled."""

    pieces: int
    whole: int
    scale: float = 1.0


def merged_bytes(rendered: Rendered) -> int:
    """The size of the HTML once a subscriber's fields are in it."""
    return len(rendered.html.encode()) + _ROOM_PER_FIELD * rendered.html.count(rendered.nonce)


def smaller(shape: Shape, *, size: int) -> Shape | None:
    """The next shape to try for an edition of `size` bytes that is too large; None if nothing is left to leave out."""
    further = [scale for scale in _SCALES if scale < shape.scale]
    if further:
        return replace(shape, scale=further[0])
    if shape.whole:
        return replace(shape, whole=shape.whole - 1)
    if shape.pieces > 1:
        fitting = int(shape.pieces * LARGEST_HTML_BYTES / size)
        return replace(shape, pieces=max(1, min(shape.pieces - 1, fitting)))
    return None


def warnings_about(full: Shape, used: Shape, draft: Draft) -> tuple[str, ...]:
    """What an editor should know about an edition that had to be made smaller; `draft` is the full one."""
    said = []
    limit = f"to keep the HTML under {LARGEST_HTML_BYTES:,} bytes"
    if used.scale < full.scale:
        said.append(f"teasers were shortened to {used.scale:.0%} of their length {limit}")
    shortened = [piece for piece in draft.pieces if piece.whole][used.whole :]
    if shortened:
        said.append(f"carried as excerpts instead of whole {limit}: {_named([p.headline for p in shortened])}")
    left_out = draft.pieces[used.pieces :]
    if left_out:
        said.append(f"left out {limit}, waiting for the next edition: {_named([p.headline for p in left_out])}")
    return tuple(said)


def _named(headlines: list[str]) -> str:
    return ", ".join(f"“{headline}”" for headline in headlines)
