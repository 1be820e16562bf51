"""Some of the stimuli: their geometry from that of all, matched numbers, and dimension by group."""

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import (
    dimension_per_group,
    dimension_per_group_in,
    gride,
    participation_ratio,
    stimuli_matched,
    stimuli_matched_in,
    subset_in,
    two_nn,
    units_matched,
)
from stratoscope.metrics import matched as matching
from stratoscope.metrics.declare import METRICS
from stratoscope.summaries import Gram


def state_of(responses, **options):
    summary = Gram(len(responses), responses.shape[1], **options)
    summary.update(np.arange(len(responses)), responses)
    return summary.state()


@pytest.fixture
def objects(rng):
    """Ten objects, each a curve of 40 views, far from each other."""
    angle = rng.uniform(0, 2 * np.pi, (10, 40))
    views = np.stack([np.cos(angle), np.sin(angle), np.cos(2 * angle)], axis=-1) @ rng.standard_normal((3, 30))
    centres = 50 * rng.standard_normal((10, 1, 30))
    return (centres + views).reshape(400, 30), np.repeat([f"object {i}" for i in range(10)], 40)


@pytest.mark.parametrize("duplicates", ["keep", "merge"])
@pytest.mark.parametrize(
    "name", ["two_nn", "gride", "participation_ratio", "correlation_dimension", "two_nn_decimation"]
)
def test_a_subset_reads_what_its_responses_read(name, duplicates, rng):
    responses = rng.random((150, 6))
    responses[80:90] = responses[:10]  # a repeated stimulus, with and without the one it repeats among the chosen
    responses[140:] = responses[5]
    chosen = rng.permutation(150)[:100]
    state = subset_in(state_of(responses, duplicates=duplicates, k=40), chosen)
    options = {"n1": (1, 4)} if name == "gride" else {}
    through, plain = METRICS[name].through(state, **options), METRICS[name].function(responses[chosen], **options)
    np.testing.assert_allclose(through.value, plain.value, rtol=1e-6)
    np.testing.assert_allclose(through.high, plain.high, rtol=1e-5)
    assert through.dropped.get("duplicates") == plain.dropped.get("duplicates")


def test_a_subset_says_how_exact_its_distances_are(rng):
    near = state_of(rng.random((100, 5)))
    assert subset_in(near, np.arange(50))["relative_error"] == 0  # all in the table of 99 neighbours
    # clusters of 20 near a point each, a table of three neighbours: most distances come from products
    far = np.repeat(1e5 * rng.standard_normal((5, 8)), 20, axis=0) + rng.standard_normal((100, 8))
    state = subset_in(state_of(far, k=3), np.arange(0, 100, 4))
    assert 1e-6 < state["relative_error"] < 1
    exact = np.sort(np.linalg.norm(far[::4][:, None] - far[::4], axis=2), axis=1)[:, 1]
    off = np.abs(state["distances"][:, 0] / exact - 1).max()
    assert off < state["relative_error"]


def test_a_subset_without_the_matrix_or_with_wrong_positions_is_refused(rng):
    responses = rng.random((30, 4))
    with pytest.raises(BadInput, match=r"reads the Gram matrix, and this summary kept the nearest neighbours only"):
        subset_in(state_of(responses, neighbours_only=True), np.arange(5))
    state = state_of(responses)
    for wrong in ([0, 0], [30], [-1], [0.5], [[1]]):
        with pytest.raises(
            BadInput, match=r"positions among the 30 stimuli of the summary, whole numbers from 0 to 29"
        ):
            subset_in(state, wrong)
    responses[3, 2] = np.nan
    with pytest.raises(BadInput, match=r"^1 of the chosen stimuli have responses that are NaN or infinite\. Leave"):
        subset_in(state_of(responses), np.arange(5))
    assert METRICS["two_nn"].through(subset_in(state_of(responses), np.arange(4, 30))).n == 26


def test_dimension_per_group_is_one_estimate_an_object_their_mean_and_all_together(objects):
    responses, groups = objects
    found = dimension_per_group(responses, groups, n_resamples=5)
    assert found.names == tuple(sorted(set(groups)))
    np.testing.assert_allclose(
        [one.value for one in found.each], [two_nn(responses[groups == name]).value for name in found.names]
    )
    assert found.mean.value == pytest.approx(np.mean([one.value for one in found.each]))
    assert found.mean.low < 1.15 < found.mean.high < 1.6  # curves, by 40 points each
    assert found.mean.n == 10
    assert found.whole.value == two_nn(responses).value
    assert found.matched == stimuli_matched(responses, 40, n_resamples=5)


def test_dimension_per_group_is_the_same_from_the_gram_matrix(objects):
    responses, groups = objects
    for estimator, options in ((two_nn, {}), ("gride", {"n1": (1, 2)}), (participation_ratio, {})):
        plain = dimension_per_group(responses, groups, estimator, n_resamples=2, **options)
        through = dimension_per_group_in(state_of(responses), groups, estimator, n_resamples=2, **options)
        for part in ("mean", "whole", "matched"):
            np.testing.assert_allclose(getattr(through, part).value, getattr(plain, part).value, rtol=1e-6)
            np.testing.assert_allclose(getattr(through, part).high, getattr(plain, part).high, rtol=1e-5)
        assert all(one.note == other.note for one, other in zip(through.each, plain.each, strict=True))


def test_a_group_that_is_too_small_is_said_and_left_out_of_the_mean(rng):
    responses, groups = rng.random((103, 3)), np.array([*"a" * 50, *"b" * 50, *"c" * 3])
    found = dimension_per_group(responses, groups, n_resamples=2)
    assert np.isnan(found.each[2].value)
    assert found.each[2].note == "two_nn needs at least 6 distinct stimuli, but 3 came."
    assert found.mean.n == 2
    assert found.mean.note == "1 of 3 groups gave no number"
    with pytest.raises(TooFew, match=r"^None of the 103 groups has a dimension\. The first, 0, said: two_nn needs at"):
        dimension_per_group(responses, np.arange(103), n_resamples=2)


def test_one_group_has_a_mean_without_an_interval(rng):
    found = dimension_per_group(rng.random((60, 3)), ["a"] * 60, n_resamples=2)
    assert found.mean.value == found.whole.value == pytest.approx(found.matched.value)
    assert np.isnan(found.mean.low)


def test_groups_must_be_one_for_every_stimulus(rng):
    with pytest.raises(
        BadInput, match=r"group of each of the 20 stimuli, so an array of shape \(20,\), but \(3,\) came"
    ):
        dimension_per_group(rng.random((20, 3)), ["a", "b", "c"])


def test_matched_units_make_stages_of_different_width_alike(rng):
    noise = rng.standard_normal((200, 300))
    narrow, wide = two_nn(noise[:, :12]).value, two_nn(noise).value
    matched = units_matched(noise, 12, n_resamples=20, seed=1)
    assert wide > 2 * narrow
    assert matched.low < narrow < matched.high
    assert matched.low < matched.value < matched.high
    assert matched.seed == 1
    assert matched == units_matched(noise, 12, two_nn, seed=1)


def test_the_interval_of_matched_units_is_about_other_stimuli_too(rng):
    noise = rng.standard_normal((200, 40))
    alone = two_nn(noise)
    whole = units_matched(noise, 40, n_resamples=2)
    assert (whole.value, whole.low, whole.high) == pytest.approx((alone.value, alone.low, alone.high))
    some = units_matched(noise, 20, n_resamples=10)
    assert some.high - some.low > two_nn(noise[:, :20]).high - two_nn(noise[:, :20]).low
    coarse = units_matched(noise, 40, "gride", n_resamples=2, n1=(2, 32))  # no interval at 32 of 200 neighbours
    assert np.isfinite([coarse.low[0], coarse.high[0], coarse.value[1]]).all()
    assert np.isnan([coarse.low[1], coarse.high[1]]).all()
    fewer = units_matched(noise, 20, "gride", n_resamples=5, n1=(32,))
    assert fewer.low[0] < fewer.value[0] < fewer.high[0]


def test_the_interval_of_matched_units_holds_what_other_stimuli_read(monkeypatch):
    """The mean over many fresh sets of stimuli and units lies within it; ends that hold the draws alone miss it."""
    rng = np.random.default_rng(0)
    mix = rng.standard_normal((6, 60))

    def responses():
        return np.maximum(rng.standard_normal((150, 6)) @ mix, 0)

    truth = np.mean([two_nn(responses()[:, rng.permutation(60)[:30]]).value for _ in range(100)])
    drawn = [responses() for _ in range(25)]

    def held():
        found = [units_matched(one, 30, n_resamples=5, seed=seed) for seed, one in enumerate(drawn)]
        return sum(one.low <= truth <= one.high for one in found)

    assert held() >= 21
    monkeypatch.setattr(matching, "_with_own", lambda values, low, high, given: (low, high))
    assert held() <= 18


def test_matched_stimuli_read_what_that_many_stimuli_read(rng):
    cube = rng.random((600, 10))
    few = np.mean([two_nn(rng.random((60, 10))).value for _ in range(40)])
    matched = stimuli_matched(cube, 60, n_resamples=30)
    assert matched.value == pytest.approx(few, rel=0.08)  # both vary by 1.2 / √(60 * 30) = 3 %
    assert matched.value < two_nn(cube).value
    through = stimuli_matched_in(state_of(cube), 60, n_resamples=30)
    assert through.value == pytest.approx(matched.value, rel=1e-6)
    assert stimuli_matched(cube, 100, "gride", n1=(1, 2), n_resamples=3).value.shape == (2,)


def test_draws_without_a_number_are_counted_and_left_out(rng):
    half_dead = np.column_stack([rng.random((400, 2)), np.zeros((400, 4))])
    matched = units_matched(half_dead, 1, n_resamples=30)
    assert matched.note.split(" draws")[0].endswith("of 30")
    assert 0 < int(matched.note.split()[0]) < 30
    assert matched.value == pytest.approx(1, abs=0.2)
    with pytest.raises(
        TooFew, match=r"^None of 20 random subsets of 2 units gave a number\. The first said: two_nn needs"
    ):
        units_matched(np.zeros((40, 5)), 2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: units_matched(x, 9), TooFew, r"^units_matched draws 9 units, but there are 4\.$"),
        (lambda x: stimuli_matched(x, 0), BadInput, r"^stimuli_matched draws at least 1 of the stimuli, but 0 came\.$"),
        (lambda x: units_matched(x, 2, n_resamples=1), BadInput, r"^n_resamples must be at least 2, but 1 came\.$"),
        (lambda x: units_matched(x, 2, "two_n"), UnknownName, r"Did you mean 'two_nn'"),
        (
            lambda x: units_matched(x, 2, "unit_mean"),
            BadInput,
            r"^An estimator of dimension was expected, such as two_nn",
        ),
    ],
)
def test_a_wrong_request_is_answered_with_a_sentence(call, error, message, rng):
    with pytest.raises(error, match=message):
        call(rng.random((30, 4)))


def test_a_curve_of_estimates_keeps_its_scales(objects):
    responses, groups = objects
    found = dimension_per_group(responses, groups, gride, n_resamples=2, n1=(1, 64))
    assert found.mean.value.shape == (2,)
    assert np.isnan(found.mean.value[1])  # 40 views have no 128 neighbours
    assert np.isfinite(found.mean.value[0])
