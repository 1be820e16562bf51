"""Single units, sorted and against each other: read from the artists."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.figures.units import (
    MOST_PAIRED,
    MOST_PANELS,
    paired_names,
    paired_rows,
    points_of,
    sorted_units,
    unit_metrics,
    units_against,
)
from stratoscope.results import Declared, Results, Row, StageResult, Values
from stratoscope.types import Stage

INFORMATION = "unit_information.luminance"


def run(rng, n_units=(20, 300), *, lesion="", nan=False, unit="channel"):
    closed = []
    for place, count in enumerate(n_units):
        stage = Stage(f"relu{place + 1}", (place + 1) / len(n_units), "relu", (count,), unit, count, hierarchy="net")
        sparse, bits = rng.random(count), rng.random(count)
        if nan:
            bits[:3] = np.nan
        arrays = {"lifetime_sparseness": Values(sparse, ("unit",)), INFORMATION: Values(bits, ("unit",))}
        row = Row.of(stage, "unit_information", 0.5, n=count, item="luminance, median over units", lesion=lesion)
        closed.append(StageResult(stage, arrays, (row,)))
    said = [Declared("unit_information", unit="bits"), Declared("lifetime_sparseness")]
    return Results.build({}, closed, {}, metrics=said)


def test_names_of_units_numbers_and_the_pair_worth_a_look_are_found(rng):
    results = run(rng)
    assert unit_metrics(results) == [INFORMATION, "lifetime_sparseness"]
    assert paired_names(results) == [("lifetime_sparseness", INFORMATION)]


def test_curves_fall_hold_the_extremes_and_leave_out_what_has_no_value(rng):
    results = run(rng, nan=True)
    (axes,) = sorted_units(results, INFORMATION).axes
    assert [line.get_label() for line in axes.get_lines()] == ["relu1", "relu2"]
    for line, n, name in zip(axes.get_lines(), (17, 297), ("relu1", "relu2"), strict=True):
        values = results[name][INFORMATION].to_numpy()
        y = line.get_ydata()
        assert (np.diff(y) <= 0).all()
        assert (y[0], y[-1]) == (np.nanmax(values), np.nanmin(values))
        assert set(y) <= set(values)
        assert line.get_xdata()[0] == 0.5 / n
    assert axes.get_ylabel() == "unit information about luminance, bits"
    assert axes.get_title("left") == "A  units: channel"


def test_a_panel_a_lesion_up_to_a_number(rng):
    lesions = ["", *(f"lesion {i}" for i in range(9))]
    figure = sorted_units(Results.combine([run(rng, lesion=one) for one in lesions]), "lifetime_sparseness")
    assert len(figure.axes) == MOST_PANELS
    assert figure.axes[0].get_title("left") == "A  intact, units: channel"
    assert figure.axes[1].get_title("left") == "B  lesion 0, units: channel"


def test_few_units_are_all_drawn_and_many_at_even_distances():
    assert points_of(5, 1).tolist() == [0, 1, 2, 3, 4]
    many = points_of(100_000, 1)
    assert (many[0], many[-1], len(many)) == (0, 99_999, 100)
    assert len(points_of(100_000, 200)) * 200 <= 4000
    assert points_of(0, 1).tolist() == []


def test_units_are_paired_with_themselves_and_capped_by_a_seed(rng):
    results = run(rng, (30, 5000), nan=True)
    (axes,) = units_against(results, "lifetime_sparseness", INFORMATION).axes
    drawn = [line.get_xydata() for line in axes.get_lines()]
    assert [len(points) for points in drawn] == [27, MOST_PAIRED // 2]
    for points, name in zip(drawn, ("relu1", "relu2"), strict=True):
        arrays = results[name]
        pairs = set(zip(arrays["lifetime_sparseness"].to_numpy(), arrays[INFORMATION].to_numpy(), strict=True))
        assert {tuple(point) for point in points} <= pairs
    x = rng.random(1000)
    assert paired_rows(x, x, 50).tolist() == paired_rows(x, x, 50).tolist()


def test_numbers_of_different_units_are_never_paired(rng):
    apart = Results.combine([run(rng, unit="channel"), run(rng, unit="position")])
    assert len(units_against(apart, "lifetime_sparseness", INFORMATION).axes) == 2
    one = Stage("a", 0.5, "relu", (4,), "channel", 4, hierarchy="net")
    other = Stage("a", 0.5, "relu", (9,), "position", 9, hierarchy="net")
    results = Results.build(
        {},
        [
            StageResult(one, {"x": Values(np.ones(4), ("unit",))}),
            StageResult(other, {"y": Values(np.ones(9), ("unit",))}),
        ],
        {},
    )
    with pytest.raises(
        BadInput, match=r"No stage holds both x and y: .* different definitions of a unit\. Ask for one with unit=\."
    ):
        units_against(results, "x", "y")


def test_a_stage_without_any_value_is_an_empty_curve(rng):
    stage = Stage("a", 1.0, "relu", (4,), "channel", 4, hierarchy="net")
    results = Results.build({}, [StageResult(stage, {"x": Values(np.full(4, np.nan), ("unit",))})], {})
    with pytest.raises(UnknownName, match="lifetime"):
        sorted_units(results, "lifetime_sparseness")
    (axes,) = sorted_units(results, "x").axes
    assert len(axes.get_lines()[0].get_xdata()) == 0
