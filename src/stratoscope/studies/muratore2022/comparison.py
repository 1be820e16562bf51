"""The trained network against untrained ones, stage by stage: what was pruned, what was distilled, where dimension grew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from stratoscope.results import StageResult
from stratoscope.studies.muratore2022.models import UNTRAINED
from stratoscope.studies.muratore2022.over_units import ALL, Drawn
from stratoscope.studies.muratore2022.protocol import Protocol
from stratoscope.studies.muratore2022.stages import Closed
from stratoscope.studies.muratore2022.write import Writer
from stratoscope.types import Estimate, Floats, Stage

PRUNING, DISTILLATION, EXPANSION, GAIN = (
    "pruning_index", "distillation_index", "dimension_expansion", "generalization_gain",
)  # fmt: skip


def against(kind: str) -> str:
    """Name the control that compares with another meaning of untrained than the first."""
    return f"against {UNTRAINED[kind]}"


def with_comparisons(
    trained: Mapping[Stage, Closed], untrained: Mapping[str, Sequence[Mapping[Stage, Closed]]], protocol: Protocol
) -> list[StageResult]:
    """Return the stages of the trained network with their comparisons to every meaning of untrained.

    Parameters
    ----------
    trained : mapping of Stage to Closed
    untrained : mapping of str to sequence of mappings
        Models of each meaning, the first of which has no control's name.
    protocol : Protocol
    """
    found = []
    for stage, own in trained.items():
        write = Writer(stage, own.result.lesion, None)
        for place, (kind, models) in enumerate(untrained.items()):
            others = [model[stage] for model in models if stage in model]
            if others:
                _compare(write, own, others, against(kind) if place else "", protocol)
        found.append(replace(own.result, rows=(*own.result.rows, *write.rows)))
    return found


def _compare(write: Writer, own: Closed, others: Sequence[Closed], control: str, protocol: Protocol) -> None:
    informed = [one.over_units for one in others if one.over_units is not None]
    if own.over_units is not None and informed:
        for version, mine in own.over_units.information.items():
            theirs = [one.information[version] for one in informed if version in one.information]
            said = ", ".join(part for part in (control, version) if part)
            _by_property(write, PRUNING, mine, theirs, said, protocol, ratio=protocol.pruning == "log-ratio")
        for version, mine in own.over_units.concentration.items():
            theirs = [one.concentration[version] for one in informed if version in one.concentration]
            said = ", ".join(part for part in (control, version) if part)
            _by_property(write, DISTILLATION, mine, theirs, said, protocol, sign=-1.0)
    for row in own.result.rows:
        item = "n1=2" if row.metric == "gride" else ""
        if row.metric in _DIMENSIONS and row.item == item:
            said = ", ".join(part for part in (control, row.control) if part)
            _change(write, own, others, (row.metric, item, row.control), EXPANSION, row.metric, said, protocol)
        if row.metric == "population_generalization" and not row.control:
            _change(write, own, others, (row.metric, row.item, ""), GAIN, row.item, control, protocol)


_DIMENSIONS = ("two_nn", "gride", "levina_bickel", "two_nn_calibrated", "participation_ratio")


def _by_property(
    write: Writer,
    metric: str,
    mine: Drawn,
    theirs: Sequence[Drawn],
    control: str,
    protocol: Protocol,
    *,
    sign: float = 1.0,
    ratio: bool = False,
) -> None:
    """Write untrained - trained (times `sign`), or log2 of their ratio, for each property and for all."""
    if not theirs:
        return
    rng = np.random.default_rng(protocol.seed)
    chosen = rng.integers(len(theirs), size=(len(mine.draws), len(theirs)))
    redrawn = np.stack([one.draws for one in theirs])[chosen, np.arange(len(mine.draws))[:, None]].mean(axis=1)
    value = _apart(np.mean([one.value for one in theirs], axis=0), mine.value, sign, ratio=ratio)
    found = Drawn(mine.names, value, _apart(redrawn, mine.draws, sign, ratio=ratio), len(theirs))
    method = f"{'log2 ratio' if ratio else 'difference'}; bootstrap of units and models"
    estimates = found.estimates(level=protocol.level, seed=protocol.seed, method=method)
    write.by_property(metric, {ALL: estimates[ALL]} if control else estimates, control=control)


def _apart(untrained: Floats, trained: Floats, sign: float, *, ratio: bool) -> Floats:
    if not ratio:
        return np.asarray(sign * (untrained - trained))
    with np.errstate(invalid="ignore", divide="ignore"):
        both = (untrained > 0) & (trained > 0)
        return np.asarray(np.where(both, np.log2(np.where(both, untrained / trained, 1.0)), np.nan))


def _change(
    write: Writer,
    own: Closed,
    others: Sequence[Closed],
    place: tuple[str, str, str],
    metric: str,
    item: str,
    control: str,
    protocol: Protocol,
) -> None:
    """Write trained - untrained of one number, with an interval from those of both and from the spread over models."""
    name, of, under = place
    mine = own.number(name, item=of, control=under)
    theirs = [one.number(name, item=of, control=under) for one in others]
    theirs = [one for one in theirs if np.isfinite(one.value)]
    if not np.isfinite(mine.value) or not theirs:
        write.failed(metric, "one side has no value", item=item, control=control)
        return
    rng = np.random.default_rng(protocol.seed)
    draws = _draws(mine, rng, protocol.n_resamples)
    pool = np.stack([_draws(one, rng, protocol.n_resamples) for one in theirs])
    chosen = rng.integers(len(theirs), size=(len(theirs), protocol.n_resamples))
    draws = draws - np.take_along_axis(pool, chosen, axis=0).mean(axis=0)
    value = mine.value - float(np.mean([one.value for one in theirs]))
    low, high = np.quantile(draws, [(1 - protocol.level) / 2, (1 + protocol.level) / 2])
    found = Estimate(
        value, min(float(low), value), max(float(high), value), len(theirs), protocol.level, seed=protocol.seed,
        method="difference; drawn from both intervals, models resampled",
    )  # fmt: skip
    write.number(metric, found, item=item, control=control)


def _draws(estimate: Estimate, rng: np.random.Generator, n: int) -> Floats:
    """Draw from a Gaussian on each side of the estimate, as wide as its interval; the estimate where it has none."""
    z = rng.standard_normal(n)
    if not np.isfinite([estimate.low, estimate.high]).all():
        return np.full(n, float(estimate.value))
    sd = np.where(z < 0, estimate.value - estimate.low, estimate.high - estimate.value) / stats.norm.ppf(0.975)
    return np.asarray(estimate.value + z * np.maximum(sd, 0.0))
