"""Properties of stimuli as the units of a network see them, after its resize, cut and normalisation."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from stratoscope.errors import BadInput
from stratoscope.measure.unit_properties import unit_properties
from stratoscope.sources import Network
from stratoscope.sources.preprocess import Preprocess
from stratoscope.sources.receptive_fields import effective_fields, theoretical_fields
from stratoscope.sources.seen import seen
from stratoscope.testing.toys import toy_stimuli
from stratoscope.types import Stimuli


def photographs(n=5, size=(48, 40)):
    pixels = np.random.default_rng(0).integers(0, 256, (n, *size, 3), dtype=np.uint8)
    return Stimuli("noise", tuple(map(str, range(n))), lambda row: Image.fromarray(pixels[row])), pixels


def network(**options):
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1))
    return Network(layers, **options)


def test_the_network_sees_the_centre_of_the_resized_image_in_its_own_colours():
    stimuli, pixels = photographs()
    uncut = network(preprocess=Preprocess(size=40, resize=40))
    rows, images = zip(*seen(uncut, stimuli, batch_size=2), strict=True)
    assert np.concatenate(rows).tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(np.concatenate(images), pixels[:, 4:44] / 255, atol=1e-6)


def test_units_see_the_pixels_of_their_field():
    stimuli, pixels = photographs()
    read = network(preprocess=Preprocess(size=40, resize=40))
    chosen = {"0": int(np.ravel_multi_index((1, 10, 20), (4, 40, 40))), "2": [0, 40 * 40 - 1]}
    fields = theoretical_fields(read, stimuli, chosen)
    values = unit_properties(read, stimuli, fields, ("luminance", "contrast", np.square), batch_size=2)
    light = pixels[:, 4:44] / 255 @ np.array([0.2126, 0.7152, 0.0722])
    patch = light[:, 9:12, 19:22]
    np.testing.assert_allclose(values["0"]["luminance"][:, 0], 100 * patch.mean(axis=(1, 2)), atol=1e-4)
    np.testing.assert_allclose(values["0"]["contrast"][:, 0], patch.std(axis=(1, 2)), atol=1e-5)
    np.testing.assert_allclose(values["0"]["square"][:, 0], (patch**2).mean(axis=(1, 2)), atol=1e-5)
    np.testing.assert_allclose(values["2"]["luminance"][:, 1], 100 * light[:, 37:, 37:].mean(axis=(1, 2)), atol=1e-4)
    assert values["2"]["luminance"].shape == (5, 2)


def test_one_map_of_ones_is_the_whole_image_and_a_silent_unit_sees_nothing():
    stimuli, pixels = photographs()
    read = network(preprocess=Preprocess(size=40, resize=40))
    whole = unit_properties(read, stimuli, {"0": np.ones((1, 40, 40))}, ("luminance",))["0"]["luminance"]
    light = pixels[:, 4:44] / 255 @ np.array([0.2126, 0.7152, 0.0722])
    np.testing.assert_allclose(whole[:, 0], 100 * light.mean(axis=(1, 2)), atol=1e-4)
    with torch.no_grad():
        read.module[0].bias[0] = -100
    moved = effective_fields(read, stimuli, {"1": [0, 40 * 40]}, n_stimuli=3)
    values = unit_properties(read, stimuli, moved, ("luminance",))["1"]["luminance"]
    assert np.isnan(values[:, 0]).all()


def test_arrays_in_0_to_1_need_no_normalisation_and_others_are_refused():
    grey = Stimuli("grey", ("a", "b"), lambda row: np.full((1, 6, 6), 0.25 + row / 2, np.float32))
    values = unit_properties(Network(nn.Conv2d(1, 1, 1)), grey, {"": np.ones((1, 6, 6))})[""]
    assert values["luminance"][:, 0] == pytest.approx([25, 75])
    assert values["contrast"][:, 0] == pytest.approx([0, 0], abs=1e-7)
    noise = toy_stimuli(3)
    with pytest.raises(BadInput, match=r"^Pixels run from 0 to 1 once the normalisation is undone, but from -0\.99"):
        next(seen(network(), noise))
    assert next(seen(network(), noise, mean=(0.5,), std=(0.5,)))[1].shape == (3, 8, 8, 3)
    with pytest.raises(
        BadInput, match=r"^How function normalises images is not known, so that it cannot be undone\. Give"
    ):
        next(seen(network(preprocess=lambda loaded: torch.zeros(3, 8, 8)), noise))
    two = Stimuli("two", ("a",), lambda _: np.zeros((2, 6, 6), np.float32))
    with pytest.raises(BadInput, match=r"^Images have one channel or three; these inputs have 2\."):
        next(seen(network(), two))
