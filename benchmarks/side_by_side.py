"""Do the intervals of a comparison hold what new stimuli and new units would give, and what do they cost?

    python -m benchmarks.side_by_side [coverage|cost]

``coverage``: a simulated area (neurons tuned to a few latent dimensions, with noise of their own) and a simulated network stage
that shares part of them. The truth is the mean similarity over many fresh samples of as many stimuli and units. How often is it
within the interval over stimuli, over units, over both? ``cost``: seconds and bytes of `unit_groups` and of a comparison.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from stratoscope.metrics import rdm, unit_groups
from stratoscope.metrics.group_sums import UnitGroups
from stratoscope.studies.side_by_side.draws import OVER
from stratoscope.studies.side_by_side.geometry import Geometry
from stratoscope.studies.side_by_side.likeness import likeness
from stratoscope.types import Floats, Stage

MEASURES = ("rsa-spearman", "cka")
#: Stimuli, neurons, standard deviation of their noise, units of the network stage (above 8 a stimulus in groups).
REGIMES = ((60, 20, 0.5, 40), (60, 80, 0.5, 40), (120, 80, 1.0, 3000))
LATENT, SHARED = 8, 4


def sample(rng: np.random.Generator, n: int, neurons: int, noise: float, units: int) -> tuple[Floats, Floats]:
    """Return fresh responses of the area and of the network stage to `n` fresh stimuli."""
    own = [rng.normal(size=(n, LATENT)) for _ in range(2)]
    own[1][:, :SHARED] = own[0][:, :SHARED]
    area, stage = (
        np.maximum(latent @ rng.normal(size=(LATENT, size)) / np.sqrt(LATENT) + rng.normal(0, 0.5, size), 0)
        for latent, size in zip(own, (neurons, units), strict=True)
    )
    return area + noise * rng.normal(size=area.shape), stage


def geometry(name: str, responses: Floats, seed: int = 0) -> Geometry:
    n, units = responses.shape
    stage = Stage(name, 1.0, "array", (units,), "unit", units, hierarchy=name)
    groups = UnitGroups.of(unit_groups(responses, seed=seed), n)
    return Geometry(name, (stage,), tuple(map(str, range(n))), (rdm(responses),), ("euclidean",), (groups,))


def coverage(seeds: int = 100, n_draws: int = 60, fresh: int = 300) -> None:
    for regime in REGIMES:
        n, neurons, noise, units = regime
        for measure in MEASURES:
            values = [_value(sample(np.random.default_rng((1, s)), *regime), measure) for s in range(fresh)]
            truth, spread = np.mean(values), np.std(values)
            said = []
            for over in OVER:
                ends = np.array([_interval(regime, s, measure, over, n_draws) for s in range(seeds)])
                held, width = (ends[:, 0] <= truth) & (truth <= ends[:, 1]), (ends[:, 1] - ends[:, 0]).mean()
                said.append(f"{over} {held.mean():.3f} (half width {width / 3.92:.3f})")
            print(f"{n} stimuli, {neurons} neurons, noise {noise:g}, {units} units; {measure}: truth {truth:.3f} sd {spread:.3f}; "
                  + ", ".join(said), flush=True)  # fmt: skip


def _value(both: tuple[Floats, Floats], measure: str) -> float:
    one, other = (geometry(name, responses) for name, responses in zip("ab", both, strict=True))
    return float(likeness(one, other, measure, n_draws=0, seed=0).value[0, 0])


def _interval(regime: tuple[int, int, float, int], seed: int, measure: str, over: str, n_draws: int) -> Floats:
    both = sample(np.random.default_rng((2, seed)), *regime)
    one, other = (geometry(name, responses, seed) for name, responses in zip("ab", both, strict=True))
    found = likeness(one, other, measure, n_draws=n_draws, seed=seed, over=over)
    return np.array(found.interval(0.95))[:, 0, 0]


def cost() -> None:
    rng = np.random.default_rng(0)
    for n, units in ((380, 250), (380, 65_536), (1000, 65_536)):
        responses = rng.normal(size=(n, units)).astype(np.float32)
        begin = time.process_time()
        rdm(responses)
        middle = time.process_time()
        kept = unit_groups(responses)
        print(f"{n} stimuli, {units} units: rdm {middle - begin:.2f} s, unit_groups {time.process_time() - middle:.2f} s, "
              f"{kept.nbytes / 1e6:.1f} MB kept", flush=True)  # fmt: skip
    for n in (92, 380, 1000):
        one, other = (
            geometry(name, rng.normal(size=(n, size))) for name, size in (("a", 100_000 // n), ("b", 100_000))
        )
        for over in OVER:
            begin = time.process_time()
            likeness(one, other, "rsa-spearman", n_draws=20, seed=0, over=over)
            print(
                f"{n} stimuli, over {over}: {(time.process_time() - begin) / 20 * 1e3:.1f} ms a draw and pair of stages",
                flush=True,
            )


if __name__ == "__main__":
    parts = {"coverage": coverage, "cost": cost}
    for name in sys.argv[1:] or parts:
        parts[name]()
