"""All orders of the stages: how often a trend as strong comes from the order alone."""

from __future__ import annotations

import itertools

import numpy as np

from stratoscope.statistics.comparison import checked_count
from stratoscope.statistics.permutation import p_value
from stratoscope.statistics.stage_values import StageValues
from stratoscope.types import Floats, Integers

#: Up to so many stages, all their orders are counted one by one.
LARGEST_EXACT_STAGES = 8


def concordance(values: StageValues, *, within: bool = False) -> Floats:
    """Count, for each pair of stages (a, b), pairs of points that are higher at b, minus those that are lower.

    Returns an antisymmetric array (stage, stage); ``within`` compares each replicate with itself alone.
    """
    table = np.zeros((values.n_stages, values.n_stages))
    for a, b in itertools.combinations(range(values.n_stages), 2):
        one, other = values.values[a], values.values[b]
        if within:
            count = np.nansum(np.sign(other - one))
        else:
            ranked, low = np.sort(other[~np.isnan(other)]), one[~np.isnan(one)]
            above = len(ranked) - np.searchsorted(ranked, low, side="right")
            count = (above - np.searchsorted(ranked, low, side="left")).sum()
        table[a, b], table[b, a] = count, -count
    return table


def permuted_orders(table: Floats, alternative: str, n_permutations: int, seed: int) -> tuple[float, str, int]:
    """Permute the stages of a table of `concordance`; return p, how it was made, and the number of orders.

    The sum over the upper triangle is the numerator of tau-b, and its denominator is the same for every order.
    """
    n = len(table)
    exact = n <= LARGEST_EXACT_STAGES
    if exact:
        orders = np.array(list(itertools.permutations(range(n))))
    else:
        rng = np.random.default_rng(seed)
        orders = rng.permuted(np.tile(np.arange(n), (checked_count(n_permutations), 1)), axis=1)
    draws = _numerators(table, orders)
    observed = float(_numerators(table, np.arange(n)[None])[0])
    null = f"exact, all {len(orders)} orders" if exact else f"{len(orders)} random orders, seed {seed},"
    p = p_value(observed, draws, alternative, exact=exact)
    return p, f"{null} of {n} stages", len(orders) if exact else len(orders) + 1


def _numerators(table: Floats, orders: Integers) -> Floats:
    pairs = itertools.combinations(range(len(table)), 2)
    return np.asarray(sum(table[orders[:, a], orders[:, b]] for a, b in pairs), dtype=np.float64)
