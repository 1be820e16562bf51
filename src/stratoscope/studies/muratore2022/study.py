"""The study as one call: the trained source, untrained ones of every meaning, checkpoints; one pass of the stimuli for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from stratoscope.errors import BadInput, StratoscopeError, unknown_name
from stratoscope.measure.budget import parse_bytes
from stratoscope.measure.record import Settings, record
from stratoscope.metrics.declare import METRICS
from stratoscope.metrics.gride import N1
from stratoscope.results import Declared, Results, StageResult, check_target, declared
from stratoscope.sources.network import Network
from stratoscope.statistics.claims import judge_all
from stratoscope.statistics.correct import CORRECTIONS
from stratoscope.stimuli import choose_examples
from stratoscope.studies.muratore2022.claims import Layout, prune_and_distill_claims, survival
from stratoscope.studies.muratore2022.comparison import with_comparisons
from stratoscope.studies.muratore2022.declared import DECLARED
from stratoscope.studies.muratore2022.dimensions import DECLARED_METRICS
from stratoscope.studies.muratore2022.invariance import OBJECTS, POPULATION, units_item
from stratoscope.studies.muratore2022.keep import Pass, play_once
from stratoscope.studies.muratore2022.models import Model
from stratoscope.studies.muratore2022.plan import Plan, make_plan
from stratoscope.studies.muratore2022.protocol import Protocol
from stratoscope.studies.muratore2022.stages import Closed, close, results_of
from stratoscope.studies.muratore2022.training import TRAINED, hierarchy_of, over_training
from stratoscope.studies.record import Study, make_study
from stratoscope.types import Source, Stage, Stimuli

NAME = "prune-and-distill"


def prune_and_distill(
    source: Source,
    stimuli: Stimuli,
    *,
    dense: Stimuli | None = None,
    checkpoints: str | Path | Network | Sequence[str | Path | Network] = (),
    untrained: str | Sequence[str] | None = None,
    n_models: int = 5,
    stages: str | Sequence[str] | None = "relu",
    unit: str = "position",
    objects: str | None = None,
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
    """Ask whether training prunes image information from single units, and distils what is left.

    After Muratore et al. 2022: unit information about image properties, intrinsic dimension, and read-out of objects across
    views, at every stage of the trained network, of untrained ones, and of checkpoints. The stimuli are played once through each. Only the abstract
    of the paper could be verified; what it leaves open is a field of `Protocol`, and the report prints it.

    Parameters
    ----------
    source : Source
        The trained network. Responses that exist already can be measured, but have no untrained version.
    stimuli : Stimuli
        Views of objects: several views of each. Columns ``object`` or ``category`` say which object is shown.
    dense : Stimuli, optional
        Many more views, such as ``objects:dense?n=3000``, on which information and dimension are measured; by default
        `stimuli`. Objects are read out from `stimuli`.
    checkpoints : str, path, Network or sequence of such
        Checkpoints of the same network in the order of training: weights files (also a pattern such as
        ``'run/*.safetensors'``), ``bundled:alexnet@16``, or ``bundled:alexnet@*`` for all of a bundled network.
    untrained : str or sequence of str, optional
        What untrained means: ``fresh`` (initialised anew), ``permuted`` (weights permuted within every tensor),
        ``checkpoint`` (the first one), ``none``. The first is what the claims are about, the others are controls. By
        default all that there are.
    n_models : int
        Models of each random kind, with seeds ``seed``, ``seed + 1`` ...
    stages : str or sequence of str, optional
        Stages to read; None keeps the source's own choice.
    unit : str
        What a unit is: ``position`` (a sample of them), ``channel:centre``, ``channel`` ...
    objects : str, optional
        Column that says which object is shown.
    protocol : Protocol, optional
        How everything is measured. Its seed is overridden by `seed`.
    correction : str
        How p-values of the claims are corrected for their number.
    seed, batch_size, workers, budget, skip_unreadable, progress, out, overwrite
        As in `stratoscope.studies.sparse_coding`.

    Returns
    -------
    Study

    Raises
    ------
    StratoscopeError
        For wrong names, properties that are constant, stimuli that are too few, checkpoints of another network or none at
        all where the first was asked for, and budgets; before the first long pass.

    When it misleads
    ----------------
    One trained network is one case; it is held against models of its own architecture that differ by their seed, and
    nothing is said about other trainings. Stages are few. Image properties go along with each other, above all with the
    size of an object on a dark ground, so information about several of them may be information about one. Units that were
    drawn at the edge of the image see nothing but background: look at the control without constant units.

    References
    ----------
    After Muratore, Tafazoli, Piasini, Laio & Zoccolan 2022, arXiv:2205.13816; information and read-out as in Tafazoli et
    al. 2017, doi:10.7554/eLife.22794.

    Examples
    --------
    >>> dense = st.open_stimuli("objects:dense?n=3000")  # doctest: +SKIP
    >>> study = prune_and_distill(source, st.open_stimuli("objects:"), dense=dense)  # doctest: +SKIP
    >>> print(study.findings[0])  # doctest: +SKIP
    """
    settings = Settings(batch_size, workers, parse_bytes(budget), seed, skip_unreadable, progress)
    if n_models < 1:
        raise BadInput(f"A random kind of untrained network needs at least 1 model, but n_models is {n_models}.")
    if correction not in CORRECTIONS:
        raise unknown_name("correction", correction, CORRECTIONS)
    if out is not None:
        check_target(Path(out), overwrite=overwrite)
    asked = replace(protocol or Protocol(), seed=seed)
    given = [checkpoints] if isinstance(checkpoints, (str, Path, Network)) else list(checkpoints)
    plan = make_plan(
        source, stimuli, dense, stages=stages, unit=unit, objects=objects, untrained=untrained, checkpoints=given,
        n_models=n_models, protocol=asked, settings=settings,
    )  # fmt: skip
    parts, layout, notes = _passes(plan, asked, settings)
    table = Results.combine(parts).table()
    claims = prune_and_distill_claims(layout, asked)
    findings = judge_all(claims, table, correction=correction, level=asked.level, seed=seed)
    study = make_study(
        parts, NAME, _protocol_said(plan, asked, correction, n_models, layout), findings, survival(findings),
        (*plan.notes, *notes),
    )  # fmt: skip
    if out is not None:
        study.save(out, overwrite=overwrite)
    return study


def _passes(plan: Plan, protocol: Protocol, settings: Settings) -> tuple[list[Results], Layout, list[str]]:
    """Play and measure every model; return the runs, what the claims are about, and remarks."""
    played = _play(plan, plan.source, settings, plan.source.name)
    trained = close(played, plan, protocol, seed=None, whole=True, workers=settings.workers)
    parts: list[Results] = []
    found: dict[str, list[tuple[Model, str, dict[Stage, Closed]]]] = {}
    notes: list[str] = []
    for done, model in enumerate(plan.models, start=1):
        label = f"{model.name} (model {done} of {len(plan.models)})"
        try:
            made = _prepared(model, plan)
            run = _play(plan, made, settings, label)
        except StratoscopeError as error:
            notes.append(f"{model.name}, seed {model.seed}, gave no numbers: {error}")
            continue
        closed = close(run, plan, protocol, seed=model.seed, whole=False, workers=settings.workers)
        found.setdefault(model.kind, []).append((model, str(run.said.get("lesion")), closed))
        parts.append(_results(plan, run, results_of(closed), settings))
    untrained = {
        kind: [closed for _, _, closed in found[kind]][: None if kind != "checkpoint" else 1]
        for kind in plan.untrained
        if kind in found
    }
    own = _results(plan, played, with_comparisons(trained, untrained, protocol), settings)
    steps = [(model.name, closed) for model, _, closed in found.get("checkpoint", [])]
    training = _training(plan, [*steps, (TRAINED, trained)], protocol) if steps else []
    layout = Layout(
        plan.stages,
        plan.base,
        {kind: (found[kind][0][1], len(models) > 1) for kind, models in untrained.items()},
        tuple(plan.seen.values),
        plan.n_matched,
        units_item(plan.sizes[-1]) if plan.sets.objects is not None else "",
        hierarchy_of(plan.source.name) if len(steps) > 1 else "",
    )
    return [own, *parts, *training], layout, notes


def _prepared(model: Model, plan: Plan) -> Source:
    made = model.make()
    return made.prepare(plan.sets.stimuli) if isinstance(made, Network) else made


def _play(plan: Plan, source: Source, settings: Settings, label: str) -> Pass:
    sets = plan.sets
    return play_once(source, sets.stimuli, plan.units, sets.dimension, room=plan.room, settings=settings, label=label)


def _training(plan: Plan, steps: Sequence[tuple[str, Mapping[Stage, Closed]]], protocol: Protocol) -> list[Results]:
    others = [(protocol.estimator, "n1=2" if protocol.estimator == "gride" else "")]
    if plan.sets.objects is not None:
        others += [(name, units_item(plan.sizes[-1])) for name in POPULATION] + [(OBJECTS, "")]
    closed = over_training(steps, others, protocol)
    run = {"over_training": {"points": [name for name, _ in steps], "of": plan.source.name}}
    return [Results.build(run, closed, {})]


def _results(plan: Plan, played: Pass, closed: Sequence[StageResult], settings: Settings) -> Results:
    stimuli = plan.sets.stimuli
    objects = {} if plan.sets.objects is None else {"object": np.unique(plan.sets.objects[plan.sets.dimension])}
    coordinates: dict[str, Any] = {
        "stimulus": np.asarray(stimuli.ids), "property": np.asarray(list(plan.seen.values)), "n1": np.asarray(N1), **objects,
    }  # fmt: skip
    metrics: list[Declared] = [
        declared(METRICS[name]) for name in ("dead_fraction", "constant_fraction", *DECLARED_METRICS)
    ]
    return Results.build(
        record(played.said, tuple(played.kept), stimuli, (), played.played, settings),
        closed,
        coordinates,
        columns={**stimuli.columns, **{f"seen_{name}": values for name, values in plan.seen.values.items()}},
        metrics=[*metrics, *DECLARED],
        remarks=stimuli.notes,
        skipped=[(stimuli.ids[row], why) for row, why in played.played.skipped],
        examples=choose_examples(stimuli, [row for row, _ in played.played.skipped]),
    )


def _protocol_said(plan: Plan, protocol: Protocol, correction: str, n_models: int, layout: Layout) -> dict[str, Any]:
    return {
        **protocol.as_dict(),
        "properties": list(plan.seen.values),
        "correction_of_claims": correction,
        "n_models": n_models,
        "trained": layout.base,
        "untrained": list(layout.untrained),
        "lesions": [lesion for lesion, _ in layout.untrained.values()],
        "readout": layout.readout,
        "checkpoints": [model.name for model in plan.models if model.kind == "checkpoint"],
        "matched_units": plan.n_matched,
        "stimuli_of": {
            "read-out": len(plan.sets.views),
            "information": len(plan.sets.dense),
            "dimension": len(plan.sets.dimension),
        },
        "open_choices": protocol.open_choices,
    }
