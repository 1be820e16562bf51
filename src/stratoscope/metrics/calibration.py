"""TwoNN, read against what it reads on cubes or spheres of known dimension with as many points."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from stratoscope.metrics.declare import metric
from stratoscope.metrics.halves import SPLITS, neighbours_read
from stratoscope.metrics.neighbourhoods import Neighbourhoods, check_enough, neighbourhoods_in, neighbourhoods_of
from stratoscope.metrics.responses import checked_choice
from stratoscope.metrics.two_nn import FEWEST, two_nn_of
from stratoscope.types import Estimate, Floats

REFERENCES = ("cube", "sphere")


@cache
def _table() -> Mapping[str, Any]:
    """Return what `benchmarks/two_nn_calibration.py` wrote: means of TwoNN (points, dimension) of each reference."""
    kept = json.loads((files("stratoscope.metrics") / "two_nn_calibration.json").read_text(encoding="utf-8"))
    return {name: np.asarray(values, dtype=np.float64) for name, values in kept.items()}


def sizes() -> tuple[int, int]:
    """Return the fewest and the most points the table knows."""
    known = _table()["points"]
    return int(known[0]), int(known[-1])


def expected_two_nn(n: int, reference: str) -> tuple[Floats, Floats]:
    """Return dimensions (dimension,) and what TwoNN reads there with `n` points; both start at 0."""
    table = _table()
    at = np.interp(np.log(n), np.log(table["points"]), np.arange(len(table["points"])))
    below = min(int(at), len(table["points"]) - 2)
    read = table[reference][below] + (at - below) * (table[reference][below + 1] - table[reference][below])
    return np.append(0.0, table["dimensions"]), np.append(0.0, read)


def _calibrated(near: Neighbourhoods, reference: str) -> Estimate:
    checked_choice(reference, REFERENCES, "reference of two_nn_calibrated")
    raw, (fewest, most) = two_nn_of(near), sizes()
    check_enough(near.n, near.dropped["duplicates"], "two_nn_calibrated", fewest)
    values, note = np.full(3, np.nan), f"the table ends at {most} points; take that many stimuli"
    if near.n <= most:
        dimension, read = expected_two_nn(near.n, reference)
        values = PchipInterpolator(read, dimension, extrapolate=False)(np.array([raw.value, raw.low, raw.high]))
        beyond = f"beyond what a {reference} of dimension {dimension[-1]:.0f} reads, where the table ends"
        ends = np.isnan(values)
        note = "" if not ends.any() else f"the upper end of the interval is {beyond}" if not ends[0] else beyond
    return Estimate(
        value=float(values[0]),
        low=float(values[1]),
        high=float(values[2]),
        n=raw.n,
        method=f"two_nn fit 0.9 against {reference}s of as many points; interval from {SPLITS} random halves",
        dropped=raw.dropped,
        scale=raw.scale,
        note="; ".join(part for part in (f"two_nn itself reads {raw.value:.4g}", note) if part),
    )


def _through_gram(state: Mapping[str, Any], *, reference: str = "cube") -> Estimate:
    return _calibrated(neighbourhoods_in(state, "two_nn_calibrated", fewest=FEWEST), reference)


@metric(
    needs="gram",
    nearest=2,
    through=_through_gram,
    unit="dimensions",
    reads="position",
    controls=("two_nn", "ess"),
    paper="TwoNN: Facco et al. 2017, doi:10.1038/s41598-017-11873-y; calibrated here",
)
def two_nn_calibrated(responses: Any, *, reference: str = "cube") -> Estimate:
    """Dimension of the uniform cube (or sphere) on which TwoNN would read, with as many points, what it reads here.

    `two_nn` reads low in high dimension, by an amount that depends on the number of points. A table holds its mean on cubes
    and spheres of dimension 1 to 500 with 50 to 5,000 points; it is interpolated (straight in the logarithm of the number
    of points, monotone cubic in the dimension) and read backwards. This is another quantity than `two_nn` and has another
    name: print which one you mean.

    Parameters
    ----------
    responses : array (stimulus, unit)
        Responses, finite. Exact duplicates are merged first.
    reference : str
        ``cube``, filled evenly, with borders, or ``sphere``, its surface, without.

    Returns
    -------
    Estimate
        Dimension; the ends are those of `two_nn`, read through the same table, whose own error is below 1 %. The note has
        what `two_nn` reads. NaN, with a note, above 5,000 distinct stimuli or beyond what dimension 500 reads; nothing
        is extrapolated.

    Raises
    ------
    TooFew
        For fewer than 50 distinct stimuli.
    BadInput
        For NaN or infinite responses, wrong shapes.
    UnknownName
        For a reference that is neither.

    When it misleads
    ----------------
    The number is as right as the reference is like the data. Where the density varies strongly TwoNN reads low for another
    reason, and the calibrated value is then wrong without a sign of it (6.6 to 7.2 for a true 10). Where a manifold is
    curved on the scale of neighbours TwoNN does not read low, and calibration overshoots (16 for a flat torus of 10, of which
    `two_nn` makes 12.6). Cube and sphere differ by more than the interval above d = 10; print both, or `ess` beside it.
    Noise is calibrated as structure is.

    References
    ----------
    Facco, d'Errico, Rodriguez & Laio 2017, doi:10.1038/s41598-017-11873-y.

    Examples
    --------
    >>> import numpy as np
    >>> cube = np.random.default_rng(0).random((500, 20))
    >>> round(two_nn(cube).value), round(two_nn_calibrated(cube).value)
    (15, 20)
    """
    return _calibrated(
        neighbourhoods_of(responses, neighbours_read(2), "two_nn_calibrated", fewest=FEWEST, exact=2), reference
    )
