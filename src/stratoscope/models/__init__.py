"""Small networks for images of 64 x 64 pixels, trained on a laptop in minutes: plain, VGG-like, residual, transformer."""

from stratoscope.models.architectures import ARCHITECTURES, Architecture, alexnet, build, resnet, vgg, vit

__all__ = ["ARCHITECTURES", "Architecture", "alexnet", "build", "resnet", "vgg", "vit"]
