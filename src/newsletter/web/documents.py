"""Documents that are the same for everybody: made once, packed once, and not sent to who has them already."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Self

from starlette.datastructures import Headers
from starlette.responses import Response

_CACHED = {"cache-control": "public, max-age=300", "vary": "accept-encoding"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A finished document with its validators; the two codings are two representations (RFC 9110 section 8.8.3)."""

    plain: bytes
    packed: bytes
    mark: str
    headers: Mapping[str, str] = field(default_factory=dict)
    changed_at: datetime | None = None

    @classmethod
    def of(cls, plain: bytes, *, headers: Mapping[str, str], changed_at: datetime | None = None) -> Self:
        """A document with its hash for a name. `headers` go with every answer, the Content-Type among them."""
        return cls(
            plain=plain,
            packed=gzip.compress(plain, mtime=0),
            mark=hashlib.sha256(plain).hexdigest()[:32],
            headers=headers,
            changed_at=changed_at,
        )

    def answer(self, asked: Headers) -> Response:
        """The document, or 304 with the same headers for who has it."""
        packed = _takes_gzip(asked.get("accept-encoding", ""))
        etag = f'"{self.mark}-gzip"' if packed else f'"{self.mark}"'
        headers = {**self.headers, **_CACHED, "etag": etag}
        if self.changed_at:
            headers["last-modified"] = format_datetime(self.changed_at.astimezone(UTC), usegmt=True)
        if self._has(asked, headers.get("last-modified")):
            return Response(status_code=304, headers=headers)
        if packed:
            headers["content-encoding"] = "gzip"
        return Response(self.packed if packed else self.plain, headers=headers)

    def _has(self, asked: Headers, last_modified: str | None) -> bool:
        """Whether who asks has it already. A date counts only if it is ours: cancelling takes an edition back."""
        if (tags := asked.get("if-none-match")) is not None:
            return any(tag in tags for tag in (f'"{self.mark}"', f'"{self.mark}-gzip"')) or tags.strip() == "*"
        return last_modified is not None and asked.get("if-modified-since") == last_modified


def _takes_gzip(accepted: str) -> bool:
    for offer in accepted.lower().split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "").rstrip("0") not in {"q=", "q=0."}
    return False
