"""Dimensions of unequal areas, beside their controls."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import gride, participation_ratio_corrected, two_nn
from stratoscope.metrics.controlled_dimension import controlled_dimension
from stratoscope.metrics.trials import trial_means
from stratoscope.testing.latent_population import latent_population

#: One simulation of 230 stimuli, 150 Poisson neurons of 1.5 spikes a window and 26 trials: n1 = 1 to 32.
TABLE = {
    2: ((2.1, 1.9, 1.9, 1.9, 1.7, 1.7), (21.6, 13.7, 8.2, 4.8, 3.0, 2.2)),
    5: ((4.6, 4.3, 4.3, 4.1, 3.9, 3.8), (9.1, 7.1, 6.0, 5.3, 4.7, 4.3)),
    20: ((14.4, 13.6, 13.0, 12.3, 11.1, 9.6), (16.7, 15.5, 14.8, 13.6, 12.2, 10.4)),
}
RANKS = (1, 2, 4, 8, 16, 32)


@pytest.fixture(scope="module")
def areas():
    many = latent_population(2, n_units=200, n_trials=26, mean_count=0.8, seed=11).counts
    many[-2:, ::3] = np.nan
    few = latent_population(5, n_units=100, n_trials=25, mean_count=3.0, seed=12).counts
    return {"many": many, "few": few}


@pytest.fixture(scope="module")
def found(areas):
    return controlled_dimension(areas, n_resamples=2, seed=1)


def agrees(curves: list[np.ndarray], earlier: tuple[float, ...]) -> bool:
    """Whether one earlier simulation is a draw like these, 99.9 % of which are, and rounding of its table."""
    n = len(curves)
    allowed = stats.t.ppf(0.9995, n - 1) * np.std(curves, axis=0, ddof=1) * np.sqrt(1 + 1 / n) + 0.05
    return bool((np.abs(np.mean(curves, axis=0) - earlier) < allowed).all())


@pytest.mark.parametrize("dimension", TABLE)
def test_what_noise_does_to_gride_is_what_an_earlier_simulation_found(dimension):
    clean, noisy = TABLE[dimension]
    populations = [latent_population(dimension, seed=seed) for seed in range(7)]
    assert agrees([gride(one.rates, n1=RANKS).value for one in populations], clean)
    assert agrees([gride(trial_means(one.counts), n1=RANKS).value for one in populations], noisy)
    fewer = [gride(trial_means(one.counts[:5]), n1=RANKS).value for one in populations]
    assert not agrees(fewer, noisy)  # five trials are told apart


def test_the_controlled_dimension_has_the_true_order_where_raw_two_nn_inverts_it(found):
    assert found.raw["many"].value > found.raw["few"].value
    one, other = found.controlled["many"], found.controlled["few"]
    assert one.high < other.low
    ratio = found.ratio("many", "few")
    assert ratio.low < ratio.value < ratio.high < 1


def test_every_raw_number_stands_beside_its_controls(found):
    table = found.table()
    assert list(table.columns) == [
        "area", "quantity", "control", "n1", "value", "low", "high", "n_units", "n_trials", "n_stimuli", "note",
    ]  # fmt: skip
    for _, rows in table.groupby("area"):
        kinds = set(zip(rows["quantity"], rows["control"], strict=True))
        wanted = {
            "",
            "equal units and trials",
            "equal rates",
            "trial-split noise",
            "untuned Poisson",
            "noise-corrected",
        }
        assert {("gride", control) for control in wanted} <= kinds
        assert {("two_nn", ""), ("dimension", "controlled"), ("margin", "noise-corrected")} <= kinds
        assert {("participation_ratio", c) for c in ("", "equal units and trials", "noise-corrected")} <= kinds


def test_raw_numbers_are_of_the_whole_area_and_controls_of_equal_sizes(areas, found):
    table = found.table()
    whole = table.query("control == '' and area == 'many'")
    assert set(whole["n_units"]) == {200}
    assert set(whole["n_trials"]) == {24}  # the fewest
    assert set(table.query("control != ''")["n_units"]) == {100}
    assert set(table.query("control != ''")["n_trials"]) == {24}
    assert found.raw["many"].value == two_nn(trial_means(areas["many"])).value


def test_floors_read_noise_and_are_alike_in_areas_of_equal_size(found):
    table = found.table().set_index(["area", "quantity", "control", "n1"])["value"]
    for control in ("trial-split noise", "untuned Poisson"):
        floors = [table[area, "gride", control, 4] for area in ("many", "few")]
        assert min(floors) > 25
        assert floors[0] == pytest.approx(floors[1], rel=0.2)


def test_areas_are_read_at_the_finest_scale_above_the_noise_in_both(found):
    margins = found.table().query("quantity == 'margin'").pivot_table(index="n1", columns="area", values="value")
    good = (margins >= 3).all(axis=1)
    assert found.n1 == good[good].index[0] > 1
    assert set(found.table().query("quantity == 'dimension'")["n1"]) == {found.n1}


def test_the_same_seed_gives_the_same_numbers_and_another_one_others():
    counts = {
        "a": latent_population(2, n_stimuli=60, n_units=30, n_trials=8, seed=1).counts,
        "b": latent_population(3, n_stimuli=60, n_units=20, n_trials=9, mean_count=3, seed=2).counts,
    }
    one, again, other = (controlled_dimension(counts, n1=(1, 8, 16), n_resamples=2, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.table()["value"], again.table()["value"])
    assert other.controlled["a"].value != one.controlled["a"].value


def test_an_area_of_noise_has_no_controlled_dimension_and_does_not_spoil_the_others(areas):
    noise = np.random.default_rng(0).poisson(1.0, (25, 230, 100)).astype(float)
    mixed = controlled_dimension({"few": areas["few"], "noise": noise}, n_resamples=1)
    assert np.isnan(mixed.controlled["noise"].value)
    assert "standard deviations of their noise" in mixed.controlled["noise"].note
    assert 3 < mixed.controlled["few"].value < 5
    alone = controlled_dimension({"noise": noise[:, :80, :20]}, n_resamples=1)
    assert alone.n1 == 0
    assert "no scale stands above the noise" in alone.controlled["noise"].note


def test_limits_in_units_and_stimuli_stand_beside_the_rest_where_they_are_asked_for():
    one = latent_population(2, n_stimuli=60, n_units=30, n_trials=8, mean_count=3, seed=1)
    found = controlled_dimension({"a": one.counts}, n1=(8, 12), n_resamples=1, extrapolate=True)
    limits = found.table()[lambda table: table["control"].str.startswith("infinite")]
    assert set(zip(limits["quantity"], limits["control"], strict=True)) == {
        (quantity, control)
        for quantity in ("gride", "participation_ratio")
        for control in ("infinite units", "infinite stimuli")
    }
    assert set(limits.query("quantity == 'gride'")["n1"]) == {found.n1}
    ratios = limits.query("quantity == 'participation_ratio'").set_index("control")
    clean = participation_ratio_corrected(latent_population(2, n_stimuli=400, n_units=400, seed=1).rates).value
    assert ratios.loc["infinite units", "low"] < clean < ratios.loc["infinite units", "high"]
    assert ratios["value"].between(1.5, 4).all()


def test_responses_that_are_no_counts_have_all_but_the_poisson_controls():
    one = latent_population(2, n_stimuli=60, n_units=20, n_trials=8, mean_count=3, seed=1).counts + 0.25
    table = controlled_dimension({"a": one}, n1=(1, 8, 16), n_resamples=1).table()
    poisson = table[table["control"].isin(["equal rates", "untuned Poisson"])]
    assert len(poisson) == 6
    assert poisson["value"].isna().all()
    assert poisson["note"].str.contains("not whole numbers of spikes").all()
    assert table.query("control == 'trial-split noise' or control == 'controlled'")["value"].notna().all()


def test_what_cannot_be_compared_is_refused_in_a_sentence(areas, found):
    few = areas["few"]
    with pytest.raises(BadInput, match="none came"):
        controlled_dimension({})
    with pytest.raises(BadInput, match="same stimuli, but there are 230 in 'a', 200 in 'b'"):
        controlled_dimension({"a": few, "b": few[:, :200]})
    with pytest.raises(TooFew, match="at least 8 units an area, but 'b' has 2"):
        controlled_dimension({"a": few, "b": few[:, :, :2]})
    with pytest.raises(TooFew, match="300 units were asked for, but area 'few' has 100"):
        controlled_dimension({"few": few}, n_units=300)
    with pytest.raises(TooFew, match="area 'few', needs at least 2 trials"):
        controlled_dimension({"few": few[:1]})
    with pytest.raises(TooFew, match="in area 'silent' every unit answers all stimuli alike"):
        controlled_dimension({"few": few, "silent": np.zeros_like(few)})
    with pytest.raises(BadInput, match="n_resamples must be at least 1"):
        controlled_dimension({"few": few}, n_resamples=0)
    with pytest.raises(UnknownName, match="No area is called 'fw'. Did you mean 'few'"):
        found.ratio("many", "fw")


@pytest.mark.realdata
def test_most_of_the_raw_dimension_of_macaque_v4_is_noise_of_its_trials():
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "neural" / "macaque_v4_cowley"
    if not folder.is_dir():
        pytest.skip(f"real data are not there: {folder}")
    counts = np.load(folder / "v4_session210325_trials.npz")["counts"].astype(float)
    counts[counts < 0] = np.nan
    found = controlled_dimension({"V4": counts[:, :400].transpose(2, 1, 0)}, n_resamples=1)
    table = found.table().set_index(["quantity", "control", "n1"])["value"]
    raw, floor, signal = (table["gride", control, 4] for control in ("", "trial-split noise", "noise-corrected"))
    assert 0.5 * floor < raw < floor
    assert signal < 0.6 * raw
    assert (
        table["participation_ratio", "noise-corrected", 0] < table["participation_ratio", "equal units and trials", 0]
    )
    held = found.controlled["V4"]
    assert held.low < signal < held.value < held.high < raw + 2
    assert "correction for what is left of noise" in held.note


def test_ranks_beyond_the_number_of_stimuli_have_no_number():
    few = latent_population(2, n_stimuli=21, n_units=12, n_trials=8, mean_count=4.0, seed=0).counts
    table = controlled_dimension({"few": few}, n_resamples=1).table().query("quantity == 'gride'")
    known = table[table["value"].notna()]
    assert set(known["n1"]) <= {1, 2, 4, 8, 16}
    assert {"", "equal units and trials"} <= set(known["control"])
