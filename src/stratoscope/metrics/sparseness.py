"""Population sparseness: how few units carry the response to one category or one stimulus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.declare import metric
from stratoscope.metrics.indices import index_of_sums, index_of_values
from stratoscope.metrics.normalization import normalized
from stratoscope.metrics.responses import checked_choice, checked_finite, checked_responses
from stratoscope.types import Floats


def category_means(responses: Any, categories: Any, metric_name: str = "category_means") -> tuple[np.ndarray, Floats]:
    """Return the names (category,), sorted, and the mean response to each (category, unit)."""
    array = checked_responses(responses, metric_name)
    labels = np.asarray(categories)
    if labels.shape != (len(array),):
        raise BadInput(
            f"{metric_name} expects one category a stimulus, shape ({len(array)},), but {labels.shape} came."
        )
    names, member = np.unique(labels, return_inverse=True)
    deviations = array - array[0]  # so that the mean of equal values is that value, to the last bit
    means = np.stack([deviations[member == c].mean(axis=0) for c in range(len(names))])
    return names, means + array[0]


def _through_categories(state: Mapping[str, Any], **options: Any) -> Floats:
    if options.pop("per", "category") != "category":
        raise BadInput(
            "A run keeps the mean response to each category, so population_sparseness reads per='category' there. "
            "Use stimulus_sparseness for one number a stimulus."
        )
    known = np.asarray(state["count"]) > 0
    means = checked_finite(np.asarray(state["mean"])[known], "population_sparseness", "category means")
    values = np.full(len(known), np.nan)
    values[known] = _sparseness_of_rows(means, noun="categories", **options)
    return values


def _sparseness_of_rows(
    rows: Floats,
    *,
    noun: str = "categories",
    normalization: str = "liu2020",
    index: str = "treves-rolls",
    dead: str = "zero",
    variance_floor: float = 0.0,
) -> Floats:
    """Return the sparseness of each row; a row without any range is 0 after min-max, NaN otherwise."""
    values = index_of_values(normalized(rows, normalization, dead, variance_floor, noun), index)
    silent_is_zero = normalization in ("liu2020", "minmax") and index != "kurtosis"
    return np.where(np.isnan(values), 0.0, values) if silent_is_zero else values


@metric(
    needs="categories",
    through=_through_categories,
    dims=("category",),
    range=(0.0, 1.0),
    controls=("structureless", "size_matched", "dead_fraction", "constant_fraction"),
    paper="Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158",
)
def population_sparseness(
    responses: Any,
    *,
    categories: Any = None,
    normalization: str = "liu2020",
    index: str = "treves-rolls",
    dead: str = "zero",
    variance_floor: float = 0.0,
    per: str | None = None,
) -> Floats:
    """Sparseness of the population response to each category, 0 (all units alike) to 1 (one unit alone).

    With R[c, u] the mean response of unit u to category c and N units, ``normalization="liu2020"`` is ::

        Z[c, u] = (R[c, u] - mean_c R[., u]) / sd_c R[., u]         a unit that is constant over c gets 0
        X[c, u] = (Z[c, u] - min_u Z[c, .]) / (max_u Z[c, .] - min_u Z[c, .])
        a_c = (mean_u X[c, .])² / mean_u X[c, .]²                   PSI_c = (1 - a_c) / (1 - 1/N)

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses in the units of the source, finite.
    categories : array (stimulus,), optional
        Category of each stimulus. Without it every row counts as it is (also when rows already are category means).
    normalization : str
        ``liu2020`` (z-score of each unit over categories, then min-max of each category over units), ``none``,
        ``minmax`` (min-max of each row alone), ``zscore`` (z-score alone), ``absolute-zscore`` (its absolute value),
        ``rectify`` (negative responses set to 0).
    index : str
        ``treves-rolls`` and ``vinje-gallant`` are the same formula, ``(1 - a) / (1 - 1/N)``, under both its names;
        ``hoyer`` is (√N - l1/l2) / (√N - 1); ``gini`` that of absolute values (at most 1 - 1/N); ``kurtosis`` the
        excess over a Gaussian (-2 to ∞); ``fraction-active`` the fraction of values above zero (small when sparse).
    dead : str
        What a unit constant over rows becomes: ``zero`` (z-score 0, as published), ``drop`` (left out, N shrinks),
        ``keep`` (its raw response stands in for the z-score). Without z-scores only ``drop`` does anything.
    variance_floor : float
        A unit counts as constant if its variance is at most this fraction of its mean square; 0 to below 1. Float
        residue in a nearly constant unit is z-scored to unit variance otherwise; 1e-12 is above float32 residue.
    per : str, optional
        ``category`` or ``stimulus``; by default ``category`` where categories are given.

    Returns
    -------
    array (category,) or (stimulus,)
        Sparseness, in the sorted order of category names, or in the order of the rows. Where every unit is silent:
        0 after min-max, as the published code has it, and NaN for every other normalisation.

    Raises
    ------
    BadInput
        For NaN or infinite responses, wrong shapes, or a floor outside 0 to 1.
    TooFew
        For fewer than two units, or fewer than two rows where units are z-scored.
    UnknownName
        For a normalisation, index or way with dead units that does not exist.

    When it misleads
    ----------------
    It is not activation sparseness but the skewness of a z-profile. Dead units lower it: on independent Gamma(0.5)
    responses of 512 units it falls from 0.63 to 0.14 as the dead fraction rises from 0 to 90 %, while the raw index
    rises from 0.67 to 0.97; a dead stage reads exactly 0. It depends on the number of units even where there is
    no structure: Gaussian noise has a median of 0.158 at 64 units, 0.100 at 512 and 0.072 at 4096, so compare
    stages of different size only beside `size_matched` and `structureless`. The z-score depends on the set of
    categories. Zero-mean noise without min-max reads 1.00, 0.68 or 0.36 as negative values are kept, clipped or
    rectified.

    References
    ----------
    Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158; Treves & Rolls 1991, doi:10.1088/0954-898X_2_4_004;
    Vinje & Gallant 2000, doi:10.1126/science.287.5456.1273; Willmore & Tolhurst 2001, doi:10.1080/net.12.3.255.270.

    Examples
    --------
    >>> population_sparseness([[1.0, 0, 0, 0], [1, 1, 1, 1]], normalization="none").tolist()
    [1.0, 0.0]
    """
    options = dict(normalization=normalization, index=index, dead=dead, variance_floor=variance_floor)
    per = checked_choice(per or ("stimulus" if categories is None else "category"), ("category", "stimulus"), "level")
    if per == "category" and categories is not None:
        rows = category_means(responses, categories, "population_sparseness")[1]
        return _sparseness_of_rows(rows, noun="categories", **options)  # type: ignore[arg-type]
    rows = checked_responses(responses, "population_sparseness", rows=per)
    return _sparseness_of_rows(rows, noun={"stimulus": "stimuli", "category": "categories"}[per], **options)  # type: ignore[arg-type]


def _check_units(n_units: int) -> None:
    if n_units < 2:
        raise TooFew(f"stimulus_sparseness needs at least 2 units, but {n_units} came.")


def _through_stimuli(state: Mapping[str, Any], *, index: str = "treves-rolls") -> Floats:
    """Read the index from each stimulus's power sums, which a run keeps as per_stimulus."""
    _check_units(int(state["n_units"]))
    seen = np.asarray(state["seen"], dtype=bool)
    kept = {name: np.asarray(values)[seen] for name, values in state.items() if np.shape(values) == seen.shape}
    checked_finite(kept["mean"], "stimulus_sparseness", "means of stimuli")
    values = np.full(len(seen), np.nan)
    values[seen] = index_of_sums({**kept, "n": int(state["n_units"])}, index)
    return values


@metric(
    needs="per_stimulus",
    through=_through_stimuli,
    dims=("stimulus",),
    range=(0.0, 1.0),
    controls=("dead_fraction",),
    paper="Vinje & Gallant 2000, doi:10.1126/science.287.5456.1273",
)
def stimulus_sparseness(responses: Any, *, index: str = "treves-rolls") -> Floats:
    """Sparseness of the raw population response to each stimulus, 0 (all units alike) to 1 (one unit alone).

    For N units, S = (1 - (mean_u r)² / mean_u r²) / (1 - 1/N), or another `index` of `population_sparseness`, of the
    responses as they are.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses in the units of the source, finite.
    index : str
        As in `population_sparseness`. ``gini`` needs the values, which a run keeps only where asked to.

    Returns
    -------
    array (stimulus,)
        Sparseness; NaN where no unit responds.

    Raises
    ------
    BadInput
        For NaN or infinite responses, wrong shapes, or an index that the summary cannot give.
    TooFew
        For fewer than two units.

    When it misleads
    ----------------
    Dead units raise it: 90 % of them take Gamma(0.5) noise from 0.67 to 0.97. With negative responses the mean
    cancels and everything reads near 1. It says nothing about which units respond: see `lifetime_sparseness`.

    References
    ----------
    Treves & Rolls 1991, doi:10.1088/0954-898X_2_4_004; Vinje & Gallant 2000, doi:10.1126/science.287.5456.1273.

    Examples
    --------
    >>> stimulus_sparseness([[0.0, 2.0], [3.0, 3.0]]).tolist()
    [1.0, 0.0]
    """
    array = checked_responses(responses, "stimulus_sparseness")
    _check_units(array.shape[1])
    return index_of_values(array, index)
