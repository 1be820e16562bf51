"""What channels are ranked by, and which of them an ablation silences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, unknown_name
from stratoscope.metrics.declare import METRICS
from stratoscope.types import Floats, Integers

#: What channels can be ranked by.
CRITERIA = ("lifetime_sparseness", "selectivity", "mean_activation")
#: Ablation of as many channels drawn at random, the control of the others.
RANDOM = "random"
ENDS = ("highest", "lowest")


@dataclass(frozen=True)
class Ablation:
    """Channels of one stage to be silenced together.

    Attributes
    ----------
    criterion, end : str
        What they were ranked by, and from which end; ``random`` and nothing for a random draw.
    fraction : float
        Fraction of the channels asked for.
    channels : array (ablated,) of int
        The channels.
    seed : int or None
        Seed of a random draw.
    """

    criterion: str
    end: str
    fraction: float
    channels: Integers
    seed: int | None = None

    def name(self, stage: str) -> str:
        """Name it as it stands in the results."""
        how = f"{self.end} {self.criterion}".strip()
        return f"ablate {100 * self.fraction:g}% {how} at {stage}"


def selectivity(means: Any) -> Floats:
    """Class selectivity index of each unit, 0 (the same mean response to all categories) to 1 (to one alone).

    ::

        s = (m_max - m_rest) / (|m_max| + |m_rest|)

    with m_max the largest of the unit's mean responses to the categories and m_rest the mean of the others. For responses
    that are not negative this is the published index; the absolute values keep it within 0 to 1 for others. A unit that
    responds to nothing reads 0.

    Parameters
    ----------
    means : array (category, unit)
        Mean responses to at least two categories.

    Returns
    -------
    array (unit,)

    When it misleads
    ----------------
    It asks for one category alone: a unit for two of ten reads lower than one for a single category however well it tells
    them from the rest. It reads 1 wherever m_max and m_rest differ in sign, so before gating it ranks poorly. With few
    stimuli a category, noise in the means raises it, most of all for units that seldom respond.

    References
    ----------
    Morcos, Barrett, Rabinowitz & Botvinick 2018, *On the importance of single directions for generalization*,
    arXiv:1803.06959

    Examples
    --------
    >>> selectivity([[1.0, 2.0, 0.0], [0.0, 2.0, 0.0], [0.0, 2.0, 0.0]]).tolist()
    [1.0, 0.0, 0.0]
    """
    array = np.asarray(means, dtype=np.float64)
    largest = array.max(axis=0)
    rest = (array.sum(axis=0) - largest) / (len(array) - 1)
    whole = np.abs(largest) + np.abs(rest)
    index: Floats = np.zeros_like(whole)
    np.divide(np.maximum(largest - rest, 0.0), whole, out=index, where=whole > 0)
    return index


def scores(state: Mapping[str, Mapping[str, Any]]) -> dict[str, Floats]:
    """Return every criterion (unit,) from the states of the summaries ``per_unit`` and ``categories`` of a stage."""
    return {
        "lifetime_sparseness": np.asarray(METRICS["lifetime_sparseness"].through(state["per_unit"])),
        "selectivity": selectivity(state["categories"]["mean"]),
        "mean_activation": np.asarray(state["per_unit"]["mean"], dtype=np.float64),
    }


def check_asked(by: Sequence[str], fractions: Sequence[float], ends: Sequence[str], n_random: int) -> None:
    """Refuse criteria, ends and fractions that do not exist."""
    for name in by:
        if name not in (*CRITERIA, RANDOM):
            raise unknown_name("criterion of unit lesions", name, (*CRITERIA, RANDOM))
    for name in ends:
        if name not in ENDS:
            raise unknown_name("end of a ranking", name, ENDS)
    if not by or not fractions or (not ends and set(by) != {RANDOM}):
        raise BadInput("Unit lesions need at least one criterion, one end and one fraction. Leave them out for all.")
    wrong = [fraction for fraction in fractions if not 0 < fraction <= 1]
    if wrong:
        raise BadInput(f"A fraction of the channels lies above 0 and up to 1, but {wrong[0]:g} came. Give 0.25, say.")
    if n_random < 1:
        raise BadInput(f"Random ablation needs at least 1 draw, but n_random is {n_random}. Leave 'random' out of by=.")


def planned_ablations(
    scored: Mapping[str, Floats],
    by: Sequence[str],
    fractions: Sequence[float],
    ends: Sequence[str],
    n_random: int,
    seed: int,
) -> list[Ablation]:
    """Return every ablation: criterion by criterion, end by end, fraction by fraction, then the random draws.

    Channels with equal scores are taken in their order. Of each fraction at least one channel is taken; the random draw
    with one seed holds at every fraction what it held at the smaller ones.
    """
    n_channels = len(next(iter(scored.values())))
    sizes = {float(fraction): max(1, round(fraction * n_channels)) for fraction in sorted(fractions)}
    found = []
    for criterion in dict.fromkeys(by):
        for end in dict.fromkeys(ends) if criterion != RANDOM else ():
            order = np.argsort(scored[criterion] * (-1 if end == "highest" else 1), kind="stable")
            found += [Ablation(criterion, end, part, np.sort(order[:size])) for part, size in sizes.items()]
    for draw in range(seed, seed + n_random) if RANDOM in by else ():
        order = np.random.default_rng(draw).permutation(n_channels)
        found += [Ablation(RANDOM, "", part, np.sort(order[:size]), draw) for part, size in sizes.items()]
    return found
