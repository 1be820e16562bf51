"""Everything about the study that is found out before the first long pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.measure.record import Settings
from stratoscope.metrics.readout.folds import place_in_label
from stratoscope.metrics.readout.view_splits import AXIS_COLUMNS
from stratoscope.sources.network import Network
from stratoscope.stimuli.join import join_stimuli
from stratoscope.studies.hear import checked_units
from stratoscope.studies.muratore2022.fields import InFields, bytes_held, in_fields, measured_properties
from stratoscope.studies.muratore2022.keep import room_for
from stratoscope.studies.muratore2022.models import Model, planned_models
from stratoscope.studies.muratore2022.protocol import PROPERTIES, Protocol
from stratoscope.studies.muratore2022.seen import Seen, seen_properties
from stratoscope.studies.muratore2022.units import sampled_units
from stratoscope.studies.remember import remembered
from stratoscope.types import Integers, Source, Stage, Stimuli


@dataclass(frozen=True)
class Sets:
    """The stimuli that are played, and which of them serve what.

    Attributes
    ----------
    stimuli : Stimuli
        All of them.
    views : array of int
        Rows of the views that objects are read out from.
    dense : array of int
        Rows that information is measured on.
    dimension : array of int
        Rows that the dimension is estimated on, ascending, among `dense`.
    objects : array (stimulus,) or None
        Object of every stimulus; None where there are no two objects with two views each.
    where : mapping of str to array (view,)
        Columns that say where each of `views` lies; empty where there are no objects.
    """

    stimuli: Stimuli
    views: Integers
    dense: Integers
    dimension: Integers
    objects: NDArray[np.str_] | None
    where: Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Plan:
    """Everything that was found out before the first pass.

    Attributes
    ----------
    source : Source
        The trained source, prepared.
    base : str
        What was done to it before the study, empty for nothing.
    models : tuple of Model
        Untrained models and checkpoints, in the order they are played.
    untrained : tuple of str
        Meanings of untrained; the claims are about the first.
    sets : Sets
    seen : Seen
    in_fields : mapping of str to mapping of str to array
        Properties of the stimuli of information as the units of each stage see them; empty where all see the image.
    units : mapping of str to array
        Units looked at one by one, by stage.
    n_matched : int
        Units of the narrowest stage, for matching.
    sizes : tuple of int
        Sizes of populations that every stage has.
    room : int
        Bytes that a pass may use for spools.
    notes : tuple of str
    """

    source: Source
    base: str
    models: tuple[Model, ...]
    untrained: tuple[str, ...]
    sets: Sets
    seen: Seen
    in_fields: InFields
    units: Mapping[str, Integers]
    n_matched: int
    sizes: tuple[int, ...]
    room: int
    notes: tuple[str, ...]

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in order."""
        return self.source.stages


def make_plan(
    source: Source,
    stimuli: Stimuli,
    dense: Stimuli | None,
    *,
    stages: str | Sequence[str] | None,
    unit: str,
    objects: str | None,
    untrained: str | Sequence[str] | None,
    checkpoints: Sequence[str | Path | Network],
    n_models: int,
    protocol: Protocol,
    settings: Settings,
) -> Plan:
    """Check everything on one stimulus and on the images; nothing is played yet."""
    sets, notes = made_sets(stimuli, dense, objects, protocol)
    prepared = source.select(stages=stages, unit=unit).prepare(sets.stimuli) if isinstance(source, Network) else source
    checked_units(prepared.stages)
    models, kinds, remarks = planned_models(prepared, untrained, checkpoints, n_models=n_models, seed=settings.seed)
    units = {stage.name: sampled_units(stage, protocol.n_units, settings.seed) for stage in prepared.stages}
    names, told = measured_properties(protocol, prepared)
    held = bytes_held(prepared.stages, units, len(sets.dense), protocol)
    room = room_for(prepared.stages, units, len(sets.stimuli), len(sets.dimension), settings.budget, held)
    cached = remembered(sets.stimuli, room // 2)
    seen = seen_properties(
        prepared,
        cached,
        names,
        sets.dense,
        workers=settings.workers,
        asked=protocol.properties != PROPERTIES,
    )
    narrowest = min(len(chosen) for chosen in units.values())
    said = prepared.lesion if isinstance(prepared, Network) else ""
    return Plan(
        prepared,
        "" if said == "intact" else said,
        models,
        kinds,
        replace(sets, stimuli=cached),
        seen,
        in_fields(prepared, cached.take(sets.dense), units, tuple(seen.values), protocol),
        units,
        narrowest,
        tuple(size for size in protocol.population_sizes if size <= narrowest) or (narrowest,),
        room - room // 2,
        (*notes, *remarks, *told, *seen.notes),
    )


def made_sets(
    stimuli: Stimuli, dense: Stimuli | None, column: str | None, protocol: Protocol
) -> tuple[Sets, tuple[str, ...]]:
    """Join the stimuli into one set, and say which of them serve what, and what cannot be measured on them."""
    joined = stimuli if dense is None else join_stimuli([stimuli, dense])
    views = np.arange(len(stimuli))
    rows = views if dense is None else np.arange(len(stimuli), len(joined))
    if len(rows) < 20:
        raise TooFew(f"Information and dimension need at least 20 stimuli, but {len(rows)} came. Show more views.")
    objects, why = _objects(joined, stimuli, column)
    if objects is None and (column is not None or dense is not None):
        raise BadInput(
            f"{why} The views were given for it: give views of several objects, or one set of stimuli alone."
        )
    chosen = _even(rows, None if objects is None else objects[rows], protocol.dimension_stimuli, protocol.seed)
    if objects is None:
        return Sets(joined, views, rows, chosen, None, {}), (f"Nothing was measured about objects. {why}",)
    where, note = _where(stimuli, objects[views])
    return Sets(joined, views, rows, chosen, objects, where), (note,) if note else ()


def _where(stimuli: Stimuli, objects: NDArray[np.str_]) -> tuple[dict[str, NDArray[Any]], str]:
    """Return the columns that say where a view lies, and a note where there are none and views are counted."""
    known = ("view",) if "view" in stimuli.columns else tuple(dict.fromkeys(sum(AXIS_COLUMNS.values(), ())))
    found = {name: np.asarray(stimuli.columns[name]) for name in known if name in stimuli.columns}
    if found:
        return found, ""
    codes = np.unique(objects, return_inverse=True)[1]
    return {"view": place_in_label(codes)}, (
        f"{stimuli.name!r} has no column that says which view is shown, such as 'view', so views were counted within each "
        "object in the order of the set, and views of one number taken as the same view of several objects."
    )


def _objects(joined: Stimuli, views: Stimuli, column: str | None) -> tuple[NDArray[np.str_] | None, str]:
    """Return the object of every stimulus, or why there is none that can be read out."""
    if column is not None and column not in joined.columns:
        raise unknown_name("column of these stimuli", column, joined.columns)
    name = column or next((one for one in ("object", "category") if one in joined.columns), None)
    if name is None:
        return None, f"{views.name!r} has neither a column 'object' nor 'category'."
    shown, counts = np.unique(np.asarray(views.columns[name]).astype(str), return_counts=True)
    if len(shown) < 2:
        return None, f"{views.name!r} shows one object, {str(shown[0])!r}."
    if counts.min() < 2:
        few = [str(one) for one, count in zip(shown, counts, strict=True) if count < 2]
        return (
            None,
            f"{len(few)} of {len(shown)} objects of {views.name!r} are shown in one view alone, such as {few[0]!r}.",
        )
    return np.asarray(joined.columns[name]).astype(str), ""


def _even(rows: Integers, objects: NDArray[np.str_] | None, n: int, seed: int) -> Integers:
    """Return up to `n` of `rows`, ascending, drawn at random with as many of each object as can be."""
    if len(rows) <= n:
        return rows
    mixed = np.random.default_rng(seed).permutation(len(rows))
    if objects is None:
        return np.sort(rows[mixed[:n]])
    place = place_in_label(np.unique(objects, return_inverse=True)[1][mixed])
    return np.sort(rows[mixed[np.argsort(place, kind="stable")[:n]]])
