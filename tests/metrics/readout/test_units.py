"""Read-out of single units: known answers, chance, pairs, and the brute-force version of every protocol."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import confusion_bits, unit_generalization, unit_separability
from stratoscope.metrics.readout.threshold import threshold
from stratoscope.object_pairs import luminosity_ratio
from stratoscope.stimuli.objects.views import tafazoli_views
from stratoscope.testing.object_views import object_views


def gaussians(rng, d_prime, *, views=4000, units=6):
    objects = np.repeat(["a", "b"], views)
    return rng.standard_normal((2 * views, units)) + d_prime * (objects == "b")[:, None], objects


@pytest.mark.parametrize("d_prime", [0.5, 1.0, 2.0])
def test_two_gaussians_of_known_distance_read_the_known_accuracy_and_bits(rng, d_prime):
    found = unit_separability(*gaussians(rng, d_prime), n_shuffles=0)
    right = norm.cdf(d_prime / 2)
    error = np.sqrt(right * (1 - right) / 8000)
    assert np.abs(found.accuracy - right).max() < 4 * error
    bits = 1 + right * np.log2(right) + (1 - right) * np.log2(1 - right)
    slope = np.log2(right / (1 - right))
    np.testing.assert_allclose(found.bits, bits, atol=4 * slope * error)


def test_the_threshold_is_where_both_densities_are_equal(rng):
    low, high = 10 * rng.random(50), 10 + 5 * rng.random(50)
    v0, v1 = 0.2 + rng.random(50), 0.2 + rng.random(50)
    found = threshold((high, low), (v1, v0))
    np.testing.assert_allclose(found, threshold((low, high), (v0, v1)))
    for m0, m1, a, b, r in zip(low, high, v0, v1, found, strict=True):

        def ratio(x, m0=m0, m1=m1, a=a, b=b):
            return norm.logpdf(x, m1, np.sqrt(b)) - norm.logpdf(x, m0, np.sqrt(a))

        if ratio(m0) < 0 < ratio(m1):
            assert r == pytest.approx(brentq(ratio, m0, m1), abs=1e-9)


def test_a_threshold_without_a_root_between_the_means_takes_the_nearer_one():
    # a broad class below a narrow one: the narrow density is larger at both means
    r = float(threshold((np.array(0.0), np.array(1.0)), (np.array(400.0), np.array(1.0))))
    assert norm.pdf(r, 0, 20) == pytest.approx(norm.pdf(r, 1, 1))
    assert r < 0


def test_thresholds_of_degenerate_units():
    zero, one = np.array(0.0), np.array(1.0)
    assert threshold((zero, one), (one, one)) == 0.5
    assert threshold((zero, one), (zero, zero)) == 0.5
    assert threshold((zero, one), (zero, one)) == pytest.approx(0.0, abs=1e-3)
    assert threshold((zero, one), (one, zero)) == pytest.approx(1.0, abs=1e-3)
    assert np.isnan(threshold((one, one), (zero, one)))


def invariant_and_view_units(rng, objects=3, views=12):
    names, view = np.repeat([f"o{i}" for i in range(objects)], views), np.tile(np.arange(views), objects)
    gain = 1 + 0.1 * rng.standard_normal(views)
    tuned = np.array([1.0, 2.0, 4.0])[:objects].repeat(views) * np.tile(gain, objects)
    of_view = np.tile(rng.random(views), objects) + 1e-3 * rng.standard_normal(objects * views)
    return np.stack([tuned, of_view], axis=1), names, view


def test_a_unit_tuned_to_objects_generalizes_and_one_tuned_to_views_does_not(rng):
    responses, objects, view = invariant_and_view_units(rng)
    found = unit_generalization(responses, objects, view)
    assert found.accuracy[0] > 0.97
    assert found.bits[0] > 0.85
    assert found.accuracy[1] == pytest.approx(0.5, abs=0.05)
    assert found.bits_above_chance[1] == pytest.approx(0, abs=0.02)
    assert found.percent_correct[0] == 100 * found.accuracy[0]


def brute_force(x, objects, view, pair):
    """All training views of one pair, one comparison at a time."""
    counts = np.zeros((2, 2))
    rows = [np.flatnonzero(objects == name) for name in pair]
    for i, j in product(*rows):
        limit, sign = (x[i] + x[j]) / 2, np.sign(x[i] - x[j])
        for true, own in enumerate(rows):
            for t in own:
                if t in (i, j):
                    continue
                share = 0.5 if sign == 0 else float((x[t] > limit) == (sign > 0))
                counts[true] += [share, 1 - share]
    return counts


def test_generalization_counts_what_brute_force_counts(rng):
    responses, objects, view = object_views(rng, objects=3, views=7, units=5)
    responses[:, 4] = np.where(responses[:, 4] > 1, responses[:, 4], 0)  # many exact zeros: ties
    found = unit_generalization(responses, objects, view, n_draws=None, n_shuffles=0)
    pairs = [("o0", "o1"), ("o0", "o2"), ("o1", "o2")]
    for unit in range(5):
        counts = [brute_force(responses[:, unit], objects, view, pair) for pair in pairs]
        assert found.bits[unit] == pytest.approx(np.mean(confusion_bits(np.array(counts))), abs=1e-12)
        expected = np.mean([np.trace(one) / one.sum() for one in counts])
        assert found.accuracy[unit] == pytest.approx(expected, abs=1e-12)


def test_a_learnt_view_in_the_test_would_be_seen(rng):
    """The broken version tests the learnt views too, which are always right: it reads too much."""
    responses, objects, view = object_views(rng, objects=2, views=5, units=30, of_object=0)
    honest = unit_generalization(responses, objects, view, n_draws=None, n_shuffles=0).accuracy.mean()
    n_tests = 2 * 5 - 2
    broken = (honest * n_tests + 2) / (n_tests + 2)
    assert honest < 0.55 < broken


def test_random_draws_converge_to_all_of_them_and_follow_the_seed(rng, stage):
    everything = unit_generalization(*stage, n_draws=None, n_shuffles=0)
    first, again, other = (unit_generalization(*stage, n_draws=1000, n_shuffles=0, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.bits, again.bits)
    assert (first.bits != other.bits).any()
    assert np.abs(first.accuracy - everything.accuracy).max() < 0.02


def test_any_order_of_stimuli_and_any_blocks_of_units_give_the_same(stage, monkeypatch):
    responses, objects, view = stage
    order = np.random.default_rng(8).permutation(len(objects))
    for function in (unit_separability, unit_generalization):
        first = function(responses, objects, views=view, seed=3)
        again = function(responses[order], objects[order], views=view[order], seed=3)
        with monkeypatch.context() as patch:
            patch.setattr("stratoscope.metrics.readout.unit_design.BLOCK", 1)
            patch.setattr("stratoscope.metrics.readout.unit_conditions.STEP", 1)
            blocks = function(np.tile(responses, (1, 2)), objects, views=view, seed=3)
        for name in ("bits", "accuracy", "chance_bits", "chance_accuracy"):
            np.testing.assert_allclose(getattr(first, name), getattr(again, name), atol=1e-12)
            np.testing.assert_allclose(np.tile(getattr(first, name), 2), getattr(blocks, name), atol=1e-12)


def test_single_precision_gives_the_same_but_for_rounding(stage):
    responses, objects, view = stage
    for function in (unit_separability, unit_generalization):
        single, double = (function(responses.astype(t), objects, views=view) for t in (np.float32, np.float64))
        assert np.abs(single.accuracy - double.accuracy).max() < 0.01


def test_after_subtraction_units_without_object_information_read_nothing():
    objects, view = np.repeat(np.arange(4), 10), np.tile(np.arange(10), 4)
    rng = np.random.default_rng(11)
    responses = np.tile(rng.standard_normal((10, 3000)), (4, 1)) + rng.standard_normal((40, 3000))
    for function in (unit_separability, unit_generalization):
        found = function(responses, objects, views=view)
        for above in (found.bits_above_chance, found.accuracy_above_chance):
            assert abs(above.mean()) < 4 * above.std() / np.sqrt(3000)
        assert found.chance_bits.mean() > 0  # the bias that is subtracted


def test_dead_units_are_a_coin(stage):
    responses, objects, view = stage
    responses[:, 3] = 0
    for function in (unit_separability, unit_generalization):
        found = function(responses, objects, views=view)
        assert found.accuracy[3] == found.chance_accuracy[3] == 0.5
        assert found.bits[3] == found.chance_bits[3] == 0


def test_a_unit_silent_for_one_object_is_read_without_error():
    objects = np.repeat(["a", "b"], 12)
    responses = np.where(objects == "b", 1 + np.tile(np.arange(12.0), 2), 0.0)[:, None]
    assert unit_separability(responses, objects).accuracy[0] == 1
    assert unit_generalization(responses, objects, np.tile(np.arange(12), 2)).accuracy[0] > 0.7


def test_pairs_by_luminance_are_those_of_the_luminosity_ratio(stage):
    responses, objects, view = stage
    luminance = np.array([1.0, 0.95, 0.5, 0.2]).repeat(8)
    for function in (unit_separability, unit_generalization):
        asked = {"views": view, "n_shuffles": 0}
        chosen = function(responses, objects, luminance=luminance, threshold=0.9, **asked)
        named = function(responses, objects, pairs=[["o1", "o0"]], **asked)
        placed = function(responses, objects, pairs=[[0, 1]], **asked)
        mask = function(responses, objects, pairs=luminosity_ratio(luminance, objects) > 0.9, **asked)
        for other in (named, placed, mask):
            np.testing.assert_array_equal(chosen.bits, other.bits)
        assert (chosen.n_pairs == 1).all()


def test_each_unit_may_have_pairs_of_its_own(stage):
    responses, objects, view = stage
    per_unit = np.ones((40, 32)) * np.array([1.0, 0.95, 0.5, 0.2]).repeat(8)
    per_unit[1] = np.array([1.0, 0.1, 0.95, 0.2]).repeat(8)
    per_unit[2] = np.array([1.0, 0.5, 0.2, 0.05]).repeat(8)
    for function in (unit_separability, unit_generalization):
        asked = {"views": view, "n_shuffles": 0}
        found = function(responses, objects, luminance=per_unit, threshold=0.9, **asked)
        assert found.n_pairs[:3].tolist() == [1, 1, 0]
        assert np.isnan(found.bits[2])
        assert found.note == "1 of 40 units have no pair that passes, and no number"
        assert found.bits[0] == function(responses, objects, pairs=[["o0", "o1"]], **asked).bits[0]
        assert found.bits[1] == function(responses, objects, pairs=[["o0", "o2"]], **asked).bits[1]


def test_along_an_axis_only_views_of_that_axis_count(rng):
    columns = tafazoli_views(["jug", "star"]).columns()
    objects = columns["object"]
    of_size = (objects == "star") * 2.0 - 1 + 0 * columns["size"]
    turned = np.isin(columns["axis"], ["in_plane", "in_depth", "luminance"])
    flips = np.where(turned, -1.0, 1.0) * of_size  # the preferred object is another one in turned and in dim views
    responses = (flips + 0.01 * rng.standard_normal(76))[:, None]
    sized = unit_generalization(responses, objects, columns, axis="size", n_shuffles=0)
    everywhere = unit_generalization(responses, objects, columns, n_shuffles=0)
    dimmed = unit_generalization(responses, objects, columns, axis="luminance", n_shuffles=0)
    assert sized.accuracy[0] == 1
    assert dimmed.accuracy[0] < 0.6
    assert 0.4 < everywhere.accuracy[0] < 0.6


def test_tolerance_falls_with_distance_for_a_unit_with_a_small_field():
    azimuth = np.tile(np.linspace(-20, 20, 9), 2)
    objects = np.repeat(["jug", "star"], 9)
    field = np.exp(-0.5 * (azimuth / 8) ** 2) * np.where(objects == "star", 3.0, 1.0)
    found = unit_generalization(field[:, None], objects, {"azimuth": azimuth}, distance="azimuth", n_shuffles=1)
    np.testing.assert_allclose(found.distances, 5.0 * np.arange(1, 9))
    assert found.bits.shape == found.chance_bits.shape == (8, 1)
    assert found.accuracy[0, 0] > found.accuracy[3, 0]


def test_trials_are_learnt_as_two_gaussians_and_absent_ones_do_not_count():
    rng = np.random.default_rng(3)
    objects, view = np.repeat(["a", "b"], 6), np.tile(np.arange(6), 2)
    rate = np.where(objects == "a", 2.0, 6.0)[:, None] * np.ones(5)
    counts = rng.poisson(rate, size=(30, 12, 5)).astype(float)
    whole = {f: f(counts, objects, views=view) for f in (unit_separability, unit_generalization)}
    for function, found in whole.items():
        assert found.n == 360
        assert (found.accuracy > 0.75).all()
        ragged = np.concatenate([counts, np.full((3, 12, 5), np.nan)])
        again = function(ragged, objects, views=view)
        assert np.abs(again.accuracy - found.accuracy).max() < 0.05
        assert np.isfinite(again.chance_bits).all()
    assert (whole[unit_separability].accuracy >= whole[unit_generalization].accuracy - 0.02).all()


def test_one_trial_is_no_trials(stage):
    responses, objects, view = stage
    plain = unit_generalization(responses, objects, view)
    stacked = unit_generalization(responses[None], objects, view)
    np.testing.assert_array_equal(plain.bits, stacked.bits)


@pytest.mark.parametrize("function", [unit_separability, unit_generalization])
@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"objects": ["one"] * 32}, TooFew, "every object is one"),
        ({"objects": ["one"] * 31}, BadInput, r"One object for every stimulus was expected, 32 in all"),
        ({"responses": np.ones(32)}, BadInput, r"expects responses of shape \(stimulus, unit\) or \(trial"),
        ({"pairs": np.empty((0, 2))}, TooFew, "No pair of the 4 objects passes, so there is nothing to tell apart"),
        ({"luminance": np.repeat([1, 0.5, 0.2, 0.1], 8)}, TooFew, "passes a luminosity ratio of 0.9"),
        ({"luminance": np.ones(32), "threshold": 2}, BadInput, "lies between 0 and 1; came 2"),
        ({"luminance": np.ones(32), "pairs": [[0, 1]]}, BadInput, "Pairs came, and luminance to choose pairs by"),
        ({"pairs": [["o0", "o9"]]}, UnknownName, "No object is called 'o9'"),
        ({"pairs": [[0, 9]]}, BadInput, "positions from 0 to 3 among the sorted objects; came 9"),
        ({"pairs": [[1, 1]]}, BadInput, "A pair is two different objects"),
        ({"pairs": [[1, 2, 3]]}, BadInput, r"two objects each, \(pair, 2\), but \(1, 3\) came"),
        ({"pairs": np.ones((3, 4, 4), dtype=bool)}, BadInput, "came for 3 units, but there are 40"),
        ({"pairs": np.ones((3, 3), dtype=bool)}, BadInput, r"A mask of pairs is \(object, object\) with 4 objects"),
        ({"views": np.arange(32)}, BadInput, "no view shows two objects, so there is nothing to shuffle"),
        ({"n_shuffles": -1}, BadInput, "no negative number of shuffles|shuffles is 0 or more"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(stage, function, change, error, sentence):
    responses, objects, view = stage
    with pytest.raises(error, match=sentence):
        function(**({"responses": responses, "objects": objects, "views": view} | change))


@pytest.mark.parametrize("function", [unit_separability, unit_generalization])
def test_nan_and_absent_trials_are_refused(stage, function):
    responses, objects, view = stage
    broken = responses.copy()
    broken[2, 1] = np.nan
    with pytest.raises(BadInput, match="expects finite responses, but 1 of 1280 values are NaN or infinite"):
        function(broken, objects, views=view)
    with pytest.raises(TooFew, match="at least 1 trial of every stimulus, but unit 1 has none of stimulus 2"):
        function(broken[None], objects, views=view)
    broken[2, 1] = np.inf
    with pytest.raises(BadInput, match="NaN or infinite"):
        function(broken[None], objects, views=view)


def test_further_bad_input_of_either(stage):
    responses, objects, view = stage
    with pytest.raises(TooFew, match="with 9 folds needs at least 9 responses to every object, but 'o0' has 8"):
        unit_separability(responses, objects, n_folds=9)
    with pytest.raises(BadInput, match="Folds of whole views need the view of every stimulus"):
        unit_separability(responses, objects, folds="views")
    with pytest.raises(UnknownName, match="Did you mean 'stratified'"):
        unit_separability(responses, objects, folds="stratify")
    with pytest.raises(TooFew, match="at least 2 views of every object, but 4 of 4 objects have one"):
        unit_generalization(responses, objects, np.zeros(32))
    with pytest.raises(BadInput, match="Give axis or distance, not both"):
        unit_generalization(responses, objects, view, axis="view", distance="view")
    with pytest.raises(BadInput, match="at least 1 draw, or None for all"):
        unit_generalization(responses, objects, view, n_draws=0)
    with pytest.raises(UnknownName, match="Did you mean 'view'"):
        unit_generalization(responses, objects, view, distance="views")
    with pytest.raises(BadInput, match="Distance needs numbers"):
        unit_generalization(responses, objects, view.astype(str), distance="view")


def test_views_shown_for_one_object_alone_are_remarked_on(stage):
    responses, objects, view = stage
    view = np.where((objects == "o0") & (view == 7), 99, view)
    found = unit_generalization(responses, objects, view)
    assert found.note == "1 of 32 stimuli show a view that no other object has; chance keeps them"


def test_confusions_that_are_none_are_refused():
    with pytest.raises(BadInput, match="one row and one column for every label"):
        confusion_bits(np.ones((2, 3)))
    with pytest.raises(BadInput, match="counts of 0 and up"):
        confusion_bits([[1, -1], [0, 1]])
    assert np.isnan(confusion_bits(np.zeros((2, 2))))
