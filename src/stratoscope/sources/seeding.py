"""Random numbers under a seed, without touching the random state of whoever asks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def generator_at(seed: int) -> Iterator[None]:
    """Put torch's generator of the CPU (and no other) at `seed` while the context lasts."""
    before = torch.get_rng_state()
    try:
        torch.default_generator.manual_seed(seed)
        yield
    finally:
        torch.set_rng_state(before)


def tensor_seed(seed: int, name: str) -> int:
    """Return the seed of one tensor or module, from the seed of the lesion and its name."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:7], "big")
