"""Content codings undone a piece at a time, so that a bomb is noticed when it has filled the cap, not the memory."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

import brotli

from newsletter.errors import NewsletterError

try:
    from compression import zstd  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    from backports import zstd

ACCEPTED = "gzip, br, zstd"
"""What we ask for, and all that we decode."""

_STEP = 256 * 1024


class CodingError(NewsletterError):
    """A body that is not in the coding it claims, ends too early, or exceeds its cap."""


class _Decompressor(Protocol):
    """One coding's decoder: `step` decodes at most `_STEP` bytes and keeps what is left of its input."""

    def step(self, data: bytes) -> bytes: ...
    @property
    def hungry(self) -> bool:
        """Whether it has nothing to say before it gets more input."""

    @property
    def finished(self) -> bool:
        """Whether the coded stream is complete."""


class Decoder:
    """Turns the pieces of a body as they arrive into its content, up to `cap` bytes."""

    def __init__(self, coding: str, *, cap: int) -> None:
        self._decompressor = _decompressor(coding)
        self._cap = cap
        self._content = bytearray()

    def feed(self, piece: bytes) -> None:
        """Decode one more piece. CodingError if it is broken or the cap is exceeded."""
        if self._decompressor is None:
            self._take(piece)
            return
        try:
            self._take(self._decompressor.step(piece))
            while not self._decompressor.hungry:
                self._take(self._decompressor.step(b""))
        except (zlib.error, brotli.error, zstd.ZstdError, EOFError) as exc:
            raise CodingError(f"the body's compression is broken: {exc}") from exc

    def content(self) -> bytes:
        """The whole content. CodingError if the coded stream is incomplete."""
        if self._decompressor is not None and not self._decompressor.finished:
            raise CodingError("the compressed body ends too early")
        return bytes(self._content)

    def _take(self, decoded: bytes) -> None:
        if len(self._content) + len(decoded) > self._cap:
            raise CodingError(f"the body is larger than {self._cap} bytes")
        self._content += decoded


def _decompressor(coding: str) -> _Decompressor | None:
    makers: dict[str, Callable[[], _Decompressor]] = {
        "gzip": _Gzip,
        "x-gzip": _Gzip,
        "br": _Brotli,
        "zstd": _Zstd,
    }
    coding = coding.strip().lower()
    if coding in {"", "identity"}:
        return None
    if coding not in makers:
        raise CodingError(f"the body is coded as {coding[:40]!r}, which we did not ask for")
    return makers[coding]()


class _Gzip:
    """gzip, of one or several members."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._waiting = b""
        self._begun = False

    def step(self, data: bytes) -> bytes:
        data = self._waiting + data
        if self._inner.eof and data.strip(b"\x00"):
            self._inner = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._begun = self._begun or bool(data)
        decoded = b"" if self._inner.eof else self._inner.decompress(data, _STEP)
        # Padding of zero bytes after the last member is allowed, and ignored.
        self._waiting = (self._inner.unused_data if self._inner.eof else self._inner.unconsumed_tail).lstrip(
            b"\x00" if self._inner.eof else b""
        )
        return decoded

    @property
    def hungry(self) -> bool:
        return not self._waiting

    @property
    def finished(self) -> bool:
        return not self._begun or self._inner.eof


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()
        self._begun = False
        self._dry = True

    def step(self, data: bytes) -> bytes:
        self._begun = self._begun or bool(data)
        decoded = b"" if self._inner.is_finished() else self._inner.process(data, output_buffer_limit=_STEP)
        self._dry = not decoded
        return bytes(decoded)

    @property
    def hungry(self) -> bool:
        return self._dry

    @property
    def finished(self) -> bool:
        return not self._begun or bool(self._inner.is_finished())


class _Zstd:
    """zstd, of one or several frames."""

    def __init__(self) -> None:
        self._inner = zstd.ZstdDecompressor()
        self._waiting = b""
        self._begun = False

    def step(self, data: bytes) -> bytes:
        data = self._waiting + data
        self._waiting = b""
        self._begun = self._begun or bool(data)
        if self._inner.eof and data:
            self._inner = zstd.ZstdDecompressor()
        if self._inner.eof:
            return b""
        decoded = bytes(self._inner.decompress(data, _STEP))
        if self._inner.eof:
            self._waiting = self._inner.unused_data
        return decoded

    @property
    def hungry(self) -> bool:
        return not self._waiting if self._inner.eof else self._inner.needs_input

    @property
    def finished(self) -> bool:
        return not self._begun or self._inner.eof
