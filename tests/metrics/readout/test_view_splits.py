"""Training and test sets of views, and folds."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import cross_validated_readout, splits_across_views
from stratoscope.metrics.readout.folds import grouped_folds, interleaved_folds, stratified_folds
from stratoscope.metrics.readout.labels import shuffled_within
from stratoscope.stimuli.objects.views import dense_views, tafazoli_views

RENDERED = tafazoli_views(["jug", "ring", "star"]).columns()
OBJECTS = RENDERED["object"]
COORDINATES = np.stack([RENDERED[name] for name in ("azimuth", "size", "in_plane", "in_depth", "luminance")], axis=1)


def test_every_protocol_keeps_training_and_test_apart_and_learns_what_it_tests():
    for protocol, asked in [
        ("leave-one-view-out", {}),
        ("one-view", {"n_draws": 5}),
        ("within-axis", {"axis": "size", "n_draws": 5}),
        ("leave-one-axis-out", {}),
        ("by-distance", {}),
    ]:
        splits = splits_across_views(OBJECTS, RENDERED, protocol, **asked)
        assert splits
        for train, test in splits:
            assert not np.intersect1d(train, test).size
            assert set(OBJECTS[test]) == set(OBJECTS[train]) == {"jug", "ring", "star"}


def test_leaving_one_view_out_tests_every_stimulus_once():
    splits = splits_across_views(OBJECTS, RENDERED)
    assert len(splits) == 38
    tested = np.concatenate([split.test for split in splits])
    assert sorted(tested) == list(range(114))
    for split in splits:
        assert len(np.unique(COORDINATES[split.test], axis=0)) == 1
        assert len(split.train) == 111


def test_one_view_of_each_object_is_learnt_independently_and_all_others_tested():
    splits = splits_across_views(OBJECTS, RENDERED, "one-view", n_draws=40)
    for split in splits:
        assert sorted(OBJECTS[split.train]) == ["jug", "ring", "star"]
        assert len(split.test) == 111
    same = [len(np.unique(COORDINATES[split.train], axis=0)) == 1 for split in splits]
    assert not all(same)


def test_within_an_axis_nothing_else_changes():
    fixed = {"size": [0, 2, 3, 4], "position": [1, 2, 3, 4], "rotation": [0, 1, 4]}
    for axis, columns in fixed.items():
        for train, test in splits_across_views(OBJECTS, RENDERED, "within-axis", axis=axis, n_draws=20):
            rows = np.concatenate([train, test])
            assert len(np.unique(COORDINATES[rows][:, columns], axis=0)) == 1
            assert len(np.unique(COORDINATES[rows], axis=0)) > 2


def test_by_distance_learns_one_value_and_tests_another():
    for split in splits_across_views(OBJECTS, RENDERED, "by-distance", along="azimuth"):
        learnt, tested = (np.unique(RENDERED["azimuth"][part]) for part in split)
        assert len(learnt) == len(tested) == 1
        assert split.value == abs(learnt[0] - tested[0]) > 0
        others = COORDINATES[np.concatenate([split.train, split.test])][:, 1:]
        assert len(np.unique(others, axis=0)) == 1


def test_leaving_one_axis_out_names_it():
    splits = splits_across_views(OBJECTS, RENDERED, "leave-one-axis-out")
    assert [split.name for split in splits] == ["in_depth", "in_plane", "luminance", "position", "size"]
    assert all(set(RENDERED["axis"][split.test]) == {split.name} for split in splits)


def test_one_column_of_views_is_enough_for_any_set():
    objects, view = np.repeat([3, 7], 5), np.tile(np.arange(5), 2)
    assert len(splits_across_views(objects, view)) == 5
    assert len(splits_across_views(objects, {"view": view, "label": objects}, "one-view", n_draws=3)) == 3
    turned = splits_across_views(objects, {"angle": view * 5.0}, "by-distance", along="angle")
    assert {split.value for split in turned} == {5.0, 10.0, 15.0, 20.0}


def test_draws_depend_on_seed_and_views_and_not_on_the_order_of_stimuli():
    order = np.random.default_rng(0).permutation(len(OBJECTS))
    mixed = {name: column[order] for name, column in RENDERED.items()}
    for protocol, asked in (("one-view", {}), ("within-axis", {"axis": "size"})):
        first = splits_across_views(OBJECTS, RENDERED, protocol, n_draws=6, seed=4, **asked)
        again = splits_across_views(OBJECTS[order], mixed, protocol, n_draws=6, seed=4, **asked)
        other = splits_across_views(OBJECTS, RENDERED, protocol, n_draws=6, seed=5, **asked)
        assert [set(one.train) for one in first] == [set(order[one.train]) for one in again]
        assert [set(one.train) for one in first] != [set(one.train) for one in other]


def test_a_code_that_follows_the_object_generalizes_and_one_that_follows_the_view_does_not(rng):
    codes, view = np.unique(OBJECTS, return_inverse=True)[1], np.tile(np.arange(38), 3)
    of_object = rng.standard_normal((3, 60))[codes] + 0.2 * rng.standard_normal((114, 60))
    of_view = rng.standard_normal((38, 60))[view] + 0.2 * rng.standard_normal((114, 60))
    splits = splits_across_views(OBJECTS, RENDERED, "one-view", n_draws=10)
    assert cross_validated_readout(of_object, OBJECTS, folds=splits, chance="none").accuracy == 1
    blind = cross_validated_readout(of_view, OBJECTS, folds=splits, chance="none")
    assert blind.accuracy == pytest.approx(1 / 3, abs=0.1)


def test_labels_shuffled_within_views_keep_every_view_balanced(rng):
    codes, view = np.repeat(np.arange(4), 6), np.tile(np.arange(6), 4)
    mixed = shuffled_within(codes, view, rng)
    assert all(sorted(mixed[view == v]) == [0, 1, 2, 3] for v in range(6))
    assert (mixed != codes).any()
    across = rng.permutation(codes)  # the broken version: shuffled across views, some objects are missing in a view
    assert not all(sorted(across[view == v]) == [0, 1, 2, 3] for v in range(6))


def test_folds_deal_every_label_out_evenly(rng):
    codes = np.repeat([0, 1, 2], [10, 13, 7])
    for fold in (
        stratified_folds(codes, 5, rng, np.arange(30)),
        interleaved_folds(codes, 5, np.arange(30)),
    ):
        counts = np.array([np.bincount(fold[codes == code], minlength=5) for code in range(3)])
        assert (np.ptp(counts, axis=1) <= 1).all()
    assert np.ptp(np.bincount(stratified_folds(codes, 5, rng, np.arange(30)))) <= 1
    groups = np.repeat(np.arange(10), 3)
    fold = grouped_folds(groups, 5, rng)
    assert all(len(set(fold[groups == group])) == 1 for group in range(10))
    assert np.bincount(fold).tolist() == [6] * 5


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"objects": ["a"] * 114}, TooFew, "every object is a. Show more than one"),
        ({"views": np.zeros(114)}, TooFew, "at least 2 views of every object, but 3 of 3 objects have one .*'jug'"),
        ({"views": np.zeros(5)}, BadInput, r"One value of 'view' for every stimulus was expected, 114 in all"),
        ({"views": {}}, BadInput, "Views need at least one column that says where they lie"),
        ({"protocol": "one-views"}, UnknownName, "Did you mean 'one-view'"),
        ({"protocol": "one-view", "n_draws": 0}, BadInput, "At least 1 draw of training views"),
        ({"protocol": "within-axis", "axis": "sizes"}, UnknownName, "Did you mean 'size'"),
        ({"protocol": "by-distance", "along": "azimut"}, UnknownName, "Did you mean 'azimuth'"),
        ({"protocol": "leave-one-axis-out", "views": np.tile(np.arange(38), 3)}, BadInput, "needs a column 'axis'"),
        ({"protocol": "by-distance", "views": {"pose": ["x", "y"] * 57}, "along": "pose"}, BadInput, "needs numbers"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(change, error, sentence):
    with pytest.raises(error, match=sentence):
        splits_across_views(**({"objects": OBJECTS, "views": RENDERED} | change))


def test_random_views_have_no_axis():
    dense = dense_views(["jug", "star"], 20).columns()
    with pytest.raises(TooFew, match="No two objects are shown at two views that differ along 'size' alone"):
        splits_across_views(dense["object"], dense, "within-axis", axis="size")
    assert len(splits_across_views(dense["object"], dense, "one-view", n_draws=4)) == 4
