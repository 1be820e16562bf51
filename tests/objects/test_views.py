from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.stimuli.objects import DEFAULT_OBJECTS, DEFAULT_VIEW, Screen, dense_views, tafazoli_views
from stratoscope.stimuli.objects.views import check_fit


def test_ten_objects_have_380_views_with_the_axes_of_the_paper():
    views = tafazoli_views(DEFAULT_OBJECTS)
    assert len(views) == 380
    first = views.take(np.arange(38))
    assert Counter(first.axis.tolist()) == {"position": 8, "size": 8, "in_plane": 8, "in_depth": 8, "luminance": 6}
    np.testing.assert_array_equal(np.unique(first.azimuth), np.arange(-22.5, 31, 7.5))
    np.testing.assert_array_equal(np.unique(first.size), [15, 25, 35, 45, 55])
    np.testing.assert_array_equal(np.unique(first.in_plane), [-40, -20, 0, 20, 40])
    np.testing.assert_array_equal(np.unique(first.in_depth), [-60, -40, 0, 40, 60])
    np.testing.assert_array_equal(np.unique(first.luminance), [12.5, 25, 50, 100])
    assert (first.elevation == 0).all()


def test_only_one_axis_changes_at_a_time_and_no_view_comes_twice():
    views = tafazoli_views(["jug"])
    rows = np.stack([views.columns()[name] for name in DEFAULT_VIEW], 1)
    assert len(np.unique(rows, axis=0)) == 38
    changed = sum(views.columns()[name] != value for name, value in DEFAULT_VIEW.items() if name != "azimuth")
    assert changed.max() == 1
    assert (changed[views.axis == "position"] == 0).all()
    np.testing.assert_array_equal(np.unique(views.azimuth[changed == 1]), [-15, 15])


def test_twenty_three_views_lie_at_each_default_position_or_are_positions():
    views = tafazoli_views(["jug"])
    assert ((views.axis == "position") | (views.azimuth == -15)).sum() == 23


def test_more_views_than_the_axes_have_are_refused():
    with pytest.raises(
        BadInput, match=r"39 views an object were asked for, but the axes of Tafazoli et al\. 2017 have 38"
    ):
        tafazoli_views(["jug"], per_object=39)
    with pytest.raises(
        BadInput, match=r"9 views an object were asked for, but the axis 'size' has 8: the values are fixed"
    ):
        tafazoli_views(["jug"], axes=["size"], per_object=9)
    assert len(tafazoli_views(["jug"], axes=["size", "luminance"], per_object=14)) == 14


def test_an_unknown_axis_names_the_nearest():
    with pytest.raises(UnknownName, match=r"No view axis is called 'in_plan'\. Did you mean 'in_plane'"):
        tafazoli_views(["jug"], axes=["in_plan"])


def test_dense_views_are_uniform_balanced_and_independent():
    views = dense_views(["a", "b", "c"], 3000, seed=3)
    assert set(Counter(views.object.tolist()).values()) == {1000}
    drawn = np.stack([views.azimuth, views.elevation, views.size, views.in_plane, views.in_depth, views.luminance])
    assert np.abs(np.corrcoef(drawn)[np.triu_indices(6, 1)]).max() < 4 / np.sqrt(3000)
    for values, (low, high) in zip(
        drawn, [(-20, 20), (-15, 15), (15, 55), (-40, 40), (-60, 60), (12.5, 100)], strict=True
    ):
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high


def test_the_seed_decides_and_a_longer_set_starts_like_a_shorter_one():
    first, same, other = (dense_views(["a", "b"], n, seed=seed) for n, seed in ((20, 1), (40, 1), (20, 2)))
    np.testing.assert_array_equal(first.size, same.size[:20])
    assert (first.size != other.size).all()


def test_fixed_and_narrow_ranges_are_kept():
    views = dense_views(["a"], 50, ranges={"luminance": (100, 100), "azimuth": (-5, 5)})
    assert (views.luminance == 100).all()
    assert np.abs(views.azimuth).max() <= 5


def test_ranges_that_leave_the_screen_are_refused_or_drawn_again():
    wide = {"azimuth": (-30.0, 30.0)}
    with pytest.raises(
        BadInput, match=r"leave the screen, which reaches to azimuth \+-48 and elevation \+-45.*redraw=1"
    ):
        dense_views(["a"], 10, ranges=wide)
    views = dense_views(["a"], 500, ranges=wide, redraw=True)
    assert Screen().fits(views.azimuth, views.elevation, views.size).all()
    assert np.abs(views.azimuth).max() > 25


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"azimut": (0, 1)}, r"no view axis 'azimut' to draw from\. Did you mean 'azimuth'"),
        ({"size": (30, 20)}, r"The range of size goes from 30 to 20; the lower end comes first"),
        ({"size": (0, 20)}, r"Sizes lie between 0 and 180 degrees; came 0 to 20"),
        ({"luminance": (50, 200)}, r"Luminance lies between 0 and 100 percent; came 50 to 200"),
        ({"azimuth": (60, 70)}, r"leave the screen"),
    ],
)
def test_impossible_ranges_are_refused(ranges, message):
    with pytest.raises(BadInput, match=message):
        dense_views(["a"], 10, ranges=ranges)


def test_ranges_in_which_nothing_fits_are_refused_even_when_drawing_again():
    with pytest.raises(BadInput, match="No view within these ranges fits a screen"):
        dense_views(["a"], 10, ranges={"azimuth": (50, 60)}, redraw=True)


def test_an_empty_dense_set_is_refused():
    with pytest.raises(BadInput, match="needs at least 1 view; 0 were asked for"):
        dense_views(["a"], 0)


def test_a_view_outside_the_screen_is_named():
    views = tafazoli_views(["jug"])
    with pytest.raises(
        BadInput, match=r"of 38 views leave the screen; the first is 'jug' at azimuth -22.5, .*azimuth \+-30"
    ):
        check_fit(views, Screen(field=60))
