"""What a new user does in the first ten minutes, from the ten lines of the README to stopping a run half-way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import stratoscope as st
from stratoscope.cli import main
from stratoscope.metrics import two_nn

NETWORKS = """
import time

import torch
from torch import nn


def small():
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))


def build():
    network = small()
    network(torch.zeros(1, 3, 16, 16))
    return network


class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = build()

    def forward(self, x):
        time.sleep(0.18)
        return self.inner(x)


def slow():
    return Slow()
"""
FOLDER = "my photos – été"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, rng):
    """A folder whose name has spaces and accents, with two classes of eight images."""
    monkeypatch.chdir(tmp_path)
    for name in ("cat", "dog"):
        Path(FOLDER, name).mkdir(parents=True)
        for number in range(8):
            Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(f"{FOLDER}/{name}/{number}.png")
    Path("net.py").write_text(NETWORKS)
    return tmp_path


def type_in(*words):
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def profiled(*more, source="net.py:build", stimuli=FOLDER, out="run"):
    return type_in("profile", source, stimuli, "--size", "16", "--metrics", "two_nn", "--out", out, *more)


def test_the_ten_lines_of_the_readme():
    source = st.open_source("net.py:build", stages="relu", size=16)
    stimuli = st.open_stimuli(FOLDER)
    results = st.profile(source, stimuli, out="runs/net")
    assert {"stage", "metric", "value", "low", "high", "n", "control", "note"} <= set(results.table().columns)
    assert results["1", "channel"]["population_sparseness"].sizes == {"category": 2}
    assert results.report("net.html").stat().st_size > 10_000
    lesioned = st.lesions.permute_weights(source, seed=0)
    st.profile(lesioned, stimuli, out="runs/net-permuted")
    both = [st.open_results(path) for path in ("runs/net", "runs/net-permuted")]
    assert [one.run["source"]["lesion"] for one in both] == ["intact", "permute_weights"]


def test_no_folder_has_to_be_made_or_named():
    said = type_in("profile", "net.py:build", FOLDER, "--size", "16", "--metrics", "two_nn")
    run = said.split("Results: ")[1].splitlines()[0]
    assert Path(run).parts[0] == "runs"
    assert Path(run, "report.html").is_file()


def test_paths_may_have_spaces_and_letters_of_any_language(place):
    said = profiled(out="运行 1/été")
    assert f"Report: {place}/运行 1/été/report.html" in said
    assert FOLDER in st.open_results("运行 1/été").run["stimuli"]["name"]


def test_a_stimulus_table_of_dnnbrain():
    rows = "\n".join(f"{name}/{number}.png,{name},{0.1 * number}" for name in ("cat", "dog") for number in range(8))
    Path("set.stim.csv").write_text(f"type=image\npath={FOLDER}\ndata=stimID,condition,onset\n{rows}\n")
    profiled(stimuli="set.stim.csv", out="table")
    profiled(out="folder")
    table, folder = st.open_results("table"), st.open_results("folder")
    assert table.table()["value"].equals(folder.table()["value"])
    assert table.stimuli["onset"].max() == pytest.approx(0.7)
    assert set(table.stimuli["category"]) == {"cat", "dog"}


@pytest.fixture
def responses(rng):
    V1, V4 = rng.random((40, 12)), rng.random((40, 7))
    category = np.array(["face", "house"] * 20)
    np.savez("responses.npz", V1=V1, V4=V4, category=category, ids=np.array([f"image{i}" for i in range(40)]))
    return {"V1": V1, "V4": V4}


def test_responses_that_exist_already_need_no_stimuli(responses):
    said = type_in("profile", "responses.npz", "--out", "run")
    assert said.startswith("Results of 'responses': 2 stages (2 by unit)")
    results = st.open_results("run")
    assert float(results["V1"]["two_nn"]) == pytest.approx(two_nn(responses["V1"]).value, rel=1e-9)
    assert results["V4"]["population_sparseness"].sizes == {"category": 2}
    assert type_in("stages", "responses.npz").splitlines()[1].split() == [
        "V1",
        "0.000",
        "array",
        "12",
        "unit",
        "12",
        "flat",
    ]


def test_responses_can_be_measured_on_fewer_of_their_stimuli(responses):
    type_in("profile", "responses.npz", "--per-category", "8", "--metrics", "two_nn", "--out", "run")
    results = st.open_results("run")
    rows = [int(name.removeprefix("image")) for name in results.stimuli.index]
    assert len(rows) == 16
    assert float(results["V4"]["two_nn"]) == pytest.approx(two_nn(responses["V4"][rows]).value, rel=1e-9)


def test_a_network_without_stimuli_asks_for_them():
    done = CliRunner().invoke(main, ["profile", "net.py:build"])
    assert done.exit_code == 2
    assert (
        "Error: Missing argument 'STIMULI': 'net.py:build' needs images. Give a folder, a table, an .npz" in done.stderr
    )


def test_stages_and_metrics_are_listed():
    listed = type_in("stages", "net.py:build", "--size", "16")
    assert [line.split()[:3] for line in listed.splitlines()[1:3]] == [["0", "0.333", "conv"], ["1", "0.333", "relu"]]
    assert "population_sparseness" in type_in("metrics")
    assert "10.1038/s41598-017-11873-y" in type_in("metrics", "two_nn")


def test_the_report_is_made_again_and_the_same_without_the_network():
    profiled()
    first = Path("run/report.html").read_bytes()
    Path("run/report.html").unlink()
    Path("net.py").unlink()
    for image in Path(FOLDER).rglob("*.png"):
        image.unlink()
    type_in("report", "run")
    assert Path("run/report.html").read_bytes() == first


def shell(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_results_open_and_are_reported_without_torch():
    profiled()
    said = shell(
        "import sys, stratoscope as st\n"
        "results = st.open_results('run')\n"
        "results.table(); results.report('again.html')\n"
        "print('torch' in sys.modules, len(results.table()))"
    )
    assert said.split() == ["False", "2"]


# progress, and stopping in the middle


def started(*more):
    line = ["-m", "stratoscope", "profile", "net.py:slow", FOLDER, "--size", "16", "--batch-size", "1", "--out", "run"]
    line += ["--metrics", "two_nn", "--budget", "60kB", *more]  # so little that responses are spooled to files
    with interruptible():
        return subprocess.Popen([sys.executable, *line], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def interruptible():
    """Let what is started hear SIGINT, which a shell that put the tests into the background told them to ignore."""
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, ours)


def test_progress_is_told_on_stderr_with_rate_and_time_left():
    out, err = started().communicate(timeout=120)
    assert "stimuli/s]" in err
    assert "<00:0" in err
    assert "net.py:slow: " in err
    assert "stimuli/s" not in out
    assert out.endswith("run/report.html\n")


def test_short_and_quiet_runs_say_nothing_on_the_way(place, capfd):
    profiled()
    out, err = started("--quiet", "--overwrite").communicate(timeout=120)
    assert (out, err) == (f"Results: run\nReport: {place}/run/report.html\n", "")
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_nothing_behind(place, sign):
    before = sorted(place.iterdir())
    run = started()
    begun = time.monotonic()
    while not (place / "run.partial" / "run.json").exists():
        assert run.poll() is None
        assert time.monotonic() - begun < 100
        time.sleep(0.02)
    time.sleep(0.6)  # in the middle of the pass
    run.send_signal(sign)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (1, "")
    assert err.endswith("stratoscope: Stopped before the end; nothing half-written was left.\n")
    assert "Traceback" not in err
    left = [path for path in sorted(place.iterdir()) if path.name != "__pycache__"]
    assert left == before
