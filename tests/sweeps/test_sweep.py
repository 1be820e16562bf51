"""A sweep gives what single runs give, decodes once, goes on where it was, and survives a row that fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

import stratoscope as st
from stratoscope.cli import main
from stratoscope.errors import BadInput, ResultsError
from stratoscope.stimuli import folder
from stratoscope.sweeps import run as sweeps

NETWORKS = """
import torch
from torch import nn
from stratoscope import Network


def small(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3, stride=2), nn.ReLU(), nn.Conv2d(width, 5, 3), nn.ReLU())


def wider():
    return small(6)


class Fails(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.n = nn.Conv2d(3, 4, 3), nn.ReLU(), 0

    def forward(self, x):
        self.n += len(x)
        if self.n > 4:
            raise ValueError("out of luck")
        return self.relu(self.conv(x))


def fails():
    return Fails()


def own():
    return Network(small(), preprocess=lambda image: torch.tensor(list(image.resize((20, 20)).tobytes())).reshape(3, 20, 20) / 255)
"""
METRICS = ["two_nn", "participation_ratio"]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    for number in range(12):
        path = Path(f"photos/{'ab'[number % 2]}/{number}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20 + number, 24, 3), dtype=np.uint8)).save(path)
    Path("net.py").write_text(NETWORKS)


@pytest.fixture
def reads(monkeypatch):
    names, original = [], folder.read_image
    monkeypatch.setattr(folder, "read_image", lambda path: (names.append(path.name), original(path))[1])
    return names


ROWS = [
    {"model": "net.py:small", "size": 16},
    {"model": "net.py:small", "size": 16, "lesion": "permute_weights", "seed": 1},
    {"model": "net.py:wider", "size": 16, "stages": "relu"},
    {"model": "net.py:small", "size": 12},
]


def swept(rows, **options):
    return st.sweep(rows, **{"stimuli": "photos", "out": "night", "metrics": METRICS, "progress": False, **options})


def test_every_row_is_what_a_single_run_gives_to_the_last_bit(reads):
    done = swept(ROWS)
    assert (done.failures, done.kept) == ((), 0)
    for row, asked in zip(done.rows, ROWS, strict=True):
        source = st.open_source(asked["model"], size=asked["size"], seed=asked.get("seed", 0))
        if "lesion" in asked:
            source = st.lesions.permute_weights(source, seed=1)
        alone = st.profile(
            source,
            st.open_stimuli("photos"),
            metrics=METRICS,
            stages=asked.get("stages"),
            seed=asked.get("seed", 0),
            progress=False,
        )
        kept = st.open_results(done.folder / "rows" / row.folder(METRICS))
        np.testing.assert_array_equal(kept.examples[0].images, alone.examples[0].images)
        pd.testing.assert_frame_equal(
            st.open_results(done.folder / "rows" / row.folder(METRICS)).table(), alone.table()
        )
    assert len(done.results.stages) == sum(len(st.open_results(one).stages) for one in (done.folder / "rows").iterdir())


def test_images_are_decoded_once_for_networks_that_frame_them_alike(reads):
    done = swept(ROWS)
    assert done.decoded == 12
    shared = len(reads)
    reads.clear()
    for row in ROWS:
        swept([row], out=f"alone {ROWS.index(row)}")
    # three rows share 12 images, and trace the first of them once together instead of once each
    assert len(reads) - shared == 2 * 12 + 3
    assert not list(Path("night").glob(".frames*"))


def test_a_network_with_a_preprocess_of_its_own_shares_nothing(reads):
    done = swept([{"model": "net.py:own"}, {"model": "net.py:own", "seed": 1}])
    assert (done.decoded, done.failures) == (0, ())


def test_finished_rows_are_not_measured_again_and_new_ones_are(monkeypatch):
    swept(ROWS[:2])
    measured, original = [], sweeps.profile
    monkeypatch.setattr(sweeps, "profile", lambda *a, **k: (measured.append(k["out"].name), original(*a, **k))[1])
    lines = []
    done = swept([ROWS[2], *ROWS[:2]], tell=lines.append)
    assert done.kept == 2
    assert len(measured) == 1
    assert measured[0].startswith("net.py-wider")
    assert [line.endswith("finished before") for line in lines] == [False, True, True]
    assert len(done.table()["row"].unique()) == 3


def test_a_sweep_that_is_stopped_goes_on(monkeypatch):
    original, n = sweeps.profile, []

    def stopped(*args, **keywords):
        n.append(1)
        if len(n) == 2:
            raise KeyboardInterrupt
        return original(*args, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(sweeps, "profile", stopped)
        with pytest.raises(KeyboardInterrupt):
            swept(ROWS[:3])
    assert not list(Path("night").glob(".frames*"))
    done = swept(ROWS[:3])
    assert (done.kept, done.failures) == (1, ())


def test_a_row_that_fails_is_noted_and_the_others_go_on():
    done = swept([{"model": "net.py:fails", "size": 16}, ROWS[0]])
    assert len(done.failures) == 1
    assert done.failures[0].startswith("Row 'net.py:fails photos intact seed 0' failed: ")
    assert "out of luck" in done.failures[0]
    assert set(done.table()["model"]) == {"net.py:small"}
    assert "out of luck" in done.report("report.html").read_text()
    assert "out of luck" in Path("night/sweep.toml").read_text()


def test_an_unreadable_image_costs_every_row_or_is_skipped_in_every_row():
    Path("photos/a/0.png").write_bytes(b"no image")
    stopped = swept(ROWS[:2])
    assert len(stopped.failures) == 2
    assert stopped.results is None
    with pytest.raises(BadInput, match="No row of this sweep has results"):
        stopped.report("report.html")
    done = swept(ROWS[:2], skip_unreadable=True)
    assert done.decoded == 11
    assert {name for name, _ in done.results.skipped} == {"a/0.png"}


def test_other_stimuli_or_weights_under_the_same_row_are_refused(rng):
    swept(ROWS[:1])
    Image.fromarray(rng.integers(0, 256, (99, 99, 3), dtype=np.uint8)).save("photos/a/0.png")
    with pytest.raises(
        ResultsError, match="was measured before with other stimuli: .* Remove that folder to measure it again"
    ):
        swept(ROWS[:1])
    Path("net.py").write_text(NETWORKS.replace("width=4", "width=7"))
    with pytest.raises(ResultsError, match="with other stimuli and weights"):
        swept(ROWS[:1])


WRONG = {
    "model": ({"model": "net.py:smal"}, "row 2, column 'model': No function in net.py is called 'smal'"),
    "stimuli": (
        {"model": "net.py:small", "stimuli": "phtos"},
        "row 2, column 'stimuli': There is no file or folder 'phtos'",
    ),
    "stages": ({"model": "net.py:small", "stages": "rleu"}, "row 2, column 'stages': No stage is called 'rleu'"),
    "unit": (
        {"model": "net.py:small", "unit": "chanel"},
        "row 2, column 'unit': No unit definition is called 'chanel'",
    ),
    "weights": (
        {"model": "net.py:small", "weights": "gone.safetensors"},
        "row 2, column 'weights': There is no weights file",
    ),
}


@pytest.mark.parametrize("column", WRONG)
def test_a_row_that_cannot_be_measured_refuses_the_table_before_the_first_pass(reads, column):
    row, words = WRONG[column]
    with pytest.raises(BadInput) as refused:
        swept([ROWS[0], row, {**row, "seed": 5}])
    assert str(refused.value).startswith("2 of 3 rows of the rows cannot be measured, so nothing was begun: ")
    assert words in str(refused.value)
    assert len(reads) <= 3
    assert not Path("night").exists()


def test_too_little_disk_is_said_and_decodes_in_every_row(monkeypatch):
    monkeypatch.setattr("stratoscope.sweeps.decoded.SHARE_OF_DISK", 0.0)
    done = swept(ROWS[:2])
    assert done.decoded == 0
    assert any("were not shared: they take 0.0 GB" in note for note in done.results.notes)


def test_a_folder_with_other_things_is_refused():
    Path("night").mkdir()
    Path("night/thesis.tex").write_text("years of work")
    with pytest.raises(ResultsError, match="holds other things than a sweep"):
        swept(ROWS[:1])
    Path("file").touch()
    with pytest.raises(ResultsError, match="is a file, and a sweep is a folder"):
        swept(ROWS[:1], out="file")


def test_the_command_line_sweeps_reports_and_says_by_its_exit_code_that_a_row_failed():
    Path("sweep.csv").write_text("model,size,lesion\nnet.py:small,16,\nnet.py:small,16,remove_gating\n")
    line = "sweep sweep.csv --stimuli photos --metrics two_nn --out night"
    done = CliRunner().invoke(main, line.split(), catch_exceptions=False)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2] == "Sweep: night (2 rows, 0 finished before)"
    assert Path("night/report.html").exists()
    assert Path("night/table.csv").exists()
    with Path("sweep.csv").open("a") as file:
        file.write("net.py:fails,16,\n")
    done = CliRunner().invoke(main, line.split(), catch_exceptions=False)
    assert done.exit_code == 1
    assert done.stderr.startswith("failed: Row 'net.py:fails photos intact seed 0' failed: ")
    assert "(3 rows, 2 finished before)" in done.stdout
