"""What single units of the rat's areas are claimed to do along the hierarchy, as data; and results to judge it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np

from stratoscope.results import Declared, Results, Row, StageResult, Values
from stratoscope.statistics.claims import Claim, Control, Reading
from stratoscope.studies.tafazoli2017.information import PAPER, AreaInformation
from stratoscope.types import Floats, Stage

#: Name in results of every array of `AreaInformation`, what it is, and its unit.
METRICS = {
    "stimulus": ("stimulus_information", "Information of a unit about which stimulus was shown.", "bits"),
    "luminance": ("luminance_information", "Information of a unit about luminance in its receptive field.", "bits"),
    "high": (
        "information_beyond_luminance",
        "Information of a unit about the stimulus when luminance is known.",
        "bits",
    ),
    "f_high": ("f_high", "Share of a unit's information that is not about luminance; informative units alone.", "1"),
    "objects": (
        "object_information",
        "Information of a unit about which of two objects was shown, in any view.",
        "bits",
    ),
    "control": (
        "luminance_object_information",
        "What luminance alone tells about which of two objects was shown.",
        "bits",
    ),
}
EQUAL_TRIALS = "equal-trials"


def area_results(
    areas: Mapping[str, AreaInformation],
    *,
    hierarchy: str,
    equal_trials: Mapping[str, AreaInformation] | None = None,
    seed: int = 0,
) -> Results:
    """Lay out what units of areas tell as results: medians in the table, every unit in the arrays.

    Parameters
    ----------
    areas : mapping of str to AreaInformation
        In the order of the hierarchy.
    hierarchy : str
        Name of the recording; simulated ones say so in it.
    equal_trials : mapping of str to AreaInformation, optional
        The same, measured with equal numbers of trials: the control ``equal-trials``.
    seed : int
        Seed of the bootstrap over units in the table.
    """
    depth = np.linspace(0, 1, len(areas)) if len(areas) > 1 else np.zeros(1)
    stages = []
    for (name, found), at in zip(areas.items(), depth, strict=True):
        n_units = len(found.stimulus)
        stage = Stage(name, float(at), "area", (n_units,), "neuron", n_units, hierarchy=hierarchy)
        arrays, rows = _measured(stage, found, "", seed)
        if equal_trials is not None:
            more, below = _measured(stage, equal_trials[name], EQUAL_TRIALS, seed)
            arrays, rows = arrays | more, rows + below
        stages.append(StageResult(stage, arrays, rows))
    return Results.build({"recording": hierarchy, "seed": seed}, stages, {}, metrics=_declared())


def rat_claims(*, n_resamples: int = 1000, equal_trials: bool = True) -> tuple[Claim, ...]:
    """Return the claims of Tafazoli et al. 2017 about information along V1, LM, LI and LL.

    Parameters
    ----------
    n_resamples : int
        Resamples of units for the intervals.
    equal_trials : bool
        Whether the control with equal trials was measured.
    """
    said = (
        ("information-falls", "Units tell less about the stimulus along the areas", "stimulus", "below"),
        ("luminance-information-falls", "Units tell less about luminance along the areas", "luminance", "below"),
        ("f-high-rises", "A growing share of what units tell is not about luminance", "f_high", "above"),
        (
            "object-information-rises",
            "Units tell more about objects whatever their view along the areas",
            "objects",
            "above",
        ),
    )
    controls = [Control("equal trials", {"control": EQUAL_TRIALS})] if equal_trials else []
    controls.append(Control("areas permuted", test="permute_stages"))
    return tuple(
        Claim(
            name,
            sentence,
            PAPER,
            Reading(METRICS[array][0], over="unit"),
            "kendall_points",
            direction,
            controls=tuple(controls),
            options={"n_resamples": n_resamples},
        )
        for name, sentence, array, direction in said
    )


def _measured(
    stage: Stage, found: AreaInformation, control: str, seed: int
) -> tuple[dict[str, Values], tuple[Row, ...]]:
    arrays, rows = {}, []
    for entry in fields(found):
        if entry.name not in METRICS:
            continue
        name, _, unit = METRICS[entry.name]
        values: Floats = getattr(found, entry.name)
        arrays[f"{name}.{control}" if control else name] = Values(values, ("unit",), {"unit": unit})
        rows.append(_median(stage, name, values, control, seed))
    return arrays, tuple(rows)


def _median(stage: Stage, name: str, values: Floats, control: str, seed: int) -> Row:
    known = values[np.isfinite(values)]
    lost = len(values) - len(known)
    note = f"{lost} of {len(values)} units have no number" if lost else ""
    if len(known) < 2:
        return Row.of(stage, name, np.nan, n=len(known), item="median over units", control=control, note=note)
    rng = np.random.default_rng(seed)
    drawn = np.median(known[rng.integers(len(known), size=(1000, len(known)))], axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Row.of(
        stage, name, float(np.median(known)), float(low), float(high), n=len(known), item="median over units",
        control=control, seed=seed, note=note,
    )  # fmt: skip


def _declared() -> tuple[Declared, ...]:
    misleads = "Bins and the correction of their bias matter: see unit_information."
    return tuple(
        Declared(name, said, "trials", ("unit",), unit, (-np.inf, np.inf), "neuron", (EQUAL_TRIALS,), PAPER, misleads)
        for name, said, unit in METRICS.values()
    )
