"""What publishing systems add to a text that are not it: "The post … appeared first on", "[…]", "keep reading"."""

from __future__ import annotations

import re

_APPEARED_FIRST = re.compile(
    r"^(?:the|this) (?:post|article|story|entry|piece)\b.{0,400}"
    r"\b(?:appeared first|first appeared|was first published) (?:on|in|at)\b"
    r"|^(?:la entrada|el art[ií]culo|el post)\b.{0,400}\b(?:aparec(?:e|ió) primero|se publicó primero) en\b"
    r"|^(?:l[’']article|cet article)\b.{0,400}\best apparu en premier sur\b"
    r"|^der beitrag\b.{0,400}\berschien zuerst auf\b"
    r"|^(?:het bericht|dit artikel)\b.{0,400}\bverscheen eerst op\b"
    r"|^o (?:post|artigo)\b.{0,400}\bapareceu primeiro em\b"
    r"|^l[’']articolo\b.{0,400}\b(?:proviene da|sembra essere il primo su)\b"
    r"|^(?:ظهرت المقالة|المقال)\b.{0,400}\bأولاً على\b",
    re.IGNORECASE | re.DOTALL,
)
_READ_ON = re.compile(
    r"^[\s.…»→\[(]*(?:"
    r"continue reading|keep reading|read more|read on\b|read the (?:full|rest|whole|original)|click here to read"
    r"|full (?:story|article)\b|(?:seguir|sigue|continuar|continúa) leyendo|leer más\b"
    r"|lire la suite|lire plus|en savoir plus|weiterlesen|mehr lesen|leia mais|continuar a ler"
    r"|continua a leggere|leggi (?:tutto|di più)|lees (?:meer|verder)"
    r"|اقرأ المزيد|للمزيد|تابع القراءة|أكمل القراءة|ادامه مطلب|המשך קריאה|קרא עוד)",
    re.IGNORECASE,
)
_BUTTON = re.compile(
    r"^[\s.…»→]*(?:keep reading|continue reading|read more|show (?:less|more)|advertisement|share this:?"
    r"|seguir leyendo|publicidad)(?:[\s.…»→]*show (?:less|more))?[\s.…»→]*$",
    re.IGNORECASE,
)
_CUT_MARK = re.compile(r"\s*(?:\[(?:…|\.\.\.)\]|\((?:more|mehr|suite|más)\s?(?:…|\.\.\.)\))\s*$", re.IGNORECASE)
_LONGEST_READ_ON = 250


def is_chrome(text: str, *, at_end: bool) -> bool:
    """Whether a whole paragraph is furniture. More is believed to be at the end of a text than within it."""
    if _BUTTON.match(text) or _APPEARED_FIRST.match(text):
        return True
    return at_end and is_read_on(text)


def is_read_on(text: str) -> bool:
    """Whether a text, or the words of a link, does nothing but lead to the rest of the article."""
    if len(text) > _LONGEST_READ_ON:
        return False
    return bool(_READ_ON.match(text)) or not _CUT_MARK.sub("", text).strip(" .…»→")


def without_cut_mark(text: str) -> str:
    """The text without a final "[…]" or "(more…)"; where one stood there is an ellipsis now."""
    kept = _CUT_MARK.sub("", text)
    return text if kept == text else kept.rstrip(" .…") + "…"
