"""How many messages one CPU makes in a second, beside the standard library building each one from nothing.

Run: `python bench/merge.py [seconds]`. Both ways make the same documents for the same readers; the ratio is what the
merge is worth. Two sizes: an edition with a whole article (about 37 KB) and a short one (about 6 KB).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial

from newsletter.model.edition import Rendered
from newsletter.render.archive import personal
from newsletter.render.headers import MessageFacts, personal_headers, written_instant
from newsletter.render.mime import prepare
from newsletter.render.recipient import Recipient
from newsletter.render.samples import MAILING_LIST, NONCE, PUBLICATION

_FACTS = MessageFacts(
    batch="daily-2026-11-23",
    sender=PUBLICATION.sender,
    reply_to=PUBLICATION.reply_to,
    language="en-GB",
    base_url=PUBLICATION.base_url,
    list_id=MAILING_LIST.id,
    list_title=MAILING_LIST.title,
    dated_at=datetime(2026, 11, 23, 7, tzinfo=UTC),
)
_SENTENCE = "The soundings stop where the disputed shelf begins, and that silence is a line on the map. "
_LINKS = f"https://social.example/ {NONCE}unsubscribe {NONCE}preferences {NONCE}address\n"


def _document(size: int) -> Rendered:
    """Documents whose message is about `size` bytes long, a quarter of them text."""
    paragraph = f'<p style="margin:0 0 18px;font-size:17px;line-height:28px">{_SENTENCE * 3}</p>\n'
    page = paragraph * max(1, int(size * 0.72) // len(paragraph))
    text = (_SENTENCE[:72] + "\n") * max(1, int(size * 0.2) // 73)
    footer = (
        f'<p>{NONCE}address <a href="{NONCE}unsubscribe">Unsubscribe</a> <a href="{NONCE}preferences">Change</a></p>\n'
    )
    return Rendered(
        subject="Two ports, one strait: the quiet contest over who may dredge",
        html=f"<!DOCTYPE html><html><body>{page}{footer}</body></html>\n",
        text=text + _LINKS,
        preheader="",
        nonce=NONCE,
        fields=("address", "unsubscribe", "preferences"),
        html_bytes=0,
        template_hash="",
    )


def _recipient(number: int) -> Recipient:
    token = f"{number:029d}"
    return Recipient(
        address=f"reader{number}@example.org",
        name=f"Reader {number}",
        message_id=f"daily-2026-11-23.{token}",
        unsubscribe_url=f"https://news.example.org/u/{token}",
        unsubscribe_mailto=f"mailto:leave@example.org?subject=unsubscribe%20{token}",
        preferences_url=f"https://news.example.org/p/{token}",
    )


def _by_standard_library(rendered: Rendered, recipient: Recipient) -> bytes:
    page, text = personal(rendered, recipient)
    message = EmailMessage(policy=SMTP)
    headers = personal_headers(_FACTS, recipient, date=written_instant(_FACTS.dated_at))
    for line in headers.replace("\r\n ", " ").splitlines():
        name, _, value = line.partition(": ")
        message[name] = value
    message["From"] = f"{_FACTS.sender.name} <{_FACTS.sender.address}>"
    message["Subject"] = rendered.subject
    message.set_content(text)
    message.add_alternative(page, subtype="html")
    return message.as_bytes()


def _rate(make: Callable[[Recipient], bytes], seconds: float) -> tuple[float, int]:
    """Messages per CPU second, and the size of one."""
    made, began = 0, time.process_time()
    size = len(make(_recipient(0)))
    while (spent := time.process_time() - began) < seconds:
        for _ in range(20):
            made += 1
            make(_recipient(made))
    return made / spent, size


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    print("size        merged/CPU-s   standard library/CPU-s   ratio")
    for size in (37_000, 5_200):
        rendered = _document(size)
        prepared = prepare(rendered, _FACTS)
        merged, length = _rate(prepared.message, seconds)
        reference, _ = _rate(partial(_by_standard_library, rendered), seconds)
        print(f"{length:>6} B {merged:>16,.0f} {reference:>24,.0f} {merged / reference:>7,.0f}")


if __name__ == "__main__":
    main()
