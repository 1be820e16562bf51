"""Results are written whole or not at all, and read back to the last bit."""

import errno
import math
import os
import resource
import time
import zipfile

import numpy as np
import pytest
import xarray as xr

from stratoscope.errors import ResultsError
from stratoscope.results import Declared, Results, Row, StageResult, Values, check_target, open_results
from stratoscope.types import Stage

NAN, INF = float("nan"), float("inf")
WORDS = 'layer1.0.relu:2 · 猫/🐈\n"quoted", comma \udc80'


def run(n_stages=2, n_metrics=2, size=4, seed=0):
    rng = np.random.default_rng(seed)
    stages = []
    for index in range(n_stages):
        place = Stage(f"{WORDS}{index}", index / 10, "relu", (4, 2), "channel", 8, "flat", "net")
        arrays = {
            f"metric_{k}": Values(rng.normal(size=size), ("stimulus",), {"units": "seconds"}) for k in range(n_metrics)
        }
        arrays["extremes"] = Values(np.array([NAN, INF, -INF, 5e-324]), ("four",), {"level": 0.95})
        row = Row.of(place, "metric_0", math.pi, NAN, INF, n=3, item="", seed=2**40 + index, note=WORDS)
        stages.append(StageResult(place, arrays, (row,)))
    coords = {"stimulus": np.array([f"{WORDS}{i}" for i in range(size)]), "n1": np.array([1, 2, 4])}
    asked = {"seed": 7, "source": {"name": WORDS[:-1], "mean": (0.5, NAN)}, "none": None}
    columns = {"category": np.array(["é"] * size), "shown": np.arange(size) % 2 == 0}
    declared = [Declared("metric_0", "A title.", range=(0.0, INF), dims=("stimulus",), misleads="Often.")]
    return Results.build(
        asked, stages, coords, columns=columns, metrics=declared, remarks=["slow"], skipped=[("a", "torn")]
    )


def names(folder):
    return [path.name for path in folder.iterdir()]


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_everything_comes_back_as_it_was(tmp_path):
    before = run()
    after = open_results(before.save(tmp_path / "out"))
    assert [repr(row) for row in after.rows] == [repr(row) for row in before.rows]
    assert after.stages == before.stages
    xr.testing.assert_identical(after[f"{WORDS}1"], before[f"{WORDS}1"])
    assert after.stimuli.equals(before.stimuli)
    assert (after.remarks, after.skipped, after.metrics) == (before.remarks, before.skipped, before.metrics)
    assert repr(after.run) == repr(before.run)


def test_a_combination_comes_back_too(tmp_path):
    both = Results.combine([run(seed=0), run(seed=1, size=6)])
    after = open_results(both.save(tmp_path / "out"))
    assert len(after.stages) == 4
    assert len(after.run["runs"]) == 2
    xr.testing.assert_identical(after.tree["run_1/stage_001"].to_dataset(), both.tree["run_1/stage_001"].to_dataset())


def test_an_empty_run_is_a_run(tmp_path):
    assert open_results(Results.build({}, [], {}).save(tmp_path / "out")).table().empty


def test_twenty_stages_save_and_open_quickly_and_small(tmp_path):
    results = run(n_stages=20, n_metrics=10, size=1000)
    begun = time.process_time()
    results.save(tmp_path / "out")
    open_results(tmp_path / "out")
    assert time.process_time() - begun < 4
    raw = 20 * 10 * 1000 * 8
    assert sum(len(data) for data in contents(tmp_path / "out").values()) < 1.3 * raw


def test_results_are_not_overwritten_unasked(tmp_path):
    run().save(tmp_path / "out")
    with pytest.raises(ResultsError, match=r"out holds results already\. Choose another name, or say overwrite=True"):
        run().save(tmp_path / "out")


def test_overwriting_replaces_results_and_keeps_what_is_not_ours(tmp_path):
    folder = run(n_stages=3).save(tmp_path / "out")
    (folder / "thoughts.txt").write_text("mine")
    (folder / "report.html").write_text("stale")
    run(n_stages=1).save(folder, overwrite=True)
    assert len(open_results(folder).stages) == 1
    assert (folder / "thoughts.txt").read_text() == "mine"
    assert not (folder / "report.html").exists()
    assert names(tmp_path) == ["out"]


def test_other_folders_are_never_overwritten(tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(
        ResultsError, match=r"holds other things than results\. Choose an empty folder or a new name\.$"
    ):
        run().save(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years"


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ResultsError, match=r"out is a file, and results are a folder\. Choose another name\.$"):
        check_target(tmp_path / "out")
    with pytest.raises(ResultsError, match=r"cannot be written to\. Choose another folder\.$"):
        check_target(tmp_path / "out" / "deeper")


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    assert open_results(run().save(tmp_path / "out")).stages


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the disk is read-only")]
)
def test_a_failing_disk_is_a_sentence_and_leaves_what_was_there(tmp_path, monkeypatch, number, words):
    folder = run().save(tmp_path / "out")
    before = contents(folder)

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("stratoscope.results.folder.write_table", fail)
    with pytest.raises(ResultsError, match=rf"out: {words}\. Nothing was left there; choose another folder\.$"):
        run(n_stages=1).save(folder, overwrite=True)
    assert contents(folder) == before
    assert names(tmp_path) == ["out"]


def test_a_write_that_breaks_off_leaves_nothing(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(ResultsError, match=r"could not be written to .*out: files may not be so large here"):
            run(size=5000).save(tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path) == []


def test_a_swap_that_fails_brings_the_old_results_back(tmp_path, monkeypatch):
    folder = run().save(tmp_path / "out")
    before = contents(folder)
    rename = type(folder).rename

    def fails_once(self, target):
        if self.parent == tmp_path and self != folder and target == folder:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(type(folder), "rename", fails_once)
    with pytest.raises(ResultsError, match="input/output error"):
        run(n_stages=1).save(folder, overwrite=True)
    assert contents(folder) == before
    assert names(tmp_path) == ["out"]


def test_interrupting_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("stratoscope.results.folder.write_table", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run().save(tmp_path / "out")
    assert names(tmp_path) == []


@pytest.fixture
def saved(tmp_path):
    return run().save(tmp_path / "out")


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ResultsError, match=r"^There is no results folder .*nowhere\. Check the path\.$"):
        open_results(tmp_path / "nowhere")


def test_a_folder_of_something_else_is_said(tmp_path):
    with pytest.raises(
        ResultsError, match=r"is not a results folder: it has no run\.toml\. Give the folder that a run"
    ):
        open_results(tmp_path)


def test_missing_parts_are_named(saved):
    (saved / "table.csv").unlink()
    (saved / "arrays.zarr.zip").unlink()
    with pytest.raises(
        ResultsError, match=r"are incomplete: table\.csv and arrays\.zarr\.zip missing\. Restore the folder\.$"
    ):
        open_results(saved)


def test_a_lost_chunk_is_noticed_though_zarr_would_read_it_as_missing_values(saved):
    whole, torn = saved / "arrays.zarr.zip", saved / "torn.zip"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(torn, "w") as new:
        for name in old.namelist():
            if name != "run_0/stage_000/metric_0/0":
                new.writestr(name, old.read(name))
    torn.replace(whole)
    with pytest.raises(ResultsError, match=r"are damaged: table\.csv or arrays\.zarr\.zip is not what was saved"):
        open_results(saved)


def test_a_torn_file_of_arrays_is_noticed(saved):
    arrays = saved / "arrays.zarr.zip"
    arrays.write_bytes(arrays.read_bytes()[:-50])
    with pytest.raises(ResultsError, match="are damaged"):
        open_results(saved)


def test_the_same_run_is_written_to_the_same_bytes(tmp_path):
    assert contents(run().save(tmp_path / "one")) == contents(run().save(tmp_path / "two"))


def test_a_changed_number_in_the_table_is_noticed(saved):
    table = saved / "table.csv"
    table.write_bytes(table.read_bytes().replace(b"3.14159", b"3.24159"))
    with pytest.raises(ResultsError, match="are damaged"):
        open_results(saved)


def test_a_torn_run_file_is_said(saved):
    (saved / "run.toml").write_text("[results\n")
    with pytest.raises(ResultsError, match=r"run\.toml is damaged: .*Restore the folder from a copy\.$"):
        open_results(saved)


def test_another_schema_names_the_version_that_wrote_it(saved):
    said = (saved / "run.toml").read_text()
    (saved / "run.toml").write_text(said.replace("schema = 1", "schema = 9"))
    with pytest.raises(
        ResultsError, match=r"have schema 9, and this version reads schema 1\. Open them with stratoscope "
    ):
        open_results(saved)


def test_a_run_file_of_another_program_is_said(saved):
    (saved / "run.toml").write_text("answer = 42\n")
    with pytest.raises(ResultsError, match="does not say which results schema it has"):
        open_results(saved)
