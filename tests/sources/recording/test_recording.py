import numpy as np
import pytest

import stratoscope as st
from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.sources.recording import (
    Presentations,
    Recording,
    Spikes,
    TrialCounts,
    Units,
    count_spikes,
    latencies,
    noise_correlations,
    pseudo_population,
    responsive_units,
)
from stratoscope.testing.source_laws import check_source
from stratoscope.types import Source

IDS = [f"im{k:02d}" for k in range(20)]


def played(source, stimuli):
    out = {}
    source.play(stimuli, lambda s, rows, r: out.setdefault(s.name, []).append(np.array(r)), batch_size=7)
    return {name: np.concatenate(parts) for name, parts in out.items()}


def test_a_recording_keeps_the_laws_of_a_source(three_areas):
    assert isinstance(Recording(three_areas), Source)
    check_source(lambda: Recording(three_areas), Recording(three_areas).stimuli())


def test_areas_are_stages_and_neurons_units_in_the_order_of_a_known_hierarchy(three_areas):
    recording = Recording(three_areas, "rat")
    assert [(s.name, s.depth, s.n_units, s.unit, s.kind, s.hierarchy) for s in recording.stages] == [
        ("V1", 0.0, 6, "neuron", "area", "rat"),
        ("LM", 0.5, 5, "neuron", "area", "rat"),
        ("LL", 1.0, 4, "neuron", "area", "rat"),
    ]
    assert recording.describe()["order_of_areas"].startswith("rat")
    assert Recording(three_areas, areas=["LM", "LL", "V1"]).describe()["order_of_areas"] == "as given"


def test_areas_that_no_hierarchy_knows_come_as_the_table_lists_them(three_areas):
    strange = TrialCounts(three_areas.counts, Units(range(15), ["b"] * 5 + ["V1"] * 10), three_areas.presentations)
    assert Recording(strange).areas == ("b", "V1")
    assert Recording(strange).describe()["order_of_areas"] == "as the table of units lists them"


def test_it_answers_with_the_mean_over_trials(three_areas):
    recording = Recording(three_areas)
    responses = played(recording, recording.stimuli())
    table = three_areas.counts[:, 5:11]
    expected = [table[three_areas.presentations.stimulus == id_].mean(0) for id_ in recording.ids]
    np.testing.assert_allclose(responses["V1"], expected)
    some = recording.stimuli().take(np.array([5, 1, 9]))
    np.testing.assert_allclose(played(recording, some)["V1"], np.array(expected)[[5, 1, 9]])


def test_ids_give_the_order_and_columns_go_with_them(three_areas):
    category = np.arange(20) % 2
    recording = Recording(three_areas, ids=IDS[::-1], columns={"category": category})
    stimuli = recording.stimuli()
    assert stimuli.ids == tuple(IDS[::-1])
    assert stimuli.categories.tolist() == category.tolist()
    np.testing.assert_allclose(recording.responses("LL")[::-1], Recording(three_areas, ids=IDS).responses("LL"))


def test_profile_measures_a_recording_with_its_own_stimuli(three_areas, tmp_path):
    recording = Recording(three_areas, "rat", ids=IDS, columns={"category": np.arange(20) % 2})
    results = st.profile(
        recording,
        recording.stimuli(),
        metrics=["lifetime_sparseness", "population_sparseness", "participation_ratio"],
        progress=False,
        out=tmp_path / "run",
    )
    table = results.table()
    assert list(dict.fromkeys(table["stage"])) == ["V1", "LM", "LL"]
    assert set(table["unit"]) == {"neuron"}
    assert np.isfinite(table["value"]).all()
    text = (tmp_path / "run" / "run.toml").read_text()
    assert "mean over trials" in text
    assert "Areas differ in their number of units (V1 6, LM 5, LL 4)" in text


def test_single_trials_are_stimuli_of_their_own(three_areas):
    recording = Recording(three_areas, ids=IDS, columns={"category": np.arange(20) % 2})
    single = recording.single_trials()
    assert len(single.ids) == 80
    assert single.ids[3] == "im01#0"
    np.testing.assert_array_equal(single.responses(), recording.trials.counts)
    assert single.columns["stimulus"][3] == "im01"
    assert single.columns["category"][3] == 1
    assert len(played(single, single.stimuli())["V1"]) == 80


def test_units_that_were_not_recorded_together_have_no_single_trials_but_a_pseudo_population_has(three_areas):
    counts = three_areas.counts.copy()
    counts[::2, :5] = np.nan
    counts[1::2, 5:] = np.nan
    apart = TrialCounts(counts, three_areas.units, three_areas.presentations)
    with pytest.raises(BadInput, match="In no presentation were all 15 units recorded.*pseudo_population"):
        Recording(apart).single_trials()
    together = pseudo_population(apart, trials=1, correlations="destroyed")
    assert len(Recording(together).single_trials().ids) == 20


def test_a_unit_without_trials_of_a_stimulus_is_named_and_can_be_left_out(three_areas):
    counts = three_areas.counts.copy()
    counts[three_areas.presentations.stimulus == "im03", 7] = np.nan
    recording = Recording(TrialCounts(counts, three_areas.units, three_areas.presentations), ids=IDS)
    with pytest.raises(BadInput, match=r"Stimulus 'im03' has no trial with unit 'n7' \(row 7 .*area 'V1'\); 1 pairs"):
        recording.stimuli()
    fewer = recording.complete("units")
    assert [stage.n_units for stage in fewer.stages] == [5, 5, 4]
    assert "1 units that missed a stimulus were left out." in fewer.stimuli().notes
    shorter = recording.complete("stimuli")
    assert shorter.ids == tuple(id_ for id_ in IDS if id_ != "im03")
    assert shorter.stimuli().notes[0].startswith("1 stimuli that a unit missed")
    with pytest.raises(BadInput, match="'units' or 'stimuli'; it is 'both'"):
        recording.complete("both")


def test_an_area_of_two_units_is_no_stage(three_areas):
    with pytest.raises(TooFew, match=r"Area 'LL' has 2 units \(rows 11, 12 of the table of units\)"):
        Recording(three_areas.take_units(slice(0, 13)))
    assert Recording(three_areas.take_units(slice(0, 13)), areas=["V1", "LM"]).areas == ("V1", "LM")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"areas": ["V1", "V4"]}, UnknownName, "No area of the recording is called 'V4'"),
        ({"areas": ["V1", "V1"]}, BadInput, "Areas are named once each"),
        ({"ids": [*IDS, "im20"]}, BadInput, "Stimulus 'im20' has zero trials: no row of the table of presentations"),
        ({"ids": IDS[:-2]}, BadInput, "shows 'im18' and 1 other stimuli that are not among the 18 ids"),
        ({"ids": [*IDS, "im00"]}, BadInput, "'im00' stands for two stimuli"),
        ({"columns": {"category": np.zeros(20)}}, BadInput, r"Columns of the stimuli \(category\) need to know"),
        ({"ids": IDS, "columns": {"category": [1]}}, BadInput, "Column 'category' of the table of stimuli"),
    ],
)
def test_what_does_not_fit_the_recording_is_refused(three_areas, options, error, message):
    with pytest.raises(error, match=message):
        Recording(three_areas, **options)


def test_stimuli_that_were_not_shown_are_refused(three_areas):
    recording = Recording(three_areas)
    other = st.Stimuli("others", ("im00", "im21"), lambda row: row)
    with pytest.raises(BadInput, match="1 of the 2 stimuli of 'others' have no row in 'recording'"):
        played(recording, other)


def test_spikes_are_counted_from_onset_to_offset_or_in_any_window(random_spikes):
    recording = Recording(random_spikes)
    np.testing.assert_array_equal(recording.trials.counts, count_spikes(random_spikes, aligned=True).counts)
    late = recording.count((0.05, 0.2), baseline=(-0.1, 0), rate=True)
    again = count_spikes(random_spikes, (0.05, 0.2), baseline=(-0.1, 0), rate=True, aligned=True)
    np.testing.assert_array_equal(late.trials.counts, again.counts)
    assert late.spikes is recording.spikes
    assert "spikes a second from 0.05 to 0.2 s after onset" in late.describe()["responses"]
    assert late.describe()["responses_sha256"] != recording.describe()["responses_sha256"]


def test_windows_can_begin_at_the_latency_of_each_unit(rng):
    onset = 1.0 + np.arange(200)
    times = [np.sort(np.concatenate([onset + d + 0.1 * rng.random(200) for _ in range(4)])) for d in (0.03, 0.05, 0.08)]
    spikes = Spikes(times, Units("abc", "V1"), Presentations(np.arange(200) % 5, onset, onset + 0.25))
    counted = Recording(spikes).count((0, 0.15), latency="unit")
    np.testing.assert_array_equal(
        counted.trials.counts, count_spikes(spikes, (0, 0.15), latency=latencies(spikes)).counts
    )


def test_counts_cannot_be_counted_again(three_areas):
    with pytest.raises(BadInput, match="holds counts .* so no other window can be counted"):
        Recording(three_areas).count((0, 0.1))


def test_units_that_pass_a_test_can_be_taken_with_their_counts(random_spikes):
    recording = Recording(random_spikes).count((0, 0.2), aligned=False)
    found = responsive_units(recording.trials, count_spikes(random_spikes, (-0.2, 0)))
    assert not found.keep.all()
    keep = ~found.keep
    fewer = recording.take_units(keep)
    np.testing.assert_array_equal(fewer.trials.counts, recording.trials.counts[:, keep])
    assert sum(stage.n_units for stage in fewer.stages) == keep.sum()


def test_aligned_sessions_are_no_simultaneous_population(random_spikes):
    recording = Recording(random_spikes)
    with pytest.raises(BadInput, match="Make a pseudo_population"):
        recording.single_trials()
    within = noise_correlations(recording.trials)
    assert np.isnan(within[0, 1])
    assert np.isfinite(within[0, 2])
    assert len(Recording(pseudo_population(recording.trials)).single_trials().ids) > 100


def test_a_recording_says_what_it_is_in_a_line(random_spikes, three_areas):
    assert repr(Recording(random_spikes, "rat")) == "Recording('rat', spikes, units V1 20, LL 20, 6 stimuli)"
    assert repr(three_areas) == "TrialCounts(80 presentations, 15 units, 20 stimuli, as given)"
    assert repr(random_spikes).endswith("40 units, 360 presentations)")
