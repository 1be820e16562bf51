from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from stratoscope.cli import main
from stratoscope.studies import open_study


@pytest.fixture
def files(tmp_path, rng):
    codes = np.repeat(np.arange(6), 4)
    images = rng.integers(0, 255, (24, 12, 12, 3), dtype=np.uint8)
    images[..., 0] += (codes * 20)[:, None, None].astype(np.uint8)
    np.savez(tmp_path / "images.npz", images=images, category=codes.astype(str), trained=codes % 2)
    (tmp_path / "net.py").write_text(
        "import torch\n"
        "def build():\n"
        "    torch.manual_seed(0)\n"
        "    return torch.nn.Sequential(torch.nn.Conv2d(3, 6, 3), torch.nn.ReLU(), torch.nn.Conv2d(6, 5, 3),\n"
        "        torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(320, 6))\n"
    )
    return tmp_path


def run(files, *more):
    words = [
        "study",
        "sparse-coding",
        f"{files / 'net.py'}:build",
        str(files / "images.npz"),
        "--size",
        "12",
        "--quiet",
    ]
    return CliRunner().invoke(main, [*words, "--out", str(files / "run"), *more])


def test_the_command_runs_the_study_and_writes_the_report(files):
    done = run(files, "--models", "2", "--lesion", "paper", "--stepwise")
    assert done.exit_code == 0, done.output
    assert (files / "run" / "report.html").is_file()
    study = open_study(files / "run")
    assert study.protocol["lesions"] == ["permute_weights", "permute_biases", "remove_gating"]
    assert study.protocol["n_models"] == 2
    assert "stepwise" in study.protocol["readout"]


def test_only_some_stimuli_can_be_chosen_by_a_column(files):
    done = run(files, "--lesion", "none", "--only", "trained=0", "--no-readout")
    assert done.exit_code == 0, done.output
    study = open_study(files / "run")
    assert set(study.claims["n"]) == {3}
    assert any("trained = 0" in remark for remark in study.results.remarks)
    assert "names no value" in run(files, "--only", "trained").output


def test_a_mistyped_lesion_or_study_is_a_sentence(files):
    done = run(files, "--lesion", "remove_gate")
    assert done.exit_code == 2
    assert done.stderr.startswith("stratoscope: No lesion is called 'remove_gate'. Did you mean 'remove_gating' or")
    assert "No command is called 'sparse-code'" in CliRunner().invoke(main, ["study", "sparse-code"]).stderr
