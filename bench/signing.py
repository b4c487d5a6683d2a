"""What signing costs a message: none, Ed25519, RSA-2048 and both, beside dkimpy signing the same bytes.

Run: `python bench/signing.py [seconds]`. CPU time of one thread, then messages per second of wall time by one and by
two threads that build: RSA lets go of the interpreter while it works, so a second core helps where there is one.
dkimpy computes RSA in Python, which is most of its time.
"""

from __future__ import annotations

import base64
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import dkim as dkimpy
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from merge import _FACTS, _document, _recipient

from newsletter.deliver.dkim import SIGNED, SigningKey, body_hash, signatures
from newsletter.deliver.dkimkeys import Algorithm, new_key, read_key
from newsletter.render.mime import Prepared, prepare

_AT = datetime(2026, 11, 23, 7, tzinfo=UTC)
_PEMS = {algorithm: new_key(algorithm) for algorithm in Algorithm}
_KEYS = {
    algorithm: SigningKey(domain="news.example.org", selector=algorithm, private=read_key(pem))
    for algorithm, pem in _PEMS.items()
}
_CHOICES: dict[str, tuple[Algorithm, ...]] = {
    "none": (),
    "Ed25519": (Algorithm.ED25519,),
    "RSA-2048": (Algorithm.RSA,),
    "both": (Algorithm.RSA, Algorithm.ED25519),
}


def _ours(prepared: Prepared, algorithms: tuple[Algorithm, ...]) -> Callable[[int], bytes]:
    keys = tuple(_KEYS[algorithm] for algorithm in algorithms)

    def make(number: int) -> bytes:
        pieces = prepared.pieces(_recipient(number))
        return b"".join((*signatures(pieces, keys, at=_AT), *pieces))

    return make


def _theirs(prepared: Prepared, algorithms: tuple[Algorithm, ...]) -> Callable[[int], bytes]:
    def make(number: int) -> bytes:
        content = prepared.message(_recipient(number))
        fields = [
            dkimpy.sign(
                content,
                algorithm.encode(),
                b"news.example.org",
                _secret(algorithm),
                canonicalize=(b"relaxed", b"simple"),
                include_headers=[name.encode() for name in SIGNED],
                signature_algorithm=f"{algorithm}-sha256".encode(),
            )
            for algorithm in algorithms
        ]
        return b"".join((*fields, content))

    return make


def _secret(algorithm: Algorithm) -> bytes:
    """A key as dkimpy wants it: RSA as PKCS#1, Ed25519 bare."""
    key = load_pem_private_key(_PEMS[algorithm].encode(), password=None)
    if algorithm is Algorithm.RSA:
        return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return base64.b64encode(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))


def _cpu_microseconds(make: Callable[[int], bytes], seconds: float) -> float:
    make(0)
    made, began = 0, time.process_time()
    while (spent := time.process_time() - began) < seconds:
        for _ in range(5):
            made += 1
            make(made)
    return spent / made * 1e6


def _rate(make: Callable[[int], bytes], seconds: float, *, threads: int) -> float:
    """Messages per second of wall time."""
    made = [0] * threads
    until = time.perf_counter() + seconds

    def work(which: int) -> None:
        while time.perf_counter() < until:
            make(made[which])
            made[which] += 1

    working = [threading.Thread(target=work, args=(which,)) for which in range(threads)]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    return sum(made) / seconds


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    for size in (37_000, 5_200):
        prepared = prepare(_document(size), _FACTS)
        _, *body = prepared.pieces(_recipient(0))
        hashing = _cpu_microseconds(lambda _, body=body: body_hash(body), seconds / 4)
        print(
            f"\n{len(prepared.message(_recipient(0)))} bytes; of the times below, hashing the body is {hashing:.0f} µs"
        )
        print("keys        µs of CPU   signing alone   dkimpy µs   ratio   1 thread/s   2 threads/s")
        plain = _cpu_microseconds(_ours(prepared, ()), seconds)
        for name, algorithms in _CHOICES.items():
            make = _ours(prepared, algorithms)
            cost = _cpu_microseconds(make, seconds) if algorithms else plain
            theirs = _cpu_microseconds(_theirs(prepared, algorithms), seconds) if algorithms else 0.0
            ratio = f"{theirs / cost:.1f}" if algorithms else "-"
            rates = [_rate(make, seconds, threads=threads) for threads in (1, 2)]
            print(
                f"{name:<10} {cost:>10.0f} {cost - plain:>15.0f} {theirs:>11.0f} {ratio:>7} "
                f"{rates[0]:>12,.0f} {rates[1]:>13,.0f}"
            )


if __name__ == "__main__":
    main()
