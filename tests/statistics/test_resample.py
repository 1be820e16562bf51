"""Bootstrap and jackknife: known answers, coverage, what is resampled, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.statistics.propagate import from_intervals
from stratoscope.statistics.resample import bootstrap, bootstrap_difference, cluster_bootstrap, jackknife


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_of_a_mean_cover_it_about_as_often_as_they_say(method, rng):
    found = [bootstrap(rng.normal(size=40), over="unit", method=method, n_resamples=250, seed=i) for i in range(80)]
    assert np.mean([one.low <= 0 <= one.high for one in found]) == pytest.approx(0.94, abs=0.06)


def test_the_interval_of_a_mean_is_as_wide_as_theory_says(rng):
    found = bootstrap(rng.normal(size=400), over="unit", n_resamples=2000)
    assert found.high - found.low == pytest.approx(2 * 1.96 / 20, rel=0.12)
    assert (found.n, found.seed, found.level) == (400, 0, 0.95)
    assert found.method == "mean, percentile bootstrap over 400 units"


def test_paired_arrays_share_each_draw(rng):
    x = rng.normal(size=50)
    found = bootstrap((x, x + 3), lambda a, b: float((b - a).mean()), over="category", n_resamples=200)
    assert found.low == pytest.approx(3) == found.high
    apart = bootstrap_difference(x + 3, x, over="category", n_resamples=200)
    assert apart.value == pytest.approx(3)
    assert apart.high - apart.low > 0.3


def test_an_array_statistic_has_an_interval_for_each_entry(rng):
    found = bootstrap(rng.normal(size=(30, 4)) + np.arange(4), "median", over="category", n_resamples=200)
    assert found.value.shape == found.low.shape == (4,)
    assert ((found.low <= found.value) & (found.value <= found.high)).all()


def test_strata_keep_their_sizes():
    values, strata = np.repeat([0.0, 10.0], [30, 10]), np.repeat(["conv", "fc"], [30, 10])
    found = bootstrap(values, over="unit", strata=strata, n_resamples=100)
    assert (found.low, found.high) == (2.5, 2.5)
    assert found.method == "mean, percentile bootstrap over 40 units within 2 strata"
    assert bootstrap(values, over="unit", n_resamples=100).low < 2.5


def test_clusters_count_and_not_their_members(rng):
    centres = rng.normal(size=12)
    values, clusters = np.repeat(centres, 50), np.repeat(np.arange(12), 50)
    found = cluster_bootstrap(values, clusters=clusters, over="object", n_resamples=800)
    naive = bootstrap(values, over="view", n_resamples=800)
    assert found.n == 12
    assert (found.high - found.low) / (naive.high - naive.low) == pytest.approx(np.sqrt(50), rel=0.3)
    with pytest.raises(TooFew, match="needs at least 2, but there is 1 object"):
        cluster_bootstrap(values, clusters=np.zeros(600), over="object")


def test_the_jackknife_of_a_mean_is_its_standard_error(rng):
    x = rng.normal(size=25)
    found = jackknife(x, over="seed")
    half = 2.0639 * x.std(ddof=1) / 5  # Student's t, 24 degrees of freedom
    assert (found.value, found.high - found.value) == pytest.approx((x.mean(), half), rel=1e-4)


def test_the_jackknife_knows_the_bias_of_a_plug_in_variance(rng):
    x = rng.normal(size=10)
    bias = float(jackknife(x, lambda v: v.var(), over="seed").note.rpartition(" ")[2])
    assert bias == pytest.approx(-x.var(ddof=1) / 10, abs=2e-3)


def test_resamples_without_a_number_are_left_out_and_counted():
    def correlation(a, b):
        return np.corrcoef(a, b)[0, 1] if np.ptp(a) else np.nan

    found = bootstrap((np.array([0.0, 0.0, 0.0, 1.0]), np.arange(4.0)), correlation, over="category", n_resamples=200)
    assert found.dropped["resamples without a number"] > 20
    assert np.isfinite([found.low, found.high]).all()
    nothing = bootstrap(np.ones(4), lambda _: float("nan"), over="category", n_resamples=10)
    assert np.isnan(nothing.low)


def test_bca_without_variation_says_so():
    found = bootstrap(np.ones(5), over="unit", method="bca")
    assert np.isnan(found.low)
    assert found.note == "the statistic does not vary, so BCa has no interval"


def test_intervals_carry_over_to_a_difference():
    # Two Gaussian numbers of half-width 0.98 at 95 %: sd 0.5 each, so their difference has sd 0.707.
    found, p = from_intervals([1.0, 0.0], [0.02, -0.98], [1.98, 0.98], lambda row: row[0] - row[1], n_resamples=20000)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.hypot(0.5, 0.5), rel=0.03)
    assert p == pytest.approx(0.157, abs=0.015)
    with pytest.raises(BadInput, match="Every number needs an interval that holds it"):
        from_intervals([1.0], [2.0], [3.0], np.mean)


def test_what_cannot_be_resampled_is_refused():
    with pytest.raises(TooFew, match="at least 2 values, but there is 1 category"):
        bootstrap([1.0], over="category")
    with pytest.raises(BadInput, match=r"Paired samples share the category they belong to, but they have \[3, 4\]"):
        bootstrap((np.ones(3), np.ones(4)), lambda a, b: 0.0, over="category")
    with pytest.raises(UnknownName, match=r"No statistic is called 'meen'\. Did you mean 'mean'"):
        bootstrap(np.ones(3), "meen", over="unit")
    with pytest.raises(UnknownName, match=r"No bootstrap is called 'bcaa'\. Did you mean 'bca'"):
        bootstrap(np.ones(3), over="unit", method="bcaa")
    with pytest.raises(BadInput, match="BCa intervals are not made within strata"):
        bootstrap(np.ones(3), over="unit", method="bca", strata=[1, 1, 2])
    with pytest.raises(BadInput, match=r"level of an interval lies between 0 and 1, such as 0\.95, but 95 came"):
        bootstrap(np.ones(3), over="unit", level=95)
    with pytest.raises(BadInput, match=r"one label a value, shape \(3,\), but \(2,\) came"):
        bootstrap(np.ones(3), over="unit", strata=[1, 2])
    with pytest.raises(BadInput, match="n_resamples must be at least 2, but 1 came"):
        bootstrap(np.ones(3), over="unit", n_resamples=1)
