"""View-invariant object information, the luminosity threshold, and its control."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import object_information
from stratoscope.metrics.information.bins import bin_codes
from stratoscope.metrics.information.pairs import luminosity_ratios

VIEWS = 24


def views_of_objects(rng, objects=4, units=6):
    """Units 0 to 2 answer objects whatever the view, the others answer nothing."""
    shown = np.repeat([*"abcdefgh"][:objects], VIEWS)
    codes = np.repeat(np.arange(objects), VIEWS)
    responses = rng.standard_normal((len(shown), units))
    responses[:, :3] += 1.5 * codes[:, None]
    return np.maximum(responses, 0), shown


def by_hand(responses, shown, response_bins=3):
    codes = bin_codes(responses, response_bins, binning="equipopulated", atom=True)
    found = []
    for a, b in combinations(sorted(set(shown)), 2):
        of_pair = (shown == a) | (shown == b)
        found.append([mutual_info_score(codes[of_pair, u], shown[of_pair]) for u in range(responses.shape[1])])
    return np.array(found) / np.log(2)


def test_pairs_read_what_scikit_learn_counts_and_their_mean_is_reported(rng):
    responses, shown = views_of_objects(rng)
    found = object_information(responses, shown, correction="none", keep_pairs=True)
    np.testing.assert_allclose(found.by_pair, by_hand(responses, shown), atol=1e-12)
    np.testing.assert_allclose(found.plugin, found.by_pair.mean(axis=0), atol=1e-12)
    assert found.pairs == tuple(combinations("abcd", 2))
    assert found.notes == ("No luminance was given: every pair counts, and objects may be told apart by their light.",)


def test_object_units_are_told_from_others_by_the_null(rng):
    responses, shown = views_of_objects(rng, units=40)
    found = object_information(responses, shown, n_shuffles=49)
    assert (found.p[:3] == 0.02).all()
    assert (found.z[:3] > 4).all()
    assert found.p[3:].mean() > 0.3
    assert found.corrected[:3].min() > 0.15
    assert abs(found.corrected[3:].mean()) < 0.01
    assert found.null_mean.mean() == pytest.approx(found.plugin[3:].mean(), abs=0.01)


@pytest.mark.parametrize("correction", ["panzeri-treves", "panzeri-treves-naive", "miller-madow"])
def test_the_mean_of_corrected_pairs_is_the_corrected_mean(rng, correction):
    responses, shown = views_of_objects(rng)
    found = object_information(responses, shown, correction=correction, keep_pairs=True)
    np.testing.assert_allclose(found.by_pair.mean(axis=0), found.corrected, atol=1e-12)
    assert (found.corrected < found.plugin).all()


@pytest.mark.parametrize("correction", ["quadratic-extrapolation", "shuffle"])
def test_other_corrections_leave_nothing_where_there_is_nothing(rng, correction):
    responses, shown = views_of_objects(rng, units=200)
    found = object_information(responses, shown, correction=correction, n_shuffles=50)
    assert abs(found.corrected[3:].mean()) < 0.01


def test_a_permutation_is_the_same_as_measuring_permuted_stimuli(rng):
    responses, shown = views_of_objects(rng)
    found = object_information(responses, shown, n_shuffles=2, seed=3, correction="none")
    orders = [np.random.default_rng([3, number]).permutation(len(shown)) for number in range(2)]
    null = [object_information(responses, shown[order], correction="none").plugin for order in orders]
    np.testing.assert_allclose(found.null_mean, np.mean(null, axis=0), atol=1e-12)


def test_only_pairs_above_the_luminosity_ratio_count_for_each_unit(rng):
    responses, shown = views_of_objects(rng, objects=3, units=2)
    light = np.repeat([1.0, 0.95, 0.5], VIEWS)
    own = np.stack([light, light[::-1]], axis=1)  # the second unit sees a and b in other light
    found = object_information(responses, shown, luminance=own, keep_pairs=True, correction="none")
    assert found.n_pairs.tolist() == [1, 1]
    assert np.isfinite(found.by_pair).tolist() == [[True, False], [False, False], [False, True]]
    every = by_hand(responses, shown)
    np.testing.assert_allclose(found.plugin, [every[0, 0], every[2, 1]], atol=1e-12)
    assert object_information(responses, shown, luminance=own, threshold=0.0).n_pairs.tolist() == [3, 3]


def test_units_without_a_pair_have_no_number_and_are_noted(rng):
    responses, shown = views_of_objects(rng, objects=2)
    light = np.repeat([1.0, 0.2], VIEWS)
    found = object_information(responses, shown, luminance=light, n_shuffles=5)
    for name in ("plugin", "corrected", "control", "null_mean", "p", "z"):
        assert np.isnan(getattr(found, name)).all(), name
    assert found.notes == ("6 of 6 units have no pair with a luminosity ratio above 0.9, and no number.",)


def test_the_control_is_what_luminance_tells_about_objects(rng):
    responses, shown = views_of_objects(rng, objects=2)
    telling = np.repeat([0.8, 0.85], VIEWS)
    silent = np.tile(np.linspace(0.5, 1.0, VIEWS), 2)
    assert object_information(responses, shown, luminance=telling).control == pytest.approx(np.ones(6), abs=0.02)
    assert abs(object_information(responses, shown, luminance=silent).control).max() < 0.08
    own = np.repeat(telling[:, None], 6, axis=1)
    np.testing.assert_array_equal(
        object_information(responses, shown, luminance=own).control,
        object_information(responses, shown, luminance=telling).control,
    )


def test_luminosity_ratios_are_dim_over_bright():
    means = np.array([[1.0, 0.0], [0.5, 0.0], [2.0, 3.0]])
    ratios = luminosity_ratios(means, [(0, 1), (0, 2), (1, 2)])
    assert ratios.tolist() == [[0.5, 1.0], [0.5, 0.0], [0.25, 0.0]]


def test_named_pairs_alone_are_measured(rng):
    responses, shown = views_of_objects(rng)
    found = object_information(responses, shown, pairs=[("c", "a")], correction="none")
    assert found.pairs == (("c", "a"),)
    np.testing.assert_allclose(found.plugin, by_hand(responses, shown)[1], atol=1e-12)


def test_blocks_give_the_same_numbers(rng):
    responses, shown = views_of_objects(rng)
    light = rng.random(responses.shape) + 1
    options = {"luminance": light, "n_shuffles": 7, "keep_pairs": True}
    whole = object_information(responses, shown, **options)
    cut = object_information(iter([responses[:, :2], responses[:, 2:]]), shown, units_at_a_time=3, **options)
    for name in ("plugin", "corrected", "control", "n_pairs", "null_mean", "null_sd", "p", "z", "by_pair"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(whole, name))


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        (
            {"objects": ["a"] * 96},
            TooFew,
            r"needs at least 2, but all 96 stimuli show 'a'\. Give stimuli of more objects",
        ),
        ({"objects": ["z", *"a" * 95]}, TooFew, r"pools the views .* needs at least 2 views, but 'z' has 1\. Show"),
        ({"objects": np.arange(96)}, TooFew, r"needs at least 2 views, but '0' has 1"),
        ({"objects": ["a"] * 90}, BadInput, r"needs the object of each of the 96 stimuli, but shape \(90,\) came"),
        ({"pairs": [("a", "bb")]}, UnknownName, r"No object is called 'bb'\. Did you mean 'b'\?"),
        ({"pairs": [("a", "a")]}, BadInput, r"Pairs must name two different objects each"),
        ({"pairs": []}, BadInput, r"at least one pair, but \[\] came\. Leave pairs out"),
        ({"threshold": 1.0}, BadInput, r"threshold of luminosity ratios lies from 0 to below 1, but 1\.0 came"),
        ({"luminance": np.full(96, np.nan)}, BadInput, r"expects finite luminance, but 96 of 96 values are NaN"),
        ({"luminance": np.full(96, -1.0)}, BadInput, r"Luminance is not negative .* smallest value -1 came"),
        ({"luminance": np.zeros(90)}, BadInput, r"one value for each of the 96 stimuli, .* but shape \(90,\)"),
        (
            {"luminance": np.ones(96), "luminance_bins": 1},
            BadInput,
            r"luminance_bins must be from 2 to 255, but 1 came",
        ),
        ({"correction": "bayes"}, UnknownName, r"No correction is called 'bayes'"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence(rng, change, error, sentence):
    responses, shown = views_of_objects(rng)
    with pytest.raises(error, match=sentence):
        object_information(**{"responses": responses, "objects": shown, **change})
