"""docs/judgement.md, made from the very table that judges."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from newsletter.deliver.ballot import MAJORITIES
from newsletter.deliver.rules import SECTIONS
from newsletter.deliver.rules.rule import Rule
from newsletter.model.blame import Step
from newsletter.model.trouble import PATIENCE

_HOW_LONG: Final = {
    Step.PAUSE_RELAY: ("a relay", "five minutes, on this machine alone"),
    Step.PAUSE_PROVIDER: ("a provider", "an hour, for all machines"),
    Step.PAUSE_EDITION: ("an edition", "until it is resumed"),
}
_MAJORITIES: Final = "\n".join(
    f"| {what} | {MAJORITIES[step].votes} | {MAJORITIES[step].share:.0%} of {MAJORITIES[step].among} | {how_long} |"
    for step, (what, how_long) in _HOW_LONG.items()
)

_HEAD = f"""\
# What a refusal means

Made from `src/newsletter/deliver/rules/` by `python -m newsletter.deliver.rules.page`; do not edit.

Every reply of a mail server is judged by the first rule below that fits. `newsletter report` counts by rule and gives
its name in brackets, so a thousand different texts for one thing are one line. Three things can be in the way:

- **address dead**: nobody is there. The address is never to be mailed again. Only a server that says so plainly, with a
  5xx code and no 4.x.x beside it, is believed.
- **mailbox trouble**: full, shut, out of order. It counts against the address only if it goes on: each delivery that
  failed for it adds one to a score that halves every {PATIENCE.half_life.days} days; at
  {PATIENCE.threshold}, and after at least {PATIENCE.at_least.days} days of it, it is enough.
- **our fault**: reputation, authentication, size, pace, settings. It is never held against a subscriber.

Whether a delivery is tried again is the reply code's first digit to say (RFC 5321, section 4.2.1): 4xx is deferred
whatever enhanced code stands beside it, 5xx has failed. Exceptions are what is called final and is not: a full mailbox
(552), limits on pace, and relays that refuse everybody. Those wait, within the same time limit. In doubt an
address is not dead: that would cost a reader, the opposite only one more try.

Addresses in a reply are not looked at, so that `spam@example.org` is not taken for a verdict. The next step is what one
such reply asks for. A dead address is suppressed in the transaction that records the reply, with the rule as reason and
the reply as evidence (`newsletter subscribers show`), and what else waits for it is called off. A mail that arrived
ends a row of trouble, once it is five days old: until then a relay that took it may still report a failure. The
settings `bounce_score_…` in `[deliver]` say how much trouble is enough.

## When it is our own fault

A step that pauses is a vote, and one stray reply stops nothing. So many are enough, counted from the first:

| what is paused | votes | and their share of the last answers | for how long |
|---|---|---|---|
{_MAJORITIES}

Each alarm is one line in the log at level error (`sending paused`), is told by `newsletter send`, which then ends with
exit code 1, and by systemd's status. A paused edition says in `newsletter report` why. When the cause is mended:
`newsletter resume EDITION`, and `newsletter resend EDITION --only failed` for those who were refused before it stopped;
`newsletter resume --provider NAME` for a provider. A provider or a relay goes on by itself too, a few messages first:
if these are refused it is paused again, a provider for twice as long, up to half a day. What waits meanwhile is
deferred or queued, and no subscriber is touched.
"""


def judgement_page() -> str:
    """The whole page."""
    sections = (line for title, rules in SECTIONS.items() for line in _section(title, rules))
    return "\n".join([_HEAD, *sections])


def _section(title: str, rules: tuple[Rule, ...]) -> Iterator[str]:
    yield f"## {title}\n"
    for rule in rules:
        yield f"### {rule.name}\n"
        yield f"{_sentence(rule.words)} *{rule.blame or 'nobody to blame'}*; {rule.step}.\n"
        yield "\n".join(("```text", *rule.examples, "```\n"))


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


if __name__ == "__main__":
    sys.stdout.write(judgement_page())
