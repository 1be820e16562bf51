"""A Gaussian through a receptive field map: where it is, how large, and how well the Gaussian fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from stratoscope.errors import BadInput
from stratoscope.metrics.receptive_field_maps import FieldMaps
from stratoscope.types import Floats

#: Share of the variance of a map that the Gaussian must explain, exclusive, after Tafazoli et al. 2017.
SMALLEST_R2 = 0.5


@dataclass(frozen=True)
class FieldFits:
    """Gaussian fits, one a unit; every array is (unit,).

    Attributes
    ----------
    azimuth, elevation : array of float
        Centre, degrees.
    sigma_x, sigma_y : array of float
        Standard deviations across and up, degrees.
    amplitude, offset : array of float
        Height above the offset, and the offset, in the units of the map.
    r2 : array of float
        Share of the variance of the map over its places that the fit explains; NaN for a flat map.
    accepted : array of bool
        Where r2 is above the threshold.
    """

    azimuth: Floats
    elevation: Floats
    sigma_x: Floats
    sigma_y: Floats
    amplitude: Floats
    offset: Floats
    r2: Floats
    accepted: NDArray[np.bool_]

    @property
    def size(self) -> Floats:
        """Size of the fields (unit,): mean of the two standard deviations, degrees."""
        return (self.sigma_x + self.sigma_y) / 2


def fit_fields(fields: FieldMaps, *, smallest_r2: float = SMALLEST_R2) -> FieldFits:
    """Fit a Gaussian with axes across and up to the map of every unit, by least squares.

        offset + amplitude · exp(-(x - x₀)² / 2σx² - (y - y₀)² / 2σy²),   amplitude ≥ 0

    Parameters
    ----------
    fields : FieldMaps
        The maps.
    smallest_r2 : float
        Fits that explain no more than this share of the variance are not accepted, 0 to 1.

    Returns
    -------
    FieldFits
        Flat maps have NaN throughout and are not accepted.

    Raises
    ------
    BadInput
        For a threshold outside 0 to 1.

    When it misleads
    ----------------
    R² is over the places of the map: a small field on a large noisy map is rejected though it is there, and a broad bump of
    noise on few places is accepted. Centres are kept on the map and sizes between a quarter of a step and its extent, so a
    field that lies partly outside is cut.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794 (σx and σy free, accepted above R² = 0.5, size their mean).

    Examples
    --------
    >>> x, y = np.arange(-40.0, 41, 10), np.arange(20.0, -21, -10)
    >>> bump = np.exp(-((x - 5) ** 2) / 450 - (y[:, None] + 3) ** 2 / 200)
    >>> found = fit_fields(FieldMaps(bump[None], x, y))
    >>> found.azimuth.round(2).tolist(), found.sigma_x.round(2).tolist(), found.accepted.tolist()
    ([5.0], [15.0], [True])
    """
    if not 0 <= smallest_r2 < 1:
        raise BadInput(f"The smallest R² of a fit lies between 0 and 1, but {smallest_r2!r} came. The paper has 0.5.")
    rows = np.array([_fit(one, fields.azimuth, fields.elevation) for one in fields.maps])
    x, y, sigma_x, sigma_y, amplitude, offset, r2 = rows.T
    return FieldFits(x, y, sigma_x, sigma_y, amplitude, offset, r2, np.nan_to_num(r2, nan=-1.0) > smallest_r2)


def gaussian(parameters: Floats, azimuth: Floats, elevation: Floats) -> Floats:
    """Return the Gaussian (row, column) of (x₀, y₀, σx, σy, amplitude, offset)."""
    x, y, sigma_x, sigma_y, amplitude, offset = parameters
    across = np.exp(-((azimuth - x) ** 2) / (2 * sigma_x**2))
    up = np.exp(-((elevation - y) ** 2) / (2 * sigma_y**2))
    return np.asarray(offset + amplitude * up[:, None] * across[None, :])


def _fit(values: Floats, azimuth: Floats, elevation: Floats) -> Floats:
    spread = float(((values - values.mean()) ** 2).sum())
    if spread <= 1e-12 * max(float((values**2).sum()), 1e-300):
        return np.full(7, np.nan)
    height = float(np.ptp(values))
    low, high, start = _limits(values / height, azimuth, elevation)
    found = least_squares(
        lambda p: (gaussian(p, azimuth, elevation) - values / height).ravel(),
        start,
        bounds=(low, high),
        x_scale=high - low,
    )
    r2 = 1 - 2 * found.cost * height**2 / spread
    return np.asarray([*found.x[:4], *(found.x[4:] * height), r2])


def _limits(scaled: Floats, azimuth: Floats, elevation: Floats) -> tuple[Floats, Floats, Floats]:
    """Return lower and upper bounds and a start at the peak of a map whose range is one."""
    row, column = np.unravel_index(int(scaled.argmax()), scaled.shape)
    extents = [float(np.ptp(axis)) for axis in (azimuth, elevation)]
    steps = [float(np.abs(np.diff(axis)).min()) for axis in (azimuth, elevation)]
    lowest = float(scaled.min())
    low = np.array([azimuth.min(), elevation.min(), steps[0] / 4, steps[1] / 4, 0.0, lowest - 2.0])
    high = np.array([azimuth.max(), elevation.max(), *extents, 4.0, lowest + 2.0])
    start = np.array([azimuth[column], elevation[row], extents[0] / 4, extents[1] / 4, 0.9, float(np.median(scaled))])
    inner = 1e-6 * (high - low)
    return low, high, np.clip(start, low + inner, high - inner)
