"""Damage to files, drawn from a seed: for whoever reads files and must not break on them."""

from __future__ import annotations

import numpy as np

#: Bytes at the beginning that are hit on purpose: headers say how the rest is read.
HEAD = 600


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` cut off, with one to three bits flipped, with a run of equal bytes, or with other bytes in its head.

    Parameters
    ----------
    data : bytes
        Content of a file, not empty.
    rng : numpy.random.Generator
        Which damage, and where.
    """
    kind = int(rng.integers(4))
    bytes_ = bytearray(data)
    if kind == 0:
        return bytes(bytes_[: int(rng.integers(len(bytes_)))])
    if kind == 1:
        for place in rng.integers(len(bytes_), size=int(rng.integers(1, 4))):
            bytes_[place] ^= 1 << int(rng.integers(8))
    elif kind == 2:
        start, value = int(rng.integers(len(bytes_))), int(rng.choice([0, 127, 128, 255]))
        stop = min(start + int(rng.integers(1, 9)), len(bytes_))
        bytes_[start:stop] = bytes([value]) * (stop - start)
    else:
        for place in rng.integers(min(len(bytes_), HEAD), size=int(rng.integers(1, 4))):
            bytes_[place] = int(rng.integers(256))
    return bytes(bytes_)
