"""A dozen stimuli as small pictures, kept with a run so that its report can show what was shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Examples:
    """Example stimuli of a run.

    Attributes
    ----------
    ids : tuple of str
        Ids of the stimuli shown.
    images : array (example, row, column, 4) of uint8
        Red, green, blue and opacity; smaller pictures stand in the upper left corner of what is transparent.
    note : str
        What a reader must know beside them, or why there are none.
    """

    ids: tuple[str, ...] = ()
    images: NDArray[np.uint8] | None = None
    note: str = ""

    def pictures(self) -> list[NDArray[np.uint8]]:
        """Return each picture (row, column, 4) without the transparent rest around it."""
        return [] if self.images is None else [_cropped(image) for image in self.images]


def _cropped(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    seen = image[..., 3] > 0
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return image[: rows[-1] + 1, : columns[-1] + 1] if len(rows) else image


def examples_node(examples: Examples) -> xr.Dataset:
    """Lay examples out as a node of the tree: ``images`` along ``example``, whose labels are the ids."""
    if examples.images is None:
        return xr.Dataset(attrs={"note": examples.note})
    dims = ("example", "example_row", "example_column", "rgba")
    coords = {"example": np.asarray(examples.ids, dtype=str)}
    return xr.Dataset({"images": (dims, examples.images)}, coords=coords, attrs={"note": examples.note})


def read_examples(runs: Iterable[Mapping[str, xr.DataTree]]) -> list[Examples]:
    """Return the examples of runs, given as the children of their nodes; those that several runs share once.

    A run that was made before examples were kept has none, and no note.
    """
    found: dict[tuple[tuple[str, ...], str], Examples] = {}
    for children in runs:
        if "examples" in children:
            one = _read(children["examples"].to_dataset())
            found.setdefault((one.ids, one.note), one)
    return list(found.values())


def _read(node: xr.Dataset) -> Examples:
    note = str(node.attrs.get("note", ""))
    if "images" not in node:
        return Examples(note=note)
    return Examples(tuple(map(str, node["example"].to_numpy())), node["images"].to_numpy().astype(np.uint8), note)
