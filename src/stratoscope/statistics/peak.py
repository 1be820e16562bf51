"""Does a profile rise and then fall? The height of an inner stage above both ends."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from stratoscope.errors import TooFew
from stratoscope.statistics.comparison import Comparison
from stratoscope.statistics.permutation import sign_flip_p
from stratoscope.statistics.propagate import from_intervals, without_interval
from stratoscope.statistics.resample import bootstrap
from stratoscope.statistics.stage_values import ByStage, StageValues, stage_values
from stratoscope.types import Estimate, Floats
from stratoscope.words import number_of


def rise_then_fall(
    data: ByStage, *, n_resamples: int = 2000, n_permutations: int = 1999, level: float = 0.95, seed: int = 0
) -> Comparison:
    """Height of the best inner stage above the higher of the first and the last stage.

    ::

        h_k = min(mean x_k - mean x_1, mean x_k - mean x_L)          h = max over inner stages k of h_k

    Both rises must hold, so the p-value of one k is the larger of two one-sided sign-flip tests, and choosing the best of
    L - 2 inner stages is paid for: p-values are multiplied by L - 2, and the interval has the level 1 - (1 - level)/(L - 2).
    The other side, no inner stage above both ends, is the largest p-value over k of twice the smaller of the two tests.

    Parameters
    ----------
    data : mapping, xarray.DataArray or StageValues
        Values by stage, see `stage_values`; replicates are the same at every stage, or one number a stage with an interval.
    n_resamples, n_permutations, level, seed
        Bootstrap resamples, sign flips drawn for more than 14 replicates, level, and seed of both.

    Returns
    -------
    Comparison
        Estimate in the units of the values: above zero for a hump, below zero for a monotone or hollow profile. The
        note names the stage.

    Raises
    ------
    TooFew
        For fewer than three stages, or replicates that are not paired.

    When it misleads
    ----------------
    It is cautious, the more so the more stages there are. It looks at the ends and one stage: a profile with two humps
    passes. For one number a stage the uncertainty is that of the estimator at each stage, and nothing of the network's.
    """
    values = _checked(data)
    heights = _heights(values.values.mean(axis=1))
    best = int(np.argmax(heights)) + 1
    inner = values.n_stages - 2
    wanted = 1 - (1 - level) / inner
    if values.n_replicates > 1:
        counted = {"stage": values.n_stages, values.over: values.n_replicates}
        estimate = _resampled(values, best, n_resamples, wanted, seed)
        p, null = _p_flips(values, n_permutations, seed)
        ways = 2**values.n_replicates
        smallest = min(1.0, 2 * inner / (ways if ways <= 2**14 else n_permutations + 1))
    else:
        counted, smallest = {"stage": values.n_stages}, 0.0
        estimate, p, null = _from_stage_intervals(values, best, n_resamples, wanted, seed)
    note = (
        f"highest inner stage {values.stages[best]!r}; interval at {wanted:.4g} for {number_of('inner stage', inner)}"
    )
    return Comparison(replace(estimate, note=note), p, null, "two-sided", counted, smallest)


def _heights(means: Floats) -> Floats:
    return np.asarray(np.minimum(means[1:-1] - means[0], means[1:-1] - means[-1]))


def _resampled(values: StageValues, best: int, n_resamples: int, level: float, seed: int) -> Estimate:
    """Bootstrap the height of the chosen stage, whole replicates at a time."""

    def height(rows: Floats) -> float:
        return float(_heights(rows.mean(axis=0))[best - 1])

    found = bootstrap(values.values.T, height, over=values.over, n_resamples=n_resamples, level=level, seed=seed)
    return replace(found, method=f"height of an inner stage above both ends, {found.method.split(', ', 1)[1]}")


def _p_flips(values: StageValues, n_permutations: int, seed: int) -> tuple[float, str]:
    """Combine the one-sided tests of every inner stage against both ends."""

    def p(k: int, end: int, alternative: str) -> float:
        difference = values.values[k] - values.values[end]
        return sign_flip_p(difference, alternative=alternative, n_resamples=n_permutations, seed=seed)[0]

    inner = range(1, values.n_stages - 1)
    above = min(max(p(k, end, "greater") for end in (0, -1)) for k in inner) * len(inner)
    below = max(min(1.0, 2 * min(p(k, end, "less") for end in (0, -1))) for k in inner)
    how = "exact" if 2**values.n_replicates <= 2**14 else f"{n_permutations} random, seed {seed}"
    return min(1.0, 2 * min(above, below)), f"sign flips of both differences ({how}), times {len(inner)} inner stages"


def _from_stage_intervals(
    values: StageValues, best: int, n_resamples: int, level: float, seed: int
) -> tuple[Estimate, float, str]:
    numbers = values.values[:, 0]
    if values.low is None or values.high is None:
        height = float(_heights(numbers)[best - 1])
        return without_interval(height, values.n_stages, "height of an inner stage"), float("nan"), "none: no interval"

    def height_of(row: Floats) -> float:
        return float(_heights(row)[best - 1])

    found, _ = from_intervals(
        numbers, values.low, values.high, height_of, n_resamples=n_resamples, level=level, seed=seed
    )
    above, below = _p_gauss(_Normal.of(values), values.n_stages - 2)
    null = f"intervals of the stages taken as Gaussian, times {values.n_stages - 2} inner stages"
    estimate = replace(found, method=f"height of an inner stage above both ends, {found.method}")
    return estimate, min(1.0, 2 * min(above, below)), null


@dataclass(frozen=True)
class _Normal:
    """Values (stage,) with the half-widths of their intervals below and above, in standard deviations."""

    value: Floats
    down: Floats
    up: Floats

    @classmethod
    def of(cls, values: StageValues) -> _Normal:
        assert values.low is not None
        assert values.high is not None
        numbers, z = values.values[:, 0], stats.norm.ppf(0.975)
        return cls(numbers, (numbers - values.low) / z, (values.high - numbers) / z)

    def p(self, a: int, b: int) -> float:
        """One-sided p that `a` is not above `b`: what counts is how far `a` may be lower and `b` higher."""
        spread = float(np.hypot(self.down[a], self.up[b]))
        apart = float(self.value[a] - self.value[b])
        return float(stats.norm.sf(apart / spread)) if spread else float(apart <= 0)


def _p_gauss(normal: _Normal, inner: int) -> tuple[float, float]:
    last = len(normal.value) - 1
    above = min(max(normal.p(k, end) for end in (0, last)) for k in range(1, last)) * inner
    below = max(min(1.0, 2 * min(normal.p(end, k) for end in (0, last))) for k in range(1, last))
    return above, below


def _checked(data: ByStage) -> StageValues:
    values = stage_values(data)
    if values.n_stages < 3:
        raise TooFew(f"A rise and fall needs at least 3 stages, but {number_of('stage', values.n_stages)} came.")
    if not values.paired:
        raise TooFew(f"A rise and fall needs the same {values.over} at every stage, but these are not paired.")
    whole = ~np.isnan(values.values).any(axis=0)
    if not whole.any():
        raise TooFew(f"A rise and fall needs at least one {values.over} with a value at every stage; there is none.")
    return values if whole.all() else values.take(np.flatnonzero(whole))
