"""Correction of p-values for the number of tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from stratoscope.errors import BadInput, unknown_name
from stratoscope.types import Floats


def bonferroni(p: Any) -> Floats:
    """Multiply every p-value by the number of tests, up to 1.

    Parameters
    ----------
    p : array (test,)
        P-values; NaN (tests that could not be made) stay NaN and do not count.

    Returns
    -------
    array (test,)
        Corrected p-values, which are compared with the level itself. Controls the chance of any false positive.

    When it misleads
    ----------------
    It is the bluntest of the three; `holm` is never worse.
    """
    return _on_known(p, lambda known: np.minimum(1.0, known * len(known)))


def holm(p: Any) -> Floats:
    """Bonferroni's correction stepping down, never weaker: the k-th smallest of m is multiplied by m - k + 1.

    Parameters and result as in `bonferroni`.

    When it misleads
    ----------------
    The family has to be fixed before looking: leaving out tests that failed makes the rest look better.

    References
    ----------
    Holm 1979, Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    return _on_known(p, _step_down)


def benjamini_hochberg(p: Any) -> Floats:
    """Corrected p-values that control the expected share of false positives among the positives.

    Parameters and result as in `bonferroni`; by `scipy.stats.false_discovery_control`.

    When it misleads
    ----------------
    It promises nothing about any single test, and holds for independent or positively dependent tests.

    References
    ----------
    Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x
    """
    return _on_known(p, lambda known: np.asarray(stats.false_discovery_control(known, method="bh")))


CORRECTIONS: dict[str, Callable[[Any], Floats]] = {
    "holm": holm,
    "benjamini-hochberg": benjamini_hochberg,
    "bonferroni": bonferroni,
    "none": lambda p: _on_known(p, lambda known: known),
}


def correct(p: Any, method: str = "holm") -> Floats:
    """Correct p-values (test,) by the `method` of this name: holm, benjamini-hochberg, bonferroni or none."""
    if method not in CORRECTIONS:
        raise unknown_name("correction", method, CORRECTIONS)
    return CORRECTIONS[method](p)


def _step_down(known: Floats) -> Floats:
    order = np.argsort(known, kind="stable")
    raised = np.maximum.accumulate(known[order] * np.arange(len(known), 0, -1))
    corrected = np.empty_like(known)
    corrected[order] = np.minimum(1.0, raised)
    return corrected


def _on_known(p: Any, correction: Callable[[Floats], Floats]) -> Floats:
    values = np.asarray(p, dtype=np.float64)
    known = ~np.isnan(values)
    if values.ndim != 1 or ((values[known] < 0) | (values[known] > 1)).any():
        raise BadInput(f"P-values lie between 0 and 1, one a test, but this came: {values!r}.")
    corrected = values.copy()
    if known.any():
        corrected[known] = correction(values[known])
    return corrected
