"""A rise and a fall: humps are found, rises, falls and flat profiles are not taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import TooFew
from stratoscope.statistics.peak import rise_then_fall
from stratoscope.statistics.stage_values import StageValues

FAST = {"n_resamples": 100, "n_permutations": 199}


def drawn(rng, means, n=12, sd=1.0):
    return {f"stage {i}": mean + sd * rng.normal(size=n) for i, mean in enumerate(means)}


def with_intervals(means, half):
    numbers = np.array(means, dtype=float)
    return StageValues(
        numbers[:, None], tuple(f"stage {i}" for i in range(len(means))), low=numbers - half, high=numbers + half
    )


def test_the_height_is_that_above_the_higher_end(rng):
    found = rise_then_fall(drawn(rng, [1.0, 3.0, 7.0, 4.0, 2.0], sd=0.0), **FAST)
    assert (found.estimate.value, found.estimate.low) == (5.0, 5.0)
    assert found.estimate.note == "highest inner stage 'stage 2'; interval at 0.9833 for 3 inner stages"
    assert found.counted == {"stage": 5, "replicate": 12}


def test_a_hump_is_found_by_replicates_and_by_intervals(rng):
    for seed in range(5):
        found = rise_then_fall(drawn(rng, [0, 2, 3, 1, 0]), seed=seed, **FAST)
        assert found.p < 0.05
        assert found.estimate.low > 0
    sure = rise_then_fall(with_intervals([0, 2, 3, 1, 0], 0.8), **FAST)
    assert sure.p < 0.001
    assert sure.estimate.low > 0
    assert rise_then_fall(with_intervals([0, 2, 3, 1, 0], 9.0), **FAST).p > 0.3


@pytest.mark.parametrize("means", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (3, 1, 0, 1, 3)])
def test_a_rise_a_fall_and_a_hollow_are_below_zero(means, rng):
    for data in (drawn(rng, means, sd=0.5), with_intervals(means, 0.3)):
        found = rise_then_fall(data, **FAST)
        assert found.estimate.high < 0
        assert found.p < 0.05


@pytest.mark.parametrize("means", [(0,) * 5, (0, 5, 5, 5, 5), (0, 5, 5, 5, 5, 5, 5, 5)])
def test_flat_profiles_and_plateaus_pass_for_humps_in_one_of_forty_at_most(means, rng):
    # Two-sided at 5 %, so a hump is claimed in 2.5 %. A plateau is the worst case: one end is as high as every inner
    # stage, and the best of all inner stages is taken.
    def one():
        noisy = with_intervals([mean + rng.normal() for mean in means], 1.96)
        found = rise_then_fall(noisy, n_resamples=2)
        return found.p <= 0.05 and found.estimate.value > 0

    assert np.mean([one() for _ in range(500)]) <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 500)


def test_replicates_without_a_hump_seldom_make_one(rng):
    def one():
        found = rise_then_fall(drawn(rng, (0, 5, 5, 5), n=8), n_resamples=2)
        return found.p <= 0.05 and found.estimate.value > 0

    assert np.mean([one() for _ in range(80)]) <= 0.08


def test_p_is_paid_for_every_inner_stage(rng):
    # Each of 8 replicates has the hump, so one inner stage alone has p = 1/256 on each side; three are chosen from.
    found = rise_then_fall(drawn(rng, [0.0, 50, 50, 50, 0.0], n=8), **FAST)
    assert found.p == pytest.approx(2 * 3 / 256)
    assert found.smallest_p == pytest.approx(2 * 3 / 256)
    falling = rise_then_fall(drawn(rng, [100.0, 50, 25, 0.0], n=8), **FAST)
    assert falling.p == pytest.approx(2 * 2 / 256)


def test_one_number_a_stage_without_intervals_has_a_height_and_no_p():
    found = rise_then_fall({"a": 0.0, "b": 2.0, "c": 1.0})
    assert found.estimate.value == 1.0
    assert np.isnan([found.p, found.estimate.low]).all()
    assert found.null == "none: no interval"


def test_too_little_is_refused(rng):
    with pytest.raises(TooFew, match="A rise and fall needs at least 3 stages, but 2 stages came"):
        rise_then_fall({"a": 1.0, "b": 2.0})
    with pytest.raises(TooFew, match="needs the same replicate at every stage"):
        rise_then_fall({"a": [1.0, 2.0], "b": [2.0], "c": [1.0]})
    with pytest.raises(TooFew, match="at least one replicate with a value at every stage; there is none"):
        rise_then_fall({"a": [1.0, np.nan], "b": [np.nan, 2.0], "c": [1.0, 2.0]})
