"""The main job on a cortex that is made up: a simulated rat, and the bundled network beside it on the same stimuli."""

from __future__ import annotations

from pathlib import Path

from stratoscope.measure import profile
from stratoscope.results import Results, check_target
from stratoscope.sources import Arrays
from stratoscope.sources.bundled import open_bundled
from stratoscope.sources.openers import Request
from stratoscope.sources.recording import Recording, half_means
from stratoscope.stimuli import open_stimuli
from stratoscope.studies import Study, compare
from stratoscope.studies.tafazoli2017.study import unit_information_study
from stratoscope.testing.rat import SimulatedRat, simulate_rat
from stratoscope.testing.rat.design import WINDOW
from stratoscope.testing.rat.recorded import recorded
from stratoscope.testing.rat.truth import measured_information

MODEL, STIMULI = "alexnet", "objects:tafazoli"
#: Share of the units of Tafazoli et al. 2017 that are simulated, at least 8 an area.
SIZE = 0.3
METRICS = (
    "rdm",
    "unit_groups",
    "population_sparseness",
    "lifetime_sparseness",
    "two_nn",
    "gride",
    "participation_ratio",
)
REMARK = (
    "The rat is SIMULATED, not recorded: numbers of units and trials, stimuli and window are those of Tafazoli et al. 2017 "
    "(a share of their units), its tuning is invented. Nothing here says anything about a real cortex."
)


def run_cortex_demo(
    out: str | Path, *, seed: int = 0, size: float = SIZE, overwrite: bool = False, progress: bool = True
) -> Study:
    """Simulate a rat, measure its areas as a recording is measured, and put the bundled network beside it.

    Spikes are counted from each unit's latency; dimensions come with their controls, information with equal trials, and
    similarity with noise ceilings from halves of the trials and intervals over stimuli and units.

    Parameters
    ----------
    out : path
        Folder of the comparison; the report is ``report.html`` in it.
    seed : int
        Seed of the rat and of every resampling.
    size : float
        Share of the units of Tafazoli et al. 2017.
    overwrite : bool
        Replace results that are in the folder.
    progress : bool
        Show progress bars.
    """
    target = check_target(out, overwrite=overwrite)
    rat = simulate_rat(size=size, seed=seed)
    recording = recorded(rat).count((0.0, WINDOW), latency="unit")
    views = open_stimuli(STIMULI)
    network = open_bundled(MODEL, Request(f"bundled:{MODEL}", stages="relu"))
    measured = profile(network, views, metrics=METRICS, seed=seed, progress=progress)
    cortex = _measured(rat, recording, seed, progress=progress)
    halves = _halves(recording, seed)
    study = compare([measured, cortex.results], halves=[halves], n_draws=60, seed=seed, out=target, overwrite=overwrite)
    study.report(target / "report.html")
    return study


def _measured(rat: SimulatedRat, recording: Recording, seed: int, *, progress: bool) -> Study:
    """Profile the areas, and judge what their units tell."""
    areas = profile(recording, recording.stimuli(), metrics=METRICS, unit="neuron", seed=seed, progress=progress)
    fewest = min(int(area.n_trials.min()) for area in rat.areas)
    return unit_information_study(
        measured_information(rat, seed=seed), equal_trials=measured_information(rat, n_trials=fewest, seed=seed),
        hierarchy=rat.name, beside=[areas], remarks=[REMARK], seed=seed,
    )  # fmt: skip


def _halves(recording: Recording, seed: int) -> tuple[Results, Results]:
    """Profile two random halves of the trials of every area, for its noise ceiling."""
    parts: tuple[dict[str, object], dict[str, object]] = ({}, {})
    ids: tuple[str, ...] = ()
    for stage in recording.stages:
        counts = recording.trials.take_area(stage.name)
        ids = counts.stimuli
        for part, means in zip(parts, half_means(counts, seed=seed), strict=True):
            part[stage.name] = means
    one, other = (Arrays(part, ids=ids, unit="neuron", name=recording.name) for part in parts)
    first, second = (profile(half, half.stimuli(), metrics=["rdm"], progress=False) for half in (one, other))
    return first, second
