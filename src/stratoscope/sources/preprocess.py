"""From one image to what a network expects, bit for bit as torchvision does it and without its detours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from stratoscope.errors import BadInput, unknown_name

if TYPE_CHECKING:
    from stratoscope.types import Loaded

#: Channel statistics of ImageNet in 0..1, the ones torchvision's networks were trained with.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
MODES = ("crop", "squash")
INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}


@dataclass(frozen=True)
class Preprocess:
    """How an image becomes the input of a network.

    Attributes
    ----------
    size : int
        Rows and columns of the input, in pixels.
    mode : str
        ``crop``: the shorter side is resized to `resize`, then the centre is cut out; the outer rim is not seen.
        ``squash``: both sides are resized to `resize`, so that the whole image is seen and its aspect ratio is lost.
    mean, std : tuple of float
        Per channel, on the scale 0..1: the input is (value / 255 - mean) / std.
    resize : int, optional
        Pixels of the resized shorter side (of both sides for ``squash``); by default 256 / 224 of `size` for ``crop``
        and `size` itself for ``squash``. What goes beyond `size` is cut off around the centre.
    interpolation : str
        ``bilinear`` (antialiased), ``bicubic``, ``nearest``, ``lanczos``, ``box`` or ``hamming``.
    """

    size: int = 224
    mode: str = "crop"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    resize: int | None = None
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise unknown_name("input mode", self.mode, MODES)
        if self.interpolation not in INTERPOLATIONS:
            raise unknown_name("interpolation", self.interpolation, INTERPOLATIONS)
        if self.size < 1 or self.resized < self.size:
            raise BadInput(
                f"The input is to be {self.size} pixels a side out of an image resized to {self.resized}. "
                "Give a positive size, and a resize that is at least the size."
            )
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise BadInput(
                f"Mean and std need three numbers each (red, green, blue) and std above 0; they are {self.mean} and {self.std}."
            )

    @property
    def resized(self) -> int:
        """Pixels of the side that is resized."""
        if self.resize is not None:
            return self.resize
        return self.size if self.mode == "squash" else round(self.size * 256 / 224)

    def __call__(self, loaded: Loaded) -> torch.Tensor:
        """Turn one stimulus into the network's input, float32 (channel, row, column).

        Parameters
        ----------
        loaded : PIL image or float array (channel, row, column)
            An image is resized, cut and normalised. An array is taken exactly as it is: it is already an input.

        Raises
        ------
        BadInput
            An array of another number of dimensions or of integers.
        """
        if isinstance(loaded, Image.Image):
            return torch.from_numpy(self.normalised(self.framed(loaded)))
        if loaded.ndim != 3 or not np.issubdtype(loaded.dtype, np.floating):
            raise BadInput(
                f"A stimulus that is no image must be a float array (channel, row, column); "
                f"this one is {loaded.dtype} with shape {loaded.shape}."
            )
        return torch.from_numpy(np.ascontiguousarray(loaded, dtype=np.float32))

    def describe(self) -> str:
        """Return the whole treatment in one line."""
        side = "shorter side" if self.mode == "crop" else "both sides"
        cut = f", centre {self.size}" if self.mode == "crop" or self.resized != self.size else ""
        return (
            f"{self.mode}: {side} to {self.resized} pixels ({self.interpolation}){cut}, "
            f"mean {_rounded(self.mean)}, std {_rounded(self.std)}"
        )

    def framed(self, image: Image.Image) -> Image.Image:
        """Resize the image and cut out its centre, `size` by `size`."""
        image = image if image.mode == "RGB" else image.convert("RGB")
        target = self._target(*image.size)
        if image.size != target:
            image = image.resize(target, INTERPOLATIONS[self.interpolation])
        left, top = (round((side - self.size) / 2) for side in target)
        return image.crop((left, top, left + self.size, top + self.size)) if target != (self.size,) * 2 else image

    def _target(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after resizing; the longer side is rounded down, as torchvision does."""
        if self.mode == "squash":
            return self.resized, self.resized
        if width <= height:
            return self.resized, int(self.resized * height / width)
        return int(self.resized * width / height), self.resized

    def normalised(self, image: Image.Image) -> np.ndarray[Any, np.dtype[np.float32]]:
        """One conversion to float32 (channel, row, column), then division, shift and scale in place."""
        pixels = np.empty((3, self.size, self.size), dtype=np.float32)
        pixels[...] = np.asarray(image).transpose(2, 0, 1)
        pixels /= np.float32(255)
        pixels -= np.asarray(self.mean, dtype=np.float32)[:, None, None]
        pixels /= np.asarray(self.std, dtype=np.float32)[:, None, None]
        return pixels


def from_torchvision(transforms: Any) -> Preprocess:
    """Take over the treatment that a set of torchvision weights asks for (``weights.transforms()``).

    Raises
    ------
    BadInput
        The transform is not the one of torchvision's classification networks.
    """
    fields = ("crop_size", "resize_size", "mean", "std", "interpolation")
    if any(not hasattr(transforms, field) for field in fields):
        raise BadInput(
            f"The weights ask for {type(transforms).__name__}, which is not the treatment of a classification network. "
            "Say how images are to be treated: input='crop' or input='squash', with size=..."
        )
    return Preprocess(
        size=int(transforms.crop_size[0]),
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        resize=int(transforms.resize_size[0]),
        interpolation=str(transforms.interpolation.value),
    )


def _rounded(numbers: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{number:.4g}" for number in numbers) + ")"
