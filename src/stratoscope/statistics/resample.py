"""Bootstrap and jackknife: intervals that say what was resampled, how often and under which seed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from scipy import stats

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.statistics.comparison import checked_count, checked_level
from stratoscope.types import Estimate, Floats, Integers
from stratoscope.words import number_of

#: A name of `STATISTICS`, or a function of the resampled arrays that gives a number or an array.
Statistic: TypeAlias = "str | Callable[..., Any]"
STATISTICS: dict[str, Callable[..., Any]] = {"mean": np.mean, "median": np.median}
METHODS = ("percentile", "bca")


def bootstrap(
    data: Any,
    statistic: Statistic = "mean",
    *,
    over: str,
    method: str = "percentile",
    strata: Any = None,
    n_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Bootstrap interval of a statistic, resampling the first axis.

    Parameters
    ----------
    data : array (n, ...), or tuple of such
        What is resampled lies along the first axis. Several arrays are paired: they share each draw.
    statistic : str or callable
        ``mean``, ``median`` (of the first axis), or ``statistic(*arrays)``, a number or an array.
    over : str
        What is resampled, in the singular: ``category``, ``unit``, ``seed``, ``stimulus``. Written into ``.method``.
    method : str
        ``percentile``, or ``bca`` (bias-corrected and accelerated, by scipy).
    strata : array (n,), optional
        Resample within each of these groups, so that their sizes stay; with ``percentile`` alone.
    n_resamples : int
        Number of resamples.
    level : float
        Coverage aimed at, 0 to 1.
    seed : int
        Seed of the resampling.

    Returns
    -------
    Estimate
        In the units of the statistic. Resamples without a number (a correlation of constants) are left out and counted in
        ``.dropped``; the ends are NaN where the statistic cannot vary for ``bca``.

    Raises
    ------
    TooFew
        For fewer than two things to resample.
    BadInput
        For arrays of unequal length, a level outside 0 to 1, or ``bca`` with strata.

    When it misleads
    ----------------
    With fewer than about 20 things to resample both kinds are too narrow (10 give about 90 % where 95 % is asked). They
    say nothing of what was not resampled: an interval over categories takes the network and its units as given. Things
    that come in families (views of an object, units of an animal) need `cluster_bootstrap`.

    References
    ----------
    Efron 1987, doi:10.1080/01621459.1987.10478410

    Examples
    --------
    >>> found = bootstrap(np.arange(100.0), "mean", over="category")
    >>> round(found.value, 1), found.n, found.low < 49.5 < found.high
    (49.5, 100, True)
    """
    arrays = _arrays(data, over)
    n = len(arrays[0])
    compute = _statistic(statistic)
    checked_level(level)
    checked_count(n_resamples, 2)
    name = _name(statistic)
    value = compute(*arrays)
    if method == "bca":
        if strata is not None:
            raise BadInput("BCa intervals are not made within strata. Take method='percentile', or leave strata out.")
        low, high, note = _bca(arrays, compute, n_resamples, level, seed)
        said = f"{name}, BCa bootstrap over {number_of(over, n)}"
        return _estimate(value, low, high, n=n, level=level, method=said, seed=seed, note=note)
    if method != "percentile":
        raise unknown_name("bootstrap", method, METHODS)
    groups = _groups(strata, n)
    rng = np.random.default_rng(seed)
    draws = _draws(arrays, compute, (_within(groups, rng) for _ in range(n_resamples)))
    within = f" within {len(groups)} strata" if len(groups) > 1 else ""
    said = f"{name}, percentile bootstrap over {number_of(over, n)}{within}"
    return percentile_interval(value, draws, n=n, level=level, method=said, seed=seed)


def cluster_bootstrap(
    data: Any,
    statistic: Statistic = "mean",
    *,
    clusters: Any,
    over: str,
    n_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Percentile bootstrap that resamples whole clusters, such as objects with all their views.

    Parameters
    ----------
    data, statistic, n_resamples, level, seed
        As in `bootstrap`.
    clusters : array (n,)
        Cluster of each entry of the first axis.
    over : str
        What a cluster is, in the singular.

    Returns
    -------
    Estimate
        ``.n`` is the number of clusters.

    Raises
    ------
    TooFew
        For fewer than two clusters.

    When it misleads
    ----------------
    The clusters count, not their members: five animals give the interval of five numbers, and a poor one.
    """
    arrays = _arrays(data, over)
    groups = _groups(clusters, len(arrays[0]))
    if len(groups) < 2:
        raise TooFew(f"A bootstrap over clusters needs at least 2, but there is {number_of(over, len(groups))}.")
    checked_level(level)
    checked_count(n_resamples, 2)
    compute = _statistic(statistic)
    rng = np.random.default_rng(seed)
    picks = (rng.integers(len(groups), size=len(groups)) for _ in range(n_resamples))
    draws = _draws(arrays, compute, (np.concatenate([groups[i] for i in pick]) for pick in picks))
    said = f"{_name(statistic)}, cluster bootstrap over {number_of(over, len(groups))}"
    return percentile_interval(compute(*arrays), draws, n=len(groups), level=level, method=said, seed=seed)


def bootstrap_difference(
    one: Any,
    other: Any,
    statistic: Statistic = "mean",
    *,
    over: str,
    n_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Percentile interval of statistic(one) - statistic(other) of two independent samples, each resampled by itself.

    Parameters, errors and limits as in `bootstrap`; ``.n`` is the size of the smaller sample. Paired samples belong
    into `bootstrap` as a tuple.
    """
    first, second = _arrays(one, over)[0], _arrays(other, over)[0]
    checked_level(level)
    checked_count(n_resamples, 2)
    compute = _statistic(statistic)
    rng = np.random.default_rng(seed)
    draws = [_draws((part,), compute, _plain(len(part), n_resamples, rng)) for part in (first, second)]
    said = (
        f"difference of {_name(statistic)}s, percentile bootstrap over {number_of(over, len(first))} and {len(second)}"
    )
    value = np.asarray(compute(first)) - np.asarray(compute(second))
    n = min(len(first), len(second))
    return percentile_interval(value, draws[0] - draws[1], n=n, level=level, method=said, seed=seed)


def jackknife(data: Any, statistic: Statistic = "mean", *, over: str, level: float = 0.95) -> Estimate:
    """Leave each one out in turn: standard error, interval by Student's t, and bias of a statistic.

    ::

        se² = (n - 1)/n Σ_i (θ_(i) - mean θ_(.))²        bias = (n - 1) (mean θ_(.) - θ)

    Parameters
    ----------
    data, statistic, over, level
        As in `bootstrap`.

    Returns
    -------
    Estimate
        ``.value`` is the statistic itself, not corrected; the bias is in ``.note``.

    When it misleads
    ----------------
    It is wrong for statistics that jump, the median first of all.

    References
    ----------
    Efron & Stein 1981, doi:10.1214/aos/1176345462
    """
    arrays = _arrays(data, over)
    n, compute = len(arrays[0]), _statistic(statistic)
    everyone = np.arange(n)
    left = np.array([compute(*(part[everyone != i] for part in arrays)) for i in everyone], dtype=np.float64)
    value = np.asarray(compute(*arrays), dtype=np.float64)
    spread = np.sqrt((n - 1) / n * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
    half = stats.t.ppf(0.5 + checked_level(level) / 2, n - 1) * spread
    bias = (n - 1) * (left.mean(axis=0) - value)
    said = f"{_name(statistic)}, jackknife over {number_of(over, n)}"
    note = f"bias by the jackknife {np.array2string(np.asarray(bias), precision=3)}"
    return _estimate(value, value - half, value + half, n=n, level=level, method=said, note=note)


def percentile_interval(value: Any, draws: Floats, *, n: int, level: float, method: str, seed: int | None) -> Estimate:
    """Return the estimate whose interval holds the middle `level` of `draws` (resample, ...)."""
    known = ~np.isnan(draws.reshape(len(draws), -1)).any(axis=1)
    lost = int((~known).sum())
    dropped = {"resamples without a number": lost} if lost else {}
    about = {"n": n, "level": level, "method": method, "dropped": dropped, "seed": seed}
    if not known.any():
        nothing = np.full(np.shape(value), np.nan)
        return _estimate(value, nothing, nothing, **about)
    ends = (0.5 - level / 2, 0.5 + level / 2)
    low, high = np.quantile(draws[known], ends, axis=0)
    return _estimate(value, low, high, **about)


def _estimate(value: Any, low: Any, high: Any, **about: Any) -> Estimate:
    """Return an estimate of plain floats where there is one number, of arrays where there are several."""
    numbers = [np.asarray(part, dtype=np.float64) for part in (value, low, high)]
    plain = [float(part) if part.ndim == 0 else part for part in numbers]
    return Estimate(value=plain[0], low=plain[1], high=plain[2], **about)


def _arrays(data: Any, over: str) -> tuple[Floats, ...]:
    parts = tuple(np.asarray(part, dtype=np.float64) for part in (data if isinstance(data, tuple) else (data,)))
    lengths = [len(part) if part.ndim else 0 for part in parts]
    if len(set(lengths)) > 1:
        raise BadInput(f"Paired samples share the {over} they belong to, but they have {lengths} values.")
    if lengths[0] < 2:
        raise TooFew(f"Resampling needs at least 2 values, but there is {number_of(over, lengths[0])}.")
    return parts


def _statistic(statistic: Statistic) -> Callable[..., Any]:
    if not isinstance(statistic, str):
        return statistic
    if statistic not in STATISTICS:
        raise unknown_name("statistic", statistic, STATISTICS)
    function = STATISTICS[statistic]
    return lambda values: function(values, axis=0)


def _name(statistic: Statistic) -> str:
    return statistic if isinstance(statistic, str) else getattr(statistic, "__name__", "statistic").strip("_<>")


def _groups(labels: Any, n: int) -> list[Integers]:
    if labels is None:
        return [np.arange(n)]
    names = np.asarray(labels)
    if names.shape != (n,):
        raise BadInput(f"Strata and clusters are one label a value, shape ({n},), but {names.shape} came.")
    return [np.flatnonzero(names == name) for name in np.unique(names)]


def _within(groups: list[Integers], rng: np.random.Generator) -> Integers:
    return np.concatenate([group[rng.integers(len(group), size=len(group))] for group in groups])


def _plain(n: int, n_resamples: int, rng: np.random.Generator) -> Any:
    return (rng.integers(n, size=n) for _ in range(n_resamples))


def _draws(arrays: tuple[Floats, ...], compute: Callable[..., Any], picks: Any) -> Floats:
    return np.array([compute(*(part[pick] for part in arrays)) for pick in picks], dtype=np.float64)


def _bca(
    arrays: tuple[Floats, ...], compute: Callable[..., Any], n_resamples: int, level: float, seed: int
) -> tuple[Any, Any, str]:
    """Let scipy resample the row numbers, so that paired arrays need no special case."""

    def of_rows(rows: Any) -> Any:
        return compute(*(part[np.asarray(rows, dtype=np.int64)] for part in arrays))

    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # said in the note instead
        found = stats.bootstrap(
            (np.arange(len(arrays[0])),),
            of_rows,
            vectorized=False,
            n_resamples=n_resamples,
            confidence_level=level,
            method="BCa",
            random_state=np.random.default_rng(seed),
        ).confidence_interval
    broken = np.isnan(found.low).any()
    return found.low, found.high, "the statistic does not vary, so BCa has no interval" if broken else ""
