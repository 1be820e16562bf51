"""TwoNN, Gride, Levina-Bickel and decimation: published values, known manifolds, duplicates and ties."""

import subprocess
import sys

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import gride, levina_bickel, two_nn, two_nn_decimation, two_nn_resampled
from stratoscope.metrics.declare import METRICS
from stratoscope.summaries import Gram


@pytest.fixture(scope="module")
def golden():
    points = np.random.default_rng(12345).random((1000, 3))
    return points @ np.array([[1, 0, 0, 1, 1], [0, 1, 0, 1, -1], [0, 0, 1, 1, 0.5]])


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({}, 2.984707129956),
        ({"fraction": 0.8}, 3.012119670866),
        ({"method": "ml"}, 2.988198258396),
        ({"method": "ml-unbiased"}, 2.985210060138),
    ],
)
def test_two_nn_gives_its_golden_values(golden, options, value):
    assert two_nn(golden, **options).value == pytest.approx(value, rel=1e-8)


def test_gride_gives_its_golden_values(golden):
    expected = [2.988198, 2.860203, 2.785742, 2.838692, 2.694270, 2.576940]
    estimate = gride(golden, n1=(1, 2, 4, 8, 16, 32))
    np.testing.assert_allclose(estimate.value, expected, atol=6e-7)
    assert (np.diff(estimate.scale) > 0).all()
    assert estimate.value[0] == pytest.approx(two_nn(golden, method="ml").value, rel=1e-10)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_cubes_and_spheres_of_low_dimension_read_their_dimension(d, rng):
    sphere = rng.standard_normal((2000, d + 1))
    for points in (rng.random((2000, d)), sphere / np.linalg.norm(sphere, axis=1, keepdims=True)):
        for value in (two_nn(points).value, gride(points, n1=(1, 2)).value[0], levina_bickel(points, k=6).value):
            # 2000 points: standard deviation below 0.03 d; low by up to 8 % at d = 5
            assert 0.86 * d < value < 1.1 * d


def test_high_dimension_reads_low_as_the_docstring_says(rng):
    assert two_nn(rng.random((1000, 30))).value < 24


@pytest.mark.parametrize("estimator", [two_nn, lambda x: two_nn(x, method="ml"), levina_bickel])
@pytest.mark.parametrize("repeats", [0.01, 0.05, 0.2, 0.5, 3])
def test_exact_duplicates_never_move_the_number(estimator, repeats, rng):
    points = rng.random((300, 4))
    again = points[rng.integers(0, 300, int(300 * repeats))]
    alone, mixed = estimator(points), estimator(rng.permutation(np.vstack([points, again])))
    assert mixed.value == pytest.approx(alone.value, rel=1e-9)
    assert mixed.dropped["duplicates"] == len(again)
    assert mixed.n == alone.n == 300


def test_ties_are_dropped_and_counted(rng):
    lattice = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), axis=-1).reshape(-1, 2)
    points = np.vstack([lattice + 100, rng.random((200, 2))])
    estimate = two_nn(points)
    assert estimate.dropped["ties"] == 36
    assert estimate.n == 200
    assert 1.5 < estimate.value < 2.5


def test_a_stage_where_all_responses_are_equal_is_too_few():
    with pytest.raises(
        TooFew, match=r"^two_nn needs at least 6 distinct stimuli, but 1 came \(39 exact duplicates were merged\)\.$"
    ):
        two_nn(np.zeros((40, 7)))
    with pytest.raises(TooFew, match=r"^gride needs at least 6 distinct stimuli, but 1 came"):
        gride(np.zeros((40, 7)))
    with pytest.raises(TooFew, match=r"^levina_bickel needs at least 12 distinct stimuli, but 1 came"):
        levina_bickel(np.zeros((40, 7)))


def test_gride_leaves_out_scales_that_the_stimuli_cannot_reach_and_says_so(rng):
    estimate = gride(rng.random((40, 3)))
    assert np.isfinite(estimate.value).tolist() == [True] * 5 + [False] * 2
    assert "n1 = 32, 64 left out: n1 needs 2 n1 neighbours and 2 n1 + 2 distinct stimuli" in estimate.note
    with pytest.raises(TooFew, match=r"gride needs at least 66 distinct stimuli, but 40 came\."):
        gride(rng.random((40, 3)), n1=(32,))


def test_gride_gives_no_interval_where_neighbourhoods_are_more_than_a_tenth_of_the_stimuli(rng):
    estimate = gride(rng.random((500, 3)))
    assert np.isfinite(estimate.value).all()
    assert np.isfinite(estimate.low).tolist() == [True] * 5 + [False] * 2
    assert estimate.note == (
        "no interval at n1 = 32, 64: neighbourhoods of 2 n1 stimuli are more than a tenth of the 500, too many to tell how "
        "the estimate varies; 1280 stimuli would do"
    )
    assert not gride(rng.random((640, 3)), n1=(32,)).note


def test_scale_grows_with_the_responses_and_the_dimension_does_not(rng):
    points = rng.random((200, 3))
    one, ten = gride(points), gride(10 * points)
    np.testing.assert_allclose(one.value, ten.value, rtol=1e-8)
    np.testing.assert_allclose(10 * one.scale, ten.scale, rtol=1e-8)


def test_decimation_splits_into_disjoint_subsets(rng):
    points = rng.random((640, 3))
    estimate = two_nn_decimation(points, seed=3)
    assert estimate.value.shape == (6,)
    assert estimate.value[0] == pytest.approx(two_nn(points).value, rel=1e-12)
    assert (np.diff(estimate.scale) > 0).all()
    assert (estimate.low < 3.2).all()
    assert (estimate.high > 2.5).all()
    assert two_nn_decimation(points, seed=4).value[1] != estimate.value[1]


@pytest.mark.parametrize("share", [0.9, 0.2])
def test_resamples_from_one_table_are_those_of_a_search_in_every_part(rng, share):
    points = rng.standard_normal((200, 8)).astype(np.float32)
    points[150:160] = points[:10]
    estimate = two_nn_resampled(points, share=share, n_resamples=5, seed=4)
    distinct, dealt = np.delete(points, slice(150, 160), axis=0), np.random.default_rng(4)
    parts = [np.sort(dealt.permutation(190)[: int(share * 190)]) for _ in range(5)]
    alone = [two_nn(distinct[part]) for part in parts]
    assert estimate.value == pytest.approx(np.mean([one.value for one in alone]), rel=1e-12)
    whole = two_nn(distinct)
    longer = np.log(whole.high / whole.low) * np.sqrt(190 / estimate.n)
    assert np.log(estimate.high / estimate.low) == pytest.approx(longer, rel=1e-9)
    assert estimate.scale == pytest.approx(np.mean([one.scale for one in alone]), rel=1e-12)
    assert estimate.n == int(share * 190)
    assert estimate.dropped["duplicates"] == 10
    assert estimate.note.startswith("standard deviation over resamples 0.")


@pytest.mark.parametrize("k", [3, 40])
def test_lists_that_end_are_continued_from_the_gram_matrix(rng, k):
    points = rng.standard_normal((160, 6))
    summary = Gram(160, 6, k=k)
    summary.update(np.arange(160), points)
    state = summary.state()
    for name, direct in (("two_nn_decimation", two_nn_decimation), ("two_nn_resampled", two_nn_resampled)):
        np.testing.assert_allclose(METRICS[name].through(state).value, direct(points).value, rtol=1e-9)


def test_a_table_too_short_for_resampling_is_refused_where_there_is_no_gram_matrix(rng):
    summary = Gram(60, 6, k=2, neighbours_only=True)
    summary.update(np.arange(60), rng.standard_normal((60, 6)))
    with pytest.raises(BadInput, match=r"kept 2 of each and no Gram matrix, which leaves \d+ stimuli with fewer. Keep"):
        METRICS["two_nn_resampled"].through(summary.state(), share=0.5)


def test_noise_lives_at_small_scale(rng):
    line = np.linspace(0, 30, 1000)[:, None] * np.ones(10) / np.sqrt(10) + 0.1 * rng.standard_normal((1000, 10))
    estimate = gride(line, n1=(1, 4, 16, 64))
    assert estimate.value[0] > 5
    assert estimate.value[-1] < 2
    assert (np.diff(estimate.value) < 0).all()


def test_levina_averages_inverse_or_direct_and_over_several_k(rng):
    points = rng.random((500, 3))
    mackay, levina = levina_bickel(points), levina_bickel(points, average="levina")
    assert levina.value / mackay.value == pytest.approx(9 / 8, rel=0.03)
    several = levina_bickel(points, k=(8, 10, 12)).value
    assert several == pytest.approx(np.mean([levina_bickel(points, k=k).value for k in (8, 10, 12)]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: two_nn(x, fraction=0), BadInput, r"fraction must lie above 0 and at most at 1, but 0 came\."),
        (
            lambda x: two_nn(x, method="fitt"),
            UnknownName,
            r"No method of two_nn is called 'fitt'\. Did you mean 'fit'\?",
        ),
        (lambda x: gride(x, n1=(0, 1)), BadInput, r"n1 must be neighbour ranks, whole numbers from 1 up, but \(0, 1\)"),
        (lambda x: gride(x, n1=(1.5,)), BadInput, r"n1 must be neighbour ranks"),
        (lambda x: levina_bickel(x, k=2), BadInput, r"k must be numbers of neighbours, whole numbers from 3 up, but 2"),
        (lambda x: levina_bickel(x, average="mean"), UnknownName, r"No average is called 'mean'\."),
        (lambda x: two_nn_resampled(x, share=1.5), BadInput, r"share must lie above 0 and at most at 1, but 1.5 came"),
        (lambda x: two_nn_resampled(x, n_resamples=1), BadInput, r"n_resamples must be at least 2, but 1 came"),
        (
            lambda x: two_nn_resampled(x, share=0.1),
            TooFew,
            r"two_nn_resampled needs at least 6 distinct stimuli, but 5",
        ),
        (lambda x: two_nn_decimation(x, divisors=(0,)), BadInput, r"divisors must be whole numbers from 1 up, but"),
        (lambda x: two_nn_decimation(x, divisors=(8,)), TooFew, r"two_nn_decimation needs at least 160 distinct"),
    ],
)
def test_a_wrong_option_is_answered_with_a_sentence(call, error, message, rng):
    with pytest.raises(error, match=message):
        call(rng.random((50, 3)))


def test_metrics_are_imported_without_torch():
    code = "import sys; from stratoscope.metrics import two_nn; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
