"""The stimuli of a run in shards: runs of neighbouring rows that are played, put away and taken in again as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Most stimuli of one shard: so many are played again where a run breaks off.
STIMULI = 256
#: Bytes that the responses of one shard should not exceed, where some must be kept until all have come.
BYTES = 1 << 27


@dataclass(frozen=True)
class Shard:
    """A run of neighbouring stimuli: those from `start` to before `stop`; `index` counts shards."""

    index: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def cut(n_stimuli: int, batch_size: int, spools: Sequence[int]) -> tuple[Shard, ...]:
    """Cut a set into shards of equal size, of whole batches, whoever will play them.

    Parameters
    ----------
    n_stimuli, batch_size : int
        Stimuli of the set, and of a batch.
    spools : sequence of int
        Bytes of the responses to the whole set that must be kept, stage by stage.
    """
    fit = BYTES * n_stimuli // max(sum(spools), 1)
    size = max(1, min(STIMULI, fit) // batch_size) * batch_size
    starts = range(0, n_stimuli, size)
    return tuple(Shard(index, start, min(start + size, n_stimuli)) for index, start in enumerate(starts))
