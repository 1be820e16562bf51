"""All responses of one stage, for what must see every stimulus of a unit at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from stratoscope.summaries.rows import check_alike
from stratoscope.summaries.spool import Spool
from stratoscope.types import Integers, Responses, Summary


class UnitBlocks:
    """Responses that are read back in blocks of units, from a spool of its own or one that another summary fills.

    Parameters
    ----------
    spool : Spool
        Where responses are kept.
    filled_elsewhere : bool
        Another summary of the same stage writes and closes the spool, as `Gram` does its own: nothing is kept twice.

    Notes
    -----
    `state` holds ``rows`` (the stimuli seen, ascending), ``n_units`` and ``blocks``, a function that yields ``(start, block)``: units
    from `start` on, (row, unit). It reads the spool and works until that is closed.
    """

    def __init__(self, spool: Spool, *, filled_elsewhere: bool = False) -> None:
        self.spool, self.filled_elsewhere = spool, filled_elsewhere

    def update(self, rows: Integers, responses: Responses) -> None:
        """Take in a batch of responses (stimulus, unit) to the stimuli at positions `rows`."""
        if not self.filled_elsewhere:
            self.spool.write(rows, responses)

    def merge(self, other: Summary) -> None:
        """Take in everything that `other` has seen; their stimuli must not overlap."""
        check_alike(self, other, ("filled_elsewhere",))
        assert isinstance(other, UnitBlocks)
        if not self.filled_elsewhere:
            self.spool.merge(other.spool)

    def state(self) -> dict[str, Any]:
        """Return the rows, the number of units, and the function that reads blocks."""
        return {"rows": self.spool.rows, "n_units": np.int64(self.spool.n_units), "blocks": self.spool.blocks}

    def close(self) -> None:
        """Give the spool's memory or file back."""
        self.spool.close()
