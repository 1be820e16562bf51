import numpy as np
import pandas as pd
import pytest

from stratoscope.errors import BadInput, MissingExtra
from stratoscope.sources.recording import count_spikes, open_recording


def tidy(counts):
    """One row for each count that is there, in random order."""
    rows, columns = np.nonzero(np.isfinite(counts.counts))
    shown = counts.presentations
    frame = pd.DataFrame(
        {
            "unit": np.array(counts.units.ids)[columns],
            "area": counts.units.area[columns],
            "stimulus": shown.stimulus[rows],
            "repeat": np.asarray(shown.trial)[rows],
            "count": counts.counts[rows, columns],
            "category": [f"c{id_[-1]}" for id_ in shown.stimulus[rows]],
            "depth": columns * 0.1,
        }
    )
    return frame.sample(frac=1, random_state=3)


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_counts_come_back_from_a_tidy_table(three_areas, tmp_path, ending):
    three_areas.counts[3, 4] = np.nan
    frame, path = tidy(three_areas), tmp_path / f"counts.{ending}"
    if ending == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, sep="\t" if ending == "tsv" else ",", index=False)
    recording = open_recording(path)
    assert recording.areas == ("V1", "LM", "LL")
    units = [recording.trials.units.ids.index(id_) for id_ in three_areas.units.ids]
    order = [recording.trials.stimuli.index(id_) for id_ in three_areas.stimuli]
    np.testing.assert_allclose(recording.trials.mean()[np.ix_(order, units)], three_areas.mean())
    np.testing.assert_array_equal(recording.trials.n_trials()[np.ix_(order, units)], three_areas.n_trials())
    assert recording.columns["category"][order[4]] == f"c{three_areas.stimuli[4][-1]}"
    assert recording.trials.units.columns["depth"][units[7]] == pytest.approx(0.7)
    assert "depth" not in recording.columns


def test_without_a_column_of_repeats_the_rows_of_a_unit_and_stimulus_are_its_repeats(three_areas, tmp_path):
    tidy(three_areas).drop(columns="repeat").to_csv(tmp_path / "c.csv", index=False)
    counts = open_recording(tmp_path / "c.csv").trials
    assert sorted(counts.n_trials().sum(0)) == sorted(three_areas.n_trials().sum(0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: pd.concat([f, f.iloc[[5]]]), "Rows 5 and 1200 of c.csv are both counts of unit"),
        (lambda f: f.drop(columns="area"), "Units have no area: c.csv has no column such as 'area'"),
        (
            lambda f: f.drop(columns="stimulus"),
            "c.csv has no column of the stimulus, such as 'stimulus'; it has 'unit'",
        ),
        (lambda f: f.drop(columns="count"), "neither a column 'time' .* nor 'count'"),
        (lambda f: f.assign(count=["many"] + [1] * (len(f) - 1)), "Row 0 of c.csv has 'many' in column 'count'"),
        (lambda f: f.assign(area=["X", *f["area"].tolist()[1:]]), "Row [0-9]+ of c.csv says area '.*' of unit"),
        (
            lambda f: f.assign(repeat=[None] + [1] * (len(f) - 1)),
            "Column 'repeat' of the table of c.csv must be whole numbers",
        ),
        (lambda f: f.iloc[:0], "c.csv has no row"),
    ],
)
def test_what_is_wrong_with_a_table_is_named_with_its_row(three_areas, tmp_path, change, message):
    change(tidy(three_areas)).to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(BadInput, match=message):
        open_recording(tmp_path / "c.csv")


@pytest.fixture
def tables(random_spikes, tmp_path):
    """Spikes in the order of their times, presentations and units, as three files."""
    times = np.concatenate(random_spikes.times)
    owner = np.repeat(np.arange(40), [len(train) for train in random_spikes.times])
    order = np.argsort(times, kind="stable")
    units, shown = random_spikes.units, random_spikes.presentations
    spikes = pd.DataFrame({"unit": np.array(units.ids)[owner], "time": times}).iloc[order]
    spikes.to_csv(tmp_path / "spikes.csv", index=False)
    pd.DataFrame({"unit": units.ids, "area": units.area, "session": units.session}).to_parquet(
        tmp_path / "units.parquet"
    )
    pd.DataFrame(
        {
            "stimulus": shown.stimulus,
            "onset": shown.onset,
            "offset": shown.offset,
            "session": shown.session,
            "luminance": 0.5,
        }
    ).to_csv(tmp_path / "shown.csv", index=False)
    return tmp_path


def test_spikes_come_back_from_three_tables(random_spikes, tables):
    recording = open_recording(tables / "spikes.csv", presentations="shown.csv", units="units.parquet", window=(0, 0.2))
    np.testing.assert_array_equal(recording.trials.counts, count_spikes(random_spikes, (0, 0.2), aligned=True).counts)
    assert recording.columns["luminance"].tolist() == [0.5] * 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": "units.parquet"}, "spikes.csv has spikes but not when which stimulus was shown"),
        ({"presentations": "shown.csv"}, "Units have no area: spikes.csv"),
        ({"presentations": "lost.csv", "area": "V1"}, "There is no table .*lost.csv"),
        ({"presentations": "units.parquet", "area": "V1"}, "units.parquet has no column of the stimulus"),
        (
            {"presentations": "shown.csv", "units": "few.csv"},
            r"Row [0-9]+ of spikes.csv is a spike of unit 'u[0-9]+', which has no row",
        ),
        ({"presentations": "odd.csv", "area": "V1"}, "Row 1 of odd.csv has 'soon' in column 'onset'"),
    ],
)
def test_tables_that_are_missing_or_wrong_are_named(tables, options, message):
    (tables / "few.csv").write_text("unit,area,session\nu0,V1,0\n")
    (tables / "odd.csv").write_text("stimulus,onset,offset\na,1,2\nb,soon,4\n")
    with pytest.raises(BadInput, match=message):
        open_recording(tables / "spikes.csv", **options)


def test_a_damaged_parquet_file_and_one_without_pyarrow_are_refused(tables, monkeypatch):
    whole = (tables / "units.parquet").read_bytes()
    (tables / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="cut.parquet' cannot be read as a table"):
        open_recording(tables / "cut.parquet")

    def fail(*_args, **_options):
        raise ImportError("no pyarrow")

    monkeypatch.setattr(pd, "read_parquet", fail)
    with pytest.raises(MissingExtra, match=r"stratoscope\[parquet\]"):
        open_recording(tables / "units.parquet")
