"""Information without bins, as if the dependence were Gaussian: a lower bound that costs little data."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma, ndtri
from scipy.stats import rankdata

from stratoscope.metrics.information.samples import read_values
from stratoscope.metrics.responses import checked_responses
from stratoscope.types import Floats


def gaussian_copula_information(responses: Any, values: Any, *, bias_corrected: bool = True) -> Floats:
    """Information of each unit about a property, if a Gaussian copula joined them (GCMI).

    Responses and, where it is a number, the property become normal by their ranks, equal ones sharing the mean of
    theirs. For a number I = -1/2 log2 (1 - r²) with r the correlation; for a discrete property I = H(R) - Σ_v P(v)
    H(R|v), all entropies of Gaussians.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite; at least 4 stimuli.
    values : array (stimulus,)
        The property: decimal numbers are continuous; texts, truth values and whole numbers are discrete.
    bias_corrected : bool
        Take off the bias of Gaussian entropies at this number of stimuli.

    Returns
    -------
    array (unit,)
        Bits; NaN for a unit that never changes, or does not change at some discrete value.

    Raises
    ------
    TooFew
        For fewer than 4 stimuli, or fewer than 3 at a discrete value.
    BadInput
        For NaN, or shapes that do not fit.

    When it misleads
    ----------------
    It sees no dependence that is not monotone: a unit tuned to a middle luminance reads 0. Many equal responses, as the
    zeros of a ReLU, are nothing like a Gaussian: about a number they make it read less, and about classes they invent
    information, as variances differ by chance (0.06 bit where there is none, with 90 % zeros and 8 classes of 50).
    Breaking such ties by position, as other implementations do, invents more when stimuli are sorted by class.

    References
    ----------
    Ince et al. 2017, doi:10.1002/hbm.23471.

    Examples
    --------
    >>> import numpy as np
    >>> light = np.linspace(0, 1, 501)
    >>> middle = (light - 0.5) ** 2
    >>> bool(abs(gaussian_copula_information(middle[:, None], light)[0]) < 0.01)
    True
    """
    array = checked_responses(responses, "gaussian_copula_information", fewest=4)
    read = read_values(values, len(array), "gaussian_copula_information")
    normal = _normal(array)
    varies = np.ptp(array, axis=0) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        if read.continuous:
            bits = _with_number(normal, _normal(read.numbers[:, None])[:, 0], bias_corrected)
        else:
            read.check_each(3, "gaussian_copula_information")
            bits = _with_classes(normal, read.codes, bias_corrected)
    return np.asarray(np.where(varies & np.isfinite(bits), bits, np.nan))


def _normal(array: Floats) -> Floats:
    return np.asarray(ndtri(rankdata(array, axis=0) / (len(array) + 1)))


def _with_number(normal: Floats, value: Floats, corrected: bool) -> Floats:
    n = len(value)
    r = value @ normal / np.sqrt((value**2).sum() * (normal**2).sum(axis=0))
    bias = (digamma((n - 1) / 2) - digamma((n - 2) / 2)) / 2
    return np.asarray((-np.log1p(-(r**2)) / 2 - (bias if corrected else 0.0)) / np.log(2))


def _with_classes(normal: Floats, codes: Any, corrected: bool) -> Floats:
    whole = _entropy(normal, corrected)
    groups = [normal[codes == code] for code in range(codes.max() + 1)]
    rest = sum(len(group) * _entropy(group, corrected) for group in groups)
    return np.asarray((whole - rest / len(normal)) / np.log(2))


def _entropy(normal: Floats, corrected: bool) -> Floats:
    """Return the entropy of a Gaussian of these variances in nats, without the constant that cancels."""
    n = len(normal)
    bias = (np.log(2) - np.log(n - 1) + digamma((n - 1) / 2)) / 2
    variance = np.where(np.ptp(normal, axis=0) > 0, normal.var(axis=0, ddof=1), 0.0)  # rounding would leave a little
    return np.asarray(np.log(variance) / 2 - (bias if corrected else 0.0))
