"""Information of every unit of a stage about several properties, corrected and tested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import unknown_name
from stratoscope.metrics.information.measure import Measured, measure_tile
from stratoscope.metrics.information.plan import Options, Plan, make_plan
from stratoscope.metrics.information.properties import PER_CELL, check_width
from stratoscope.metrics.information.tiles import Blocks, tiles
from stratoscope.summaries.threads import in_threads
from stratoscope.types import Floats

UNITS_AT_A_TIME = 512


@dataclass(frozen=True)
class InformationTable:
    """Information in bits, property by unit, with its null.

    Attributes
    ----------
    properties : tuple of str
        Names, in the order that was given.
    plugin, corrected : array (property, unit)
        Plug-in information, and the same after the correction; the latter may fall below 0.
    null_mean, null_sd : array (property, unit)
        Mean and standard deviation of the plug-in information under permutations of the stimuli; NaN without.
    p : array (property, unit)
        (1 + permutations that reach the observed plug-in information) / (1 + permutations); NaN without.
    z : array (property, unit)
        (plug-in - null mean) / null sd; NaN without permutations and where the null does not vary.
    response_bins : array (unit,)
        Response bins that occur; 1 for a unit that never changes.
    value_bins : array (property,)
        Bins of every property that hold a stimulus.
    per_cell : array (property,)
        Stimuli for each cell of response bins and value bins, on average; below 4 corrections are not to be trusted.
    n : int
        Stimuli.
    n_shuffles, seed : int
        Permutations, and the seed they come from.
    correction, binning : str
    notes : tuple of str
        What a reader must know.
    """

    properties: tuple[str, ...]
    plugin: Floats
    corrected: Floats
    null_mean: Floats
    null_sd: Floats
    p: Floats
    z: Floats
    response_bins: NDArray[np.int64]
    value_bins: NDArray[np.int64]
    per_cell: Floats
    n: int
    n_shuffles: int
    seed: int
    correction: str
    binning: str
    notes: tuple[str, ...] = ()

    def of(self, name: str) -> dict[str, Floats]:
        """Return the arrays (unit,) of the property `name`, by the names of the attributes."""
        if name not in self.properties:
            raise unknown_name("property", name, self.properties)
        row = self.properties.index(name)
        fields = ("plugin", "corrected", "null_mean", "null_sd", "p", "z")
        return {one: getattr(self, one)[row] for one in fields}


def information_table(
    responses: Blocks,
    properties: Mapping[str, Any],
    *,
    response_bins: int = 3,
    value_bins: int | Mapping[str, int | None] | None = None,
    binning: str = "equipopulated",
    correction: str = "panzeri-treves",
    atom: bool = True,
    n_shuffles: int = 0,
    seed: int = 0,
    units_at_a_time: int = UNITS_AT_A_TIME,
) -> InformationTable:
    """Information of every unit about every property, corrected for the number of stimuli and tested by permutation.

    Parameters
    ----------
    responses : array (stimulus, unit), iterable or callable
        Finite responses. Or blocks of neighbouring units in order, (stimulus, unit) or ``(start, block)``, as
        ``Spool.blocks()`` yields them, or a function that returns such blocks: then the stage is never held whole.
    properties : mapping of str to array (stimulus,) or (stimulus, unit)
        Values of the same stimuli in the same order; (stimulus, unit) where they differ between units, as the
        luminance in receptive fields does. How they become bins is said in `unit_information`.
    response_bins, binning, correction, atom, seed
        As in `unit_information`.
    value_bins : int, None, or mapping of str to int or None
        As in `unit_information`, for all properties or for each; a property that the mapping does not name gets None.
    n_shuffles : int
        Permutations of the stimuli; the same ones serve every unit and property, however responses come in blocks.
    units_at_a_time : int
        Units whose counts are held at a time; changes speed and memory, and no number.

    Returns
    -------
    InformationTable

    Raises
    ------
    TooFew
        For no units, or fewer stimuli than bins.
    BadInput
        For responses or properties that are NaN or do not fit each other; see `unit_information`.

    When it misleads
    ----------------
    As `unit_information`. Permutations assume that stimuli are exchangeable: views of few objects are not, when the
    question is about other objects. With 100 permutations no p lies below 0.0099; correct for the number of units. Units
    share the permutations, so how many units are significant by chance varies more than independent tests would.

    References
    ----------
    As `unit_information`.

    Examples
    --------
    >>> import numpy as np
    >>> shape = np.repeat([0, 1], 50)
    >>> table = information_table(shape[:, None] + [[0.0, 5.0]], {"shape": shape}, n_shuffles=19)
    >>> table.of("shape")["plugin"].round(6).tolist(), table.p.tolist()
    ([1.0, 1.0], [[0.05, 0.05]])
    """
    options = Options(response_bins, binning, correction, atom, n_shuffles, seed)
    n, parts = tiles(responses, units_at_a_time, "information_table")
    plan = make_plan(properties, n, value_bins, options)
    return _assemble(list(properties), plan, list(in_threads(lambda part: measure_tile(*part, plan=plan), parts)))


def _assemble(names: Sequence[str], plan: Plan, measured: Sequence[Measured]) -> InformationTable:
    order = [[one.name for one in plan.properties].index(name) for name in names]
    chosen = [plan.properties[i] for i in order]
    fields = ("plugin", "corrected", "null_mean", "null_sd", "p", "z")
    arrays = {one: np.concatenate([getattr(part, one) for part in measured], axis=1)[order] for one in fields}
    occurring = np.concatenate([part.occurring for part in measured])
    for one in plan.own:
        check_width(one.codes, len(occurring), f"The property {one.name!r}")
    value_bins = np.array([one.n_bins for one in chosen])
    per_cell = plan.n / (value_bins * max(int(occurring.max()), 1))
    notes = [one.note for one in chosen if one.note] + list(_notes(names, per_cell, occurring, plan))
    options = plan.options
    return InformationTable(
        properties=tuple(names),
        **arrays,
        response_bins=occurring,
        value_bins=value_bins,
        per_cell=per_cell,
        n=plan.n,
        n_shuffles=options.n_shuffles,
        seed=options.seed,
        correction=options.correction,
        binning=options.binning,
        notes=tuple(notes),
    )


def _notes(names: Sequence[str], per_cell: Floats, occurring: NDArray[np.int64], plan: Plan) -> Iterable[str]:
    for name, cell in zip(names, per_cell, strict=True):
        if cell < PER_CELL:
            yield (
                f"{name} has {cell:.1f} stimuli for each cell of response bins and value bins, fewer than the {PER_CELL} "
                "that bias corrections need: compare with shuffled stimuli, or take fewer bins."
            )
    silent = int((occurring < 2).sum())
    if silent:
        yield f"{silent} of {len(occurring)} units have one response to all stimuli, and 0 bits."
    fewer = int(((occurring > 1) & (occurring < plan.options.response_bins)).sum())
    if fewer:
        yield f"{fewer} of {len(occurring)} units keep fewer than {plan.options.response_bins} bins: responses are equal."
