"""Torchvision beside a torch that its compiled operators were not built for.

We need torchvision's architectures and transforms, which are plain Python. Its import fails all the same where the
compiled library does not load (a CPU-only torch, say), because shape rules for two detection operators are registered
whether the operators exist or not. Declaring the operators' schemas first lets the import through.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from types import ModuleType

import torch

#: Operators whose shape rules torchvision registers unconditionally, and their schemas as torchvision declares them.
SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def import_torchvision() -> ModuleType:
    """Import torchvision, declaring its missing operators only where the plain import fails for want of them.

    Call it before anything that imports torchvision by itself (timm does).

    Returns
    -------
    module
        ``torchvision``. Its detection operators cannot be called where they had to be declared.

    Raises
    ------
    ImportError
        Torchvision is not installed.
    RuntimeError
        Its import fails for another reason than a missing operator.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
    _forget_torchvision()
    _declare_missing()
    return importlib.import_module("torchvision")


def _forget_torchvision() -> None:
    """Drop what the failed import left behind, so that the next one starts afresh."""
    for name in [name for name in sys.modules if name == "torchvision" or name.startswith("torchvision.")]:
        del sys.modules[name]


@cache
def _declare_missing() -> torch.library.Library:
    """Declare every operator of `SCHEMAS` that torch does not have; cached, because the library must stay alive."""
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name, schema in SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(schema)  # type: ignore[no-untyped-call]
    return library
