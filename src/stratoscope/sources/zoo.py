"""Networks from the zoos: torchvision, timm, and the vision models of transformers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stratoscope._compat import import_torchvision
from stratoscope.errors import BadInput, WeightsError, missing_extra, unknown_name
from stratoscope.sources.network import Network
from stratoscope.sources.openers import SOURCES, Request, download_failed, seeded
from stratoscope.sources.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess, from_torchvision


def open_torchvision(name: str, request: Request) -> Network:
    """Open a classification network of torchvision.

    With ``default`` weights, or a set named as torchvision names it (``IMAGENET1K_V1``), images are treated as that set
    asks for; with ``random`` or a file they are resized to 256 and cut to 224.
    """
    models = import_torchvision().models
    known = models.list_models(module=models)
    if name.lower() not in known:
        raise unknown_name("torchvision model", name, known)
    if request.weights == "random" or request.is_file:
        module, weights = request.own_weights(lambda: models.get_model(name, weights=None))
        return request.network(module, Preprocess(), weights)
    entry = _torchvision_weights(models, name, request.weights)
    try:
        module = seeded(lambda: models.get_model(name, weights=entry), request.seed)
    except (OSError, RuntimeError) as error:
        raise download_failed(request.spec, error) from error
    return request.network(module, from_torchvision(entry.transforms()), entry.name)


def _torchvision_weights(models: Any, name: str, weights: str) -> Any:
    """Return the entry of the network's weights enum that `weights` names."""
    entries = models.get_model_weights(name)
    wanted = "DEFAULT" if weights == "default" else weights
    if wanted not in entries.__members__:
        raise unknown_name(f"set of weights of {name}", weights, ["default", "random", *entries.__members__])
    return entries[wanted]


def open_timm(name: str, request: Request) -> Network:
    """Open a network of timm; images are treated as its data configuration says."""
    import_torchvision()  # timm imports it by itself
    try:
        import timm
    except ImportError as error:
        raise missing_extra("timm", "timm", f"Opening {request.spec!r}") from error
    if not timm.is_model(name):
        raise unknown_name("timm model", name, timm.list_models())
    if request.weights == "random" or request.is_file:
        module, weights = request.own_weights(lambda: timm.create_model(name, pretrained=False))
    else:
        _only_default(request)
        module, weights = _download(request, lambda: timm.create_model(name, pretrained=True)), "timm default"
    data: Any = timm.data
    return request.network(module, from_timm(data.resolve_model_data_config(module), request.input), weights)


def from_timm(config: Mapping[str, Any], input: str = "auto") -> Preprocess:
    """Take over the treatment that a timm data configuration asks for in evaluation."""
    channels, rows, columns = config["input_size"]
    mode = {"center": "crop", "squash": "squash"}.get(config["crop_mode"])
    if channels != 3 or rows != columns or (mode is None and input == "auto"):
        raise BadInput(
            f"The network asks for an input of {tuple(config['input_size'])} (channel, row, column) and cutting "
            f"{config['crop_mode']!r}. Only square colour images, cut 'center' or 'squash', are made here; "
            "where only the cutting differs, choose input='crop' or input='squash'."
        )
    return Preprocess(
        size=rows,
        mode=mode or input,
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        resize=int(rows / config["crop_pct"]),
        interpolation=config["interpolation"] if config["interpolation"] != "random" else "bilinear",
    )


class PixelValues(nn.Module):
    """A vision model of transformers that takes images as its one argument, as other networks do."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> Any:
        """Run the model on `images` (stimulus, channel, row, column)."""
        return self.model(pixel_values=images)


def open_hf(name: str, request: Request) -> Network:
    """Open a vision model of transformers by its name on the hub or a folder; only safetensors are read."""
    import_torchvision()  # transformers imports it by itself
    try:
        import transformers
    except ImportError as error:
        raise missing_extra("transformers", "hf", f"Opening {request.spec!r}") from error
    local = _folder(name, request)
    config = _download(request, lambda: transformers.AutoConfig.from_pretrained(name, local_files_only=local))
    auto = _auto_class(transformers, config)
    if request.weights == "random" or request.is_file:
        model, weights = request.own_weights(lambda: auto.from_config(config))
    else:
        _only_default(request)
        model, weights = _pretrained(auto, name, request, local)
    if getattr(model, "main_input_name", "") != "pixel_values":
        raise BadInput(
            f"{request.spec!r} is a {type(model).__name__}, which does not take images alone. Choose a vision model."
        )
    return request.network(PixelValues(model), _hf_preprocess(transformers, name, config, request, local), weights)


def _folder(name: str, request: Request) -> bool:
    """Say whether `name` is a folder here; refuses a path that does not exist."""
    if Path(name).is_dir():
        return True
    if name.startswith((".", "~", os.sep)) or name.count("/") > 1:
        raise BadInput(
            f"There is no folder {name!r}, which {request.spec!r} asks for. Give a folder saved by save_pretrained."
        )
    return False


def _auto_class(transformers: Any, config: Any) -> Any:
    """Return the class that rebuilds the network as it was saved: with its classifier where it has one."""
    classifies = any(str(kind).endswith("ForImageClassification") for kind in config.architectures or ())
    return transformers.AutoModelForImageClassification if classifies else transformers.AutoModel


def _pretrained(auto: Any, name: str, request: Request, local: bool) -> tuple[Any, str]:
    """Load the model with its weights and say which they are; only a pooler may be missing, and that is said too."""
    model, info = _download(
        request,
        lambda: auto.from_pretrained(name, use_safetensors=True, local_files_only=local, output_loading_info=True),
    )
    missing = sorted(key for key in info["missing_keys"] if "pooler" not in key)
    if missing:
        raise WeightsError(
            f"{request.spec!r} lacks {len(missing)} of the network's tensors, such as {missing[0]!r}; they would be random. "
            "Give complete weights with --weights FILE.safetensors."
        )
    fresh = f" (pooler: random initialisation, seed {request.seed})" if info["missing_keys"] else ""
    return model, name + fresh


def _hf_preprocess(transformers: Any, name: str, config: Any, request: Request, local: bool) -> Preprocess:
    """Take over the treatment that the saved image processor asks for."""
    try:
        processor = transformers.AutoImageProcessor.from_pretrained(name, local_files_only=local)
    except (OSError, ValueError, ImportError) as error:
        if request.input == "auto":
            raise BadInput(
                f"{request.spec!r} has no image processor, so it is not known how its images are to be treated. "
                "Choose input='crop' or input='squash' (with ImageNet's mean and std)."
            ) from error
        size = getattr(config, "image_size", 224)
        return Preprocess(size=size if isinstance(size, int) else 224, mode=request.input)
    return from_processor(processor)


def from_processor(processor: Any) -> Preprocess:
    """Take over the treatment that an image processor of transformers describes.

    Images are resized by PIL, of which processors that resize tensors differ by rounding.
    """
    size = {key: value for key, value in dict(processor.size).items() if value is not None}
    cut = dict(processor.crop_size) if getattr(processor, "do_center_crop", False) else {}
    resample = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}[
        int(processor.resample)
    ]
    normal = bool(getattr(processor, "do_normalize", True))
    mean, std = (processor.image_mean, processor.image_std) if normal else ((0.0,) * 3, (1.0,) * 3)
    mode, side, resize = _frame(size, cut, getattr(processor, "crop_pct", None))
    colours = (tuple(mean or IMAGENET_MEAN), tuple(std or IMAGENET_STD))
    return Preprocess(side, mode, *colours, resize=resize, interpolation=resample)


def _frame(size: Mapping[str, int], cut: Mapping[str, int], crop_pct: float | None) -> tuple[str, int, int]:
    """Return mode, side and resize from a processor's sizes."""
    short = size.get("shortest_edge")
    if short is not None and crop_pct is not None:  # ConvNeXt's rule: large images are not cut
        return ("crop", short, int(short / crop_pct)) if short < 384 else ("squash", short, short)
    resize = short if short is not None else size.get("height", 0)
    side = cut.get("height", resize)
    if not side or size.get("height") != size.get("width") or cut.get("height") != cut.get("width"):
        raise BadInput(
            f"The image processor asks for size {dict(size)} and cut {dict(cut)}; only square inputs are made here. "
            "Make a Network with a preprocess of your own."
        )
    return ("crop" if short is not None else "squash"), side, resize


def _download(request: Request, get: Callable[[], Any]) -> Any:
    """Get something from a hub, random numbers seeded; every failure becomes one sentence with two ways out."""
    try:
        return seeded(get, request.seed)
    except Exception as error:  # hubs raise the errors of many libraries
        raise download_failed(request.spec, error) from error


def _only_default(request: Request) -> None:
    if request.weights != "default":
        raise unknown_name(
            f"set of weights of {request.spec}", request.weights, ["default", "random", "FILE.safetensors"]
        )


for _prefix, _opener in (("torchvision", open_torchvision), ("timm", open_timm), ("hf", open_hf)):
    SOURCES.add(_prefix, _opener)
