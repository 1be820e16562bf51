"""Are claims on a simulated rat right, and is nothing claimed where there is nothing?

    python benchmarks/rat_claims.py [effects|null ...] [--seeds N]

``effects``: luminance information falls and object information rises along four simulated areas; measured values against the true
ones, and the claims after Tafazoli et al. 2017. ``null``: the areas differ in nothing but numbers of units and trials; in how many
seeds is any claim supported, or contradicted, after Holm's correction? There the sign of the estimate stands for its interval, which
can only make more claims.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from stratoscope.statistics.claims import judge_all
from stratoscope.studies.tafazoli2017.claims import area_results, rat_claims
from stratoscope.testing.rat import rat_scenes, simulate_rat
from stratoscope.testing.rat.truth import measured_information, true_information

SHOWN = ("luminance", "objects", "stimulus", "f_high")


def effects(seeds: int) -> None:
    scenes = rat_scenes()
    verdicts, held, right = [], {name: [] for name in SHOWN}, {name: [] for name in SHOWN}
    errors: dict[str, list[float]] = {name: [] for name in SHOWN}
    for seed in range(seeds):
        rat = simulate_rat(scenes=scenes, seed=seed)
        measured, truth = measured_information(rat), true_information(rat)
        results = area_results(measured, hierarchy=rat.name, seed=seed)
        verdicts.append(
            [
                one.itself.verdict
                for one in judge_all(rat_claims(n_resamples=200, equal_trials=False)[:4], results, seed=seed)
            ]
        )
        table = results.table().set_index(["stage", "metric"])
        for name in SHOWN:
            column = {
                "luminance": "luminance_information",
                "objects": "object_information",
                "stimulus": "stimulus_information",
            }.get(name, name)
            medians = []
            for area, found in truth.items():
                row, true = table.loc[area, column], float(np.nanmedian(getattr(found, name)))
                held[name].append(row["low"] <= true <= row["high"])
                errors[name].append(row["value"] - true)
                medians.append(row["value"])
            steps = np.diff(medians)
            right[name].append(bool((steps < 0).all() if name in ("luminance", "stimulus") else (steps > 0).all()))
        if not seed:
            print(
                table["value"]
                .unstack()[[c for c in table["value"].unstack() if "luminance_object" not in c]]
                .round(4)
                .to_string()
            )
    print(f"{seeds} seeds: all claims supported in {sum(set(v) == {'supported'} for v in verdicts)}")
    for name in SHOWN:
        print(f"  {name}: medians of areas in the true order in {sum(right[name])} of {seeds}, true median within the interval in "
              f"{np.mean(held[name]):.2f} of areas, mean error {np.mean(errors[name]):+.4f}", flush=True)  # fmt: skip


def null(seeds: int) -> None:
    scenes = rat_scenes()
    claims = tuple(replace(claim, controls=(), options={"n_resamples": 0}) for claim in rat_claims())
    counts = {"supported": 0, "contradicted": 0}
    ps, claimed = [], 0
    for seed in range(seeds):
        rat = simulate_rat(scenes=scenes, effects=False, seed=10_000 + seed)
        found = judge_all(claims, area_results(measured_information(rat), hierarchy=rat.name))
        verdicts = [one.itself.verdict for one in found]
        ps.append([one.itself.p for one in found])
        claimed += set(verdicts) != {"undecided"}
        for word in counts:
            counts[word] += word in verdicts
        if seed % 10 == 9:
            print(f"{seed + 1} seeds, nothing claimed in {seed + 1 - claimed}", flush=True)
    print(f"no effects: of {seeds} seeds some claim is supported in {counts['supported']}, contradicted in {counts['contradicted']}; "
          f"nothing is claimed in {seeds - claimed}")  # fmt: skip
    for claim, column in zip(claims, np.array(ps).T, strict=True):
        print(f"  {claim.id}: uncorrected p below 0.05 in {np.mean(column < 0.05):.2f}")


if __name__ == "__main__":
    words = sys.argv[1:]
    asked = int(words[words.index("--seeds") + 1]) if "--seeds" in words else None
    parts = {"effects": (effects, 20), "null": (null, 100)}
    for part in [word for word in words if word in parts] or parts:
        function, usual = parts[part]
        function(asked or usual)
