"""View-invariant object information: which of two objects was shown, whatever the view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics.information.object_tiles import (
    Luminance,
    MeasuredPairs,
    Setup,
    measure_pairs,
    read_luminance,
)
from stratoscope.metrics.information.pairs import read_objects, read_pairs
from stratoscope.metrics.information.plan import Options, plan_of
from stratoscope.metrics.information.properties import Property, check_width
from stratoscope.metrics.information.table import UNITS_AT_A_TIME
from stratoscope.metrics.information.tiles import Blocks, tiles
from stratoscope.summaries.threads import in_threads
from stratoscope.types import Floats


@dataclass(frozen=True)
class ObjectInformation:
    """Information about which of two objects was shown, averaged over pairs, with its null and its control.

    Attributes
    ----------
    plugin, corrected : array (unit,)
        Bits, mean over the pairs that pass; NaN for a unit without such a pair.
    control : array (unit,)
        I(L;O), corrected, over the same pairs: what luminance alone tells about the object. NaN without luminance.
    n_pairs : array (unit,)
        Pairs that pass the threshold.
    null_mean, null_sd, p, z : array (unit,)
        Of the plug-in mean under permutations of the stimuli, as in `InformationTable`; NaN without.
    by_pair : array (pair, unit), or None
        Every pair, where asked for; corrected by Panzeri and Treves, or as the correction says where it is "none" or
        "panzeri-treves-naive"; NaN where the pair does not pass.
    objects : tuple of str
    pairs : tuple of (str, str)
    threshold : float
        Smallest luminosity ratio, exclusive.
    n, n_shuffles, seed : int
        Stimuli, permutations, and their seed.
    correction : str
    notes : tuple of str
        What a reader must know.
    """

    plugin: Floats
    corrected: Floats
    control: Floats
    n_pairs: NDArray[np.int64]
    null_mean: Floats
    null_sd: Floats
    p: Floats
    z: Floats
    by_pair: Floats | None
    objects: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    threshold: float
    n: int
    n_shuffles: int
    seed: int
    correction: str
    notes: tuple[str, ...] = ()


def object_information(
    responses: Blocks,
    objects: Any,
    *,
    luminance: Any = None,
    threshold: float = 0.9,
    pairs: Iterable[tuple[Any, Any]] | None = None,
    response_bins: int = 3,
    luminance_bins: int | None = None,
    binning: str = "equipopulated",
    correction: str = "panzeri-treves",
    atom: bool = True,
    n_shuffles: int = 0,
    seed: int = 0,
    keep_pairs: bool = False,
    units_at_a_time: int = UNITS_AT_A_TIME,
) -> ObjectInformation:
    """Information of every unit about which of two objects was shown, all views pooled, averaged over pairs.

    For a pair, I(R;O) is the information between the response and the object over the stimuli that show one of the
    two. With I(R;S) = I(R;T|O) + I(R;O) it is what is left when the view T is not asked for.

    Parameters
    ----------
    responses : array (stimulus, unit), or blocks of it
        As in `information_table`. Bins are those of all stimuli, also of objects in no pair.
    objects : array (stimulus,)
        Object of every stimulus, each shown under at least 2 views.
    luminance : array (stimulus,) or (stimulus, unit), optional
        Luminance of every stimulus, not negative, such as `rf_luminance`; without it every pair counts.
    threshold : float
        Pairs count where the mean luminance of the dimmer object over that of the brighter one is above it, for each
        unit by its own luminance. 0.9 is used for single units and 0.8 for populations; 0 keeps every pair.
    pairs : iterable of (object, object), optional
        Pairs to look at; every two objects without.
    luminance_bins : int, optional
        Equipopulated bins of luminance for the control; 10, or as many as leave every cell 4 stimuli.
    response_bins, binning, correction, atom, seed, units_at_a_time
        As in `information_table`.
    n_shuffles : int
        Permutations of the stimuli.
    keep_pairs : bool
        Keep every pair's information too, 8 bytes a pair and unit.

    Returns
    -------
    ObjectInformation

    Raises
    ------
    TooFew
        For one object, or an object with one view.
    BadInput
        For NaN, negative luminance, a threshold outside 0 to 1, or shapes that do not fit.
    UnknownName
        For a pair with an object that is not there.

    When it misleads
    ----------------
    Objects differ in luminance, and a unit that only measures light tells them apart: look at `control`, and at
    `n_pairs`, which a high threshold makes small and another set for every unit. One bin edge serves all pairs, so a
    unit that answers two objects strongly but differently within its top bin reads 0. Few views make few stimuli a
    cell; the permutation shuffles stimuli of all objects and not only of the pair.

    References
    ----------
    Tafazoli et al. 2017, doi:10.7554/eLife.22794.

    Examples
    --------
    >>> import numpy as np
    >>> cup = np.repeat([0.0, 1.0], 20)
    >>> found = object_information(cup[:, None], np.where(cup > 0, "cup", "hat"), correction="none")
    >>> found.corrected.tolist(), found.pairs
    ([1.0], (('cup', 'hat'),))
    """
    options = Options(response_bins, binning, correction, atom, n_shuffles, seed)
    n, parts = tiles(responses, units_at_a_time, "object_information")
    options.check(n)
    light = read_luminance(luminance, threshold, luminance_bins, n, response_bins)
    setup = _set_up(objects, pairs, light, options, n)
    return _assemble(
        setup, list(in_threads(lambda part: measure_pairs(*part, setup=setup, keep_pairs=keep_pairs), parts)), threshold
    )


def _set_up(
    objects: Any, pairs: Iterable[tuple[Any, Any]] | None, luminance: Luminance | None, options: Options, n: int
) -> Setup:
    names, codes = read_objects(objects, n)
    plan = plan_of([Property("object", codes, len(names))], n, options)
    return Setup(tuple(names), read_pairs(pairs, names), plan, luminance)


def _assemble(setup: Setup, measured: Sequence[MeasuredPairs], threshold: float) -> ObjectInformation:
    fields = ("plugin", "corrected", "control", "n_pairs", "null_mean", "null_sd", "p", "z")
    arrays = {one: np.concatenate([getattr(part, one) for part in measured]) for one in fields}
    if setup.luminance and setup.luminance.values.ndim == 2:
        check_width(setup.luminance.values, len(arrays["plugin"]), "Luminance")
    kept = [part.by_pair for part in measured if part.by_pair is not None]
    options = setup.plan.options
    return ObjectInformation(
        **arrays,
        by_pair=np.concatenate(kept, axis=1) if kept else None,
        objects=setup.names,
        pairs=tuple((setup.names[a], setup.names[b]) for a, b in setup.pairs),
        threshold=threshold if setup.luminance else 0.0,
        n=setup.plan.n,
        n_shuffles=options.n_shuffles,
        seed=options.seed,
        correction=options.correction,
        notes=tuple(_notes(setup, arrays["n_pairs"], threshold)),
    )


def _notes(setup: Setup, n_pairs: NDArray[np.int64], threshold: float) -> Iterable[str]:
    if setup.luminance is None:
        yield "No luminance was given: every pair counts, and objects may be told apart by their light."
        return
    none = int((n_pairs == 0).sum())
    if none:
        yield f"{none} of {len(n_pairs)} units have no pair with a luminosity ratio above {threshold:g}, and no number."
