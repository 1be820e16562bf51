import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.stimuli.properties import pixel_entropy


def test_pixel_entropy_counts_equally_frequent_levels(pictures, rng):
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 16).reshape(1, 64, 64)
    images = np.stack([pictures.half(), pictures.uniform(0.7)])
    assert pixel_entropy(images) == pytest.approx([1, 0])
    assert pixel_entropy(ramp) == pytest.approx([8])
    assert pixel_entropy(rng.permuted(ramp.reshape(1, -1), axis=1).reshape(1, 64, 64)) == pytest.approx([8])
    assert pixel_entropy(ramp, levels=2) == pytest.approx([1])


def test_pixel_entropy_of_unequal_levels_is_that_of_a_biased_coin(pictures):
    p = 1 / 16
    expected = -p * np.log2(p) - (1 - p) * np.log2(1 - p)
    assert pixel_entropy(pictures.box(0, 0, 16, 16)[None]) == pytest.approx([expected])


def test_pixel_entropy_refuses_pixels_brighter_than_white():
    with pytest.raises(BadInput, match=r"Pixels are brighter \(3\) than white \(1\)\. Give white=\."):
        pixel_entropy(np.full((1, 4, 4), 3.0))
    assert pixel_entropy(np.full((1, 4, 4), 3.0), white=5) == [0]
    with pytest.raises(BadInput, match=r"at least 2 levels and a positive white; came 1 and 1\.0"):
        pixel_entropy(np.zeros((1, 4, 4)), levels=1)
