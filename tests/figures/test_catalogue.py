from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from stratoscope.cli import main
from stratoscope.errors import BadInput, UnknownName
from stratoscope.figures import metric_over_depth
from stratoscope.figures.catalogue import WIDTHS, figures_of, to_width, write_figures
from stratoscope.testing.results import toy_results


@pytest.fixture(scope="module")
def results():
    return toy_results()


def test_every_metric_has_its_curve_and_scaled_ones_their_scales(results):
    assert list(figures_of(results)) == [
        "population_sparseness_over_depth", "dead_fraction_over_depth", "two_nn_over_depth", "gride_over_depth",
        "gride_over_scales",
    ]  # fmt: skip


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_figure_in_a_column_looks_the_same_only_smaller(results, columns):
    before, after = metric_over_depth(results, "two_nn"), metric_over_depth(results, "two_nn")
    factor = WIDTHS[columns] / before.get_size_inches()[0]
    to_width(after, WIDTHS[columns])
    np.testing.assert_allclose(after.get_size_inches(), before.get_size_inches() * factor)
    one, other = before.axes[0], after.axes[0]
    np.testing.assert_allclose(other.get_position().bounds, one.get_position().bounds)
    for name in ("get_linewidth", "get_markersize"):
        sizes = [[getattr(line, name)() for line in axes.lines] for axes in (one, other)]
        np.testing.assert_allclose(sizes[1], np.array(sizes[0]) * factor)
    words = [[text.get_fontsize() for text in axes.texts] for axes in (one, other)]
    np.testing.assert_allclose(words[1], np.array(words[0]) * factor)
    for figure in (before, after):
        figure.draw_without_rendering()
    ticks = [axes.yaxis.get_major_ticks() + axes.xaxis.get_major_ticks() for axes in (one, other)]
    for of in (
        lambda tick: tick.label1.get_fontsize(),
        lambda tick: tick.get_pad(),
        lambda tick: tick.tick1line.get_markersize(),
    ):
        np.testing.assert_allclose([of(tick) for tick in ticks[1]], np.array([of(tick) for tick in ticks[0]]) * factor)


def test_files_are_vectors_of_the_width_asked_and_the_same_bytes_again(results, tmp_path):
    paths, left_out = write_figures(results, tmp_path / "a", format="pdf")
    again, _ = write_figures(results, tmp_path / "b", format="pdf")
    assert left_out == []
    assert len(paths) == 5
    for one, other in zip(paths, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert b"/MediaBox [ 0 0 252.28" in paths[0].read_bytes()  # 89 mm in points
    svg = write_figures(results, tmp_path / "c", format="svg", columns="two")[0][0].read_text("utf-8")
    assert 'width="518.740157pt"' in svg


def test_the_command_writes_into_the_run_and_says_what(results, tmp_path):
    results.save(tmp_path / "run")
    done = CliRunner().invoke(main, ["figures", str(tmp_path / "run"), "--format", "png"])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "run" / "figures").iterdir()) == sorted(
        line.rsplit("/", 1)[1] for line in done.output.splitlines()
    )


def test_wrong_requests_are_refused_in_words(results, tmp_path):
    with pytest.raises(UnknownName, match="No format of figures is called 'pfd'. Did you mean 'pdf'"):
        write_figures(results, tmp_path, format="pfd")
    with pytest.raises(UnknownName, match="No number of columns is called 'three'"):
        write_figures(results, tmp_path, columns="three")
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="Figures cannot be written to .*file: .*Choose another folder"):
        write_figures(results, tmp_path / "file")
