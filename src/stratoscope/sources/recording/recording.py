"""A recording as a hierarchy: areas are stages, neurons are units, and the responses are means over trials."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.sources.arrays import Arrays
from stratoscope.sources.recording.checks import check_areas, check_ids, extra_columns
from stratoscope.sources.recording.counting import Window, count_spikes
from stratoscope.sources.recording.hierarchies import order_areas, order_in_words
from stratoscope.sources.recording.psth import latencies
from stratoscope.sources.recording.spikes import Spikes
from stratoscope.sources.recording.trial_counts import TrialCounts, check_complete, trials_as_stimuli
from stratoscope.sources.recording.words import remark, trials_in_numbers
from stratoscope.types import Floats, Integers, Played, Responses, Stage, Stimuli, Visit


@dataclass(frozen=True, eq=False, repr=False)
class Recording:
    """Neurons of one or several areas, played like any other source: each stimulus answers with its mean over trials.

    Parameters
    ----------
    data : Spikes or TrialCounts
        What was recorded. Spikes are counted from onset to offset, unless `count` says otherwise.
    name : str
        Name of the hierarchy.
    areas : sequence of str, optional
        Areas in order, from the first to the last stage; the units of others are left out. By default all, in the order
        of a hierarchy that knows all their names (see `hierarchies.KNOWN`), else as the table of units lists them.
    ids : sequence of str, optional
        Stimuli, in the order of the responses; by default as they were first shown.
    columns : mapping of str to array (stimulus,)
        Properties of the stimuli, in the order of `ids`, which then must be given. ``category`` is what metrics per category use.
    counted : TrialCounts, optional
        How spikes were counted; `count` makes it.
    notes : tuple of str
        What a reader must know about the recording.

    Raises
    ------
    TooFew
        An area with fewer than three units.
    BadInput
        A stimulus of `ids` without presentation, a presentation of a stimulus that is not in `ids`.
    UnknownName
        An area without units.

    Notes
    -----
    When it misleads: means over few trials are noisy, and noise has many dimensions: two areas that differ in trials,
    rates or number of units differ in every dimension estimate, whatever they code. Compare them with equal numbers
    and beside a noise floor.

    Examples
    --------
    >>> from stratoscope.sources.recording import Presentations, TrialCounts, Units
    >>> units = Units(range(6), ["V1"] * 3 + ["LL"] * 3)
    >>> counts = np.random.default_rng(0).poisson(5.0, (40, 6))
    >>> recording = Recording(TrialCounts(counts, units, Presentations(np.arange(40) % 10)))
    >>> [(stage.name, stage.n_units) for stage in recording.stages]
    [('V1', 3), ('LL', 3)]
    """

    data: Spikes | TrialCounts
    name: str = "recording"
    areas: Sequence[str] | None = None
    ids: Sequence[str] | None = None
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    counted: TrialCounts | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        areas = order_areas(self.data.units.areas, self.areas)
        inside = np.isin(self.data.units.area, areas)
        if not inside.all():
            object.__setattr__(self, "data", self.data.take_units(inside))
            if self.counted is not None:
                object.__setattr__(self, "counted", self.counted.take_units(inside))
        check_areas(self.data.units.area, areas)
        object.__setattr__(self, "areas", areas)
        shown = self.data.presentations.stimuli
        ids = shown if self.ids is None else tuple(str(id_) for id_ in self.ids)
        check_ids(ids, shown, given=self.ids is not None, columns=self.columns)
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "columns", extra_columns(self.columns, len(ids), "stimuli"))

    @property
    def spikes(self) -> Spikes | None:
        """The spikes, or None where only counts are known."""
        return self.data if isinstance(self.data, Spikes) else None

    @cached_property
    def trials(self) -> TrialCounts:
        """Responses to single presentations; of several sessions with their repeats aligned."""
        if self.counted is not None:
            return self.counted
        return self.data if isinstance(self.data, TrialCounts) else count_spikes(self.data, aligned=self._several)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """One stage an area."""
        areas = tuple(self.areas or ())
        depths = np.linspace(0, 1, len(areas)) if len(areas) > 1 else [1.0]
        sizes = [int((self.data.units.area == area).sum()) for area in areas]
        return tuple(
            Stage(area, float(depth), "area", (n,), "neuron", n, "flat", self.name)
            for area, depth, n in zip(areas, depths, sizes, strict=True)
        )

    def count(
        self,
        window: Window | None = None,
        *,
        latency: Any = None,
        baseline: Window | None = None,
        **options: Any,
    ) -> Recording:
        """Return the recording with its spikes counted in another window; see `count_spikes`.

        Parameters
        ----------
        window, baseline : (float, float), optional
            Seconds after onset.
        latency : 'unit' or array (unit,), optional
            ``unit`` finds the latency of every unit with `latencies`.
        **options
            Further options of `count_spikes`.

        Raises
        ------
        BadInput
            A recording without spikes.
        """
        if self.spikes is None:
            raise BadInput(
                f"{self.name!r} holds counts ({self.trials.counted}), so no other window can be counted. Open its spikes."
            )
        late = latencies(self.spikes) if isinstance(latency, str) and latency == "unit" else latency
        options = {"aligned": self._several, **options}
        counted = count_spikes(self.spikes, window, latency=late, baseline=baseline, **options)
        return replace(self, counted=counted)

    def take_units(self, rows: Any) -> Recording:
        """Return the recording of the units in `rows` (positions, or true for those kept), as a `Selection` has them."""
        counted = None if self.counted is None else self.counted.take_units(rows)
        data = self.data.take_units(rows)
        areas = [area for area in self.areas or () if area in data.units.areas]
        return replace(self, data=data, counted=counted, areas=areas)

    def responses(self, area: str | None = None) -> Floats:
        """Return the mean responses (stimulus, unit) of one area, or of all units; NaN where a unit has no trial."""
        counts = self.trials if area is None else self.trials.take_area(area)
        place = {id_: row for row, id_ in enumerate(counts.stimuli)}
        return counts.mean()[[place[id_] for id_ in self.ids or ()]]

    def trials_by_area(self, ids: Sequence[str] | None = None) -> dict[str, Floats]:
        """Return single trials of every area, (trial, stimulus, unit), NaN where a repeat is absent.

        Parameters
        ----------
        ids : sequence of str, optional
            Stimuli, in this order; by default all.
        """
        found = {}
        for area in self.areas or ():
            counts = self.trials.take_area(area)
            place = {id_: row for row, id_ in enumerate(counts.stimuli)}
            rows = [place[id_] for id_ in (self.ids or () if ids is None else ids)]
            found[area] = counts.by_trial()[rows].transpose(1, 0, 2)
        return found

    def complete(self, drop: str = "units") -> Recording:
        """Leave out the units that miss a stimulus (``units``), or the stimuli that a unit misses (``stimuli``)."""
        missing = self.trials.n_trials() == 0
        if drop == "units":
            kept = ~missing.any(0)
            left = replace(self, notes=(*self.notes, f"{(~kept).sum()} units that missed a stimulus were left out."))
            return left.take_units(kept)
        if drop == "stimuli":
            return self._without({id_ for id_, lost in zip(self.trials.stimuli, missing.any(1), strict=True) if lost})
        raise BadInput(f"What is left out to make a recording complete is 'units' or 'stimuli'; it is {drop!r}.")

    def single_trials(self) -> Recording:
        """Return a recording in which every presentation is a stimulus of its own, with columns ``stimulus`` and ``trial``.

        Only presentations in which every unit was recorded are kept; of several sessions make a `pseudo_population` first.

        Raises
        ------
        BadInput
            No presentation in which every unit was recorded.
        """
        data, rows = trials_as_stimuli(self.trials)
        shown = self.trials.presentations.take(rows)
        place = [(self.ids or ()).index(id_) for id_ in self.trials.stimuli]
        codes = np.array(place)[self.trials.presentations.codes[rows]]
        columns = {name: values[codes] for name, values in self.columns.items()}
        columns |= {"stimulus": shown.stimulus, "trial": np.asarray(shown.trial)}
        said = f"Single trials: {len(rows)} of {len(self.trials.presentations)} presentations had all units."
        name, notes = f"{self.name} (single trials)", (*self.notes, said)
        return Recording(data, name, self.areas, data.stimuli, columns, notes=notes)

    def stimuli(self) -> Stimuli:
        """Return the stimuli that were shown: ids and columns, without images."""
        own = self._arrays.stimuli()
        return replace(
            own, name=f"stimuli of {self.name}", notes=(*self.notes, remark(self.name, self.stages, self.trials))
        )

    def play(
        self,
        stimuli: Stimuli,
        visit: Visit,
        *,
        batch_size: int = 32,
        workers: int = 2,
        skip_unreadable: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Played:
        """Hand the mean responses to `stimuli`, found by their ids, to `visit`.

        Raises
        ------
        BadInput
            Stimuli that were not shown, or that a unit has no trial of.
        """
        stages = {stage.name: stage for stage in self.stages}

        def hand_over(stage: Stage, rows: Integers, responses: Responses) -> None:
            visit(stages[stage.name], rows, responses)

        arrays, options = self._arrays, {"batch_size": batch_size, "workers": workers}
        return arrays.play(stimuli, hand_over, **options, skip_unreadable=skip_unreadable, progress=progress)

    def describe(self) -> dict[str, Any]:
        """Say what this is, as plain values."""
        return {
            "opener": "recording",
            "name": self.name,
            "areas": {stage.name: stage.n_units for stage in self.stages},
            "order_of_areas": order_in_words(self.data.units.areas, self.areas or ()),
            "sessions": len(set(self.data.units.session.tolist())),
            "stimuli": len(self.ids or ()),
            "trials": trials_in_numbers(self.trials),
            "responses": f"mean over trials of {self.trials.counted}",
            "responses_sha256": hashlib.sha256(np.ascontiguousarray(self.responses()).tobytes()).hexdigest()[:16],
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        areas = ", ".join(f"{stage.name} {stage.n_units}" for stage in self.stages)
        kind = "spikes" if self.spikes is not None else "counts"
        return f"Recording({self.name!r}, {kind}, units {areas}, {len(self.ids or ())} stimuli)"

    @property
    def _several(self) -> bool:
        """Whether there are several sessions."""
        return len(set(self.data.units.session.tolist())) > 1

    @cached_property
    def _arrays(self) -> Arrays:
        """The mean responses of every area, complete."""
        check_complete(self.trials)
        means = {area: self.responses(area) for area in self.areas or ()}
        return Arrays(means, ids=self.ids, unit="neuron", name=self.name, columns=self.columns)

    def _without(self, lost: set[str]) -> Recording:
        """Return the recording without the stimuli in `lost`."""
        kept = [row for row, id_ in enumerate(self.ids or ()) if id_ not in lost]
        shown = np.array([id_ not in lost for id_ in self.trials.presentations.stimulus.tolist()])
        if not kept:
            raise BadInput(f"Every stimulus of {self.name!r} is missed by a unit. Leave units out: complete('units').")
        return Recording(
            self.trials.take_presentations(shown),
            self.name,
            self.areas,
            [(self.ids or ())[row] for row in kept],
            {name: values[kept] for name, values in self.columns.items()},
            notes=(*self.notes, f"{len(lost)} stimuli that a unit missed were left out."),
        )
