"""What pages and feeds put around an article that is not it: buttons, "appeared first on", signs of a broken-off text.

Judged by words, in the languages partners write in, since the markup that told them apart is rarely left in a feed.
"""

from __future__ import annotations

import re

from newsletter.model.text import spelled

_BUTTONS = frozenset(
    spelled(phrase)
    for phrase in """
        Keep reading | Keep reading Show less | Show less | Show more | Continue reading | Read more | Read on
        Read the full story | Read the full article | Read the full story here | Read the whole story | See more
        Read the rest of this entry | View article | Learn more | Listen to this article
        Click here to read more | Advertisement | Advertising | Sponsored | Share this | Share | Print
        Share this article | Full story | Follow us | Follow us on social | Subscribe
        Sign up for our newsletter | Story continues below
        Story continues below advertisement
        Seguir leyendo | Sigue leyendo | Leer más | Continuar leyendo | Mostrar menos | Publicidad
        Lire la suite | En savoir plus | Continuer la lecture | Publicité
        Weiterlesen | Mehr lesen | Mehr erfahren | Zum Artikel | Anzeige
        Leggi tutto | Continua a leggere | Leggi di più | Continue lendo | Continuar a ler | Ler mais | Leia mais
        Lees meer | Verder lezen | Czytaj dalej | Czytaj więcej | Devamını oku | Läs mer | Les mer | Læs mere
        Читать далее | Читать дальше | Подробнее | Читати далі | Διαβάστε περισσότερα
        اقرأ المزيد | اقرأ أكثر | المزيد | تابع القراءة | متابعة القراءة | ادامه مطلب | بیشتر بخوانید | مزید پڑھیں
        קרא עוד | और पढ़ें | 続きを読む | もっと読む | 阅读更多 | 阅读全文 | 继续阅读 | 閱讀更多 | 閱讀全文
        더 읽기 | 더보기 | 계속 읽기
    """.replace("\n", "|").split("|")
    if phrase.strip()
)

_PLACE = ".{1,150}"
_TITLE = ".{1,400}?"
# Said of a piece by the system that published it. "Republished with permission from …" and "first published in …" are
# credit lines, which are owed and stay.
APPEARED_FIRST = re.compile(
    r"(?is)(?:^|(?<=[\s.!?…\]]))(?:"
    + "|".join(
        (
            (
                rf"th(?:e|is) (?:post|article|story|piece) {_TITLE} (?:appeared first|first appeared) (?:on|in|at)"
                rf" {_PLACE}"
            ),
            rf"(?:la entrada|el art[ií]culo|el post) {_TITLE} (?:se publicó|aparec(?:e|ió)) primero en {_PLACE}",
            rf"(?:l[’']article|cet article) {_TITLE} est apparu en premier sur {_PLACE}",
            rf"der (?:beitrag|artikel) {_TITLE} erschien zuerst (?:auf|bei) {_PLACE}",
            (
                rf"(?:l[’']articolo|il post) {_TITLE} (?:proviene da|sembra essere il primo su|è apparso per primo su)"
                rf" {_PLACE}"
            ),
            rf"o (?:post|artigo) {_TITLE} apareceu primeiro (?:em|no) {_PLACE}",
            rf"(?:het bericht|dit artikel) {_TITLE} verscheen eerst op {_PLACE}",
            rf"(?:ظهرت )?(?:المقالة|المقال|التدوينة) {_TITLE} (?:ظهرت |ظهر )?أولاً على {_PLACE}",
        )
    )
    + r")$"
)
"""Matches from where such a sentence begins to the end of the text."""

_LEADS_ON = re.compile(
    r"^[\s.…»→\[(]*(?:"
    r"continue reading|keep reading|read more|read on\b|read the (?:full|rest|whole|original)|click here to read"
    r"|full (?:story|article)\b|(?:seguir|sigue|continuar|continúa) leyendo|leer más\b"
    r"|lire la suite|lire plus|en savoir plus|weiterlesen|mehr lesen|leia mais|continuar a ler"
    r"|continua a leggere|leggi (?:tutto|di più)|lees (?:meer|verder)"
    r"|اقرأ المزيد|للمزيد|تابع القراءة|أكمل القراءة|ادامه مطلب|המשך קריאה|קרא עוד)",
    re.IGNORECASE,
)
_LONGEST_LEADING_ON = 250

_DOTS = r"(?:…|\.\s?\.\s?\.|&hellip;|&#8230;)"
CUT_SIGN = re.compile(
    rf"\s*(?:[\[(]\s*{_DOTS}\s*[\])]|\((?:more|mehr|suite|más)\s?{_DOTS}\))\s*$",
    re.IGNORECASE,
)
"""What a feed writes where it broke a text off on purpose: "[…]", "(more…)"."""


def is_button(text: str) -> bool:
    """Whether a text is nothing but a button or a label of the page."""
    return spelled(text) in _BUTTONS


def leads_on(text: str) -> bool:
    """Whether a text, best the words of a link, does nothing but lead to the rest of the article."""
    if len(text) > _LONGEST_LEADING_ON:
        return False
    return bool(_LEADS_ON.match(text)) or not CUT_SIGN.sub("", text).strip(" .…»→")
