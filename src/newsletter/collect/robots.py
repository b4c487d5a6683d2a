"""What a site's robots.txt allows us (RFC 9309)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

PRODUCT = "newsletter"
"""Our product token: what our User-Agent begins with."""
# Section 2.5: so much of a file is read at least; more is nobody's rules.
LONGEST_BYTES = 500 * 1024
_MOST_RULES = 5000
_SAFE = "%/:?#[]@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Paths that begin like this are allowed, or not; `*` stands for anything, `$` at its end for the end."""

    pattern: str
    allow: bool


def refusal(url: str, rules: tuple[Rule, ...]) -> str | None:
    """Why a page may not be fetched, or None. The longest rule that fits decides, of equals the one that allows."""
    parts = urlsplit(url)
    path = _normal((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    fitting = [rule for rule in rules if _fits(rule.pattern, path)]
    if not fitting or path == "/robots.txt":
        return None
    best = max(fitting, key=lambda rule: (len(rule.pattern), rule.allow))
    return None if best.allow else f"robots.txt disallows {best.pattern[:100]}"


def rules_of(content: bytes) -> tuple[Rule, ...]:
    """The rules for us: those of all groups that name us, else those for everybody."""
    ours: list[Rule] = []
    everybodys: list[Rule] = []
    named = False
    for agents, rules in _groups(content[:LONGEST_BYTES].decode("utf-8", "replace")):
        if PRODUCT in agents:
            named = True
            ours += rules
        elif "*" in agents:
            everybodys += rules
    return tuple((ours if named else everybodys)[:_MOST_RULES])


def _groups(text: str) -> Iterator[tuple[set[str], list[Rule]]]:
    """Each group's agents, in lower case, and its rules."""
    agents: set[str] = set()
    rules: list[Rule] = []
    in_rules = False
    for name, value in _lines(text):
        if name == "user-agent":
            if in_rules:
                yield agents, rules
                agents, rules, in_rules = set(), [], False
            agents.add(_product(value))
        elif name in {"allow", "disallow"} and agents:
            in_rules = True
            # An empty rule is none.
            if value:
                rules.append(Rule(pattern=_normal(value), allow=name == "allow"))
    if agents:
        yield agents, rules


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.removeprefix("\ufeff").splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield name.strip().lower(), value.strip()


def _product(value: str) -> str:
    found = re.match(r"[a-zA-Z_-]+", value)
    return "*" if value.startswith("*") else found[0].lower() if found else ""


def _normal(path: str) -> str:
    """The path with every character that may stand for itself spelt so, and all others encoded, on both sides alike."""
    kept = {"%2F": "%2F", "%2A": "%2A", "%24": "%24", "%25": "%25"}
    parts = re.split(r"(%2F|%2A|%24|%25)", path, flags=re.IGNORECASE)
    return "".join(kept.get(part.upper(), quote(unquote(part, errors="replace"), safe=_SAFE)) for part in parts)


def _fits(pattern: str, path: str) -> bool:
    """Whether a path begins as the pattern says. Each piece between stars is looked for once: no pattern is slow."""
    to_end = pattern.endswith("$")
    first, *rest = (pattern[:-1] if to_end else pattern).split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for piece in rest[:-1]:
        at = path.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    if not rest:
        return not to_end or at == len(path)
    last = rest[-1]
    return path.endswith(last) and len(path) - len(last) >= at if to_end else path.find(last, at) >= 0
