"""Real sets of images open, every category counted, first and last stimulus loaded."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.stimuli.columns import count_categories
from stratoscope.stimuli.open import open_stimuli

pytestmark = pytest.mark.realdata

SETS = [
    ("imagenet_sample_500/imagenet_sample_500_224px.zip", 500, 500, {1}, (224, 224)),
    ("tiny_imagenet_20/tiny_imagenet_20x150_64px.zip", 3000, 20, {150}, (64, 64)),
    ("eth80_128px/eth80_40objects_128px.zip", 1640, 8, {205}, (128, 128)),
    ("cifar10_lossless/cifar10_test1000_train2000.npz:test", 1000, 10, None, (32, 32)),
    ("cifar10_lossless/cifar10_test1000_train2000.npz:train", 2000, 10, None, (32, 32)),
    ("mnist_9000/mnist_test3000_train6000.npz:test", 3000, 10, None, (28, 28)),
    ("coil20_32px/coil20_32x32.npz", 1440, 20, {72}, (32, 32)),
]


@pytest.mark.parametrize(("place", "n", "n_categories", "each", "size"), SETS)
def test_a_real_set_opens(data, place, n, n_categories, each, size):
    stimuli = open_stimuli(data / "images" / place)
    counts = count_categories(stimuli.categories)
    assert len(stimuli) == n == sum(counts.values())
    assert len(counts) == n_categories
    assert each is None or set(counts.values()) == each
    for row in (0, n - 1):
        image = stimuli.load(row)
        assert (image.mode, image.size) == ("RGB", size)


def test_the_masks_of_eth80_are_a_column_and_its_objects_can_be_the_category(data):
    path = data / "images" / "eth80_128px" / "eth80_40objects_128px.zip"
    stimuli = open_stimuli(path, category_column="object")
    assert set(count_categories(stimuli.categories).values()) == {41}
    assert stimuli.columns["mask"][0] == "apple01_000_000_mask.png"
    assert stimuli.columns["azimuth"].dtype == np.int64
    assert len(stimuli.columns["category_in_file"]) == 1640


def test_cifar_labels_have_names(data):
    stimuli = open_stimuli(data / "images/cifar10_lossless/cifar10_test1000_train2000.npz:test", per_category=5)
    assert set(stimuli.categories.tolist()) >= {"airplane", "truck"}
    assert len(stimuli) == 50


def test_every_tiny_imagenet_image_decodes(data):
    stimuli = open_stimuli(data / "images/tiny_imagenet_20/tiny_imagenet_20x150_64px.zip")
    assert {stimuli.load(row).mode for row in range(0, 3000, 10)} == {"RGB"}
