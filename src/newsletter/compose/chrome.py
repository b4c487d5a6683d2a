"""What a feed carries around an article and no reader should meet inside a teaser.

Bylines, picture captions, the headline once more, "The post … appeared first on …", buttons of the page. Judged by
words, since the markup that told them apart is rarely left by the time a feed is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from newsletter.compose.blocks import (
    Block,
    Blocks,
    Kind,
    Run,
    blocks_length,
    shortened,
    stripped,
    text_of,
    without_first,
)
from newsletter.compose.reading import blocks_from_html, blocks_from_text
from newsletter.compose.sentences import sentence_ends
from newsletter.model.furniture import APPEARED_FIRST, CUT_SIGN, is_button, leads_on
from newsletter.model.item import Entry
from newsletter.model.text import spelled

_RELATED = re.compile(
    r"(?i)(?:read more|also read|read also|read next|related|related (?:story|article|reading)|see also|recommended"
    r"|lea también|leer también|lire aussi|à lire aussi|lesen sie auch|siehe auch|leggi anche|leia também"
    r"|читайте также|اقرأ أيضاً?|اقرا ايضا)\s*[:：|–—]"
)
_BYLINE = re.compile(r"(?:By|BY|by)\s+(?P<names>\S.*)")
_BETWEEN_NAMES = frozenset("and & de da del der di van von bin al el ibn for of the in at with".split())
_AFTER_NAMES = re.compile(r"\s*(?:[|•·/]|[–—-]\s).*$|,?\s+(?:published|updated|posted)\b.*$", re.IGNORECASE)
_PHOTO_CREDIT = re.compile(
    r"[\[(]?(?i:photo|image|picture|photograph|illustration|foto|imagen|crédit photo|bild|صورة)(?i:s?(?: credits?)?)"
    r"\s*(?:[:©/]|(?i:by|via|courtesy of)\s+[^\W\d_a-z])|[\[(]?(?:(?i:credit|crédit|crédito|via)\s*:|©)"
)
_DOTS = re.compile(r"\s*(?:…|\.\.\.+)\s*$")

_BEGINNING = 4
_LONGEST_BYLINE = 140
_LONGEST_CREDIT = 160
_LONGEST_BUTTON = 80
_LONGEST_ENDING = 700
_LONGEST_SIGN = 40
_MOST_NAMES = 14
_FEW_PARAGRAPHS = 3
_SHORT_ARTICLE = 300
_LONG_SUMMARY = 1_200


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What a feed carries of an article, cleaned. `whole` is false where it is a summary or a beginning only."""

    blocks: Blocks
    dek: str
    whole: bool


def article_of(entry: Entry) -> Article:
    """The article of an entry without what stands around it.

    A text that the feed broke off ("[…]") ends in a whole sentence afterwards, or in an ellipsis if there is none. An
    entry without text of its own has its dek for a text.
    """
    blocks = _cleaned(blocks_from_html(entry.html) or blocks_from_text(entry.text), entry)
    if not blocks:
        blocks = _cleaned(blocks_from_text(entry.dek), replace(entry, dek=""))
        return Article(blocks=blocks, dek="", whole=False)
    whole = _is_whole(blocks)
    ended = _ended(blocks, whole=whole, language=entry.language)
    return Article(blocks=ended, dek=_dek_beside(entry, ended), whole=whole)


def _is_whole(blocks: Blocks) -> bool:
    """Feeds do not say whether they carry an article or its beginning, so its shape, length and end must."""
    if _broken_off(blocks[-1].text, dots=True):
        return False
    if any(block.kind is Kind.HEADING for block in blocks):
        return True
    return blocks_length(blocks) >= (_SHORT_ARTICLE if len(blocks) >= _FEW_PARAGRAPHS else _LONG_SUMMARY)


def _cleaned(blocks: Blocks, entry: Entry) -> Blocks:
    kept = tuple(block for block in blocks if not _is_chrome(block) and not _is_caption(block, entry))
    return _without_head(_without_tail(kept), entry)


def _is_chrome(block: Block) -> bool:
    text = block.text
    if is_button(text) or APPEARED_FIRST.match(text) or _RELATED.match(text):
        return True
    linked = all(any(mark.tag == "a" for mark in run.marks) for run in block.runs if run.text.strip())
    return linked and leads_on(text)


def _is_caption(block: Block, entry: Entry) -> bool:
    """Whether a paragraph repeats the picture's caption or credit: feeds often put them before the first words."""
    image = entry.image
    if image is None:
        return False
    said = spelled(block.text)
    caption, credit = spelled(image.caption), spelled(image.credit)
    return bool(said) and said in {caption, credit, caption + credit, credit + caption}


def _without_tail(blocks: Blocks) -> Blocks:
    """Blocks without what the page put behind the last words; a sign that the text was broken off stays for now."""
    while blocks and blocks[-1].kind is not Kind.HEADING:
        last = _without_button(blocks[-1])
        said = APPEARED_FIRST.search(last.text, max(0, len(last.text) - _LONGEST_ENDING))
        if said:
            last = _without_button(shortened(last, said.start()))
        if last.runs:
            return (*blocks[:-1], last)
        blocks = blocks[:-1]
    return blocks


def _ended(blocks: Blocks, *, whole: bool, language: str | None) -> Blocks:
    while blocks:
        last = _mended(blocks[-1], whole=whole, language=language)
        if last.runs:
            return (*blocks[:-1], last)
        blocks = blocks[:-1]
    return blocks


def _without_button(block: Block) -> Block:
    """The block without a last link or last words that are a button of the page."""
    if not block.runs:
        return block
    text = block.text
    last_run = block.runs[-1].text
    for start in (len(text) - len(last_run), *sentence_ends(text)):
        if 0 < len(text) - start <= _LONGEST_BUTTON and is_button(text[start:]):
            return shortened(block, start)
    linked = any(mark.tag == "a" for mark in block.runs[-1].marks)
    if linked and leads_on(last_run):
        return shortened(block, len(text) - len(last_run))
    return block


def _broken_off(text: str, *, dots: bool) -> re.Match[str] | None:
    """The sign at the end that says a feed broke the text off; dots alone only if asked for."""
    end = max(0, len(text) - _LONGEST_SIGN)
    return CUT_SIGN.search(text, end) or (_DOTS.search(text, end) if dots else None)


def _mended(block: Block, *, whole: bool, language: str | None) -> Block:
    """The block cut back to its last whole sentence if the feed broke it off."""
    text = block.text
    broken = _broken_off(text, dots=not whole)
    if broken is None:
        return block
    ends = sentence_ends(text[: broken.start()], language=language)
    if ends:
        return shortened(block, ends[-1])
    rest = shortened(block, broken.start())
    return replace(rest, runs=(*rest.runs, Run("…"))) if rest.runs else rest


def _without_head(blocks: Blocks, entry: Entry) -> Blocks:
    """Blocks from the article's first words on: what stands before them is headline, dek, byline or caption again."""
    head, rest = blocks[:_BEGINNING], blocks[_BEGINNING:]
    return (*(kept for block in head if (kept := _beginning(block, entry)) is not None), *rest)


def _beginning(block: Block, entry: Entry) -> Block | None:
    shown_above = (entry.headline, entry.dek, entry.section_line, *entry.section_line.split("|"), *entry.categories)
    if spelled(block.text) in map(spelled, shown_above) or _is_byline(block.text, entry) or _is_credit(block.text):
        return None
    first, line_break, _ = block.text.partition("\n")
    if line_break and _is_byline(first, entry):
        return _from(block, len(first) + 1)
    return block


def _from(block: Block, start: int) -> Block:
    return replace(block, runs=stripped(without_first(block.runs, start)))


def _is_byline(text: str, entry: Entry) -> bool:
    if len(text) > _LONGEST_BYLINE:
        return False
    said, byline = spelled(text), spelled(entry.byline)
    if byline and said.endswith(byline) and len(said) - len(byline) <= len("writtenby"):
        return True
    found = _BYLINE.fullmatch(text.strip())
    if found is None:
        return False
    names = _AFTER_NAMES.sub("", found["names"]).split()
    return 0 < len(names) <= _MOST_NAMES and all(name[0].isupper() or name in _BETWEEN_NAMES for name in names)


def _is_credit(text: str) -> bool:
    return len(text) <= _LONGEST_CREDIT and bool(_PHOTO_CREDIT.match(text.strip()))


def _dek_beside(entry: Entry, blocks: Blocks) -> str:
    """The dek, or nothing where the text begins with it or the headline says it already."""
    broken = _broken_off(entry.dek, dots=True)
    said = spelled(entry.dek[: broken.start()] if broken else entry.dek)
    begun = spelled(" ".join(text_of(block.runs) for block in blocks[:_BEGINNING]))
    if not said or said == spelled(entry.headline) or begun.startswith(said):
        return ""
    return entry.dek
