"""What unit lesions cost, as rows of the table and arrays of the ablated stage."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from stratoscope.results import Declared, Row, StageResult, Values
from stratoscope.statistics.permutation import p_value
from stratoscope.statistics.resample import percentile_interval
from stratoscope.studies.unit_lesions.criteria import RANDOM, Ablation
from stratoscope.types import Estimate, Floats, Integers, Stage

N_RESAMPLES = 2000
_ACCURACY_MISLEADS = (
    "It is the accuracy among all classes of the network, of which the stimuli may show some. A network that is right, or "
    "wrong, about every stimulus has an interval of no width. Views of one object are no independent stimuli."
)
#: What the study measures beside lifetime sparseness.
DECLARED: tuple[Declared, ...] = (
    Declared(
        "accuracy", "Fraction of the stimuli whose category has the largest output of the network.", "responses", (), "1",
        (0.0, 1.0), "channel", (RANDOM,), "fraction of right answers", _ACCURACY_MISLEADS,
    ),
    Declared(
        "accuracy_loss", "Accuracy of the intact network minus that of the ablated one, on the same stimuli.", "responses",
        (), "1", (-1.0, 1.0), "channel", (RANDOM,), "paired difference",
        "It is bounded by the accuracy of the intact network, and many channels cost more than few: compare with random "
        "ablation of as many. Channels that never respond cost nothing.",
    ),
    Declared(
        "p_random", "How often random ablation of as many channels costs at least (at most) as much.", "responses", (), "1",
        (0.0, 1.0), "channel", (), "Phipson & Smyth 2010, doi:10.2202/1544-6115.1585",
        "One-sided, not corrected for the number of ablations, and never below 1 / (1 + number of draws).",
    ),
    Declared(
        "selectivity", "Class selectivity index of each channel.", "categories", ("unit",), "1", (0.0, 1.0), "channel", (),
        "Morcos, Barrett, Rabinowitz & Botvinick 2018, arXiv:1803.06959", "A unit for two categories reads low.",
    ),
    Declared(
        "mean_activation", "Mean response of each channel over all stimuli.", "per_unit", ("unit",), "response",
        (float("-inf"), float("inf")), "channel", (), "arithmetic mean", "Its scale is that of the stage.",
    ),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Measured:
    """Everything that was heard.

    Attributes
    ----------
    stage : Stage
        The ablated stage.
    scored : mapping of str to array (channel,)
        Criteria of the intact network.
    dead : array (channel,) of bool
        Channels that never respond above zero.
    codes, names : array (stimulus,), list of str
        Categories.
    intact : array (stimulus,)
        How far the intact network is right.
    ablated : sequence of (Ablation, array (stimulus,))
        The same of every ablated one.
    base : str
        Lesion that the network came with, or nothing.
    seed : int
    """

    stage: Stage
    scored: Mapping[str, Floats]
    dead: NDArray[np.bool_]
    codes: Integers
    names: list[str]
    intact: Floats
    ablated: Sequence[tuple[Ablation, Floats]]
    base: str
    seed: int

    def lesion(self, ablation: Ablation) -> str:
        """Name an ablation after the lesion that the network came with."""
        return " + ".join(filter(None, (self.base, ablation.name(self.stage.name))))


def mean_over_stimuli(values: Floats, seed: int, *, n_resamples: int = N_RESAMPLES, level: float = 0.95) -> Estimate:
    """Return the mean of `values` (stimulus,) with its percentile bootstrap interval over stimuli.

    Few different values occur, so a resample is drawn as how often each comes (multinomial), which is the same and faster.
    Differences of two networks on the same stimuli make the bootstrap a paired one.
    """
    different, counts = np.unique(values, return_counts=True)
    n = len(values)
    draws = np.random.default_rng(seed).multinomial(n, counts / n, size=n_resamples) @ different / n
    method = f"mean, percentile bootstrap over {n} stimuli"
    return percentile_interval(float(values.mean()), draws, n=n, level=level, method=method, seed=seed)


def stage_result(measured: Measured) -> StageResult:
    """Return the rows and arrays of the ablated stage."""
    return StageResult(measured.stage, _arrays(measured), tuple(_rows(measured)))


def ablation_labels(measured: Measured) -> list[str]:
    """Name every network: the intact one, every ablation, random ones with their seeds."""
    named = ["intact"]
    for one, _ in measured.ablated:
        named.append(measured.lesion(one) + ("" if one.seed is None else f" (seed {one.seed})"))
    return named


def _arrays(measured: Measured) -> dict[str, Values]:
    right = np.array([measured.intact, *(values for _, values in measured.ablated)])
    counts = np.bincount(measured.codes, minlength=len(measured.names))
    sums = np.array([np.bincount(measured.codes, row, minlength=len(measured.names)) for row in right])
    silenced = np.zeros((len(right), measured.stage.n_units), dtype=bool)
    for index, (ablation, _) in enumerate(measured.ablated, start=1):
        silenced[index, ablation.channels] = True
    return {
        **{name: Values(values, ("unit",)) for name, values in measured.scored.items()},
        "silenced": Values(silenced, ("ablation", "unit")),
        "accuracy_by_category": Values(sums / counts, ("ablation", "category")),
        "correct": Values(right, ("ablation", "stimulus")),
    }


def _rows(measured: Measured) -> Iterator[Row]:
    stage, base = measured.stage, measured.base
    yield _row(stage, "accuracy", mean_over_stimuli(measured.intact, measured.seed), lesion=base)
    for code, name in enumerate(measured.names):
        own = mean_over_stimuli(measured.intact[measured.codes == code], measured.seed)
        yield _row(stage, "accuracy", own, lesion=base, item=f"category={name}")
    random = random_losses(measured)
    for ablation, right in measured.ablated:
        lesion = measured.lesion(ablation)
        about = {"lesion": lesion, "seed": ablation.seed, "note": _note(measured, ablation)}
        control = RANDOM if ablation.criterion == RANDOM else ""
        yield _row(stage, "accuracy", mean_over_stimuli(right, measured.seed), control=control, **about)
        loss = mean_over_stimuli(measured.intact - right, measured.seed)
        yield _row(stage, "accuracy_loss", loss, control=control, **about)
        draws = random.get(ablation.fraction, np.empty(0))
        for item, side in (("costs more", "greater"), ("costs less", "less")) if len(draws) and not control else ():
            p = p_value(loss.value, draws, side)
            yield Row.of(stage, "p_random", p, n=len(draws), item=item, lesion=lesion)
    for fraction, draws in random.items():
        yield from _summed(measured, fraction, draws)


def _row(stage: Stage, metric: str, found: Estimate, **about: object) -> Row:
    return Row.of(stage, metric, found.value, found.low, found.high, n=found.n, **about)  # type: ignore[arg-type]


def random_losses(measured: Measured) -> dict[float, Floats]:
    """Return what the random draws of each fraction cost (draw,)."""
    found: dict[float, list[float]] = {}
    for ablation, right in measured.ablated:
        if ablation.criterion == RANDOM:
            found.setdefault(ablation.fraction, []).append(float((measured.intact - right).mean()))
    return {fraction: np.array(losses) for fraction, losses in found.items()}


def _summed(measured: Measured, fraction: float, losses: Floats) -> Iterator[Row]:
    name = measured.lesion(
        next(one for one, _ in measured.ablated if (one.criterion, one.fraction) == (RANDOM, fraction))
    )
    note = "the ends are those of the draws, no interval"
    about = {"n": len(losses), "item": f"mean of {len(losses)} draws", "lesion": name, "control": RANDOM, "note": note}
    for metric, values in (("accuracy", measured.intact.mean() - losses), ("accuracy_loss", losses)):
        yield Row.of(measured.stage, metric, values.mean(), values.min(), values.max(), **about)  # type: ignore[arg-type]


def _note(measured: Measured, ablation: Ablation) -> str:
    dead = int(measured.dead[ablation.channels].sum())
    return f"{dead} of the {len(ablation.channels)} channels silenced never respond anyway" if dead else ""
