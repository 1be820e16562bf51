"""Small networks for images of 64 x 64 pixels, trained on a laptop in minutes: plain, VGG-like, residual, transformer."""

from stratoscope.models.architectures import ARCHITECTURES, Architecture, build

__all__ = ["ARCHITECTURES", "Architecture", "build"]
