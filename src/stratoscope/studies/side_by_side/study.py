"""Hierarchies side by side as one call: similarity of all stages, best matches, ceilings, and the claims of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from stratoscope.errors import BadInput, unknown_name
from stratoscope.metrics.rsa import split_half_ceiling
from stratoscope.metrics.unit_groups import FEWEST
from stratoscope.results import Results, check_target, open_results
from stratoscope.statistics.comparison import checked_level
from stratoscope.statistics.correct import CORRECTIONS
from stratoscope.studies.record import Study, make_study
from stratoscope.studies.side_by_side.claims import judge_plain, told_already
from stratoscope.studies.side_by_side.draws import OVER
from stratoscope.studies.side_by_side.geometry import GROUPS, Geometry, geometries
from stratoscope.studies.side_by_side.likeness import MEASURES, Likeness, likeness
from stratoscope.studies.side_by_side.write import matrices

NAME = "compare"


def compare(
    runs: Sequence[Results | str | Path],
    *,
    measures: Sequence[str] = ("rsa-spearman", "cka"),
    halves: Sequence[tuple[Results | str | Path, Results | str | Path]] = (),
    n_draws: int = 200,
    over: str = "both",
    level: float = 0.95,
    correction: str = "holm",
    seed: int = 0,
    out: str | Path | None = None,
    overwrite: bool = False,
) -> Study:
    """Put hierarchies side by side: networks, recordings, intact or lesioned, from the folders of their runs.

    Every stage of one is compared with every stage of another on the stimuli they share, for runs that hold
    dissimilarity matrices (profiled with the metric ``rdm``). Curves of all runs stand over normalised depth in the
    report, and the claims of all of them in one table.

    Parameters
    ----------
    runs : sequence of Results or path
        At least two hierarchies, in one run or several.
    measures : sequence of str
        Of ``rsa-spearman``, ``rsa-pearson``, ``cka`` (debiased).
    halves : sequence of (run, run)
        Two runs of one hierarchy made from halves of its trials: they give the noise ceiling of its stages,
        `stratoscope.metrics.split_half_ceiling`. Stages are matched by name.
    n_draws : int
        Random halves for intervals and best matches; 0 for none.
    over : str
        What they are halves of: ``stimuli``, ``units``, or ``both`` at once. Units are drawn where the run kept groups of
        them (metric ``unit_groups``), and taken as they are elsewhere, which a remark says.
    level : float
        Level of intervals.
    correction : str
        How p-values of the claims of plain runs are corrected; those of studies are taken as they were judged.
    seed : int
        Seed of the halves.
    out, overwrite
        Folder for the results, as in `stratoscope.profile`.

    Returns
    -------
    Study
        Its first finding sums up; `Study.claims` holds the claims. The last runs of ``results.tree``, one for each pair of
        hierarchies, hold the matrices (first_stage, second_stage) in their node ``cross``: value, low, high, and the share
        of draws in which a stage is the best.

    Raises
    ------
    BadInput
        For fewer than two hierarchies, an unknown measure, or hierarchies that share fewer than 4 stimuli.

    When it misleads
    ----------------
    Similarity grows with what the stimuli make easy: any two hierarchies that see faces and chairs agree about them.
    Units are drawn as if each were recorded by itself: positions of a feature map are not, and their intervals too narrow.
    Noise that units share from trial to trial is in no interval. The best stage is a maximum over many and
    is therefore read with the share of draws in which it wins, not as a fact. Depth is normalised by layers, not time.

    References
    ----------
    Kriegeskorte et al. 2008, doi:10.3389/neuro.06.004.2008; Kornblith et al. 2019, arXiv:1905.00414.

    Examples
    --------
    >>> study = compare(["runs/network", "runs/cortex"], out="runs/both")  # doctest: +SKIP
    """
    for measure in measures:
        if measure not in MEASURES:
            raise unknown_name("measure of similarity", measure, MEASURES)
    if over not in OVER:
        raise unknown_name("kind of draw", over, OVER)
    if correction not in CORRECTIONS:
        raise unknown_name("correction", correction, CORRECTIONS)
    checked_level(level)
    if n_draws < 0:
        raise BadInput(f"n_draws is a number of random halves from 0 up, but {n_draws} came.")
    if out is not None:
        check_target(Path(out), overwrite=overwrite)
    parts = [_opened(run) for run in runs]
    found, remarks = _hierarchies(parts)
    if n_draws and over != "stimuli":
        remarks += _taken_as_they_are(found)
    ceilings = _ceilings(halves, measures)
    alike = [
        likeness(one, other, measure, n_draws=n_draws, seed=seed, over=over)
        for one, other in combinations(found, 2)
        for measure in measures
    ]
    findings, missing = judge_plain(parts, correction=correction, level=level, seed=seed)
    remarks += missing
    told = [row for part in parts for row in told_already(part, _names(part))]
    said = {"measures": list(measures), "n_draws": n_draws, "over": over, "level": level, "correction": correction, "seed": seed,
            "hierarchies": [one.name for one in found]}  # fmt: skip
    study = make_study(
        [*parts, *matrices(alike, ceilings, level)], NAME, said, findings, _summary(alike, level), remarks, told
    )
    if out is not None:
        study.save(out, overwrite=overwrite)
    return study


def _opened(run: Results | str | Path) -> Results:
    return run if isinstance(run, Results) else open_results(run)


def _hierarchies(parts: Sequence[Results]) -> tuple[list[Geometry], list[str]]:
    """Return all geometries under names of their own, and which runs have none; refuses fewer than two hierarchies."""
    found, remarks, count = [], [], 0
    for part in parts:
        own = geometries(part)
        count += len({(stage.hierarchy, lesion) for stage, lesion in zip(part.stages, part.lesions, strict=True)})
        if not own:
            remarks.append(
                f"{_names(part)} holds no dissimilarity matrices, so its stages stand in the curves but not in the "
                "matrices. Profile it again with --metrics rdm beside the others."
            )
        found += own
    if count < 2:
        raise BadInput(f"Comparing needs at least 2 hierarchies, but {count} came. Give two runs or more.")
    names: dict[str, int] = {}
    numbered = []
    for one in found:
        names[one.name] = names.get(one.name, 0) + 1
        again = names[one.name]
        name = one.name if again == 1 else f"{one.name} #{again}"
        numbered.append(replace(one, name=name))
    return numbered, remarks


def _names(part: Results) -> str:
    return ", ".join(dict.fromkeys(stage.hierarchy for stage in part.stages)) or "A run"


def _ceilings(
    halves: Sequence[tuple[Results | str | Path, Results | str | Path]], measures: Sequence[str]
) -> dict[tuple[str, str, str], float]:
    """Return the ceiling of every (hierarchy, stage, measure) that comes in two halves."""
    found: dict[tuple[str, str, str], float] = {}
    for pair in halves:
        one, other = (_one_geometry(_opened(half)) for half in pair)
        by_name = dict(zip((stage.name for stage in other.stages), other.at(one.ids), strict=True))
        for stage, rdm in zip(one.stages, one.rdms, strict=True):
            if stage.name not in by_name:
                raise unknown_name("stage of the other half", stage.name, by_name)
            for measure in measures:
                if measure != "cka":
                    kind = measure.removeprefix("rsa-")
                    found[stage.hierarchy, stage.name, measure] = split_half_ceiling(
                        rdm, by_name[stage.name], kind=kind
                    )
    return found


def _one_geometry(half: Results) -> Geometry:
    own = geometries(half)
    if len(own) != 1:
        raise BadInput(
            f"A half is the run of one hierarchy with its dissimilarity matrices, but {len(own)} such are in it. "
            "Profile each half of the trials with the metric rdm."
        )
    return own[0]


def _taken_as_they_are(found: Sequence[Geometry]) -> list[str]:
    """Say of which hierarchies not all units could be drawn."""
    without = [one.name for one in found if any(g is None or len(g) < FEWEST for g in one.groups)]
    if not without:
        return []
    said = (
        f"Not all stages of {', '.join(without)} hold at least {FEWEST} groups of units: theirs are taken as they are, and "
        f"intervals are over stimuli alone. Where there are responses, profile with --metrics rdm,{GROUPS} beside the others."
    )
    return [said]


def _summary(alike: Sequence[Likeness], level: float) -> str:
    """Say for the last stage of every pair which stage of the other is most similar, by the first measure."""
    told = []
    for one in (one for one in alike if one.measure == alike[0].measure):
        best = int(one.best()[-1])
        if best < 0:
            continue
        stage, target = one.first.stages[best], one.second.stages[-1]
        low, high = (end[best, -1] for end in one.interval(level))
        ends = f" [{low:.2f}, {high:.2f}]" if len(one.draws) else ""
        wins = (
            f", the best in {one.best_share()[best, -1]:.0%} of {len(one.draws)} halves of {one.over}"
            if len(one.draws)
            else ""
        )
        told.append(
            f"{one.second.name} {target.name} is most similar to {one.first.name} {stage.name} "
            f"({one.measure} {one.value[best, -1]:.2f}{ends}{wins}; {one.n} stimuli)"
        )
    if not told:
        return "No two of these hierarchies hold dissimilarity matrices of the same stimuli; curves and claims only."
    return "; ".join(told) + "."
