"""The pair geometry of one stage: inner products between stimuli, and their nearest neighbours."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from stratoscope.errors import TooFew
from stratoscope.summaries.inner_products import InnerProducts, inner_products, unit_means
from stratoscope.summaries.neighbours import nearest_from_blocks, nearest_from_gram, product_precision
from stratoscope.summaries.pairs import Blocks
from stratoscope.summaries.rows import check_alike
from stratoscope.summaries.settle import NeighbourTable
from stratoscope.summaries.spool import Spool
from stratoscope.types import Floats, Integers, Responses, Summary


class Gram:
    """Between stimuli: the Gram matrix of unit-centred responses and the nearest neighbours of every stimulus.

        G_ij = sum_u (x_iu - mean_u) (x_ju - mean_u)

    Parameters
    ----------
    n_stimuli, n_units : int
        Most stimuli that may come, and units of the stage.
    k : int
        Neighbours of every stimulus; 157 serve Gride up to n1 = 64 with its interval. Fewer stimuli have all others as neighbours.
    exact : int, optional
        Where only the nearest `exact` are read by estimates, and those beyond by intervals: distances beyond are right to
        what `settle.allowed` says then, which saves most of the measuring. None keeps all right to `settle.RELATIVE_ERROR`.
    neighbours_only : bool
        Leave the matrix out: memory is then a strip of rows at a time, however many stimuli there are.
    duplicates : {"keep", "merge"}
        Keep stimuli with equal responses, as neighbours at distance 0, or search among the distinct ones.
    dtype, memory_limit, folder
        Of the `Spool` that holds the responses until all have come.
    spool : Spool, optional
        A spool to use instead, such as a `JoinedSpool` of responses that were put away.

    Raises
    ------
    TooFew
        Fewer than two stimuli with finite responses when the state is asked for.

    Notes
    -----
    `state` holds ``rows`` (the stimuli seen, ascending), ``n_units``, ``mean`` (unit,), ``gram`` (row, row),
    ``stimulus_mean`` (row,) of the unit-centred responses,
    ``distances`` and ``neighbours`` (row, neighbour), ``duplicates``, ``n_exact``, ``far_error`` (relative error that
    distances beyond the nearest `n_exact` may have) and ``n_nonfinite`` (row,);
    of how the neighbours were found, ``product`` and ``n_wide`` (as in `NeighbourTable`).
    ``neighbours`` are positions in ``rows``. A stimulus with a response that is NaN or infinite is left out of the
    unit means and of the search: its products and distances are NaN, its neighbours -1. So are, with
    ``duplicates="merge"``, the distances and neighbours of a stimulus that repeats an earlier one.

    Distances come from `stratoscope.summaries.neighbours`, which says how exact they are.
    """

    def __init__(
        self,
        n_stimuli: int,
        n_units: int,
        *,
        k: int = 172,
        exact: int | None = None,
        neighbours_only: bool = False,
        duplicates: str = "keep",
        dtype: str | None = None,
        memory_limit: int | None = None,
        folder: str | os.PathLike[str] | None = None,
        spool: Spool | None = None,
    ) -> None:
        self.n_stimuli, self.n_units, self.k, self.exact = n_stimuli, n_units, k, exact
        self.neighbours_only, self.duplicates = neighbours_only, duplicates
        self.spool = spool or Spool(n_stimuli, n_units, dtype=dtype, memory_limit=memory_limit, folder=folder)

    def update(self, rows: Integers, responses: Responses) -> None:
        """Take in a batch of responses (stimulus, unit) to the stimuli at positions `rows`."""
        self.spool.write(rows, responses)

    def merge(self, other: Summary) -> None:
        """Take in everything that `other` has seen; their stimuli must not overlap."""
        check_alike(self, other, ("n_stimuli", "n_units", "k", "exact", "neighbours_only", "duplicates"))
        assert isinstance(other, Gram)
        self.spool.merge(other.spool)

    def close(self) -> None:
        """Give the spool's memory or file back."""
        self.spool.close()

    def state(self) -> dict[str, Any]:
        """Read the spool and return the arrays named in the notes of the class."""
        n_rows = len(self.spool.rows)
        precision = product_precision(n_rows, self.k)
        everything = np.arange(n_rows)
        inner = None
        if not self.neighbours_only and n_rows > 1:
            inner = inner_products(self._blocks(everything), n_rows, self.n_units, precision=precision)
        if inner is not None:
            return self._state(everything, np.zeros(n_rows, dtype=np.int64), inner.mean, inner)
        nonfinite, mean = self._columns(n_rows)
        finite = np.flatnonzero(nonfinite == 0)
        if len(finite) < 2:
            raise TooFew(
                f"Pairs need at least 2 stimuli with finite responses, but {len(finite)} of the {n_rows} seen are. "
                "Play more stimuli, or look for NaN in the stage."
            )
        if not self.neighbours_only:
            inner = inner_products(self._blocks(finite), len(finite), self.n_units, precision=precision)
        return self._state(finite, nonfinite, mean, inner)

    def _state(
        self, finite: Integers, nonfinite: Integers, mean: Floats, inner: InnerProducts | None
    ) -> dict[str, Any]:
        rows = self.spool.rows
        k = min(self.k, len(finite) - 1)
        table = self._table(finite, k, inner)
        at = finite[table.rows]
        distances, neighbours = np.full((len(rows), k), np.nan), np.full((len(rows), k), -1)
        width = table.index.shape[1]
        distances[at, :width], neighbours[at, :width] = table.distance, at[table.index]
        state = {
            "rows": rows,
            "n_units": np.int64(self.n_units),
            "mean": mean,
            "distances": distances,
            "neighbours": neighbours,
            "duplicates": np.int64(table.duplicates),
            "n_exact": np.int64(table.n_exact),
            "far_error": np.float64(table.far_error),
            "n_nonfinite": nonfinite,
            "product": np.array(table.product),
            "n_wide": np.int64(table.n_wide),
        }
        if inner is None:
            return state
        means = np.full(len(rows), np.nan)
        means[finite] = inner.sums / self.n_units
        return state | {"gram": _spread(inner.products, finite, len(rows)), "stimulus_mean": means}

    def _table(self, finite: Integers, k: int, inner: InnerProducts | None) -> NeighbourTable:
        """Search for the neighbours of the stimuli `finite`, from their inner products where these are known."""
        blocks, n = self._blocks(finite), len(finite)
        exact = None if self.exact is None else min(max(self.exact, 1), k)
        if inner is None:
            return nearest_from_blocks(blocks, n, self.n_units, k, exact=exact, duplicates=self.duplicates)
        return nearest_from_gram(inner, blocks, k, exact=exact, duplicates=self.duplicates)

    def _blocks(self, chosen: Integers) -> Blocks:
        everything = len(chosen) == len(self.spool.rows)
        return lambda: (block if everything else block[chosen] for _, block in self.spool.blocks())

    def _columns(self, n_rows: int) -> tuple[Integers, Floats]:
        """Return how many responses of each stimulus are not finite, and the unit means over the other stimuli."""
        nonfinite, mean = np.zeros(n_rows, dtype=np.int64), np.full(self.n_units, np.nan)
        for start, block in self.spool.blocks():
            finite = np.isfinite(block)
            if finite.all():
                mean[start : start + block.shape[1]] = unit_means(block)
            else:
                nonfinite += np.count_nonzero(~finite, axis=1)
        left = nonfinite == 0
        if left.any() and not left.all():  # all means anew, over the same stimuli
            for start, block in self.spool.blocks():
                mean[start : start + block.shape[1]] = unit_means(block[left])
        return nonfinite, mean


def _spread(products: Floats, rows: Integers, n_rows: int) -> Floats:
    """Put `products` at `rows` of an (n_rows, n_rows) matrix that is NaN elsewhere."""
    if len(rows) == n_rows:
        return products
    full = np.full((n_rows, n_rows), np.nan)
    full[np.ix_(rows, rows)] = products
    return full
