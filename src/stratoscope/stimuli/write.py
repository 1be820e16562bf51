"""Stimuli as files: an image each and one table, which opens as a set again."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stratoscope.errors import BadInput
from stratoscope.types import Loaded, Stimuli

TABLE = "stimuli.csv"


def write_stimuli(stimuli: Stimuli, folder: str | Path, *, progress: Callable[[int], None] | None = None) -> Path:
    """Write every stimulus as a PNG and all columns as a table.

    Parameters
    ----------
    stimuli : Stimuli
        Any set of images.
    folder : path
        Where to write; must not exist, or be empty. Nothing is left there when something fails.
    progress : callable, optional
        Called with the number of images written.

    Returns
    -------
    Path
        The table ``stimuli.csv``: column ``path``, then every property. ``open_stimuli`` opens it.

    Raises
    ------
    BadInput
        If the folder has something in it, or a stimulus is an array and not an image.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{str(folder)!r} is there already and not empty. Give a new folder.")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        _write(stimuli, part, progress)
        if folder.exists():
            folder.rmdir()
        os.replace(part, folder)  # noqa: PTH105  replaces on every system
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder / TABLE


def write_table(columns: Mapping[str, NDArray[Any]], file: str | Path) -> None:
    """Write columns of equal length as CSV, numbers in full."""
    with Path(file).open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(zip(*(np.asarray(values).tolist() for values in columns.values()), strict=True))


def _write(stimuli: Stimuli, folder: Path, progress: Callable[[int], None] | None) -> None:
    paths = []
    for row, name in enumerate(stimuli.ids):
        path = Path("images") / f"{Path(name).with_suffix('') if Path(name).suffix.lower() == '.png' else name}.png"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        _as_image(stimuli.load(row), name).save(folder / path)
        paths.append(path.as_posix())
        if progress:
            progress(row + 1)
    write_table({"path": np.array(paths), **stimuli.columns}, folder / TABLE)


def _as_image(loaded: Loaded, name: str) -> Image.Image:
    if isinstance(loaded, Image.Image):
        return loaded
    raise BadInput(f"The stimulus {name!r} is an array of numbers and not an image; only images are written as PNG.")
