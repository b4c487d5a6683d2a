"""A page's markup as a flat row of paragraphs, subheads, lists and quotations, as mail can show it."""

from __future__ import annotations

import re

from lxml import etree
from lxml.html import Element, HtmlElement

HEADINGS = {"h1": "h2", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h4", "h6": "h4"}
INLINE = frozenset(
    "a abbr b bdi bdo big br cite code del em font i img ins kbd mark q s samp small span strike strong sub sup time tt"
    " u var wbr".split()
)
_LISTS = frozenset({"ul", "ol"})
_SPACES = re.compile(r"[ \t\r\n\f]+")
_AROUND_BREAK = re.compile(r" *\n *")


def text_of(element: HtmlElement) -> str:
    """The visible text of an element: white space folded, a line break kept as one."""
    if not len(element):
        return _SPACES.sub(" ", element.text or "").strip()
    words: list[str] = []
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            words.append(("\x00" if node.tag == "br" else "") + (node.text or ""))
        elif node is not element:
            words.append(node.tail or "")
    folded = _SPACES.sub(" ", "".join(words)).replace("\x00", "\n")
    return _AROUND_BREAK.sub("\n", folded).strip()


def blocks_of(container: HtmlElement) -> list[HtmlElement]:
    """The blocks inside an element, in order; runs of loose text become paragraphs, empty ones are left out."""
    found: list[HtmlElement] = []
    run = Element("p")
    run.text = container.text
    for child in list(container):
        tail, child.tail = child.tail, None
        if _is_inline(child):
            run.append(child)
            child.tail = tail
            continue
        found += [*_paragraphs(run), *_blocks_from(child)]
        run = Element("p")
        run.text = tail
    return [block for block in [*found, *_paragraphs(run)] if _says_something(block)]


def _says_something(element: HtmlElement) -> bool:
    return any(text and not text.isspace() for text in element.itertext())


def _is_inline(element: HtmlElement) -> bool:
    return element.tag in INLINE and all(inner.tag in INLINE for inner in element.iter())


def _blocks_from(element: HtmlElement) -> list[HtmlElement]:
    tag = str(element.tag)
    if tag in _LISTS:
        return [_list(element)]
    if tag == "blockquote":
        quoted = _new("blockquote", element)
        quoted.extend(blocks_of(element))
        return [quoted]
    if tag == "tr":
        return [_row(element)]
    if tag in HEADINGS and all(inner.tag in INLINE for inner in element.iterdescendants()):
        element.tag = HEADINGS[tag]
        return [element]
    inside = blocks_of(element)
    if tag == "p" and (element.get("dir") or element.get("lang")):
        for block in inside:
            _copy_direction(element, block)
    return inside


def _list(element: HtmlElement) -> HtmlElement:
    made = _new(str(element.tag), element)
    for child in element:
        item = Element("li")
        inside = blocks_of(child) if child.tag == "li" else _blocks_from(child)
        if len(inside) == 1 and inside[0].tag == "p":
            item.text = inside[0].text
            item.extend(list(inside[0]))
        else:
            item.extend(inside)
        if text_of(item):
            made.append(item)
    return made


def _row(element: HtmlElement) -> HtmlElement:
    """A table's row as a line of text: mail has no room for the table."""
    line = Element("p")
    line.text = " | ".join(filter(None, (text_of(cell).replace("\n", " ") for cell in element)))
    return line


def _paragraphs(run: HtmlElement) -> list[HtmlElement]:
    """A run of inline markup, split where two or more line breaks stand in a row."""
    made = [Element("p")]
    made[0].text = run.text
    for child in list(run):
        before = _last(made[-1])
        if child.tag == "br" and before is not None and _is_bare_break(before):
            made[-1].remove(before)
            made.append(Element("p"))
            made[-1].text = child.tail
        else:
            made[-1].append(child)
    for paragraph in made:
        _trim(paragraph)
    return made


def _trim(paragraph: HtmlElement) -> None:
    """Remove line breaks at either end."""
    while (last := _last(paragraph)) is not None and _is_bare_break(last):
        paragraph.remove(last)
    while (
        (first := next(iter(paragraph), None)) is not None and first.tag == "br" and not (paragraph.text or "").strip()
    ):
        paragraph.text, first.tail = first.tail, None
        paragraph.remove(first)
    paragraph.text = (paragraph.text or "").lstrip()


def _last(element: HtmlElement) -> HtmlElement | None:
    # Asking lxml for a length or an index counts all children.
    return next(element.iterchildren(reversed=True), None)


def _is_bare_break(element: HtmlElement) -> bool:
    return element.tag == "br" and not (element.tail or "").strip()


def _new(tag: str, like: HtmlElement) -> HtmlElement:
    made = Element(tag)
    _copy_direction(like, made)
    return made


def _copy_direction(source: HtmlElement, target: HtmlElement) -> None:
    for name in ("dir", "lang"):
        if value := source.get(name):
            target.set(name, value)
