"""Marks in the addresses of counted links: made of a key, the edition and the link, the same for all readers."""

from __future__ import annotations

import hmac
from base64 import b32encode
from collections.abc import Callable, Collection

_BYTES = 16
_OPENED = ""


class Marks:
    """Makes and reads marks. The first key makes, all of them read, as with tokens.

    A mark says nothing of its own: it is looked for among those of the links an edition was frozen with, so that no
    address can be made up that leads elsewhere. `reread` says what the keys are now, as with tokens.
    """

    __slots__ = ("_keys", "_reread")

    def __init__(self, keys: tuple[bytes, ...], *, reread: Callable[[], tuple[bytes, ...]] | None = None) -> None:
        self._keys = keys
        self._reread = reread or (lambda: keys)

    def link(self, edition_id: str, url: str) -> str:
        """The mark for a link of an edition."""
        return _mark(self._keys[0], edition_id, url)

    def opened(self, edition_id: str) -> str:
        """The mark for an edition being opened."""
        return self.link(edition_id, _OPENED)

    def is_opened(self, edition_id: str, mark: str) -> bool:
        """Whether this is the mark for the edition being opened."""
        return self.url(edition_id, mark, (_OPENED,)) is not None

    def url(self, edition_id: str, mark: str, urls: Collection[str]) -> str | None:
        """Which of an edition's links a mark stands for; None for a mark that is not ours."""
        found = self._meant(edition_id, mark, urls)
        if found is None and (keys := self._reread()) != self._keys:
            self._keys = keys
            found = self._meant(edition_id, mark, urls)
        return found

    def _meant(self, edition_id: str, mark: str, urls: Collection[str]) -> str | None:
        given = mark.encode("utf-8", "replace")
        for url in urls:
            for key in self._keys:
                if hmac.compare_digest(_mark(key, edition_id, url).encode(), given):
                    return url
        return None


def _mark(key: bytes, edition_id: str, url: str) -> str:
    sealed = hmac.digest(key, f"newsletter link\0{edition_id}\0{url}".encode("utf-8", "replace"), "sha256")
    return b32encode(sealed[:_BYTES]).decode().rstrip("=").lower()
