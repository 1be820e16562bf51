"""Ways to multiply points with points: a library, a format to round to, and how far the result may be off.

A product only proposes neighbours, so it may round coordinates as coarsely as it likes, as long as it says how far it
may be off. Which one a search takes is decided in `choice`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.summaries.drawn import multiply_codes
from stratoscope.summaries.rounding import ROUNDOFF, Read, Rounded, round_points
from stratoscope.summaries.threads import threads_of_products


@dataclass(frozen=True)
class Product:
    """One way to multiply: a library, and the format that coordinates are rounded to before.

    Attributes
    ----------
    library : {"numpy", "torch"}
        Whose matrix multiplication.
    rounding : {"float64", "float32", "bfloat16", "int8"}
        Format of the factors: int8 is drawn at random, see `drawn`. Sums are float32, or float64 for float64.
    device : str
        ``cpu``, or a device of torch.
    """

    library: str
    rounding: str
    device: str = "cpu"

    @property
    def name(self) -> str:
        """Library, format and device, as they are asked for and printed."""
        return f"{self.library} {self.rounding}" + ("" if self.device == "cpu" else f" {self.device}")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision that products are added up in."""
        return np.dtype(np.float64 if self.rounding == "float64" else np.float32)

    @property
    def factor_bytes(self) -> int:
        """Bytes of one coordinate of a factor."""
        return {"float64": 8, "float32": 4, "bfloat16": 2, "int8": 1}[self.rounding]

    @property
    def coarse(self) -> bool:
        """Whether it leaves pairs open that are far from alike, so that how many depends on the points."""
        return self.rounding in {"bfloat16", "int8"}

    @property
    def drawn(self) -> bool:
        """Whether points are rounded at random, so that bounds hold but for `drawn.CHANCE`."""
        return self.rounding == "int8"

    @property
    def unit(self) -> float:
        """Unit roundoff of the sums; matrix units may round another way than to the nearest, or align and cut first."""
        if self.rounding == "float64":
            return 2.0**-53
        if self.device != "cpu":
            return 2.0**-22
        return 2.0**-23 if self.rounding == "bfloat16" else 2.0**-24

    @property
    def output(self) -> float:
        """Relative error of what one multiplication hands back: torch rounds bfloat16 products to bfloat16 again."""
        rounded = self.rounding == "bfloat16" and self.device == "cpu"
        return ROUNDOFF["bfloat16"] * 1.01 if rounded else 0.0  # of what is handed back, not of what it should be

    def bound(self, width: int, n_units: int) -> float:
        """Return g such that squared distances of factors are off by at most ``g (|x|^2 + |y|^2)`` beyond `output`.

        A sum of w products is off by at most w u |x| |y|, whatever the order of its terms; every block of `width`
        coordinates adds one more rounding. The constant covers norms that are summed in the same precision.
        """
        width = max(1, min(width, n_units))
        blocks = n_units / width + 1
        if self.drawn:  # sums of whole numbers are exact
            width = 0
        norms = (256 if self.rounding != "float64" else width + blocks) * self.unit
        return 1.01 * ((width + blocks + 16) * self.unit + norms)

    @property
    def threads(self) -> int:
        """Threads that its library multiplies in here, as the user sets."""
        if self.device != "cpu":
            return 1
        if self.library == "numpy":
            return threads_of_products()
        import torch

        return torch.get_num_threads()

    def factor(self, points: NDArray[Any], read: Read | None = None, seed: int = 0) -> Rounded:
        """Round `points` (point, unit), or what `read` gives of some of its rows; `seed` is of what is drawn."""
        shape = (points.shape[0], points.shape[1])
        read = read or (lambda rows: np.asarray(points[rows], dtype=self.dtype))
        rounded = round_points(read, shape, self.rounding, seed, self.threads)
        if self.library == "numpy" or self.drawn:
            return rounded
        import torch

        return replace(rounded, factor=torch.as_tensor(rounded.factor, device=self.device))

    def multiply(self, left: Any, right: Any) -> NDArray[Any]:
        """Return ``left @ right.T`` in the precision of the sums."""
        if self.library == "numpy":
            with np.errstate(over="ignore", invalid="ignore"):  # points out of range are seen in their norms
                return np.asarray(left @ right.T)
        return np.asarray(self._by_torch(left, right).float().cpu().numpy())

    def add(self, total: NDArray[Any], spread: NDArray[Any] | None, left: Any, right: Any) -> None:
        """Add ``left @ right.T`` to `total` and, where products are rounded, its magnitude to `spread`."""
        if self.library == "numpy":
            with np.errstate(over="ignore", invalid="ignore"):
                total += left @ right.T
            return
        import torch

        into = torch.from_numpy(total)
        if self.device == "cpu" and self.rounding == "float32":
            torch.addmm(into, left, right.T, out=into)
            return
        product = self._by_torch(left, right)
        into += product.cpu()
        if spread is not None:
            torch.from_numpy(spread).add_(product.abs_())

    def _by_torch(self, left: Any, right: Any) -> Any:
        import torch

        if self.drawn:
            return multiply_codes(left, right)
        # on a device sums come back as they are; on the processor torch has nothing of the kind
        exact = self.rounding == "bfloat16" and self.device != "cpu"
        return torch.mm(left, right.T, out_dtype=torch.float32) if exact else torch.mm(left, right.T)
