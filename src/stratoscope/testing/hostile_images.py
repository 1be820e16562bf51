"""Images made byte by byte, as no drawing program writes them: for whoever reads images and must not break on them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

#: Where the passes of an interlaced PNG begin, and how far apart their pixels lie: row, column, rows, columns.
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the bytes of `image` as a file of this `kind`, with Pillow's `options`."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(width: int, height: int, rows: bytes, *, bits: int = 8, colour: int = 2, interlaced: bool = False) -> bytes:
    """Return a PNG with these raw `rows`, whatever its header says."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def interlaced_png(values: NDArray[np.uint8]) -> bytes:
    """Return `values` (row, column, 3) as an interlaced PNG."""
    rows = b""
    for top, left, down, right in ADAM7:
        part = values[top::down, left::right]
        rows += b"".join(b"\0" + row.tobytes() for row in part) if part.size else b""
    return png(values.shape[1], values.shape[0], rows, interlaced=True)


def rgb16_png(values: ArrayLike) -> bytes:
    """Return `values` (row, column, 3) of 16 bits as a PNG, which Pillow cannot write."""
    pixels = np.asarray(values)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return png(pixels.shape[1], pixels.shape[0], rows, bits=16)


def _png(side: int) -> bytes:
    return png(side, side, b"\0" * 1000)


def _gif(side: int) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return screen + b"\x2c" + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x4c\x01\x00;"


def _bmp(side: int) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)


def _ppm(side: int) -> bytes:
    return f"P6 {side} {side} 255\n".encode()


def _tiff(side: int) -> bytes:
    data = bytearray(encoded(Image.new("L", (8, 8)), "TIFF"))
    (start,) = struct.unpack_from("<I", data, 4)
    (n,) = struct.unpack_from("<H", data, start)
    for entry in range(start + 2, start + 2 + 12 * n, 12):
        if struct.unpack_from("<H", data, entry)[0] in {256, 257}:
            struct.pack_into("<HII", data, entry + 2, 4, 1, side)
    return bytes(data)


def _webp(side: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (8, 8)), "WEBP", lossless=True))
    place = data.index(b"\x2f", 16) + 1
    last = min(side, 16383) - 1  # the largest that fits into its 14 bits
    (bits,) = struct.unpack_from("<I", data, place)
    struct.pack_into("<I", data, place, bits & ~0xFFFFFFF | last | last << 14)
    return bytes(data)


def _jpeg(side: int) -> bytes:
    data = bytearray(encoded(Image.new("L", (8, 8)), "JPEG"))
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, side, side)
    return bytes(data)


#: By format, what makes a small file whose header claims `side` by `side` pixels.
HUGE: Mapping[str, Callable[[int], bytes]] = {
    "PNG": _png,
    "GIF": _gif,
    "BMP": _bmp,
    "PPM": _ppm,
    "TIFF": _tiff,
    "WEBP": _webp,
    "JPEG": _jpeg,
}
