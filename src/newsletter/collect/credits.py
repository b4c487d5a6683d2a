"""Captions and photo credits: told apart where a publisher wrote both in one line."""

from __future__ import annotations

import re

from newsletter.model.text import one_line

LONGEST_CAPTION = 600
LONGEST_CREDIT = 200
_AGENCY = (
    r"(?:REUTERS|Reuters|AFP|EPA|EFE|ANSA|TASS|dpa|AP(?: Photo)?|Associated Press|Getty(?: Images)?|Shutterstock|Alamy"
    r"|iStock|Unsplash|Flickr|Wikimedia(?: Commons)?|Xinhua|Anadolu(?: Agency)?|Sputnik|Bloomberg|Magnum Photos)"
)
_LABEL = (
    r"(?:photo(?:graph|s)?|image|picture|foto(?:s)?|crédits?|crédito|bild|immagine|صورة|الصورة|תצלום)"
    r"(?:\s+(?:credit|courtesy|by|de|di|von))?"
)
_IN_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]{2,160})[)\]]\s*\.?$")
_SPEAKS_OF_PHOTO = re.compile(
    rf"\b(?:photos?|photograph(?:er)?|foto|credit|courtesy|creative commons|cc[ -]by|public domain|{_AGENCY})\b|©|صورة",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    rf"(?:^|(?<=[.!?…”\"»])\s+|\s+[|–—-]\s+)((?:{_LABEL}|credit|©)\s*(?:[:/]\s*|(?<=by)\s+|(?<=©)\s*)\S.{{1,160}})$",
    re.IGNORECASE,
)
# A line of its own after the last sentence, ending in an agency's name: "… in July. Ana Ruiz/Pool via REUTERS".
_SIGNED = re.compile(rf"(?:(?<![A-Z])\.|[!?…”\"»])\s+((?:[A-Z]\.\s?|[^.!?]){{2,120}}\b{_AGENCY})\.?$")
_LEADING_LABEL = re.compile(
    rf"^(?:{_LABEL}|credit)\s*[:/]\s*|^(?:photo|photograph|picture|image)s? by\s+", re.IGNORECASE
)
_DOUBLED = re.compile(r"^(.{2,90}) \(\1\)$")


def tidy_credit(text: str) -> str:
    """A photo credit without its label ("Photo: …") and without saying itself twice."""
    credit = one_line(text, limit=LONGEST_CREDIT)
    bare = _LEADING_LABEL.sub("", credit).strip(" ()|") if not _DOUBLED.match(credit) else credit
    doubled = _DOUBLED.match(bare)
    found = doubled[1] if doubled else bare
    return found + ")" if found.count("(") > found.count(")") else found


def caption_and_credit(caption: str, credit: str = "") -> tuple[str, str]:
    """Caption and photo credit as lines of their own.

    A credit at the end of the caption is taken out of it; one that is given apart is believed rather.
    """
    credit = tidy_credit(credit)
    caption = one_line(caption, limit=LONGEST_CAPTION)
    if credit:
        caption = _without(caption, credit)
    while parts := _split(caption):
        caption, found = parts
        credit = credit or tidy_credit(found)
    return caption, credit


def _split(caption: str) -> tuple[str, str] | None:
    """What stands before a photo credit at the end, and that credit."""
    for pattern in (_IN_BRACKETS, _LABELLED, _SIGNED):
        found = pattern.search(caption)
        if found and (pattern is not _IN_BRACKETS or _SPEAKS_OF_PHOTO.search(found[1])):
            return caption[: found.start(1)].rstrip(" ([|–—-"), found[1]
    return None


def _without(caption: str, credit: str) -> str:
    """The caption without the credit at its end."""
    if caption.casefold() == credit.casefold():
        return ""
    for tail in (f"({credit})", f"[{credit}]", credit):
        for ending in (tail, tail + "."):
            if caption.casefold().endswith(ending.casefold()):
                kept = caption[: -len(ending)].rstrip(" ([|–—-/")
                return re.sub(rf"\s*[(|]?\s*(?:{_LABEL}|credit)\s*:?$", "", kept, flags=re.IGNORECASE)
    return caption
