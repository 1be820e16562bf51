"""How a network computes: in which precision, and in which order of memory. Faster, and no longer the same numbers.

What each option does to the metrics is measured in ``docs/performance.md``; the results say which were on.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from stratoscope.errors import unknown_name

#: Formats that `torch.autocast` multiplies in.
FORMATS = ("bfloat16", "float16")


@dataclass(frozen=True)
class Arithmetic:
    """What is done to a batch on its way through a module.

    Attributes
    ----------
    device : torch.device
        Where the network runs.
    autocast : str, optional
        ``bfloat16`` or ``float16``: convolutions and products in that format, as `torch.autocast` does it. A response
        keeps 8 or 11 bits of its mantissa, and above 65,504 float16 overflows.
    channels_last : bool
        Channels lie next to each other in memory. Sums are added up in another order, so responses differ by
        rounding; convolutions take half the time on some processors.

    Raises
    ------
    UnknownName
        Another format.
    """

    device: torch.device
    autocast: str | None = None
    channels_last: bool = False

    def __post_init__(self) -> None:
        if self.autocast not in (None, *FORMATS):
            raise unknown_name("autocast format", str(self.autocast), FORMATS)

    def run(self, module: nn.Module, images: torch.Tensor) -> None:
        """Let a batch (stimulus, channel, row, column) pass through `module`."""
        with self._format():
            module(self._moved(images))

    def describe(self, module: nn.Module | None = None) -> str:
        """Say it in words, for the results; without autocast it is the format of the weights of `module`."""
        kept = sorted({str(one.dtype).removeprefix("torch.") for one in module.parameters()}) if module else []
        precision = f"autocast {self.autocast}" if self.autocast else " and ".join(kept) or "float32"
        return f"{precision}, channels last" if self.channels_last else precision

    def _moved(self, images: torch.Tensor) -> torch.Tensor:
        layout = torch.channels_last if self.channels_last and images.ndim == 4 else torch.contiguous_format
        if self.device.type == "cuda":  # from pinned memory the copy need not be waited for
            return images.pin_memory().to(self.device, non_blocking=True, memory_format=layout)
        return images.to(self.device, memory_format=layout)

    def _format(self) -> AbstractContextManager[object]:
        if self.autocast is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=getattr(torch, self.autocast))
