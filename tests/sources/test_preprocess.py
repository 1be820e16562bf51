import numpy as np
import pytest
import torch
from PIL import Image

from stratoscope._compat import import_torchvision
from stratoscope.errors import BadInput, UnknownName
from stratoscope.sources.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess, from_torchvision

import_torchvision()
from torchvision import models, transforms  # noqa: E402  (torchvision imports only after the call above)

SIZES = [(500, 375), (375, 500), (256, 256), (224, 224), (30, 41), (333, 227), (1024, 257)]


def picture(rng, size):
    width, height = size
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("weights", ["AlexNet_Weights", "ResNet50_Weights", "EfficientNet_B0_Weights"])
def test_crop_equals_the_transform_of_torchvisions_weights_to_the_last_bit(rng, size, weights):
    theirs = getattr(models, weights).DEFAULT.transforms()
    image = picture(rng, size)
    assert torch.equal(from_torchvision(theirs)(image), theirs(image))


@pytest.mark.parametrize("size", SIZES)
def test_squash_equals_resize_to_tensor_normalize_to_the_last_bit(rng, size):
    theirs = transforms.Compose(
        [transforms.Resize((224, 224)), transforms.ToTensor(), transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD)]
    )
    image = picture(rng, size)
    assert torch.equal(Preprocess(mode="squash")(image), theirs(image))


def test_the_default_is_resize_256_and_crop_224(rng):
    theirs = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )
    image = picture(rng, (301, 402))
    assert torch.equal(Preprocess()(image), theirs(image))
    assert Preprocess(size=112).resized == 128


def test_grey_images_become_three_equal_planes(rng):
    grey = Image.fromarray(rng.integers(0, 256, (40, 40), dtype=np.uint8))
    out = Preprocess(size=32, mean=(0, 0, 0), std=(1, 1, 1))(grey)
    assert out.shape == (3, 32, 32)
    assert torch.equal(out[0], out[2])


def test_float_arrays_pass_as_they_are(rng):
    array = rng.normal(size=(3, 10, 12)).astype(np.float32)
    np.testing.assert_array_equal(Preprocess()(array).numpy(), array)


def test_other_arrays_are_refused():
    with pytest.raises(
        BadInput, match=r"float array \(channel, row, column\); this one is uint8 with shape \(4, 4, 3\)"
    ):
        Preprocess()(np.zeros((4, 4, 3), dtype=np.uint8))


def test_it_says_in_one_line_what_it_does():
    assert Preprocess().describe() == (
        "crop: shorter side to 256 pixels (bilinear), centre 224, mean (0.485, 0.456, 0.406), std (0.229, 0.224, 0.225)"
    )
    assert Preprocess(mode="squash", size=64).describe().startswith("squash: both sides to 64 pixels (bilinear), mean")


def test_wrong_settings_are_refused():
    with pytest.raises(UnknownName, match=r"No input mode is called 'crob'\. Did you mean 'crop'"):
        Preprocess(mode="crob")
    with pytest.raises(UnknownName, match=r"No interpolation is called 'bilinea'\. Did you mean 'bilinear'"):
        Preprocess(interpolation="bilinea")
    with pytest.raises(BadInput, match="224 pixels a side out of an image resized to 100"):
        Preprocess(resize=100)
    with pytest.raises(BadInput, match="three numbers each"):
        Preprocess(mean=(0.5,))


def test_a_transform_of_another_kind_is_refused():
    with pytest.raises(BadInput, match="ask for ToTensor, which is not the treatment of a classification network"):
        from_torchvision(transforms.ToTensor())
