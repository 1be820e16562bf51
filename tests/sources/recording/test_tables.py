import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.sources.recording import Presentations, Spikes, TrialCounts, Units


def test_one_text_stands_for_every_row():
    units = Units((1, 2), "V1", "monday", {"depth": [0.1, 0.2]})
    assert units.ids == ("1", "2")
    assert units.area.tolist() == ["V1", "V1"]
    assert units.take([1]).columns["depth"].tolist() == [0.2]
    assert units.take(np.array([False, True])).session.tolist() == ["monday"]


def test_columns_of_objects_become_text():
    units = Units("ab", "V1", columns={"quality": np.array(["good", None], dtype=object)})
    assert units.columns["quality"].dtype.kind == "U"


def test_letters_of_a_text_are_stimuli_as_they_are_units():
    assert Presentations("aba").stimulus.tolist() == ["a", "b", "a"]


def test_areas_come_in_the_order_of_the_table():
    assert Units("abcd", ["V2", "V1", "V2", "IT"]).areas == ("V2", "V1", "IT")


def test_repeats_are_numbered_within_their_session():
    shown = Presentations(["a", "b", "a", "a"], session=["x", "x", "x", "y"])
    assert shown.trial.tolist() == [0, 0, 1, 0]
    assert shown.stimuli == ("a", "b")
    assert shown.codes.tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("lost", ["", "unknown", None, np.nan])
def test_a_unit_without_area_is_named_with_its_row(lost):
    with pytest.raises(BadInput, match=r"Unit 'c' has no area: row 2 of the table of units .*leave these units out"):
        Units("abc", ["V1", "V1", lost])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Units((), "V1"), "table of units has no row"),
        (lambda: Units(["a", ""], "V1"), "Row 1 of the table of units has no id"),
        (lambda: Units("aba", "V1"), r"id 'a' in rows 0 and 2"),
        (lambda: Units("ab", ["V1"]), r"Column 'area' .* 2 rows; its shape is \(1,\)"),
        (lambda: Units("ab", "V1", columns={"depth": [1]}), r"Column 'depth' of the table of units"),
        (lambda: Presentations([]), "table of presentations has no row"),
        (lambda: Presentations(["a", ""]), "Row 1 of the table of presentations names no stimulus"),
        (lambda: Presentations(["a"], [1.0]), "onsets and offsets, or neither"),
        (lambda: Presentations(["a", "a"], [0, np.nan], [1, 2]), "Column 'onset' .*row 1 is nan"),
        (lambda: Presentations(["a", "a"], [0, 5], [1, 4]), "Row 1 .* ends at 4 s and begins at 5 s"),
        (lambda: Presentations(["a", "a"], trial=[0, np.nan]), "Column 'trial' .* must be whole numbers; row 1 is nan"),
        (lambda: Presentations(["a", "a"], trial=[0.5, 1]), "must be whole numbers; row 0 is 0.5"),
        (
            lambda: Presentations(["a", "a"], ["0", "soon"], [1, 2]),
            "Column 'onset' .* must be numbers: could not convert",
        ),
        (lambda: Presentations(["a", "b", "a"], trial=[0, 0, 0]), "Rows 0 and 2 .* both trial 0 of stimulus 'a'"),
    ],
)
def test_a_wrong_table_is_refused_with_table_and_row(make, message):
    with pytest.raises(BadInput, match=message):
        make()


SHOWN = Presentations(["a", "b"], [0, 1], [0.5, 1.5])


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (
            [[0.1, 0.3, 0.2], [1.0]],
            r"unit 'p' \(row 0 of the table of units\) are not sorted: spike 2 is at 0.2 s, after one at 0.3 s",
        ),
        ([[1.0], [-0.5, 0.1]], r"Spike 0 of unit 'q' .* is at -0.5 s.*shift"),
        ([[1.0], [0.5, np.nan]], r"Spike 1 of unit 'q' .* is at nan s"),
        ([["soon"], []], "Spike times must be numbers: could not convert"),
        ([[1.0]], "spike trains of 1 units and 2 rows"),
        ([[[1.0]], []], "unit 'p' must be"),
    ],
)
def test_wrong_spike_times_are_refused_with_unit_and_spike(times, message):
    with pytest.raises(BadInput, match=message):
        Spikes(times, Units("pq", "V1"), SHOWN)


def test_spikes_need_onsets_and_presentations_of_their_session():
    with pytest.raises(BadInput, match="has neither"):
        Spikes([[1.0]], Units("p", "V1"), Presentations(["a"]))
    with pytest.raises(BadInput, match=r"Unit 'p' \(row 0 .* session 'x', of which"):
        Spikes([[1.0]], Units("p", "V1", "x"), SHOWN)


def test_observation_intervals_that_overlap_are_refused():
    with pytest.raises(BadInput, match="observation intervals of unit 'p'"):
        Spikes([[1.0]], Units("p", "V1"), SHOWN, ([[0, 2], [1, 3]],))
    with pytest.raises(BadInput, match="of 2 units and 1 units"):
        Spikes([[1.0]], Units("p", "V1"), SHOWN, (None, None))


def test_a_missing_repeat_is_absent_and_not_zero():
    counts = TrialCounts([[1, 4], [3, np.nan], [5, 6]], Units("pq", "V1"), Presentations(["a", "a", "b"]))
    np.testing.assert_array_equal(counts.n_trials(), [[2, 1], [1, 1]])
    np.testing.assert_array_equal(counts.mean(), [[2, 4], [5, 6]])
    np.testing.assert_array_equal(counts.by_trial()[:, :, 1], [[4, np.nan], [6, np.nan]])


def test_means_and_single_trials_agree_on_ragged_counts(rng):
    table = rng.poisson(3.0, (60, 7)).astype(float)
    table[rng.random(table.shape) < 0.3] = np.nan
    counts = TrialCounts(table, Units("abcdefg", "V1"), Presentations(rng.permuted(np.arange(60) % 9)))
    trials = counts.by_trial()
    np.testing.assert_array_equal(np.isfinite(trials).sum(1), counts.n_trials())
    np.testing.assert_allclose(np.nansum(trials, 1) / counts.n_trials(), counts.mean())


def test_a_stimulus_no_unit_was_recorded_with_has_no_mean():
    counts = TrialCounts([[1.0], [np.nan]], Units("p", "V1"), Presentations(["a", "b"]))
    assert np.isnan(counts.mean()[1, 0])
    assert counts.n_trials()[1, 0] == 0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([["a", "b"]] * 2, r"Counts \(presentation, unit\) must be numbers"),
        ([[1.0, 2.0]], r"\(presentation, unit\) = \(2, 2\).*they are \(1, 2\)"),
        ([[1, np.inf], [1, 1]], "unit 'q' in row 0 of the table of presentations is infinite"),
        ([[1, np.nan], [1, np.nan]], r"Unit 'q' \(row 1 of the table of units\) has no count"),
    ],
)
def test_wrong_counts_are_refused(table, message):
    with pytest.raises(BadInput, match=message):
        TrialCounts(table, Units("pq", "V1"), Presentations(["a", "b"]))


def test_units_presentations_and_areas_can_be_taken():
    counts = TrialCounts(np.arange(6.0).reshape(3, 2), Units("pq", ["V1", "IT"]), Presentations(["a", "b", "a"]))
    assert counts.take_area("IT").counts.ravel().tolist() == [1, 3, 5]
    assert counts.take_presentations([2, 1]).stimuli == ("a", "b")
    with pytest.raises(BadInput, match="No unit lies in area 'V4'; the areas are V1, IT"):
        counts.take_area("V4")
