"""Draw the demo's pictures: layered landscapes in a few colours, as small indexed PNG files. Standard library only."""

from __future__ import annotations

import math
import struct
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT = 1200, 675
TARGET = Path(__file__).resolve().parent.parent / "src" / "newsletter" / "demo" / "pictures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Sky from `top` to `horizon` in 24 bands, then one ridge per colour, farthest first; `sun` is (x, y, radius)."""

    top: tuple[int, int, int]
    horizon: tuple[int, int, int]
    sun: tuple[int, int, int]
    ridges: tuple[tuple[int, int, int], ...]
    seed: float
    rough: float


SCENES = {
    "strait": Scene(top=(38, 49, 84), horizon=(236, 158, 112), sun=(760, 360, 54), seed=1.7, rough=0.7,
                    ridges=((120, 92, 112), (74, 66, 98), (36, 52, 84), (24, 34, 58))),
    "lighthouse": Scene(top=(84, 120, 140), horizon=(246, 214, 140), sun=(320, 330, 70), seed=4.1, rough=0.4,
                        ridges=((158, 160, 140), (96, 124, 128), (52, 84, 98), (28, 46, 60))),
    "port": Scene(top=(120, 160, 188), horizon=(226, 232, 228), sun=(930, 250, 46), seed=7.9, rough=0.3,
                  ridges=((164, 186, 194), (112, 144, 160), (66, 98, 120), (34, 54, 74))),
    "pass": Scene(top=(166, 98, 98), horizon=(250, 220, 190), sun=(560, 300, 60), seed=2.6, rough=1.5,
                  ridges=((206, 150, 140), (160, 104, 110), (104, 68, 88), (52, 38, 60))),
    "railway": Scene(top=(108, 150, 150), horizon=(240, 236, 200), sun=(860, 240, 50), seed=5.3, rough=0.6,
                     ridges=((168, 190, 150), (120, 156, 112), (76, 116, 84), (40, 66, 56))),
    "oasis": Scene(top=(92, 84, 130), horizon=(252, 190, 116), sun=(420, 340, 78), seed=9.2, rough=0.5,
                   ridges=((226, 160, 104), (196, 122, 80), (140, 82, 66), (70, 48, 54))),
}  # fmt: skip


def ridge(scene: Scene, layer: int, x: int) -> float:
    """Height of a ridge's crest at column `x`, in pixels from the top."""
    base = HEIGHT * (0.56 + 0.12 * layer)
    phase = scene.seed * (layer + 1)
    waves = (math.sin(x / 190 + phase) * 34, math.sin(x / 71 + phase * 2.3) * 15, math.sin(x / 23 + phase * 3.1) * 5)
    return base - scene.rough * sum(waves) * (1.25 - 0.2 * layer)


def pixels(scene: Scene) -> bytes:
    """Palette indexes, a filter byte before each row: 0 to 23 sky, 24 sun, 25 and up the ridges."""
    crests = [[ridge(scene, layer, x) for x in range(WIDTH)] for layer in range(len(scene.ridges))]
    sun_x, sun_y, radius = scene.sun
    rows = bytearray()
    for y in range(HEIGHT):
        rows.append(0)
        sky = min(23, int(24 * y / (HEIGHT * 0.66)))
        for x in range(WIDTH):
            index = 24 if (x - sun_x) ** 2 + (y - sun_y) ** 2 < radius * radius else sky
            for layer, crest in enumerate(crests):
                if y >= crest[x]:
                    index = 25 + layer
            rows.append(index)
    return bytes(rows)


def palette(scene: Scene) -> bytes:
    """Three bytes a colour, in the order of the indexes."""
    bands = [
        tuple(int(a + (b - a) * step / 23) for a, b in zip(scene.top, scene.horizon, strict=True)) for step in range(24)
    ]
    sun = tuple(min(255, part + 40) for part in scene.horizon)
    return b"".join(bytes(colour) for colour in (*bands, sun, *scene.ridges))


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk (ISO/IEC 15948, section 5.3)."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(scene: Scene) -> bytes:
    """The picture as an indexed PNG file."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    body = zlib.compress(pixels(scene), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"PLTE", palette(scene)), chunk(b"IDAT", body), chunk(b"IEND", b""))
    )


def main() -> int:
    """Write every scene; returns the exit code."""
    TARGET.mkdir(exist_ok=True)
    for name, scene in SCENES.items():
        (TARGET / f"{name}.png").write_bytes(png(scene))
    return 0


if __name__ == "__main__":
    sys.exit(main())
