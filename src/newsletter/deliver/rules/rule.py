"""What a rule about replies is: when it applies, who is to blame, what to do, and what such a reply looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from newsletter.model.judgement import Blame, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A reply as rules look at it: `detail` is the enhanced code without its class ("1.1"), `text` is in lower case and
    has no addresses.
    """

    code: str
    detail: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A condition. All that is given must fit.

    `codes` are beginnings of reply codes ("5" is every refusal for good); `details` are enhanced codes without their
    class: "1.1", "7.606-649", or "7.*" for all of a subject; `says` is a pattern in lower case. Classes are left out
    because the reply code has the last word on whether to come again; servers that contradict themselves are common.
    """

    codes: str = "4 5"
    details: str = ""
    says: str = ""

    def fits(self, heard: Heard) -> bool:
        """Whether the reply is one of those meant."""
        return (
            heard.code.startswith(tuple(self.codes.split()))
            and (not self.details or any(_within(heard.detail, one) for one in self.details.split()))
            and (not self.says or _pattern(self.says).search(heard.text) is not None)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table. `words` say what is wrong and, where somebody can mend it, how."""

    name: str
    blame: Blame | None
    step: Step
    words: str
    when: tuple[When, ...]
    """Any of them."""
    examples: tuple[str, ...]
    """Replies in the form in which servers give them."""

    def fits(self, heard: Heard) -> bool:
        """Whether the reply is this rule's."""
        return any(when.fits(heard) for when in self.when)


def _within(detail: str, wanted: str) -> bool:
    subject, _, number = detail.partition(".")
    wanted_subject, _, span = wanted.partition(".")
    if not number or subject != wanted_subject:
        return False
    low, _, high = span.partition("-")
    return span == "*" or int(low) <= int(number) <= int(high or low)


@cache
def _pattern(says: str) -> re.Pattern[str]:
    return re.compile(says)
