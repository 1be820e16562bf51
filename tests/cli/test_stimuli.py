import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from stratoscope.cli.stimuli import command


@pytest.fixture
def folder(tmp_path, rng):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(2):
            pixels = np.zeros((20, 20, 3), np.uint8)
            pixels[5:15, 5:10] = rng.integers(100, 255)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    return tmp_path


def test_without_stimuli_the_catalogue_is_listed_with_sources():
    told = CliRunner().invoke(command, ["describe"])
    assert told.exit_code == 0
    assert len(told.output.splitlines()) == 27
    assert "rf_luminance" in told.output
    assert "doi:10.7554/eLife.22794" in told.output


def test_properties_of_a_folder_are_measured(folder):
    asked = ["describe", str(folder), "--background", "0", "-p", "silhouette_area", "-p", "silhouette_width"]
    told = CliRunner().invoke(command, asked)
    assert told.exit_code == 0, told.output
    assert "4 stimuli" in told.output
    rows = {line.split()[0]: line.split()[1:] for line in told.output.splitlines()[1:]}
    assert rows["silhouette_area"] == ["0.125", "0.125", "0.125", "0"]
    assert rows["silhouette_width"] == ["5", "5", "5", "0"]


def test_mistakes_are_sentences(folder):
    told = CliRunner().invoke(command, ["describe", str(folder), "-p", "mean_luminanc"])
    assert told.exit_code == 2
    assert "No image property is called 'mean_luminanc'. Did you mean 'mean_luminance'" in told.output
    told = CliRunner().invoke(command, ["describe", str(folder), "--background", "dark"])
    assert told.exit_code == 2
    assert "'dark' is neither a luminance nor 'border'" in told.output
