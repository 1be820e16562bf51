"""The picture of the front page is drawn from results, the same every time."""

import importlib.util
from pathlib import Path

import pytest
from PIL import Image

from stratoscope.results import Results
from stratoscope.testing.results import toy_results

FILE = Path(__file__).resolve().parents[2] / "docs" / "pictures.py"


def width(path):
    with Image.open(path) as image:
        return image.width


@pytest.fixture(scope="module")
def pictures():
    spec = importlib.util.spec_from_file_location("pictures", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_wide_small_and_the_same_every_time(pictures, tmp_path):
    results = Results.combine([toy_results(), toy_results(lesion="permute_weights", seed=1)])
    paths = [pictures.write_png(pictures.front_page(results), tmp_path / name) for name in ("a.png", "b.png")]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert width(paths[0]) == 1600
    assert paths[0].stat().st_size < 200_000


def test_it_shows_sparseness_and_dimension_with_their_controls(pictures):
    figure = pictures.front_page(toy_results())
    assert [axes.get_ylabel().split(",")[0].split("  ")[0] for axes in figure.axes] == [
        "population sparseness",
        "TwoNN dimension",
    ]
    assert all(any(line.get_label().startswith("control: ") for line in axes.get_lines()) for axes in figure.axes)


def test_the_picture_of_the_front_page_is_there_and_small():
    path = FILE.parent / "images" / "demo.png"
    assert width(path) == 1600
    assert path.stat().st_size < 200_000
