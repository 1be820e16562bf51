"""NWB files written by pynwb alone, as any laboratory writes them, and by us."""

from datetime import UTC, datetime

import numpy as np
import pynwb
import pytest

import stratoscope as st
from stratoscope.errors import BadInput, MissingExtra, UnknownName
from stratoscope.sources.recording import (
    Presentations,
    Recording,
    Spikes,
    Units,
    count_spikes,
    export_nwb,
    open_recording,
)

AREAS = ["V1", "LM", "V1", "LM", "V1", "LM", "V1"]


def empty(session="day1"):
    return pynwb.NWBFile("a session", f"id {session}", datetime(2020, 1, 2, tzinfo=UTC), session_id=session)


def add_electrodes(nwb, locations):
    probe = nwb.create_device("probe")
    for row, place in enumerate(locations):
        group = nwb.create_electrode_group(f"shank{row}", description="d", location=place, device=probe)
        nwb.add_electrode(location=place, group=group)


def add_trials(nwb, *, column="stimulus", n=12, values=None):
    nwb.add_trial_column(column, "what was shown")
    nwb.add_trial_column("category", "of the stimulus")
    nwb.add_trial_column("reward", "changes from trial to trial")
    for k in range(n):
        shown = f"im{k % 4}" if values is None else values[k]
        nwb.add_trial(
            start_time=1.0 + k, stop_time=1.25 + k, **{column: shown}, category=["face", "car"][k % 2], reward=k * 0.1
        )


def add_units(nwb, times, **columns):
    for name in columns:
        nwb.add_unit_column(name, name)
    for row, train in enumerate(times):
        known = {name: values[row] for name, values in columns.items()}
        nwb.add_unit(spike_times=train, electrodes=[row % 2], **known)


def save(nwb, path):
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(nwb)
    return path


@pytest.fixture
def times(rng):
    return [np.sort(rng.uniform(0, 14, rng.integers(0, 400))) for _ in AREAS]


@pytest.fixture
def file(tmp_path, times):
    nwb = empty()
    add_electrodes(nwb, ["V1", "LM"])
    add_trials(nwb)
    add_units(nwb, times, depth=np.arange(7) * 0.1)
    return save(nwb, tmp_path / "rat.nwb")


def test_a_file_of_pynwb_opens_with_units_areas_trials_and_windows_as_they_were(file, times):
    recording = open_recording(file)
    assert recording.areas == ("V1", "LM")
    assert recording.name == "rat"
    assert recording.spikes.units.area.tolist() == AREAS
    assert recording.spikes.units.columns["depth"].tolist() == pytest.approx(np.arange(7) * 0.1)
    for ours, theirs in zip(recording.spikes.times, times, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    shown = recording.spikes.presentations
    assert shown.stimulus.tolist() == [f"im{k % 4}" for k in range(12)]
    np.testing.assert_array_equal(shown.onset, 1.0 + np.arange(12))
    np.testing.assert_array_equal(shown.offset, 1.25 + np.arange(12))
    assert shown.trial.tolist() == np.repeat([0, 1, 2], 4).tolist()
    assert recording.stimuli().categories.tolist() == ["face", "car", "face", "car"]
    assert "reward" not in recording.columns


def test_counts_are_those_of_the_intervals_in_the_file(file, times):
    counts = open_recording(file).trials.counts
    expected = [[np.sum((t >= 1 + k) & (t < 1.25 + k)) for t in times] for k in range(12)]
    np.testing.assert_array_equal(counts, expected)


def test_it_opens_by_its_ending_and_by_its_prefix(file):
    source = st.open_source(file)
    assert isinstance(source, st.Recording)
    chosen = st.open_source(f"recording:{file}?window=0.05:0.2&baseline=-0.1:0", stages="V1")
    assert chosen.areas == ("V1",)
    assert "from 0.05 to 0.2 s after onset, minus the baseline" in chosen.describe()["responses"]
    late = st.open_source(f"recording:{file}?areas=LM,V1", stages="auto", unit="neuron")
    assert late.areas == ("LM", "V1")


@pytest.mark.parametrize(
    ("spec", "options", "error", "message"),
    [
        ("?windw=0:1", {}, UnknownName, "option of a recording is called 'windw'. Did you mean 'window'"),
        ("?window=0.1", {}, BadInput, "window=0.1 of a recording cannot be read. Write it as window=0.1:0.5"),
        ("?window=", {}, BadInput, "'window' of a recording needs a value"),
        ("?latency=first", {}, UnknownName, "'unit'"),
        ("", {"unit": "position"}, BadInput, "units of .* are neurons, and 'position' has no meaning"),
        ("", {"weights": "random"}, BadInput, "weights, input and size have no meaning"),
        ("", {"stages": "V4"}, UnknownName, "No area in rat.nwb is called 'V4'"),
    ],
)
def test_wrong_options_are_refused_with_a_hint(file, spec, options, error, message):
    with pytest.raises(error, match=message):
        st.open_source(f"recording:{file}{spec}", **options)


def test_areas_are_found_in_columns_electrodes_groups_and_peak_channels(tmp_path, times):
    column = empty()
    add_electrodes(column, ["x", "x"])
    add_trials(column)
    add_units(column, times, brain_area=AREAS)
    peak = empty()
    add_electrodes(peak, ["V1", "LM"])
    add_trials(peak)
    peak.add_unit_column("peak_channel_id", "id of an electrode")
    group = empty()
    add_electrodes(group, ["V1", "LM"])
    add_trials(group)
    for row, train in enumerate(times):
        peak.add_unit(spike_times=train, peak_channel_id=row % 2)
        group.add_unit(spike_times=train, electrode_group=group.electrode_groups[f"shank{row % 2}"])
    for number, nwb in enumerate((column, peak, group)):
        path = save(nwb, tmp_path / f"{number}.nwb")
        assert open_recording(path).spikes.units.area.tolist() == AREAS
    with pytest.raises(BadInput, match="table of units has no column 'layer' for the area"):
        open_recording(path, area_column="layer")
    with pytest.raises(UnknownName, match="called 'group'"):
        open_recording(tmp_path / "1.nwb", area_column="group_name", areas=["group"])


def test_tables_that_are_no_trials_and_numbered_stimuli_are_read(tmp_path, times):
    nwb = empty()
    scenes = pynwb.epoch.TimeIntervals(name="natural_scenes_presentations", description="images")
    scenes.add_column("frame", "number of the image")
    for k in range(9):
        scenes.add_row(start_time=1.0 + k, stop_time=1.25 + k, frame=float("nan") if k == 4 else float(k % 3))
    nwb.add_time_intervals(scenes)
    nwb.add_trial(start_time=0.0, stop_time=1.0)
    add_electrodes(nwb, ["V1", "LM"])
    add_units(nwb, times)
    recording = open_recording(save(nwb, tmp_path / "allen.nwb"))
    assert recording.ids == ("0", "1", "2")
    assert recording.trials.n_trials()[:, 0].tolist() == [3, 2, 3]
    assert recording.notes == (
        "1 rows of 'natural_scenes_presentations' in allen.nwb show no stimulus and were left out.",
    )


def test_several_tables_of_presentations_must_be_chosen_from(tmp_path, times):
    nwb = empty()
    add_trials(nwb)
    other = pynwb.epoch.TimeIntervals(name="gratings", description="gratings")
    other.add_column("image", "i")
    for k in range(4):
        other.add_row(start_time=20.0 + k, stop_time=20.5 + k, image=f"g{k % 2}")
    nwb.add_time_intervals(other)
    add_electrodes(nwb, ["V1", "LM"])
    add_units(nwb, times)
    path = save(nwb, tmp_path / "two.nwb")
    with pytest.raises(BadInput, match=r"two.nwb has several tables of presentations: 'trials', 'gratings'"):
        open_recording(path)
    assert open_recording(path, table="gratings").ids == ("g0", "g1")
    assert open_recording(path, stimulus="category", table="trials").ids == ("face", "car")
    with pytest.raises(UnknownName, match="table of intervals in two.nwb is called 'grating'"):
        open_recording(path, table="grating")
    with pytest.raises(BadInput, match="has no column 'nothing' for the stimulus; it has 'stimulus', 'category'"):
        open_recording(path, table="trials", stimulus="nothing")


def test_a_file_without_presentations_says_which_tables_it_has(tmp_path, times):
    nwb = empty()
    nwb.add_epoch(0.0, 5.0, ["rest"])
    nwb.add_trial_column("choice", "of the animal")
    nwb.add_trial(start_time=0.0, stop_time=1.0, choice="left")
    add_electrodes(nwb, ["V1", "LM"])
    add_units(nwb, times)
    with pytest.raises(
        BadInput,
        match=r"bare.nwb has no table that says which stimulus was shown when. It has a table of units, tables of intervals: "
        r"'trials' with columns 'start_time', 'stop_time', 'choice'; 'epochs' with columns",
    ):
        open_recording(save(nwb, tmp_path / "bare.nwb"))


def test_a_file_without_units_says_so(tmp_path):
    nwb = empty()
    add_trials(nwb)
    with pytest.raises(BadInput, match="none.nwb has no table of units with spike times; its tables are 'trials'"):
        open_recording(save(nwb, tmp_path / "none.nwb"))


@pytest.mark.parametrize(
    ("locations", "message"),
    [
        (
            ["V1", "unknown"],
            r"odd.nwb: Unit '1' has no area: row 1 of the table of units says 'unknown' \(and 2 more rows\)",
        ),
    ],
)
def test_units_without_area_are_named_with_their_row(tmp_path, times, locations, message):
    nwb = empty()
    add_electrodes(nwb, locations)
    add_trials(nwb)
    add_units(nwb, times)
    path = save(nwb, tmp_path / "odd.nwb")
    with pytest.raises(BadInput, match=message):
        open_recording(path)
    assert open_recording(path, area="V1").areas == ("V1",)
    known = open_recording(path, areas=["V1"])
    assert [stage.n_units for stage in known.stages] == [4]
    assert known.notes == ("3 units of other areas in odd.nwb were left out.",)
    with pytest.raises(UnknownName, match="area in odd.nwb is called 'V2'"):
        open_recording(path, areas=["V2"])


def test_units_without_electrodes_or_with_electrodes_in_two_areas_are_refused(tmp_path, times):
    nwb, torn = empty(), empty()
    add_trials(nwb)
    nwb.add_unit(spike_times=times[0])
    with pytest.raises(BadInput, match=r"Unit '0' \(row 0 .*\) has no area: the table has neither"):
        open_recording(save(nwb, tmp_path / "bare.nwb"))
    add_trials(torn)
    add_electrodes(torn, ["V1", "LM"])
    torn.add_unit(spike_times=times[0], electrodes=[0, 1])
    with pytest.raises(BadInput, match=r"electrodes of unit '0' \(row 0 .*\) lie in LM and V1"):
        open_recording(save(torn, tmp_path / "torn.nwb"))


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (
            [0.1, 0.5, 0.3],
            r"bad.nwb: The spike times of unit '6' \(row 6 of the table of units\) are not sorted: spike 2 is at 0.3 s",
        ),
        ([-1.0, 0.5], "bad.nwb: Spike 0 of unit '6' .* is at -1 s"),
        ([0.1, np.nan], "bad.nwb: Spike 1 of unit '6' .* is at nan s"),
    ],
)
def test_wrong_spikes_are_named_with_file_unit_and_spike(tmp_path, times, train, message):
    nwb = empty()
    add_electrodes(nwb, ["V1", "LM"])
    add_trials(nwb)
    add_units(nwb, [*times[:-1], np.array(train)])
    with pytest.raises(BadInput, match=message):
        open_recording(save(nwb, tmp_path / "bad.nwb"))


def test_a_truncated_file_and_one_of_another_kind_are_refused(file, tmp_path):
    whole = file.read_bytes()
    for length in (len(whole) // 2, 1000, 0):
        (tmp_path / "cut.nwb").write_bytes(whole[:length])
        with pytest.raises(BadInput, match=r"cut.nwb' cannot be read as NWB: .*damaged, cut off or no NWB file"):
            open_recording(tmp_path / "cut.nwb")
    with pytest.raises(BadInput, match="There is no recording"):
        open_recording(tmp_path / "lost.nwb")


def test_observation_intervals_make_missing_trials(tmp_path, times):
    nwb = empty()
    add_electrodes(nwb, ["V1", "LM"])
    add_trials(nwb)
    for row, train in enumerate(times):
        nwb.add_unit(spike_times=train, electrodes=[row % 2], obs_intervals=[[0.0, 20.0 if row else 5.0]])
    counts = open_recording(save(nwb, tmp_path / "part.nwb")).trials.counts
    assert np.isnan(counts[4:, 0]).all()
    assert np.isfinite(counts[:4, 0]).all()
    assert np.isfinite(counts[:, 1:]).all()


def test_a_folder_of_files_is_one_session_each(tmp_path, times):
    for session in ("one", "two"):
        nwb = empty(session)
        add_electrodes(nwb, ["V1", "LM"])
        add_trials(nwb, n=12 if session == "one" else 8)
        add_units(nwb, times)
        (tmp_path / f"sub-{session}").mkdir()
        save(nwb, tmp_path / f"sub-{session}" / "probe.nwb")
    recording = open_recording(tmp_path)
    units = recording.spikes.units
    assert units.ids[:2] + units.ids[7:9] == (
        "sub-one/probe/0",
        "sub-one/probe/1",
        "sub-two/probe/0",
        "sub-two/probe/1",
    )
    assert set(units.session.tolist()) == {"sub-one/probe", "sub-two/probe"}
    counts = count_spikes(recording.spikes).counts
    assert np.isnan(counts[:12, 7:]).all()
    assert np.isfinite(counts[:12, :7]).all()
    assert recording.trials.n_trials()[0].tolist() == [3] * 7 + [2] * 7
    assert [stage.n_units for stage in recording.stages] == [8, 6]


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(BadInput, match="has no .nwb file"):
        open_recording(tmp_path)


@pytest.fixture
def simulated(random_spikes):
    """Two sessions, one unit of which was watched for a part of its session."""
    few = random_spikes.take_units([*range(6), *range(20, 26)])
    watched = (np.array([[0.0, 120.0], [130.0, 200.0]]), *[None] * 11)
    spikes = Spikes(few.times, few.units, few.presentations, watched)
    columns = {"category": np.array(["a", "b"] * 3), "size": np.arange(6) * 1.5}
    return Recording(spikes, "simulated", ids=[f"im{k}" for k in range(6)], columns=columns)


def test_what_is_exported_comes_back_as_it_was(simulated, tmp_path):
    back = open_recording(export_nwb(simulated, tmp_path / "out"))
    order = [[str(id_).split("/")[1] for id_ in back.spikes.units.ids].index(id_) for id_ in simulated.spikes.units.ids]
    ours, theirs = simulated.spikes, back.spikes.take_units(order)
    assert theirs.units.area.tolist() == ours.units.area.tolist()
    for one, other in zip(ours.times, theirs.times, strict=True):
        np.testing.assert_array_equal(one, other)
    place = {id_: row for row, id_ in enumerate(back.ids)}
    rows = [place[id_] for id_ in simulated.ids]
    assert back.columns["category"][rows].tolist() == simulated.columns["category"].tolist()
    np.testing.assert_array_equal(back.columns["size"][rows], simulated.columns["size"])
    np.testing.assert_array_equal(theirs.observed[0], ours.observed[0])
    np.testing.assert_array_equal(count_spikes(theirs).counts, count_spikes(ours).counts)
    assert theirs.presentations.trial.tolist() == ours.presentations.trial.tolist()


def test_one_session_is_exported_as_one_valid_file(simulated, tmp_path):
    one = simulated.spikes.take_units(simulated.spikes.units.session == "0")
    recording = Recording(
        Spikes(one.times, one.units, one.presentations.take(slice(0, 180))), "one", areas=["V1", "LL"]
    )
    path = export_nwb(recording, tmp_path / "one.nwb")
    errors = pynwb.validate(path=str(path))
    assert not errors
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        nwb = io.read()
        assert len(nwb.units) == 6
        assert nwb.trials["stimulus"][3] == recording.spikes.presentations.stimulus[3]
        assert set(nwb.electrodes["location"][:]) == {"V1", "LL"}
    assert recording.trials.counts.tolist() == open_recording(path).trials.counts.tolist()


def test_nothing_is_written_over_or_left_half_written(simulated, three_areas, tmp_path, monkeypatch):
    target = tmp_path / "out"
    export_nwb(simulated, target)
    with pytest.raises(BadInput, match="is there already"):
        export_nwb(simulated, target)
    export_nwb(simulated, target, overwrite=True)
    before = sorted(path.name for path in target.iterdir())

    def fail(self, *args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(pynwb.NWBHDF5IO, "write", fail)
    with pytest.raises(OSError, match="no space left"):
        export_nwb(simulated, target, overwrite=True)
    with pytest.raises(OSError, match="no space left"):
        export_nwb(simulated, tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert sorted(path.name for path in target.iterdir()) == before
    with pytest.raises(BadInput, match="holds counts, and NWB keeps spikes"):
        export_nwb(Recording(three_areas), tmp_path / "counts.nwb")


def test_without_pynwb_the_extra_is_named(file, simulated, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pynwb", None)
    with pytest.raises(MissingExtra, match=r"pip install 'stratoscope\[nwb\]'"):
        open_recording(file)
    with pytest.raises(MissingExtra, match="Writing NWB files needs pynwb"):
        export_nwb(simulated, tmp_path / "x.nwb")
    assert not (tmp_path / "x.nwb").exists()


def test_sessions_and_units_without_names_make_a_file_all_the_same(tmp_path):
    shown = Presentations("aba", [1, 2, 3], [1.5, 2.5, 3.5])
    spikes = Spikes([[1.1], [], [2.2, 3.1]], Units("pqr", "V1"), shown)
    back = open_recording(export_nwb(Recording(spikes), tmp_path / "deep" / "small.nwb"))
    assert back.spikes.units.ids == ("p", "q", "r")
    assert [train.tolist() for train in back.spikes.times] == [[1.1], [], [2.2, 3.1]]
