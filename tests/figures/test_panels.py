"""What a page is told is what the figure shows: read back from the artists."""

from __future__ import annotations

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from stratoscope.figures.counts import count
from stratoscope.figures.panels import live_panels
from stratoscope.figures.places import NamedPlaces
from stratoscope.figures.scales import scale_curves
from stratoscope.figures.style import SERIES, THEME
from stratoscope.results import Results
from stratoscope.testing.results import toy_results


@pytest.fixture
def axes():
    return Figure().add_subplot()


def panel(axes):
    (found,) = live_panels(axes.figure)["panels"]
    return found


def test_a_line_has_its_band_its_colour_by_name_and_its_label(axes):
    axes.fill_between([0, 1, 2], [0.5, 1, 2], [1, 2.5, 4], color=SERIES[1], alpha=0.2, lw=0)
    axes.fill_between([0, 1, 2], [5, 5, 5], [6, 6, 6], color=SERIES[2], alpha=0.2, lw=0)
    axes.plot([0, 1, 2], [1, 2, np.nan], color=SERIES[1], marker="o", label="trained")
    (line,) = panel(axes)["lines"]
    assert (line["name"], line["colour"], line["marks"], line["dash"]) == (
        "trained",
        "series-2",
        "lines+markers",
        "solid",
    )
    assert (line["x"], line["y"]) == ([0, 1, 2], [1, 2, None])
    assert (line["low"], line["high"]) == ([0.5, 1, 2], [1, 2.5, 4])


def test_a_line_of_another_colour_has_no_band(axes):
    axes.fill_between([0, 1], [0, 0], [1, 1], color=SERIES[1], alpha=0.2, lw=0)
    axes.plot([0, 1], [1, 2], color=SERIES[0])
    (line,) = panel(axes)["lines"]
    assert line["low"] == line["high"] == [None, None]
    assert line["name"] == ""


def test_a_line_says_how_many_each_point_rests_on_where_that_is_known(axes):
    count(axes.plot([0, 1], [1, 2]), [10, 8])
    count(axes.plot([0, 1], [1, 3]), [10])  # not one for each point: nothing is said rather than something wrong
    axes.plot([0, 1], [1, 4])
    known, wrong, unknown = panel(axes)["lines"]
    assert known["n"] == [10, 8]
    assert "n" not in wrong
    assert "n" not in unknown


def test_dashes_are_those_of_the_page(axes):
    for dash in ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2))):
        axes.plot([0, 1], [0, 1], ls=dash, color=THEME["control"])
    axes.plot([0, 1], [0, 1], ls="", marker="o")
    lines = panel(axes)["lines"]
    assert [line["dash"] for line in lines[:4]] == ["solid", "dash", "dot", "dashdot"]
    assert [line["control"] for line in lines] == [True] * 4 + [False]
    assert lines[4]["marks"] == "markers"


def test_lines_across_are_levels_and_no_data(axes):
    axes.plot([0, 1], [0, 1])
    axes.axhline(0.25, color=THEME["control"])
    axes.axvline(0.75, color=SERIES[0])
    found = panel(axes)
    assert len(found["lines"]) == 1
    assert [(level["along"], level["at"]) for level in found["levels"]] == [("y", 0.25), ("x", 0.75)]


def test_places_keep_all_names_and_axes_their_range_and_scale(axes):
    names = tuple(f"stage {i}" for i in range(30))
    axes.plot(range(30), range(30))
    axes.set_xticks([0, 29], [names[0], names[29]])
    axes.fmt_xdata = NamedPlaces(names)
    axes.set_yscale("log", base=2)
    axes.set_ylim(1, 32)
    axes.set_title("A  words", loc="left")
    axes.set_ylabel("bits")
    data = live_panels(axes.figure)
    assert data["stages"] == list(names)
    found = data["panels"][0]
    assert found["x"]["names"] == list(names)
    assert (found["y"]["log"], found["y"]["range"], found["y"]["label"], found["title"]) == (
        2,
        [1, 32],
        "bits",
        "A  words",
    )
    assert axes.format_xdata(28.6) == "stage 29"


def test_boxes_come_as_outlines(axes):
    axes.boxplot([[1, 2, 3], [2, 3, 4]], patch_artist=True)
    outlines = [line for line in panel(axes)["lines"] if len(line["x"]) >= 5 and line["marks"] == "lines"]
    assert len(outlines) == 2
    assert max(outlines[0]["y"]) == 2.5


def test_an_image_is_a_matrix_and_its_colour_bar_no_panel(axes):
    image = axes.imshow([[0.0, 1.0], [np.nan, 0.5]], vmin=0, vmax=1)
    image.set_label("CKA")
    axes.figure.colorbar(image, ax=axes)
    found = panel(axes)
    assert found["heat"] == {"label": "CKA", "range": [0, 1], "value": [[0, 1], [None, 0.5]]}


def test_everything_is_plain_and_empty_axes_are_left_out():
    figure = Figure()
    figure.subplots(1, 2)[0].plot([0, 1], [np.inf, np.nan])
    data = live_panels(figure)
    assert len(data["panels"]) == 1
    assert data["panels"][0]["lines"][0]["y"] == [None, None]
    json.dumps(data, allow_nan=False)


def test_scale_curves_are_a_panel_a_lesion_with_every_stage_and_the_same_range():
    both = Results.combine([toy_results(), toy_results(lesion="permute_weights", seed=1)])
    data = live_panels(scale_curves(both), ["fc6"])
    assert [one["title"] for one in data["panels"]] == ["intact", "permuted weights"]
    assert [len(one["lines"]) for one in data["panels"]] == [8, 8]
    assert data["panels"][0]["y"]["range"] == data["panels"][1]["y"]["range"]
    assert data["panels"][0]["x"]["log"] == 2
    assert data["stages"] == ["fc6"]
    assert any(low is not None for low in data["panels"][0]["lines"][0]["low"])
