"""Scale curves and SVG."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from stratoscope.errors import UnknownName
from stratoscope.figures import metric_over_depth, scale_caption, scale_curves, to_svg
from stratoscope.results import Results
from stratoscope.testing.results import toy_results


@pytest.fixture(scope="module")
def intact():
    return toy_results()


def test_every_stage_has_its_curve_over_neighbourhood_size(intact):
    axes = scale_curves(intact).axes[0]
    drawn = {line.get_label(): line for line in axes.get_lines()}
    data = intact["conv3.relu", "position"]
    np.testing.assert_array_equal(drawn["conv3.relu"].get_ydata(), data["gride"])
    np.testing.assert_array_equal(drawn["conv3.relu"].get_xdata(), data["n1"])
    assert len(drawn) == 8
    assert axes.get_xscale() == "log"


def test_every_lesion_has_a_panel_of_its_own_on_the_same_axes(intact):
    both = Results.combine([intact, toy_results(lesion="permute_weights")])
    panels = scale_curves(both).axes
    assert [axes.get_title("left") for axes in panels] == ["intact", "permuted weights"]
    assert [len(axes.get_lines()) for axes in panels] == [8, 8]
    assert panels[0].get_ylim() == panels[1].get_ylim()
    flat = both["conv3.relu", "position", "permute_weights"]["gride"]
    drawn = {line.get_label(): line for line in panels[1].get_lines()}
    np.testing.assert_array_equal(drawn["conv3.relu"].get_ydata(), flat)
    assert scale_caption(both, "gride").startswith("One panel for each network and lesion, on the same axes; one curve")
    assert scale_caption(intact, "gride").startswith("One curve a stage")


def test_a_metric_without_scales_is_refused(intact):
    with pytest.raises(UnknownName, match=r"^No array along n1 in these results is called 'two_nn'\. Known: 'gride', "):
        scale_curves(intact, "two_nn")


def test_svg_is_well_formed_unique_in_its_ids_and_the_same_every_time(intact):
    svg = to_svg(metric_over_depth(intact, "two_nn"), "one", 'a "b" & `<c>`')
    root = ET.fromstring(svg)
    assert root.attrib["aria-label"] == 'a "b" & <c>'
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert all(name.startswith("one-") for name in ids)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(ids)
    assert svg == to_svg(metric_over_depth(intact, "two_nn"), "one", 'a "b" & <c>')
    assert "conv1.relu" in svg


def test_names_in_any_script_with_any_character_are_drawn():
    names = ["layer1.0.relu:2 猫", "$x_1$", "bad\udc80name", "a & <b>", "tab\there\x01"]
    svg = to_svg(metric_over_depth(toy_results(names), "population_sparseness"), "x", "猫\udc80\x01")
    ET.fromstring(svg)
    for name in ("layer1.0.relu:2 猫", "$x_1$", "bad�name", "a &amp; &lt;b&gt;", "tab�here�"):
        assert name in svg
