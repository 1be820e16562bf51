from __future__ import annotations

import csv

from click.testing import CliRunner

from stratoscope.cli import main


def run(*line):
    return CliRunner().invoke(main, line, catch_exceptions=False)


def test_make_writes_images_and_their_table(tmp_path):
    done = run(
        "stimuli", "make", "objects:tafazoli?objects=jug&axes=size&pixels=16", "--out", str(tmp_path / "v"), "-q"
    )
    assert done.stdout == f"8 images: {tmp_path}/v/stimuli.csv\n"
    assert len(list((tmp_path / "v" / "images").iterdir())) == 8


def test_describe_tells_categories_ranges_and_measured_properties(tmp_path):
    spec = "objects:tafazoli?objects=jug,star&axes=luminance&pixels=16"
    done = run("stimuli", "describe", spec, "--properties", "mean_luminance", "--out", str(tmp_path / "p.csv"))
    assert f"{spec}: 12 stimuli, fingerprint " in done.stdout
    assert "categories: jug (6), star (6)\n" in done.stdout
    assert "luminance" in done.stdout
    with (tmp_path / "p.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert float(rows[0]["mean_luminance"]) < float(rows[2]["mean_luminance"])


def test_a_view_outside_the_screen_is_a_sentence_and_writes_nothing(tmp_path):
    done = run("stimuli", "make", "objects:tafazoli?field=60", "--out", str(tmp_path / "v"))
    assert done.exit_code == 2
    assert done.stderr.startswith("stratoscope: 310 of 380 views leave the screen; the first is 'jug' at azimuth -22.5")
    assert not list(tmp_path.iterdir())


def test_an_unknown_command_of_the_group_names_the_nearest():
    done = run("stimuli", "mak", "objects:")
    assert done.exit_code == 2
    assert "No command is called 'mak'. Did you mean 'make'?" in done.stderr
