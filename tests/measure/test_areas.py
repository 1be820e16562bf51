"""Raw dimensions of recorded areas never stand without their controls."""

from __future__ import annotations

import numpy as np
import pytest

import stratoscope as st
from stratoscope.figures import metric_over_depth
from stratoscope.metrics import controlled_dimension
from stratoscope.sources.recording import Presentations, TrialCounts, Units
from stratoscope.testing.latent_population import latent_population

CONTROLS = {"equal units and trials", "trial-split noise", "equal rates", "untuned Poisson", "noise-corrected"}


def recording(sizes=(30, 12), n_trials=6, n=60):
    """Areas V1 and LL of a simulated recording, `n` stimuli."""
    areas = [
        latent_population(2 + at, n_stimuli=n, n_units=size, n_trials=n_trials, mean_count=4.0, seed=at).counts
        for at, size in enumerate(sizes)
    ]
    counts = np.concatenate(areas, axis=2)
    names = np.repeat(["V1", "LL"][: len(sizes)], sizes)
    shown = Presentations([f"im{k:02d}" for _ in range(n_trials) for k in range(n)])
    units = Units([f"u{k}" for k in range(len(names))], names)
    return st.Recording(TrialCounts(counts.reshape(-1, len(names)), units, shown), "simulated")


def measured(source, metrics=("two_nn", "gride", "participation_ratio"), **options):
    return st.profile(source, source.stimuli(), metrics=list(metrics), progress=False, **options)


@pytest.fixture(scope="module")
def results():
    return measured(recording())


def test_two_nn_of_areas_comes_with_equal_sizes_rates_and_floors(results):
    rows = results.table().query("metric == 'two_nn'")
    assert {name: set(own["control"]) for name, own in rows.groupby("stage")} == {
        name: {"", *CONTROLS} for name in ("V1", "LL")
    }
    equal = rows.query("control == 'equal units and trials'")
    assert equal["note"].str.contains("12 units, 6 trials a stimulus").all()


def test_they_are_the_numbers_of_controlled_dimension(results):
    source = recording()
    found = controlled_dimension(source.trials_by_area(), n_resamples=3, seed=0)
    rows = results.table()
    own = rows.query("metric == 'controlled_dimension'").set_index("stage")
    for name, estimate in found.controlled.items():
        assert own.loc[name, "value"] == pytest.approx(estimate.value, nan_ok=True)
        assert own.loc[name, "item"] == (f"n1={found.n1}" if found.n1 else "")
    floor = found.table().query("quantity == 'gride' and control == 'trial-split noise' and n1 == 1")["value"]
    ours = rows.query("metric == 'two_nn' and control == 'trial-split noise'")["value"]
    np.testing.assert_allclose(ours, floor)


def test_scales_below_the_noise_have_no_corrected_number(results):
    found = controlled_dimension(recording().trials_by_area(), n_resamples=3, seed=0).table()
    margin = found.query("quantity == 'margin'").set_index(["area", "n1"])["value"]
    rows = results.table().query("metric == 'gride' and control == 'noise-corrected'")
    for row in rows.itertuples():
        clear = margin[row.stage, int(row.item.removeprefix("n1="))] >= 3
        assert np.isfinite(row.value) == clear
        assert clear or "standard deviations of their noise" in row.note


def test_controls_are_drawn_behind_the_raw_curve(results):
    axes = metric_over_depth(results, "two_nn").axes[0]
    drawn = {line.get_label() for line in axes.lines}
    assert {f"control: {name}" for name in CONTROLS} <= drawn
    assert "controlled_dimension" in results.metrics


def test_limits_are_there_when_they_are_asked_for():
    table = measured(recording((24,), 4, 40), ["participation_ratio"], extrapolate=True).table()
    assert {"infinite units", "infinite stimuli"} <= set(table["control"])


def test_without_raw_dimensions_there_is_nothing_to_control():
    table = measured(recording((12,), 2, 20), ["lifetime_sparseness"]).table()
    assert "controlled_dimension" not in set(table["metric"])


def test_areas_too_small_or_without_repeats_say_that_they_are_not_controlled():
    few = measured(recording((12, 5)), ["two_nn"])
    assert set(few.table().query("stage == 'LL'")["control"]) == {""}
    assert any("Controls are missing because fewer than 8 units are in LL (5)." in remark for remark in few.remarks)
    once = measured(recording((12,), 1), ["two_nn"])
    assert any("needs at least 2 trials of every stimulus" in remark for remark in once.remarks)


def test_trials_of_areas_come_in_the_order_that_was_asked():
    source = recording((12, 9), 3, 20)
    ids = ["im07", "im02"]
    trials = source.trials_by_area(ids)
    assert {area: one.shape for area, one in trials.items()} == {"V1": (3, 2, 12), "LL": (3, 2, 9)}
    np.testing.assert_allclose(np.nanmean(trials["V1"], axis=0)[1], source.responses("V1")[2])


def test_dimension_claims_about_areas_are_judged_with_their_controls():
    sizes = (20, 12)
    study = st.studies.compare([measured(recording(sizes)), measured(recording(sizes[:1]))], n_draws=0)
    controls = set(study.claims.query("claim == 'dimension-rises-then-falls-simulated'")["control"])
    assert {"equal units and trials", "controlled for units, trials and noise"} <= controls
