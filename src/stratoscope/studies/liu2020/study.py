"""The study as one call: the intact source, the read-out, every lesion, the claims; one pass of the stimuli for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from stratoscope.errors import StratoscopeError, unknown_name
from stratoscope.measure.budget import parse_bytes
from stratoscope.measure.listen import category_codes
from stratoscope.measure.record import Settings, record
from stratoscope.metrics.declare import METRICS
from stratoscope.results import Declared, Results, StageResult, check_target, declared
from stratoscope.sources.network import Network
from stratoscope.statistics.claims import judge_all
from stratoscope.statistics.correct import CORRECTIONS
from stratoscope.stimuli import choose_examples
from stratoscope.studies.hear import Heard, checked_categories, hear
from stratoscope.studies.liu2020.claims import sparse_coding_claims, survival
from stratoscope.studies.liu2020.distributions import EDGES
from stratoscope.studies.liu2020.lesion_set import N_MODELS
from stratoscope.studies.liu2020.performance import stepwise, with_readout
from stratoscope.studies.liu2020.plan import Plan, elsewhere_name, make_plan
from stratoscope.studies.liu2020.protocol import DECLARED, PSI, Protocol
from stratoscope.studies.liu2020.readout import ReadOut, Readout, read_out
from stratoscope.studies.liu2020.stages import Closing, close
from stratoscope.studies.record import Study, make_study
from stratoscope.types import Source, Stage, Stimuli

NAME = "sparse-coding"
_DECLARED_METRICS = (PSI, "dead_fraction", "constant_fraction")


def sparse_coding(
    source: Source,
    stimuli: Stimuli,
    *,
    readout_stimuli: Stimuli | None = None,
    readout_stage: str | None = None,
    readout: Readout | None = Readout(),  # noqa: B008 - a frozen record
    stages: str | Sequence[str] | None = "relu",
    unit: str | Sequence[str] = "channel",
    lesions: str | Sequence[str] | None = None,
    n_models: int | Mapping[str, int] = N_MODELS,
    protocol: Protocol | None = None,
    correction: str = "holm",
    seed: int = 0,
    batch_size: int = 32,
    workers: int = 2,
    budget: str | float = "4GB",
    skip_unreadable: bool = False,
    progress: bool = True,
    out: str | Path | None = None,
    overwrite: bool = False,
) -> Study:
    """Run the sparse-coding study of Liu, Zhen & Liu 2020 on any source and any stimuli with categories.

    The stimuli are played once through the intact source and once through every lesioned model.

    Parameters
    ----------
    source : Source
        A network; or responses that exist already, which cannot be lesioned.
    stimuli : Stimuli
        At least two categories.
    readout_stimuli : Stimuli, optional
        Other stimuli for the read-out and the sparseness that is correlated with it (the paper has Caltech256 there); by
        default `stimuli`, whose responses are then kept in the same pass.
    readout_stage : str, optional
        Stage to read out from; by default the last of the stages, the last hidden one.
    readout : Readout or None
        How categories are read out; None for not at all.
    stages : str or sequence of str, or None
        Stages of a network; by default every ReLU, as in the paper. A network with other non-linearities needs
        ``"activation"``. None keeps the source's own choice.
    unit : str or sequence of str
        What a unit is; one definition for all stages.
    lesions : str or sequence of str, optional
        ``default`` (permuted weights, permuted biases, gating removed, fresh initialisation), ``paper``, ``all``,
        ``none``, or names as in `stratoscope.studies.liu2020.lesion_set.ALL`, also with `` at STAGE`` or `` at each``.
    n_models : int or mapping of str to int
        Models of each random lesion, with seeds ``seed``, ``seed + 1`` ...; a mapping counts them by the name of the
        lesion, 10 where it names none. The paper permutes the ten models one after another; each is here a permutation
        of its own, which has the same distribution and can be made again by its seed.
    protocol : Protocol, optional
        How sparseness is measured and controlled. Its seed is overridden by `seed`.
    correction : str
        How p-values of the claims are corrected for their number; see `stratoscope.statistics.claims.judge_all`.
    seed : int
        Seed of everything random.
    batch_size, workers, budget, skip_unreadable, progress, out, overwrite
        As in `stratoscope.measure.profile`. What the budget leaves holds decoded stimuli, so that the passes over
        lesioned models do not decode them again.

    Returns
    -------
    Study

    Raises
    ------
    StratoscopeError
        For wrong names, stimuli without categories, lesions that cannot be made, and budgets; before the first pass.

    When it misleads
    ----------------
    The categories are the sample, and neighbouring stages share most of what they answer; a tau over all points has a tiny
    p-value for any two stages that differ. Read the permutation of stages beside it, and the controls first.

    References
    ----------
    Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158

    Examples
    --------
    >>> study = sparse_coding(source, st.open_stimuli("photos/"), out="run")  # doctest: +SKIP
    >>> print(study.findings[0])  # doctest: +SKIP
    """
    settings = Settings(batch_size, workers, parse_bytes(budget), seed, skip_unreadable, progress)
    if correction not in CORRECTIONS:
        raise unknown_name("correction", correction, CORRECTIONS)
    if out is not None:
        check_target(Path(out), overwrite=overwrite)
    asked = replace(protocol or Protocol(), seed=seed)
    plan = make_plan(
        source, stimuli, readout_stimuli, readout_stage, readout, stages, unit, lesions, n_models, settings
    )
    parts, told, steps = _passes(plan, asked, settings)
    findings = judge_all(
        sparse_coding_claims(plan.layout, asked.n_resamples),
        Results.combine(parts),
        correction=correction,
        level=asked.level,
        seed=seed,
    )
    protocol_said = {
        **asked.as_dict(),
        "correction": correction,
        "n_models": n_models if isinstance(n_models, int) else dict(n_models),
        "lesions": [lesion.name for lesion in plan.lesions],
        "readout": {} if plan.readout is None else {**plan.readout.as_dict(), "stage": plan.layout.readout_stage},
        "stepwise": steps,
        "panels": {name: [stage.name for stage in group] for name, group in plan.layout.panels.items()},
    }
    study = make_study(parts, NAME, protocol_said, findings, survival(findings), (*plan.notes, *told))
    if out is not None:
        study.save(out, overwrite=overwrite)
    return study


def _passes(plan: Plan, protocol: Protocol, settings: Settings) -> tuple[list[Results], list[str], dict[str, Any]]:
    """Play everything; return the runs, remarks, and the stepwise regression."""
    layout = plan.layout
    steps: dict[str, Any] = {}
    kept = "" if plan.elsewhere else layout.readout_stage
    heard = hear(plan.source, plan.stimuli, kept=kept, settings=settings, label=plan.source.name)
    closed = close(heard, _closing(plan, protocol, layout.base, _seed(heard), whole=True))
    if kept:
        closed, steps = _with_readout(plan, heard, closed, plan.stimuli, protocol)
    parts = [_results(plan.stimuli, heard, closed, settings)]
    del heard, closed
    if plan.elsewhere:
        found, steps = _elsewhere_run(plan, protocol, settings)
        parts.append(found)
    lesioned, notes = _lesioned(plan, protocol, settings)
    return [*parts, *lesioned], notes, steps


def _lesioned(plan: Plan, protocol: Protocol, settings: Settings) -> tuple[list[Results], list[str]]:
    models = [(lesion, seed) for lesion in plan.lesions for seed in lesion.seeds(plan.n_models, settings.seed)]
    parts: list[Results] = []
    notes: list[str] = []
    for done, (lesion, seed) in enumerate(models, start=1):
        assert isinstance(plan.source, Network)
        label = f"{lesion.name} (model {done} of {len(models)})"
        try:
            changed = lesion.make(plan.source, seed).prepare(plan.stimuli)
            heard = hear(changed, plan.stimuli, kept="", settings=settings, label=label)
        except StratoscopeError as error:
            notes.append(f"{lesion.name}, seed {seed}, gave no numbers: {error}")
            continue
        closing = _closing(plan, protocol, changed.lesion, seed if lesion.random else None, whole=False)
        parts.append(_results(plan.stimuli, heard, close(heard, closing), settings))
    return parts, notes


def _elsewhere_run(plan: Plan, protocol: Protocol, settings: Settings) -> tuple[Results, dict[str, Any]]:
    """Measure the intact source on the stimuli of the read-out, as a hierarchy of its own."""
    assert plan.readout_stimuli is not None
    label = f"{plan.source.name}: read-out stimuli"
    stage = plan.layout.readout_stage
    played = hear(plan.source, plan.readout_stimuli, kept=stage, settings=settings, label=label)
    heard = replace(
        played,
        states={_renamed(plan, one): state for one, state in played.states.items()},
        broken={_renamed(plan, one): why for one, why in played.broken.items()},
    )
    closed = close(heard, _closing(plan, protocol, plan.layout.base, _seed(heard), whole=True))
    closed, steps = _with_readout(plan, heard, closed, plan.readout_stimuli, protocol)
    return _results(plan.readout_stimuli, heard, closed, settings), steps


def _with_readout(
    plan: Plan, heard: Heard, closed: list[StageResult], stimuli: Stimuli, protocol: Protocol
) -> tuple[list[StageResult], dict[str, Any]]:
    assert plan.readout is not None
    stage = next(one for one in heard.stages if one.name == plan.layout.readout_stage)
    if stage in heard.broken:
        return closed, {}
    codes, names = checked_categories(stimuli)
    kept = heard.states[stage]["responses"]
    seen = np.flatnonzero(kept["seen"])
    found: ReadOut = read_out(kept["responses"][seen], codes[seen], names, plan.readout, seed=protocol.seed)
    by_name = {one.name: one for one in heard.stages}
    groups = {key: [by_name[one.name] for one in group] for key, group in plan.layout.panels.items()}
    steps = stepwise(closed, found, groups) if plan.readout.stepwise else {}
    return with_readout(closed, stage.name, found, protocol), steps


def _closing(plan: Plan, protocol: Protocol, lesion: str, seed: int | None, *, whole: bool) -> Closing:
    smallest = min(stage.n_units for stage in plan.layout.stages)
    return Closing(protocol, lesion, seed, smallest, whole)


def _seed(heard: Heard) -> int | None:
    seed = heard.said.get("seed")
    return None if seed is None else int(seed)


def _renamed(plan: Plan, stage: Stage) -> Stage:
    return replace(stage, hierarchy=elsewhere_name(stage.hierarchy, plan.readout_stimuli))


def _results(stimuli: Stimuli, heard: Heard, closed: Sequence[StageResult], settings: Settings) -> Results:
    codes = category_codes(stimuli)
    assert codes is not None
    coordinates: Mapping[str, Any] = {
        "stimulus": np.asarray(stimuli.ids), "category": np.asarray(codes[1]), "activation_bin": EDGES[:-1],
    }  # fmt: skip
    metrics: list[Declared] = [declared(METRICS[name]) for name in _DECLARED_METRICS]
    return Results.build(
        record(heard.said, heard.stages, stimuli, (), heard.played, settings),
        closed,
        coordinates,
        columns=stimuli.columns,
        metrics=[*metrics, *DECLARED],
        remarks=stimuli.notes,
        skipped=[(stimuli.ids[row], why) for row, why in heard.played.skipped],
        examples=choose_examples(stimuli, [row for row, _ in heard.played.skipped]),
    )
