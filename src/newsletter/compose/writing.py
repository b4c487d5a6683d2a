"""Blocks → the HTML and the plain paragraphs of a piece: the same words, every tag made here and closed here."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby

from newsletter.compose.blocks import Block, Blocks, Kind, Mark, Run, Runs, text_of

_HIGHEST_SUBHEAD = 3
_LOWEST_SUBHEAD = 6


def html_of(blocks: Blocks) -> str:
    """The blocks as HTML. Subheads begin at h3, since the headline above them is an h2, and leave no level out."""
    levels = _levels(blocks)
    quotations = groupby(blocks, key=lambda block: block.quote)
    parts = ((quote, _unquoted(tuple(group), levels)) for quote, group in quotations)
    return "".join(f"<blockquote>{part}</blockquote>" if quote else part for quote, part in parts)


def paragraphs_of(blocks: Blocks, *, with_links: bool) -> tuple[str, ...]:
    """The blocks as plain text, one string each: subheads with "## ", list items "- ", quotations "> ".

    With links, each has a number in brackets behind its words, and its address in a paragraph at the end: a sentence
    stays readable, and no address is broken by wrapping.
    """
    notes: dict[str, int] = {}
    texts = [_prefix(block) + _plain(block.runs, notes if with_links else None) for block in blocks]
    return (*texts, *(f"[{number}] {href}" for href, number in notes.items()))


def _levels(blocks: Blocks) -> dict[int, int]:
    used = sorted({block.level for block in blocks if block.kind is Kind.HEADING})
    return {level: min(_HIGHEST_SUBHEAD + rank, _LOWEST_SUBHEAD) for rank, level in enumerate(used)}


def _unquoted(blocks: Blocks, levels: dict[int, int]) -> str:
    lists = groupby(blocks, key=lambda block: block.kind is Kind.ITEM)
    return "".join(
        _list(tuple(group)) if is_list else "".join(_block(block, levels) for block in group)
        for is_list, group in lists
    )


def _block(block: Block, levels: dict[int, int]) -> str:
    tag = f"h{levels[block.level]}" if block.kind is Kind.HEADING else "p"
    return f"<{tag}{_direction(block)}>{_inline(block.runs)}</{tag}>"


def _direction(block: Block) -> str:
    return f' dir="{block.direction}"' if block.direction else ""


def _list(items: Blocks) -> str:
    """Items of one list; those that lie deeper than the first of a row stand inside the item before them."""
    rows: list[list[Block]] = []
    for item in items:
        if rows and item.level > rows[0][0].level:
            rows[-1].append(item)
        else:
            rows.append([item])
    same = groupby(rows, key=lambda row: (row[0].number is None, row[0].level))
    return "".join(_same_list(list(group)) for _, group in same)


def _same_list(rows: list[list[Block]]) -> str:
    first = rows[0][0].number
    start = "" if first in {None, 1} else f' start="{first}"'
    tag = "ul" if first is None else "ol"
    items = (
        f"<li{_direction(item)}>{_inline(item.runs)}{_list(tuple(deeper)) if deeper else ''}</li>"
        for item, *deeper in rows
    )
    return f"<{tag}{start}>{''.join(items)}</{tag}>"


def _inline(runs: Runs) -> str:
    written: list[str] = []
    open_marks: tuple[Mark, ...] = ()
    for run in runs:
        shared = _shared(open_marks, run.marks)
        written.extend(f"</{mark.tag}>" for mark in reversed(open_marks[shared:]))
        written.extend(_opening(mark) for mark in run.marks[shared:])
        written.append(escape(run.text, quote=False).replace("\n", "<br>"))
        open_marks = run.marks
    written.extend(f"</{mark.tag}>" for mark in reversed(open_marks))
    return "".join(written)


def _shared(before: tuple[Mark, ...], after: tuple[Mark, ...]) -> int:
    """How many outer marks two neighbours have in common."""
    count = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        count += 1
    return count


def _opening(mark: Mark) -> str:
    return f'<a href="{escape(mark.href)}">' if mark.tag == "a" else f"<{mark.tag}>"


def _prefix(block: Block) -> str:
    quote = "> " if block.quote else ""
    match block.kind:
        case Kind.HEADING:
            return quote + "## "
        case Kind.ITEM:
            return quote + ("- " if block.number is None else f"{block.number}. ")
        case Kind.PARAGRAPH:
            return quote


def _plain(runs: Runs, notes: dict[str, int] | None) -> str:
    return text_of(runs) if notes is None else "".join(_noted(runs, notes))


def _noted(runs: Runs, notes: dict[str, int]) -> Iterator[str]:
    for href, group in groupby(runs, key=_href):
        words = "".join(run.text for run in group)
        yield words
        if href and words.strip() and words.strip() not in href:
            yield f" [{notes.setdefault(href, len(notes) + 1)}]"


def _href(run: Run) -> str:
    return next((mark.href for mark in run.marks if mark.tag == "a"), "")
