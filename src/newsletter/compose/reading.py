"""Sanitised HTML → blocks. Whatever is not known here is looked through: its words are kept, its tag is not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import groupby

from lxml import html as lxml_html
from lxml.etree import ParserError
from lxml.html import HtmlElement

from newsletter.compose.blocks import Block, Blocks, Kind, Mark, Run, Runs, stripped

_INLINE = {
    **dict.fromkeys(("em", "i", "cite", "dfn", "var"), "em"),
    **dict.fromkeys(("strong", "b"), "strong"),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), "code"),
    **dict.fromkeys(("s", "del", "strike"), "s"),
    "bdi": "bdi",
    "sub": "sub",
    "sup": "sup",
}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset({"ul", "ol"})
_SEPARATE = _LISTS | frozenset(
    "p div section article header footer main address center aside details summary blockquote pre li dl dt dd figure "
    "figcaption table caption tbody thead tfoot tr td th hr".split()
)
_NOT_TEXT = frozenset("script style template noscript iframe object svg math head title".split())
_UNPARSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SPACES = re.compile(r"[ \t\r\n\f]+")
_WEB = re.compile(r"(?i)(?:https?://|mailto:)")
_DEEPEST = 60
_LONGEST_SUBHEAD = 100
_SENTENCE_SIGNS = frozenset(".!?…:;,؟۔。！？")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where in the tree we are: what a block that begins here would be."""

    block: Block = field(default_factory=Block)
    marks: tuple[Mark, ...] = ()
    list_depth: int = -1


def blocks_from_html(html: str) -> Blocks:
    """The blocks of an HTML fragment; none for an empty one."""
    try:
        root = lxml_html.fragment_fromstring(_UNPARSABLE.sub("", html), create_parent="div")
    except ParserError:
        return ()
    reader = _Reader()
    reader.inside(root, _Place())
    reader.flush()
    return tuple(_promoted(block) for block in reader.blocks)


def blocks_from_text(text: str) -> Blocks:
    """The blocks of a plain text with blank lines between paragraphs."""
    paragraphs = (_SPACES.sub(" ", part).strip() for part in re.split(r"\n\s*\n", text))
    return tuple(Block(runs=(Run(part),)) for part in paragraphs if part)


class _Reader:
    """Collects runs until a block ends, and blocks until the article does."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._runs: list[Run] = []
        self._block = Block()
        self._deep = 0

    def inside(self, element: HtmlElement, place: _Place) -> None:
        self._words(element.text, place)
        self._deep += 1
        for child in element:
            if isinstance(child.tag, str):  # neither a comment nor a processing instruction
                self._element(child, place)
            self._words(child.tail, place)
        self._deep -= 1

    def flush(self) -> None:
        """End the current block; one without words is nothing."""
        if runs := _tidy(self._runs):
            self.blocks.append(replace(self._block, runs=runs))
        self._runs = []

    def _words(self, text: str | None, place: _Place) -> None:
        if text and (self._runs or text.strip()):
            if not self._runs:
                self._block = place.block
            self._runs.append(Run(_SPACES.sub(" ", text), place.marks))

    def _element(self, element: HtmlElement, place: _Place) -> None:
        tag = element.tag
        if tag in _NOT_TEXT:
            return
        if self._deep > _DEEPEST:
            self._words(str(element.text_content()), place)
        elif tag == "br":
            self._break(place)
        elif tag == "q":
            self._words("“", place)
            self.inside(element, place)
            self._words("”", place)
        elif tag in _SEPARATE or tag in _HEADINGS:
            self._block_element(element, _directed(element, place))
        else:
            self.inside(element, replace(place, marks=(*place.marks, *_marks(element, place.marks))))

    def _break(self, place: _Place) -> None:
        """A line break; two of them end a paragraph."""
        before = next((run.text for run in reversed(self._runs) if run.text.strip(" ")), "")
        if before == "\n" and place.block.kind is Kind.PARAGRAPH:
            self.flush()
        elif before:
            self._runs.append(Run("\n", place.marks))

    def _block_element(self, element: HtmlElement, place: _Place) -> None:
        tag = element.tag
        if tag in _LISTS:
            self.flush()
            self._list(element, place)
        elif place.block.kind is Kind.ITEM and tag not in _HEADINGS and tag != "li":
            # A list item of several paragraphs stays one item.
            if self._runs:
                self._runs.append(Run("\n", place.marks))
            self.inside(element, place)
        else:
            self.flush()
            self.inside(element, _within(element, place))
            self.flush()

    def _list(self, element: HtmlElement, place: _Place) -> None:
        depth = place.list_depth + 1
        start = element.get("start") or ""
        number = int(start) if start.isascii() and start.isdigit() else 1
        for child in element:
            if not isinstance(child.tag, str):
                continue
            item = replace(place.block, kind=Kind.ITEM, level=depth, number=None)
            if element.tag == "ol" and child.tag == "li":
                item = replace(item, number=number)
                number += 1
            inner = _directed(child, replace(place, block=item, list_depth=depth))
            self.inside(child, inner)
            self.flush()


def _within(element: HtmlElement, place: _Place) -> _Place:
    """The place inside a block element."""
    if element.tag in _HEADINGS:
        return replace(place, block=replace(place.block, kind=Kind.HEADING, level=_HEADINGS[element.tag]))
    if element.tag == "blockquote":
        return replace(place, block=replace(place.block, quote=True))
    return place


def _directed(element: HtmlElement, place: _Place) -> _Place:
    direction = (element.get("dir") or "").lower()
    if direction not in {"ltr", "rtl"}:
        return place
    return replace(place, block=replace(place.block, direction=direction))


def _marks(element: HtmlElement, around: tuple[Mark, ...]) -> tuple[Mark, ...]:
    """The mark an inline element adds: none for one we do not carry, and none twice."""
    if element.tag == "a":
        href = (element.get("href") or "").strip()
        linked = any(mark.tag == "a" for mark in around)
        return (Mark("a", href),) if _WEB.match(href) and not linked else ()
    mark = Mark(_INLINE[element.tag]) if element.tag in _INLINE else None
    return (mark,) if mark is not None and mark not in around else ()


def _tidy(runs: list[Run]) -> Runs:
    """Runs with neighbours of the same marks joined, no doubled blank, and none around a line break or at the ends."""
    kept: list[Run] = []
    for run in runs:
        text = run.text
        if kept and kept[-1].text[-1] in " \n":
            text = text.lstrip(" ")
        if text == "\n" and kept:
            last = kept.pop()
            kept += [Run(line, last.marks)] if (line := last.text.rstrip(" ")) else []
        if text:
            kept.append(Run(text, run.marks))
    groups = groupby(kept, key=lambda run: run.marks)
    return stripped(tuple(Run("".join(run.text for run in group), marks) for marks, group in groups))


def _promoted(block: Block) -> Block:
    """A short bold line that is no sentence is a subhead, whatever its tag."""
    text = block.text
    bold = all(Mark("strong") in run.marks or not run.text.strip() for run in block.runs)
    if block.kind is not Kind.PARAGRAPH or not bold or block.quote:
        return block
    if len(text) > _LONGEST_SUBHEAD or text[-1] in _SENTENCE_SIGNS:
        return block
    return replace(block, kind=Kind.HEADING, level=6)
