"""Objects at one stage: what units and populations tell about which object is shown, whatever the view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import StratoscopeError
from stratoscope.metrics import object_information
from stratoscope.metrics.readout import (
    PopulationReadout,
    UnitReadout,
    population_generalization,
    population_separability,
    unit_generalization,
    unit_separability,
)
from stratoscope.object_pairs import luminosity_ratio
from stratoscope.studies.muratore2022.informed import SHUFFLED, WITHOUT_SILENT, without_variance
from stratoscope.studies.muratore2022.over_units import STATISTICS, drawn, resampled
from stratoscope.studies.muratore2022.protocol import Protocol
from stratoscope.studies.muratore2022.write import Writer
from stratoscope.types import Estimate, Floats

OBJECTS = "object_information"
LIGHT = "what luminance alone tells"
POPULATION = ("population_separability", "population_generalization")
UNIT = ("unit_separability", "unit_generalization")


@dataclass(frozen=True)
class Shown:
    """What the stimuli show.

    Attributes
    ----------
    objects : array (stimulus,)
    views : mapping of str to array (stimulus,)
        Columns that say where each view lies.
    luminance : array (stimulus,) or None
    """

    objects: NDArray[np.str_]
    views: Mapping[str, NDArray[Any]]
    luminance: Floats | None

    def take(self, rows: NDArray[np.int64]) -> Shown:
        """Return what the stimuli `rows` show."""
        light = None if self.luminance is None else self.luminance[rows]
        return Shown(self.objects[rows], {name: column[rows] for name, column in self.views.items()}, light)


def write_object_information(write: Writer, responses: NDArray[Any], shown: Shown, protocol: Protocol) -> None:
    """Write what single units tell about which of two objects of like luminance is shown, over `responses` to dense views."""
    try:
        found = object_information(
            responses, shown.objects, luminance=shown.luminance, threshold=protocol.pair_threshold,
            response_bins=protocol.response_bins, correction=protocol.correction, n_shuffles=protocol.n_shuffles,
            seed=protocol.seed,
        )  # fmt: skip
    except StratoscopeError as error:
        write.failed(OBJECTS, str(error))
        return
    silent = without_variance(responses)
    write.array(OBJECTS, found.corrected.astype(np.float32), "unit", unit="bits")
    versions = {
        "": (found.corrected, np.ones(len(silent), dtype=bool)),
        SHUFFLED: (found.plugin - found.null_mean, np.ones(len(silent), dtype=bool)),
        WITHOUT_SILENT: (found.corrected, ~silent),
        LIGHT: (found.control, np.ones(len(silent), dtype=bool)),
    }
    note = "; ".join(found.notes)
    for control, (values, units) in versions.items():
        _over_units(write, OBJECTS, values[units], protocol, control=control, note="" if control else note)


def write_readout(
    write: Writer, responses: NDArray[Any], shown: Shown, sizes: tuple[int, ...], protocol: Protocol
) -> None:
    """Write how well objects are told apart over all views, and in views that were not learnt, above chance, in bits."""
    few = responses[:, _some(responses.shape[1], protocol.n_readout_units)]
    pairs, drawn_pairs = told_apart(shown, protocol.pair_threshold, protocol)
    how: dict[str, Any] = {"seed": protocol.seed, **pairs}
    units: dict[str, Callable[[], UnitReadout]] = {
        UNIT[0]: lambda: unit_separability(few, shown.objects, views=shown.views, **how),
        UNIT[1]: lambda: unit_generalization(few, shown.objects, shown.views, n_draws=protocol.n_draws, **how),
    }
    for name, measure in units.items():
        try:
            found = measure()
        except StratoscopeError as error:
            write.failed(name, str(error))
            continue
        write.array(name, found.bits_above_chance.astype(np.float32), "readout_unit", unit="bits")
        _over_units(write, name, found.bits_above_chance, protocol, note=_joined(found.note, drawn_pairs))
    of_populations, drawn_of = told_apart(shown, protocol.population_threshold, protocol)
    rest: dict[str, Any] = {
        "sizes": sizes, "n_resamplings": protocol.n_populations, "decoder": protocol.decoder,
        "seed": protocol.seed, **of_populations,
    }  # fmt: skip
    populations: dict[str, Callable[[], PopulationReadout]] = {
        POPULATION[0]: lambda: population_separability(responses, shown.objects, views=shown.views, **rest),
        POPULATION[1]: lambda: population_generalization(responses, shown.objects, shown.views, **rest),
    }
    for name, measure_all in populations.items():
        try:
            _write_population(write, name, measure_all(), drawn_of)
        except StratoscopeError as error:
            write.failed(name, str(error), item=units_item(sizes[-1]))


def units_item(size: int) -> str:
    """Name the rows of populations of `size` units."""
    return f"{size} units"


def told_apart(shown: Shown, threshold: float, protocol: Protocol) -> tuple[dict[str, Any], str]:
    """Return which pairs of objects are read out, as options of the read-outs, and a note where they were drawn."""
    n = len(np.unique(shown.objects))
    alike = np.ones((n, n), dtype=bool)
    if shown.luminance is not None:
        alike = luminosity_ratio(shown.luminance, shown.objects) > threshold
    pairs = np.argwhere(np.triu(alike, k=1))
    if len(pairs) <= protocol.n_pairs:
        return {"luminance": shown.luminance, "threshold": threshold}, ""
    kept = np.sort(np.random.default_rng(protocol.seed).permutation(len(pairs))[: protocol.n_pairs])
    return {
        "pairs": pairs[kept]
    }, f"{protocol.n_pairs} of {len(pairs)} pairs of objects of like luminance, drawn at random"


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _write_population(write: Writer, name: str, found: PopulationReadout, drawn_pairs: str) -> None:
    numbers = {"": found.bits_above_chance, "accuracy": found.accuracy, "chance accuracy": found.chance_accuracy}
    note = _joined(found.note, drawn_pairs)
    for control, value in numbers.items():
        for place, size in enumerate(found.sizes):
            value_, low, high = (float(np.asarray(part)[place]) for part in (value.value, value.low, value.high))
            one = Estimate(value_, low, high, found.n, value.level, value.method, seed=value.seed, note=note)
            write.number(name, one, item=units_item(int(size)), control=control)


def _over_units(
    write: Writer, metric: str, values: Floats, protocol: Protocol, *, control: str = "", note: str = ""
) -> None:
    """Write what stands for the units that have a value."""
    known = values[np.isfinite(values)]
    if not len(known):
        write.failed(metric, note or "no unit has a value", control=control)
        return
    draws = resampled(len(known), protocol.n_resamples, protocol.seed)
    found = drawn((metric,), known[None], STATISTICS[protocol.over_units], draws)
    method = f"{protocol.over_units} over units; bootstrap of units"
    estimate = found.estimates(level=protocol.level, seed=protocol.seed, method=method)[metric]
    write.by_property(metric, {"": estimate}, control=control, note=note)


def _some(n_units: int, wanted: int) -> NDArray[np.int64]:
    """Return up to `wanted` of the sampled units, evenly over their order."""
    return np.unique(np.linspace(0, n_units - 1, min(n_units, wanted)).round().astype(np.int64))
