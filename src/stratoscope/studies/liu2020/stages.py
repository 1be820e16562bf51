"""Close a stage of the study: sparseness by category, other indices, controls, and the distribution of activations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import StratoscopeError
from stratoscope.metrics import population_sparseness
from stratoscope.metrics.controls import without_constant_units
from stratoscope.metrics.declare import METRICS
from stratoscope.results import Row, StageResult, Values
from stratoscope.statistics.resample import percentile_interval
from stratoscope.studies.hear import Heard, seen_categories
from stratoscope.studies.liu2020.distributions import distribution
from stratoscope.studies.liu2020.protocol import INDICES, PSI, RESIDUE, Protocol
from stratoscope.types import Estimate, Floats, Stage

_MEDIAN = "median over categories"


@dataclass(frozen=True)
class Closing:
    """How the stages of one run are closed.

    Attributes
    ----------
    protocol : Protocol
        How sparseness is measured.
    lesion : str
        Lesion of the source, empty for intact.
    seed : int or None
        Seed of the lesion.
    smallest : int
        Units of the narrowest stage, for size matching.
    whole : bool
        Also the structureless baseline, the other indices and the distribution of activations, as for the intact run.
    """

    protocol: Protocol
    lesion: str
    seed: int | None
    smallest: int
    whole: bool


def close(heard: Heard, closing: Closing) -> list[StageResult]:
    """Return what is measured at every stage of one pass."""
    return [_close_stage(heard, stage, closing) for stage in heard.stages]


def _close_stage(heard: Heard, stage: Stage, closing: Closing) -> StageResult:
    stage_of = _Stage(heard, stage, closing)
    if stage in heard.broken:
        return StageResult(stage, {}, (stage_of.failed(PSI, heard.broken[stage]),))
    try:
        return StageResult(stage, *stage_of.measured())
    except StratoscopeError as error:
        return StageResult(stage, {}, (stage_of.failed(PSI, str(error)),))


class _Stage:
    """Everything of one stage, written down as arrays and rows while it is computed."""

    def __init__(self, heard: Heard, stage: Stage, closing: Closing) -> None:
        self.stage, self.closing, self.protocol = stage, closing, closing.protocol
        self.n = heard.played.n
        state = heard.states[stage]
        self.per_unit = state["per_unit"]
        self.known: NDArray[np.bool_] = seen_categories(state["categories"])
        self.means: Floats = np.asarray(state["categories"]["mean"])[self.known]
        self.arrays: dict[str, Values] = {}
        self.rows: list[Row] = []

    def measured(self) -> tuple[dict[str, Values], tuple[Row, ...]]:
        """Compute everything."""
        self._sparseness()
        self._fractions()
        self._subsets("size-matched", f"size-matched to {self.closing.smallest} units", self._random_units)
        self._without_constant()
        self._keep("mean_activation", self.means.mean(axis=1))
        for name, options in INDICES.items():
            if self.closing.whole or name == "raw_treves_rolls":
                values = population_sparseness(self.means, **{**self.protocol.options, **options})
                self._keep(name, values)
                self._median(name, values)
        if self.closing.whole:
            self._subsets("structureless", "structureless", self._permuted)
            self._keep(f"{PSI}.above-structureless", self.psi - self._kept(f"{PSI}.structureless"))
            self._distribution()
        return self.arrays, tuple(self.rows)

    def failed(self, metric: str, note: str, control: str = "") -> Row:
        """Return the row of a number that could not be had."""
        return self._row(metric, Estimate(np.nan, np.nan, np.nan, 0, note=note), item=_MEDIAN, control=control)

    def _sparseness(self) -> None:
        self.psi = population_sparseness(self.means, **self.protocol.options)
        self._keep(PSI, self.psi)
        self._median(PSI, self.psi)

    def _fractions(self) -> None:
        for name, options in {"dead_fraction": {}, "constant_fraction": {"variance_floor": RESIDUE}}.items():
            try:
                value = float(METRICS[name].through(self.per_unit, **options))
            except StratoscopeError as error:
                self.rows.append(self._row(name, Estimate(np.nan, np.nan, np.nan, self.n, note=str(error))))
                continue
            self._scalar(name, value)
            self.rows.append(self._row(name, Estimate(value, np.nan, np.nan, self.n)))

    def _subsets(self, name: str, control: str, draw: Callable[[np.random.Generator], Floats]) -> None:
        """Draw the control several times; by category its mean over draws, in the table that of the medians."""
        if name == "size-matched" and self.stage.n_units <= self.closing.smallest:
            self._keep(f"{PSI}.{name}", self.psi)
            return
        rng = np.random.default_rng(self.protocol.seed)
        draws = np.stack(
            [population_sparseness(draw(rng), **self.protocol.options) for _ in range(self.protocol.n_subsets)]
        )
        self._keep(f"{PSI}.{name}", draws.mean(axis=0))
        medians = np.median(draws, axis=1)
        low, high = np.quantile(medians, [0.025, 0.975])
        found = Estimate(float(medians.mean()), float(low), float(high), len(self.psi), seed=self.protocol.seed)
        self.rows.append(self._row(PSI, found, item=_MEDIAN, control=control))

    def _random_units(self, rng: np.random.Generator) -> Floats:
        return self.means[:, np.sort(rng.choice(self.stage.n_units, self.closing.smallest, replace=False))]

    def _permuted(self, rng: np.random.Generator) -> Floats:
        return np.asarray(rng.permuted(self.means, axis=0))

    def _without_constant(self) -> None:
        name, control = f"{PSI}.without-constant-units", "without constant units"
        try:
            options = {**self.protocol.options, "variance_floor": 0.0}
            keep = {key: value for key, value in options.items() if key != "variance_floor"}
            values = without_constant_units(self.means, variance_floor=RESIDUE, **keep)
        except StratoscopeError as error:
            self._keep(name, np.full(len(self.psi), np.nan))
            self.rows.append(self.failed(PSI, str(error), control))
            return
        self._keep(name, values)
        self._median(PSI, values, control)

    def _distribution(self) -> None:
        found = distribution(self.means, normalization=self.protocol.normalization, seed=self.protocol.seed)
        self.arrays["activation_density"] = Values(found.density, ("activation_bin",))
        for name, one in {"as published": found.published, "to activations": found.values}.items():
            key = name.replace(" ", "-")
            for part in ("norm", "weibull", "shape"):
                self._scalar(f"fit.{key}.{part}", getattr(one, part))
            self.rows.append(self._row("weibull_shape", Estimate(one.shape, np.nan, np.nan, one.n), item=name))

    def _median(self, metric: str, values: Floats, control: str = "") -> None:
        self.rows.append(self._row(metric, self._bootstrap(values), item=_MEDIAN, control=control))

    def _bootstrap(self, values: Floats) -> Estimate:
        if np.isnan(values).any():
            count = int(np.isnan(values).sum())
            middle = float(np.nanmedian(values)) if count < len(values) else np.nan
            return Estimate(middle, np.nan, np.nan, len(values) - count, note=f"{count} categories have no value")
        rng = np.random.default_rng(self.protocol.seed)
        draws = values[rng.integers(len(values), size=(self.protocol.n_resamples, len(values)))]
        method = f"median, percentile bootstrap over {len(values)} categories"
        return percentile_interval(
            float(np.median(values)), np.median(draws, axis=1), n=len(values), level=self.protocol.level, method=method,
            seed=self.protocol.seed,
        )  # fmt: skip

    def _keep(self, name: str, values: Floats) -> None:
        """Keep one value a category; categories without a stimulus have NaN."""
        filled = np.full(len(self.known), np.nan)
        filled[self.known] = values
        self.arrays[name] = Values(filled, ("category",))

    def _kept(self, name: str) -> Floats:
        return np.asarray(self.arrays[name].data[self.known])

    def _scalar(self, name: str, value: float) -> None:
        self.arrays[name] = Values(np.asarray(value, dtype=np.float64), ())

    def _row(self, metric: str, value: Estimate, *, item: str = "", control: str = "") -> Row:
        # A lesioned run is told from its repeats by the seed of the lesion, whatever was resampled after it.
        seed = value.seed if self.closing.seed is None else self.closing.seed
        numbers = float(value.value), float(value.low), float(value.high)
        return Row.of(
            self.stage, metric, *numbers, n=value.n, item=item, lesion=self.closing.lesion, control=control, seed=seed,
            note=value.note,
        )  # fmt: skip
