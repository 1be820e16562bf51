"""Everything about a study that is found out on one stimulus, before the first pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stratoscope.errors import StratoscopeError, unknown_name
from stratoscope.measure.record import Settings
from stratoscope.sources.network import Network
from stratoscope.studies.hear import checked_categories, checked_units, room
from stratoscope.studies.liu2020.claims import Layout
from stratoscope.studies.liu2020.lesion_set import Lesion, check_models, planned
from stratoscope.studies.liu2020.readout import Readout, check_readout, require_sklearn
from stratoscope.studies.remember import remembered
from stratoscope.types import Source, Stage, Stimuli


@dataclass(frozen=True)
class Plan:
    """Everything that was found out before the first pass."""

    source: Source
    stimuli: Stimuli
    readout_stimuli: Stimuli | None
    readout: Readout | None
    lesions: tuple[Lesion, ...]
    n_models: int | Mapping[str, int]
    layout: Layout
    notes: tuple[str, ...]

    @property
    def elsewhere(self) -> bool:
        """Whether the read-out has stimuli of its own."""
        return self.readout is not None and self.readout_stimuli is not None


def make_plan(
    source: Source,
    stimuli: Stimuli,
    readout_stimuli: Stimuli | None,
    readout_stage: str | None,
    readout: Readout | None,
    stages: str | Sequence[str] | None,
    unit: str | Sequence[str],
    asked_lesions: str | Sequence[str] | None,
    n_models: int | Mapping[str, int],
    settings: Settings,
) -> Plan:
    """Check everything on one stimulus."""
    checked_categories(stimuli)
    prepared = source.select(stages=stages, unit=unit).prepare(stimuli) if isinstance(source, Network) else source
    chosen = checked_units(prepared.stages)
    notes: list[str] = []
    stage = _readout_stage(chosen, readout_stage)
    if readout is not None:
        readout, why = _possible(readout, readout_stimuli, stimuli)
        notes += [why] if why else []
    kept = stage if readout is not None else ""
    left = room(chosen, stimuli, "" if readout_stimuli is not None else kept, settings.budget)
    if readout is not None and readout_stimuli is not None:
        left = min(left, room(chosen, readout_stimuli, kept, settings.budget))
    made, remarks = planned(prepared, stimuli, asked_lesions, settings.seed)
    check_models(n_models, made)
    said = str(prepared.describe().get("lesion") or "")
    base = "" if said == "intact" else said
    elsewhere = readout is not None and readout_stimuli is not None
    hierarchy = elsewhere_name(chosen[0].hierarchy, readout_stimuli) if elsewhere else chosen[0].hierarchy
    layout = Layout(chosen, tuple(lesion.name for lesion in made), base, kept, hierarchy if kept else "")
    cached = remembered(stimuli, left) if made and isinstance(prepared, Network) else stimuli
    return Plan(prepared, cached, readout_stimuli, readout, tuple(made), n_models, layout, (*notes, *remarks))


def _readout_stage(stages: Sequence[Stage], wanted: str | None) -> str:
    names = [stage.name for stage in stages]
    if wanted is not None and wanted not in names:
        raise unknown_name("stage of this study", wanted, names)
    return names[-1] if wanted is None else wanted


def _possible(readout: Readout, own: Stimuli | None, stimuli: Stimuli) -> tuple[Readout | None, str]:
    """Refuse stimuli given for a read-out that cannot be read out; leave the read-out of others out, and say so."""
    require_sklearn()
    codes, names = checked_categories(stimuli if own is None else own)
    try:
        check_readout(codes, names, readout)
    except StratoscopeError as error:
        if own is not None:
            raise
        return None, f"There is no read-out. {error}"
    return readout, ""


def elsewhere_name(hierarchy: str, stimuli: Stimuli | None) -> str:
    """Name the hierarchy that holds what was measured on the stimuli of the read-out."""
    return f"{hierarchy} on {stimuli.name}" if stimuli is not None else hierarchy
