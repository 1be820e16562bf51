import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from stratoscope.cli import main
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


def run(*line):
    return CliRunner().invoke(main, line, catch_exceptions=False)


def test_make_writes_images_and_their_table(tmp_path):
    done = run(
        "stimuli", "make", "objects:tafazoli?objects=jug&axes=size&pixels=16", "--out", str(tmp_path / "v"), "-q"
    )
    assert done.stdout == f"8 images: {tmp_path}/v/stimuli.csv\n"
    assert len(list((tmp_path / "v" / "images").iterdir())) == 8


def test_a_view_outside_the_screen_is_a_sentence_and_writes_nothing(tmp_path):
    done = run("stimuli", "make", "objects:tafazoli?field=60", "--out", str(tmp_path / "v"))
    assert done.exit_code == 2
    assert done.stderr.startswith("stratoscope: 310 of 380 views leave the screen; the first is 'jug' at azimuth -22.5")
    assert not list(tmp_path.iterdir())


def test_an_unknown_command_of_the_group_names_the_nearest():
    done = run("stimuli", "mak", "objects:")
    assert done.exit_code == 2
    assert "No command is called 'mak'. Did you mean 'make'?" in done.stderr
