"""The small print around an item: who wrote it, what it is about, and the section line above it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from newsletter.collect.clean import visible
from newsletter.model.feed import Feed
from newsletter.model.text import one_line

_ADDRESS = re.compile(r"<?\b[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b>?")
_BY = re.compile(r"^\s*(?:(?:written )?by|por|par|von|door|di|بقلم|كتب)(?::\s*|\s+)(?=\S)", re.IGNORECASE)
# Names that publishing systems give to nobody.
_NOBODY = re.compile(
    r"^(?:admin(?:istrator)?|web ?master|editors?|staff|no-?reply|user\d*|root|author|wordpress|system|guest"
    r"|unknown|none|-+)$",
    re.IGNORECASE,
)
_HOUSEKEEPING = re.compile(
    r"_|^[a-z0-9]+(?:-[a-z0-9]+){2,}$"
    r"|(?i:^(?:uncategori[sz]ed|featured?|feed|rss|home ?page|front ?page|top stor(?:y|ies)|editors?['’]? picks?|slider"
    r"|hero|main|latest|all|posts?|articles?|blog|default|general|other|misc|sin categoría|non classé|allgemein"
    r"|غير مصنف)$|^hp\b|newsletter|do not use|^exclude|^sponsor-|^type:|paywall|^post to |\bembed$)"
)
_KINDS = re.compile(
    r"^(?:news )?(?:analysis|opinion|commentary|comment|interview|q ?& ?a|explainer|review|essay|investigation"
    r"|report(?:ing)?|feature|editorial|column|profile|dispatch|briefing|podcast|video|análisis|opinión|entrevista|reportaje"
    r"|analyse|تحليل|رأي)s?$",
    re.IGNORECASE,
)
_MOST_CATEGORIES = 20
_LONGEST_CATEGORY = 80
_LONGEST_IN_LINE = 40


def byline(authors: Iterable[str]) -> str:
    """Who wrote it, without mail addresses, "By" and names that name nobody."""
    names = list(dict.fromkeys(filter(None, map(_name, authors))))
    if len(names) > 2:  # noqa: PLR2004 two are joined by "and" alone
        names = [", ".join(names[:-1]), names[-1]]
    return one_line(" and ".join(names), limit=300)


def _name(author: str) -> str:
    spaced = re.sub(r",(?=\S)", ", ", _ADDRESS.sub(" ", visible(author)))
    name = one_line(spaced, limit=250)
    bracketed = re.fullmatch(r"\((.{2,})\)", name)
    name = _BY.sub("", _BY.sub("", bracketed[1] if bracketed else name)).strip(" ,;:|()-")
    return "" if _NOBODY.match(name) or "://" in name else name


def categories(tags: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """What readers would call the subjects, without what only the publisher's home page needs."""
    named = (one_line(visible(term), limit=_LONGEST_CATEGORY) for term, _ in tags)
    kept = {name.casefold(): name for name in reversed([*named]) if name and not _HOUSEKEEPING.search(name)}
    return tuple(reversed(kept.values()))[:_MOST_CATEGORIES]


def section_line(feed: Feed, found: tuple[str, ...]) -> str:
    """As in "Analysis | Middle East": the feed's kind and first topic, or what the categories have to offer."""
    kind = feed.kind or next((name for name in found if _KINDS.match(name)), "")
    topic = feed.topics[0] if feed.topics else next((name for name in found if _is_topic(name, kind)), "")
    return one_line(" | ".join(dict.fromkeys(filter(None, (kind, topic)))), limit=120)


def _is_topic(name: str, kind: str) -> bool:
    """Whether a category can stand in the line: short, not a kind of article, not a person's name turned round."""
    return len(name) <= _LONGEST_IN_LINE and "," not in name and name != kind and not _KINDS.match(name)
