"""Cortex itself: macaque IT, macaque V4 and mouse V1."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import stratoscope as st
from stratoscope.metrics import unit_information
from stratoscope.sources.recording import (
    Recording,
    Spikes,
    count_spikes,
    export_nwb,
    informative_units,
    latencies,
    noise_correlations,
    open_recording,
    pseudo_population,
    responsive_units,
    shuffle_trials,
    split_half,
)

pytestmark = pytest.mark.realdata

_spec = importlib.util.spec_from_file_location("real_recordings", Path(__file__).with_name("real.py"))
real = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(real)


@pytest.fixture(scope="module")
def it():
    folder = Path(__file__).resolve().parents[4] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real data are not there: {folder}")
    return real.macaque_it(folder)


def test_macaque_it_is_a_recording_of_132_units_in_21_sessions(it):
    said = it.describe()
    assert said["areas"] == {"IT": 132}
    assert said["sessions"] == 21
    assert said["trials"] == {"fewest": 19, "median": 20.0, "most": 20}
    assert it.spikes.n_spikes == 603_003


def test_sparseness_and_dimension_of_macaque_it_come_through_profile(it):
    results = st.profile(
        it, it.stimuli(), metrics=["lifetime_sparseness", "two_nn", "participation_ratio"], progress=False
    )
    table = results.table().set_index("metric")
    per_unit = results["IT"]["lifetime_sparseness"]
    assert per_unit.sizes["unit"] == 132
    assert 0.05 < float(per_unit.median()) < 0.35
    dimension = table.loc["participation_ratio", "value"]
    assert 2 < float(np.atleast_1d(dimension)[0]) < 12


def test_macaque_it_reads_out_objects_within_and_across_positions(it):
    """7 objects, chance 14.3 %: a linear SVM on z-scored counts 100-500 ms after onset, 5 pseudo-populations."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    places = ("upper", "middle", "lower")
    within, across, shuffled = np.zeros((5, 3)), np.zeros((5, 6)), []
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for draw in range(5):
        together = pseudo_population(it.trials, trials=19, seed=draw)
        thing, place = np.array([id_.split("/") for id_ in together.presentations.stimulus]).T
        decoder = make_pipeline(StandardScaler(), LinearSVC(C=0.01))
        pairs = []
        for column, trained in enumerate(places):
            own = place == trained
            within[draw, column] = cross_val_score(decoder, together.counts[own], thing[own], cv=folds).mean()
            decoder.fit(together.counts[own], thing[own])
            others = [place == other for other in places if other != trained]
            pairs += [decoder.score(together.counts[rows], thing[rows]) for rows in others]
        across[draw] = pairs
        mixed = np.random.default_rng(draw).permutation(thing[own])
        shuffled.append(cross_val_score(decoder, together.counts[own], mixed, cv=folds).mean())
    assert np.all((within.mean(0) > 0.85) & (within.mean(0) < 0.97)), within.mean(0)
    assert np.all((across.mean(0) > 0.58) & (across.mean(0) < 0.88)), across.mean(0)
    assert np.mean(shuffled) == pytest.approx(1 / 7, abs=0.04)


def test_most_units_of_macaque_it_respond_late_in_the_way_of_it(it):
    found = responsive_units(count_spikes(it.spikes, (0.1, 0.4)), count_spikes(it.spikes, (-0.3, 0.0)))
    assert found.keep.mean() > 0.6
    late = latencies(it.spikes.take_units(found.keep), window=(0.0, 0.45))
    assert 0.06 < np.nanmedian(late) < 0.15


def test_most_units_of_macaque_it_are_informative_about_which_stimulus_was_shown(it):
    found = informative_units(it.trials, unit_information, permutations=20)
    assert found.keep.mean() > 0.8
    assert 0.05 < np.median(found.statistic) < 1.0


def test_macaque_it_survives_a_journey_through_nwb(it, tmp_path):
    some = it.take_units(np.flatnonzero(np.isin(it.data.units.session, ["1001", "1006"])))
    rows = np.isin(some.spikes.presentations.stimulus, list(some.ids)) & np.isin(
        some.spikes.presentations.session, ["1001", "1006"]
    )
    spikes = Spikes(some.spikes.times, some.spikes.units, some.spikes.presentations.take(rows))
    back = open_recording(
        export_nwb(Recording(spikes, ids=it.ids, columns=it.columns), tmp_path / "it"), window=(0.1, 0.5)
    )
    order = [back.ids.index(id_) for id_ in it.ids]
    np.testing.assert_array_equal(back.responses()[order], some.responses())
    assert back.trials.n_trials().min() == 19


def test_split_half_reliability_of_macaque_v4_and_mouse_v1(data):
    """Plain r of means over halves of the trials: first against last repeats in V4, even against odd in mouse V1."""
    v4 = real.macaque_v4(data)
    assert v4.describe()["trials"] == {"fewest": 6, "median": 8.0, "most": 10}
    assert np.median(split_half(v4.trials, halves="first-last").half) == pytest.approx(0.57, abs=0.02)
    assert np.median(split_half(real.mouse_v1(data, 1), halves="odd-even").half) == pytest.approx(0.64, abs=0.02)
    assert np.median(split_half(real.mouse_v1(data, 2), halves="odd-even").half) == pytest.approx(0.49, abs=0.02)


def test_random_halves_of_macaque_v4_lie_between_first_against_last_and_odd_against_even(data):
    counts = real.macaque_v4(data).trials
    drifting, even, random = (
        np.median(split_half(counts, halves=halves, splits=20).half) for halves in ("first-last", "odd-even", "random")
    )
    assert drifting < random < even + 0.01
    assert random == pytest.approx(0.616, abs=0.01)


def test_noise_correlations_of_macaque_v4_are_there_until_trials_are_shuffled(data):
    counts = real.macaque_v4(data).trials
    upper = np.triu_indices(50, 1)
    assert np.nanmean(noise_correlations(counts)[upper]) > 0.02
    assert abs(np.nanmean(noise_correlations(shuffle_trials(counts))[upper])) < 0.01
