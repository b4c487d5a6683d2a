"""The table by which replies are judged. The first rule that fits decides, so the order is part of it.

Words come before codes: many servers give codes that say too little or the wrong thing. What is our own fault comes
before what is the address's: servers answer "user unknown" to those they take for spammers, and wrongly calling an
address dead costs a reader, while the opposite costs one more try.
"""

from __future__ import annotations

from typing import Final

from newsletter.deliver.rules.codes import CODES
from newsletter.deliver.rules.mailboxes import MAILBOXES
from newsletter.deliver.rules.pace import PACE
from newsletter.deliver.rules.proofs import PROOFS
from newsletter.deliver.rules.relays import RELAYS
from newsletter.deliver.rules.rule import Rule
from newsletter.deliver.rules.senders import SENDERS

SECTIONS: Final[dict[str, tuple[Rule, ...]]] = {
    "The relay does not take our mail": RELAYS,
    "We are not believed to be who we are": PROOFS,
    "We are to come again, or more slowly": PACE,
    "We, or the message, are refused": SENDERS,
    "The mailbox": MAILBOXES,
    "By code alone, where the words say nothing": CODES,
}
RULES: Final[tuple[Rule, ...]] = tuple(rule for section in SECTIONS.values() for rule in section)
