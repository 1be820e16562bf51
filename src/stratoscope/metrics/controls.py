"""Baselines that make a number believable: no structure, the same size, nothing dead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.normalization import constant_units
from stratoscope.metrics.responses import checked_responses
from stratoscope.metrics.sparseness import population_sparseness
from stratoscope.types import Estimate, Floats


def permuted_within_units(responses: Any, rng: np.random.Generator) -> Floats:
    """Return `responses` with every unit's values permuted over rows, each unit by itself."""
    return np.asarray(rng.permuted(checked_responses(responses, "permuted_within_units"), axis=0))


def _medians(draws: list[Floats], method: str, seed: int, n: int, note: str = "") -> Estimate:
    """Summarise the median sparseness of every draw: their mean, and the range of 95 % of draws."""
    medians = np.array([np.nanmedian(draw) if np.isfinite(draw).any() else np.nan for draw in draws])
    known = medians[np.isfinite(medians)]
    if not len(known):
        return Estimate(np.nan, np.nan, np.nan, n, method=method, seed=seed, note="No draw gave a number.")
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(float(known.mean()), float(low), float(high), n, method=method, seed=seed, note=note)


def _checked_resamples(n_resamples: int) -> None:
    if n_resamples < 2:
        raise BadInput(f"n_resamples must be at least 2, but {n_resamples!r} came.")


def structureless(category_means: Any, *, n_resamples: int = 20, seed: int = 0, **options: Any) -> Estimate:
    """Median population sparseness of data of the same size and marginals, but without structure.

    Every unit's category means are permuted over categories, each unit by itself: the number of units and what each
    does stay, which units respond together is lost.

    Parameters
    ----------
    category_means : array (category, unit)
        Mean responses, as the summary of categories keeps them.
    n_resamples : int
        Number of permutations.
    seed : int
        Seed of the permutations.
    **options
        Options of `population_sparseness`.

    Returns
    -------
    Estimate
        Mean over permutations of the median over categories; low and high hold 95 % of the permutations.

    Raises
    ------
    BadInput
        For NaN or infinite means, wrong shapes, or fewer than two resamples.

    When it misleads
    ----------------
    It keeps the marginals, skew and dead units included, so it is a baseline for co-activity and for size, not for
    skewness: a stage of independent skewed units equals its baseline and is still sparse.
    """
    _checked_resamples(n_resamples)
    means = checked_responses(category_means, "structureless", rows="category")
    rng = np.random.default_rng(seed)
    draws = [population_sparseness(rng.permuted(means, axis=0), **options) for _ in range(n_resamples)]
    return _medians(draws, f"{n_resamples} permutations of categories within units", seed, len(means))


def size_matched(
    category_means: Any, n_units: int, *, n_resamples: int = 20, seed: int = 0, **options: Any
) -> Estimate:
    """Median population sparseness of random subsets of `n_units` units.

    Parameters
    ----------
    category_means : array (category, unit)
        Mean responses, as the summary of categories keeps them.
    n_units : int
        Size of the subsets: that of the smallest stage compared.
    n_resamples : int
        Number of subsets, each drawn without replacement.
    seed : int
        Seed of the drawing.
    **options
        Options of `population_sparseness`.

    Returns
    -------
    Estimate
        Mean over subsets of the median over categories; low and high hold 95 % of subsets.

    Raises
    ------
    TooFew
        Where the stage has fewer than `n_units` units.
    BadInput
        For NaN or infinite means, wrong shapes, fewer than two units or resamples.

    When it misleads
    ----------------
    The subsets overlap when `n_units` is a large part of the stage: their range is then narrower than that of new
    units would be, and has no width at all for the stage itself.
    """
    _checked_resamples(n_resamples)
    means = checked_responses(category_means, "size_matched", rows="category")
    if n_units < 2:
        raise BadInput(f"size_matched draws at least 2 units, but n_units={n_units!r} came.")
    if n_units > means.shape[1]:
        raise TooFew(f"size_matched draws {n_units} units, but this stage has {means.shape[1]}.")
    rng = np.random.default_rng(seed)
    subsets = [rng.choice(means.shape[1], n_units, replace=False) for _ in range(n_resamples)]
    draws = [population_sparseness(means[:, np.sort(units)], **options) for units in subsets]
    return _medians(draws, f"{n_resamples} random subsets of {n_units} units", seed, len(means))


def without_constant_units(category_means: Any, *, variance_floor: float = 0.0, **options: Any) -> Floats:
    """Population sparseness (category,) of the units that vary over categories; see `population_sparseness`."""
    means = checked_responses(category_means, "without_constant_units", rows="category")
    constant = constant_units(means, variance_floor)
    if (~constant).sum() < 2:
        raise TooFew(
            f"without_constant_units needs at least 2 units that vary over categories, but {(~constant).sum()} of "
            f"{len(constant)} do."
        )
    return population_sparseness(means[:, ~constant], **options)


def shuffled(
    responses: Any, estimator: Callable[..., Estimate], *, n_resamples: int = 5, seed: int = 0, **options: Any
) -> Estimate:
    """Dimension of data of the same size and marginals whose units are made independent.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite.
    estimator : callable
        `two_nn`, `gride`, `participation_ratio` ...: ``estimator(responses, **options)`` gives an `Estimate`.
    n_resamples : int
        Number of permutations of the stimuli within every unit.
    seed : int
        Seed of the permutations.
    **options
        Options of the estimator.

    Returns
    -------
    Estimate
        Mean over permutations; low and high are their smallest and largest.

    Raises
    ------
    BadInput
        For NaN or infinite responses, wrong shapes, or fewer than two resamples.

    When it misleads
    ----------------
    It grows with the number of units, as noise does: compare it at a matched number of units. The closer a stage is
    to it, the less its dimension says about structure.
    """
    _checked_resamples(n_resamples)
    array = checked_responses(responses, "shuffled")
    rng = np.random.default_rng(seed)
    found = [estimator(rng.permuted(array, axis=0), **options) for _ in range(n_resamples)]
    values = np.array([estimate.value for estimate in found])
    low, high = values.min(axis=0), values.max(axis=0)
    mean = values.mean(axis=0)
    plain = mean.ndim == 0
    return Estimate(
        float(mean) if plain else mean,
        float(low) if plain else low,
        float(high) if plain else high,
        min(estimate.n for estimate in found),
        method=f"{n_resamples} permutations of stimuli within units: {found[0].method}",
        scale=np.mean([estimate.scale for estimate in found], axis=0) if found[0].scale is not None else None,
        seed=seed,
        note="low and high are the smallest and largest of the permutations",
    )
