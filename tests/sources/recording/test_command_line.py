"""Recordings on the command line."""

import numpy as np
import pytest
from click.testing import CliRunner

import stratoscope as st
from stratoscope.cli import main
from stratoscope.sources.recording import Presentations, Recording, Spikes, Units, export_nwb


def run(*line):
    return CliRunner().invoke(main, line, catch_exceptions=False)


@pytest.fixture
def file(rng, tmp_path):
    onset = 1.0 + np.arange(120)
    times = []
    for _ in range(9):
        tuned = rng.poisson(rng.gamma(2.0, 3.0, 20))[np.arange(120) % 20]
        times.append(np.sort(np.concatenate([t + 0.3 * rng.random(n) for t, n in zip(onset, tuned, strict=True)])))
    shown = Presentations([f"im{k % 20:02d}" for k in range(120)], onset, onset + 0.3)
    spikes = Spikes(times, Units(range(9), ["LL"] * 4 + ["V1"] * 5), shown)
    columns = {"category": np.array(["face", "car"] * 10), "size": np.arange(20) * 0.5}
    recording = Recording(spikes, ids=[f"im{k:02d}" for k in range(20)], columns=columns)
    return export_nwb(recording, tmp_path / "rat.nwb")


def test_profile_takes_a_recording_without_stimuli(file, tmp_path):
    out = tmp_path / "run"
    done = run("profile", f"recording:{file}?window=0:0.2", "--metrics", "lifetime_sparseness,population_sparseness,participation_ratio",
               "--out", str(out), "-q")  # fmt: skip
    assert done.exit_code == 0, done.output
    table = st.open_results(out).table()
    assert list(dict.fromkeys(table["stage"])) == ["V1", "LL"]
    assert np.isfinite(table["value"]).all()
    page = (out / "report.html").read_text()
    assert "mean over 6 trials of spikes from 0 to 0.2 s after onset" in page
    assert "Areas differ in their number of units (V1 5, LL 4)" in page


def test_stages_lists_the_areas_and_chooses_them(file):
    done = run("stages", str(file), "--stages", "V1")
    assert done.exit_code == 0, done.output
    assert "V1" in done.output
    assert "neuron" in done.output
    assert "LL" not in done.output


def test_a_wrong_recording_ends_with_a_sentence(file, tmp_path):
    done = run("profile", f"recording:{file}?areas=V2", "--out", str(tmp_path / "run"))
    assert done.exit_code != 0
    assert "No area in rat.nwb is called 'V2'" in done.output
    assert not (tmp_path / "run").exists()
