import gzip

import brotli
import pytest
from backports import zstd

from newsletter.collect.decode import CodingError, Decoder

CONTENT = b"<rss>" + bytes(range(256)) * 3000 + b"</rss>"
CODED = {
    "gzip": gzip.compress(CONTENT),
    "x-gzip": gzip.compress(CONTENT),
    "br": brotli.compress(CONTENT),
    "zstd": zstd.compress(CONTENT),
    "identity": CONTENT,
    "": CONTENT,
}


def _decoded(coding: str, body: bytes, *, piece: int = 5000, cap: int = 10**7) -> bytes:
    decoder = Decoder(coding, cap=cap)
    for at in range(0, len(body), piece):
        decoder.feed(body[at : at + piece])
    return decoder.content()


@pytest.mark.parametrize("coding", CODED)
@pytest.mark.parametrize("piece", [7, 5000, 10**7])
def test_every_coding_is_undone_in_pieces_of_any_size(coding: str, piece: int) -> None:
    body = CODED[coding]
    assert _decoded(coding, body if piece > 7 else body[:0] + body, piece=piece) == CONTENT


def test_several_members_are_one_body() -> None:
    assert _decoded("gzip", gzip.compress(b"one ") + gzip.compress(b"two") + b"\x00\x00") == b"one two"
    assert _decoded("zstd", zstd.compress(b"one ") + zstd.compress(b"two")) == b"one two"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_bomb_is_stopped_at_the_cap(coding: str) -> None:
    zeros = bytes(50_000_000)
    bomb = {"gzip": gzip.compress, "br": lambda data: brotli.compress(data, quality=3), "zstd": zstd.compress}[coding](
        zeros
    )
    assert len(bomb) < 100_000
    decoder = Decoder(coding, cap=1_000_000)
    with pytest.raises(CodingError, match="larger than 1000000 bytes"):
        decoder.feed(bomb)
    assert len(decoder._content) <= 1_000_000


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_body_that_ends_too_early_is_no_body(coding: str) -> None:
    with pytest.raises(CodingError, match="ends too early"):
        _decoded(coding, CODED[coding][:-9])


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_body_that_is_not_what_it_says_is_broken(coding: str) -> None:
    with pytest.raises(CodingError, match="broken"):
        _decoded(coding, b"<rss>this is plain text</rss>" * 100)


@pytest.mark.parametrize("coding", ["deflate", "gzip, br", "aws-chunked"])
def test_a_coding_nobody_asked_for_is_refused(coding: str) -> None:
    with pytest.raises(CodingError, match="did not ask for"):
        Decoder(coding, cap=10)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_an_empty_body_may_claim_any_coding(coding: str) -> None:
    assert _decoded(coding, b"") == b""
