"""Do the controls for recordings recover the true order of dimensions, where raw TwoNN inverts it?

    python benchmarks/cortex_controls.py [table|order|alike|coverage|extrapolation ...]

``table``: what noise does to Gride in the regime of Tafazoli et al. 2017 (230 stimuli, 150 Poisson neurons of 1.5 spikes a window,
26 trials), over seeds, beside the numbers of one simulation in docs/cortex-controls.md. ``order``: two simulated areas, one of a
true dimension 2 with many slow units, one of 5 with fewer and faster ones, 40 seeds. ``alike``: two areas of the same dimension, sizes and
rates as there: how often is a difference seen where there is none? ``coverage``: how often the interval of the
controlled dimension holds what noiseless responses read. ``extrapolation``: the participation ratio with ever more units.
"""

from __future__ import annotations

import sys

import numpy as np

from stratoscope.metrics import gride, participation_ratio
from stratoscope.metrics.controlled_dimension import controlled_dimension
from stratoscope.metrics.extrapolation import extrapolated
from stratoscope.metrics.signal_participation_ratio import signal_participation_ratio
from stratoscope.metrics.trials import trial_means
from stratoscope.testing.latent_population import latent_population

RANKS = (1, 2, 4, 8, 16, 32)
#: What one earlier simulation of this regime read, without noise and from means of 26 trials.
EARLIER = {
    2: ((2.1, 1.9, 1.9, 1.9, 1.7, 1.7), (21.6, 13.7, 8.2, 4.8, 3.0, 2.2)),
    5: ((4.6, 4.3, 4.3, 4.1, 3.9, 3.8), (9.1, 7.1, 6.0, 5.3, 4.7, 4.3)),
    10: ((8.0, 7.9, 7.6, 7.4, 7.0, 6.3), (10.5, 9.8, 9.2, 8.6, 7.9, 7.0)),
    20: ((14.4, 13.6, 13.0, 12.3, 11.1, 9.6), (16.7, 15.5, 14.8, 13.6, 12.2, 10.4)),
}
NOISE = {30: 18, 96: 39, 150: 53, 228: 63}


def table(seeds: int = 30) -> None:
    worst = 0.0
    for d, (clean, noisy) in EARLIER.items():
        found = [latent_population(d, seed=seed) for seed in range(seeds)]
        for name, earlier, curves in (
            ("noiseless", clean, [gride(one.rates, n1=RANKS).value for one in found]),
            ("26 trials", noisy, [gride(trial_means(one.counts), n1=RANKS).value for one in found]),
        ):
            mean, spread = np.mean(curves, axis=0), np.std(curves, axis=0, ddof=1)
            away = np.abs(mean - np.array(earlier)) / spread
            worst = max(worst, float(away.max()))
            print(f"d = {d:<2} {name}  {_row(mean)}  sd {_row(spread)}  earlier {_row(earlier)}  in sd {_row(away)}")
    print(f"largest distance to the earlier simulation: {worst:.2f} standard deviations of one simulation")
    for n, earlier in NOISE.items():
        reads = [
            gride(np.random.default_rng(s).poisson(1.5, (230, n)).astype(float), n1=(1,)).value[0] for s in range(seeds)
        ]
        print(f"noise alone, {n} neurons: {np.mean(reads):.1f} sd {np.std(reads, ddof=1):.1f}, earlier {earlier}")


def order(seeds: int = 40) -> None:
    rows = []
    for seed in range(seeds):
        many = latent_population(2, n_units=260, n_trials=26, mean_count=0.7, seed=seed)
        few = latent_population(5, n_units=131, n_trials=25, mean_count=3.0, seed=1000 + seed)
        found = controlled_dimension({"many": many.counts, "few": few.counts}, seed=seed)
        ratio = found.ratio("many", "few")
        signal = found.table().query("quantity == 'participation_ratio' and control == 'noise-corrected'")["value"]
        rows.append((found.raw["many"].value > found.raw["few"].value, ratio.value < 1, ratio.high < 1, found.n1,
                     ratio.value, signal.iloc[0] < signal.iloc[1], found.controlled["many"].value, found.controlled["few"].value))  # fmt: skip
    raw, right, clear, ranks, ratios, linear, one, other = map(np.array, zip(*rows, strict=True))
    print(f"raw TwoNN inverts the order in {raw.sum()} of {seeds} seeds")
    print(
        f"controlled: right order in {right.sum()}, with an interval below 1 in {clear.sum()}; n1 {sorted(set(ranks))}"
    )
    print(
        f"controlled 2: {np.nanmean(one):.2f} sd {np.nanstd(one):.2f}; controlled 5: {np.nanmean(other):.2f} sd {np.nanstd(other):.2f}"
    )
    print(f"ratio {np.nanmean(ratios):.2f}; noise-corrected participation ratio in the right order in {linear.sum()}")


def alike(seeds: int = 25) -> None:
    for d in (3, 6):
        raw, apart, ratios = 0, 0, []
        for seed in range(seeds):
            many = latent_population(d, n_units=260, n_trials=26, mean_count=0.7, seed=4000 + seed)
            few = latent_population(d, n_units=131, n_trials=25, mean_count=3.0, seed=5000 + seed)
            found = controlled_dimension({"many": many.counts, "few": few.counts}, n_resamples=3, seed=seed)
            raw += found.raw["many"].low > found.raw["few"].high
            ratio = found.ratio("many", "few")
            apart += not ratio.low <= 1 <= ratio.high
            ratios.append(ratio.value)
        print(f"both of dimension {d}: raw intervals apart in {raw} of {seeds}, controlled ratio away from 1 in {apart}, ratio "
              f"{np.mean(ratios):.2f} sd {np.std(ratios):.2f}", flush=True)  # fmt: skip


def coverage(seeds: int = 30) -> None:
    for d, units, mean in ((2, 150, 0.7), (5, 131, 0.5), (5, 131, 3.0), (10, 131, 1.5)):
        held, clean, values, ranks = [], {}, [], []
        for seed in range(seeds):
            one = latent_population(d, n_units=units, mean_count=mean, seed=2000 + seed)
            found = controlled_dimension({"area": one.counts}, n_resamples=2, seed=seed)
            ranks.append(found.n1)
            clean[seed] = dict(zip(RANKS, gride(one.rates, n1=RANKS).value, strict=True))
            values.append(found.controlled["area"])
        for estimate, rank in zip(values, ranks, strict=True):
            held.append(
                rank > 0 and estimate.low <= np.mean([curve[rank] for curve in clean.values()]) <= estimate.high
            )
        used = max(set(ranks), key=ranks.count)
        reads = [e.value for e, rank in zip(values, ranks, strict=True) if rank == used]
        truth = np.mean([curve[used] for curve in clean.values()])
        print(
            f"d = {d}, {units} units, mean {mean}: covered {np.mean(held):.2f} of {seeds}; at n1 = {used} {np.mean(reads):.2f}, noiseless {truth:.2f}",
            flush=True,
        )


def extrapolation(seeds: int = 5) -> None:
    whole, limits, raw, cleaned = [], [], [], []
    for seed in range(seeds):
        one = latent_population(10, n_units=2000, n_trials=1, seed=seed)
        units = np.sort(np.random.default_rng(seed).choice(2000, 100, replace=False))
        counts = np.random.default_rng(seed).poisson(one.rates[:, units], (26, 230, 100)).astype(float)
        whole.append(participation_ratio(one.rates).value)
        raw.append(participation_ratio(trial_means(counts)).value)
        cleaned.append(signal_participation_ratio(counts).value)
        limits.append(
            extrapolated(
                counts,
                lambda part: signal_participation_ratio(part).value,
                axis=2,
                over="unit",
                n_resamples=2,
                blocks=5,
                seed=seed,
            )
        )
    inside = [e.low <= w <= e.high for e, w in zip(limits, whole, strict=True)]
    print(f"participation ratio of 2000 noiseless units {np.mean(whole):.2f}; of 100 units raw {np.mean(raw):.2f}, noise-corrected "
          f"{np.mean(cleaned):.2f}, extrapolated in units {np.mean([e.value for e in limits]):.2f}, within its interval {np.mean(inside):.2f}")  # fmt: skip


def _row(values: object) -> str:
    return " ".join(f"{value:5.2f}" for value in np.asarray(values))


if __name__ == "__main__":
    parts = {"table": table, "order": order, "alike": alike, "coverage": coverage, "extrapolation": extrapolation}
    for name in sys.argv[1:] or parts:
        parts[name]()
