"""What is kept of the units of a stage, so that they can be resampled without their responses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.metrics.declare import metric
from stratoscope.metrics.responses import checked_responses

Kept: TypeAlias = NDArray[np.float32]
#: Yields ``(start, block)``: units from `start` on, (stimulus, unit).
_Blocks: TypeAlias = Callable[[], Iterable[tuple[int, NDArray[Any]]]]
#: With fewer groups nothing can be said about their spread.
FEWEST = 4
GROUPS = 16


def bordered(n_stimuli: int) -> int:
    """Return the values of one group: products of stimuli, their sums over units, and the number of units."""
    return (n_stimuli + 1) * (n_stimuli + 2) // 2


def kept_whole(n_stimuli: int, n_units: int, n_groups: int) -> bool:
    """Say whether the responses themselves take no more room than products over groups, and are kept instead."""
    return n_units * n_stimuli <= n_groups * bordered(n_stimuli)


def bytes_kept(n_stimuli: int, n_units: int, n_groups: int) -> int:
    """Return the bytes that `unit_groups` keeps of a stage."""
    return 4 * min(n_units * n_stimuli, n_groups * bordered(n_stimuli))


def _through_blocks(state: Mapping[str, Any], **options: Any) -> Kept:
    return _kept(state["blocks"], len(state["rows"]), int(state["n_units"]), **options)


@metric(
    needs="spool",
    through=_through_blocks,
    dims=("group", "kept"),
    range=(-np.inf, np.inf),
    reads="position",
    paper="Efron & Tibshirani 1993, doi:10.1201/9780429246593",
)
def unit_groups(responses: Any, *, n_groups: int = GROUPS, seed: int = 0) -> Kept:
    """Sums over random groups of units, from which `stratoscope compare` resamples units without their responses.

    A dissimilarity matrix is made of sums over units, and so a resampled one is of weighted sums over groups. For each
    group g of units, all responses taken from the unit's mean over stimuli,

        P_g(i, j) = Σ_u x_iu x_ju,   s_g(i) = Σ_u x_iu,   n_g units

    give Euclidean, cosine and correlation distances, and CKA, of any selection of groups: exactly, as
    `stratoscope.metrics.group_sums.UnitGroups` says.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite.
    n_groups : int
        Random disjoint groups that a wide stage is dealt into, at least 4. A narrow stage, whose responses take no more room
        than that (`n_groups` · (stimuli + 3) / 2 units, or fewer), keeps them instead, and every unit is a group of its own.
    seed : int
        Seed of the deal.

    Returns
    -------
    array (group, kept), float32
        Narrow stages: centred responses (unit, stimulus). Wide ones: of each group the symmetric matrix
        [[P_g, s_g], [s_g, n_g]] row by row from its diagonal on, (stimuli + 1) · (stimuli + 2) / 2 values.

    Raises
    ------
    TooFew
        For fewer than 2 stimuli.
    BadInput
        For fewer than 4 groups, for responses that are NaN, infinite, or whose products do not fit into float32.

    When it misleads
    ----------------
    Resampling takes units as a random sample, each for itself. Positions of a feature map are not: neighbours share their
    input, and a few channels may stand for thousands of units, so intervals over positions are too narrow. Of neurons that were
    chosen by what they answer it says nothing. With 16 groups the spread itself is known to about 18 %.

    References
    ----------
    Efron & Tibshirani 1993, doi:10.1201/9780429246593 (resampling); Kriegeskorte et al. 2008,
    doi:10.3389/neuro.06.004.2008 (dissimilarities).

    Examples
    --------
    >>> unit_groups([[1.0, 2], [3, 2]]).tolist()  # two units, kept as they are
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    array = checked_responses(responses, "unit_groups", fewest=2)
    return _kept(lambda: [(0, array)], *array.shape, n_groups=n_groups, seed=seed)


def _kept(blocks: _Blocks, n_stimuli: int, n_units: int, *, n_groups: int = GROUPS, seed: int = 0) -> Kept:
    if n_groups < FEWEST:
        raise BadInput(
            f"unit_groups deals units into at least {FEWEST} groups, as fewer have no spread to speak of, but n_groups is "
            f"{n_groups}. Give 16, say."
        )
    if kept_whole(n_stimuli, n_units, n_groups):
        return _responses(blocks, n_stimuli, n_units)
    return _sums(blocks, n_stimuli, np.random.default_rng(seed).permutation(n_units) % n_groups)


def _responses(blocks: _Blocks, n_stimuli: int, n_units: int) -> Kept:
    kept = np.empty((n_units, n_stimuli), dtype=np.float32)
    for start, block in blocks():
        kept[start : start + block.shape[1]] = _centred(block).T
    return _in_range(kept)


def _sums(blocks: _Blocks, n_stimuli: int, group: NDArray[Any]) -> Kept:
    """Add up the products, sums and sizes of every group over blocks of units."""
    n_groups = int(group.max()) + 1
    square = np.zeros((n_groups, n_stimuli + 1, n_stimuli + 1), dtype=np.float32)
    for start, block in blocks():
        own = group[start : start + block.shape[1]]
        dealt = np.append(_centred(block), np.ones((1, block.shape[1]), dtype=np.float32), axis=0)[:, np.argsort(own)]
        ends = np.cumsum(np.bincount(own, minlength=n_groups))
        with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is told at the end
            for one, part in enumerate(np.split(dealt, ends[:-1], axis=1)):
                square[one] += part @ part.T
    return _in_range(square[(slice(None), *np.triu_indices(n_stimuli + 1))])


def _centred(block: NDArray[Any]) -> Kept:
    whole = block.astype(np.float64)
    with np.errstate(over="ignore"):
        return np.asarray(whole - whole.mean(axis=0), dtype=np.float32)


def _in_range(kept: Kept) -> Kept:
    if not np.isfinite(kept).all():
        raise BadInput(
            "unit_groups keeps sums in single precision, and products of these responses do not fit into it (above 3e38). "
            "Scale the responses down, by 1e6, say."
        )
    return kept
