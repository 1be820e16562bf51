"""What one unit's response tells about a property of the stimulus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stratoscope.metrics.declare import metric
from stratoscope.metrics.information.table import information_table
from stratoscope.metrics.information.tiles import Blocks
from stratoscope.types import Floats


def _through_blocks(state: Mapping[str, Any], *, values: str, **options: Any) -> Floats:
    return unit_information(state["blocks"], state["columns"][values], **options)


@metric(
    needs="spool",
    through=_through_blocks,
    dims=("unit",),
    unit="bits",
    range=(float("-inf"), 8.0),
    controls=("dead_fraction", "constant_fraction"),
    paper="Tafazoli et al. 2017, doi:10.7554/eLife.22794",
)
def unit_information(
    responses: Blocks,
    values: Any,
    *,
    response_bins: int = 3,
    value_bins: int | None = None,
    binning: str = "equipopulated",
    correction: str = "panzeri-treves",
    atom: bool = True,
    n_shuffles: int = 100,
    seed: int = 0,
) -> Floats:
    """Information, in bits, that each unit's response carries about a property of the stimulus.

        I(R;V) = Σ_rv P(r, v) log2 [P(r, v) / (P(r) P(v))] - bias

    with R the unit's response and V the property, both in bins.

    Parameters
    ----------
    responses : array (stimulus, unit), or blocks of it
        Finite responses in the units of the source; more ways to give them in `information_table`.
    values : array (stimulus,) or (stimulus, unit)
        The property: numbers, texts or truth values. (stimulus, unit) where it differs between units. In a run, the
        name of a column of the stimuli.
    response_bins : int
        Most bins of a unit's responses, 2 to 255. Edges are values, so equal responses share a bin, and a unit with few
        distinct responses keeps fewer bins; the correction uses the number that is there.
    value_bins : int, optional
        Most bins of a property that is a number. With None, texts, truth values and whole numbers keep their
        distinct values, and so do decimal numbers with few of them; other decimal numbers get 10 bins, or as
        many (at least 2) as leave every cell 4 stimuli. Texts and truth values always keep their values.
    binning : str
        ``equipopulated`` (as many stimuli in every bin as ties allow) or ``equal-width``, of responses and numbers.
    correction : str
        ``panzeri-treves``: bias from the response bins expected to be relevant at each value. ``panzeri-treves-naive``:
        from those that occur; ``miller-madow`` is the same number. ``quadratic-extrapolation``: the parabola in 1/n
        through all, halves and quarters of the stimuli. ``shuffle``: minus the mean over `n_shuffles` permutations.
        ``none``: the plug-in estimate.
    atom : bool
        Give responses of exactly 0 a bin of their own, where 0 is the smallest response and at least one in
        `response_bins` is 0; the other responses are split into the remaining bins.
    n_shuffles : int
        Permutations of the correction ``shuffle``; other corrections use none.
    seed : int
        Seed of permutations and of the parts for the extrapolation.

    Returns
    -------
    array (unit,)
        Bits. The plug-in estimate lies between 0 and log2 of the bins; a corrected one may be below 0, and is left there,
        as cutting it off would bias the mean over units. 0 for a unit or property that is constant.

    Raises
    ------
    TooFew
        For no units, or fewer stimuli than bins.
    BadInput
        For values or responses that are NaN, shapes that do not fit, or a discrete property with fewer than two stimuli
        a value: then the information would be no more than the entropy of the responses.

    When it misleads
    ----------------
    Bins lose information: of 0.32 bit in a Gaussian channel 3 response bins and 10 value bins keep 0.23. So compare
    stages and properties in the same bins, and never with an estimator without bins. With less than 4 stimuli a cell
    corrections leave bias: 8 x 16 bins and 380 stimuli read 0.02 bit where there is none, and -0.07 by extrapolation. The
    shuffle correction takes too much off informative units; as a baseline beside the number (`information_table`) it
    is always worth having. A property that goes along with another (size with luminance) brings that one's information.

    References
    ----------
    Panzeri & Treves 1996, doi:10.1088/0954-898X/7/1/006; Panzeri et al. 2007, doi:10.1152/jn.00559.2007; as used by
    Tafazoli et al. 2017, doi:10.7554/eLife.22794.

    Examples
    --------
    >>> import numpy as np
    >>> luminance = np.tile([0.1, 0.2, 0.4, 0.8], 25)
    >>> bright, blind = luminance > 0.3, np.repeat([0.0, 1.0], 50)
    >>> unit_information(np.stack([bright, blind], axis=1), luminance, correction="none").round(3).tolist()
    [1.0, 0.001]
    """
    table = information_table(
        responses,
        {"values": values},
        response_bins=response_bins,
        value_bins=value_bins,
        binning=binning,
        correction=correction,
        atom=atom,
        n_shuffles=n_shuffles if correction == "shuffle" else 0,
        seed=seed,
    )
    return np.asarray(table.corrected[0])
