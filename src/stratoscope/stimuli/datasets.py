"""Data sets of torchvision, from a folder they already lie in; nothing is downloaded."""

from __future__ import annotations

import importlib
import inspect
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

from stratoscope.errors import BadInput, unknown_name
from stratoscope.stimuli.arrays import content_hashes, content_ids
from stratoscope.stimuli.columns import Columns, name_categories, pick_category
from stratoscope.stimuli.decode import to_rgb, unreadable
from stratoscope.stimuli.folder import FileLoader, size_of
from stratoscope.stimuli.openers import Wanted, make_stimuli, opener, refuse
from stratoscope.types import Stimuli

ROOT_VARIABLE = "TORCHVISION_DATA"
#: Module whose `import_torchvision` imports torchvision beside any torch. Named and not imported, because rooms side by
#: side do not import each other, and because stimuli must open where torch is not installed.
IMPORTER = "stratoscope._compat"


def import_torchvision() -> ModuleType:
    """Import torchvision when it is first needed."""
    module: ModuleType = importlib.import_module(IMPORTER).import_torchvision()
    return module


@dataclass(frozen=True)
class ItemLoader:
    """Loads item `row` of a data set, one thread at a time, because data sets promise nothing about threads."""

    dataset: Any
    name: str
    _turn: Any = field(default_factory=threading.Lock, repr=False, compare=False)

    def __call__(self, row: int) -> Image.Image:
        """Return stimulus `row` as RGB."""
        return self.item(row)[0]

    def item(self, row: int) -> tuple[Image.Image, Any]:
        """Return the image as RGB, and the label."""
        name = f"{self.name}[{row}]"
        try:
            with self._turn:
                image, *labels = self.dataset[row]
                loaded = to_rgb(image, name)
        except (BadInput, MemoryError):
            raise
        except Exception as error:  # a data set raises whatever its decoder raises
            raise unreadable(name, f"the data set says: {error}") from error
        return loaded, labels[0] if labels else None

    def __reduce__(self) -> tuple[Any, ...]:
        return ItemLoader, (self.dataset, self.name)


@opener("torchvision")
def open_dataset(
    where: str, wanted: Wanted, *, import_torchvision: Callable[[], ModuleType] = import_torchvision
) -> Stimuli:
    """Open ``NAME`` or ``NAME:SPLIT`` of torchvision's data sets, in `wanted.root` or the folder ``TORCHVISION_DATA``.

    Parameters
    ----------
    where : str
        Name of the class, and its split (``train``, ``test``, ``val`` ...) after a colon where it has splits.
    wanted : Wanted
        Columns to keep, and root.
    import_torchvision : callable
        Imports torchvision.

    Returns
    -------
    Stimuli
        See `stimuli_from_dataset`.

    Raises
    ------
    UnknownName
        Torchvision has no such data set.
    BadInput
        The split is missing or unknown, or the data are not in the folder.
    """
    refuse(wanted, f"the data set {where!r}", "image_column", "category_column")
    name, _, split = where.partition(":")
    datasets = import_torchvision().datasets
    if name not in datasets.__all__:
        raise unknown_name("torchvision data set", name, datasets.__all__)
    make = getattr(datasets, name)
    options = _split_option(make, name, split) | _root_option(make, name, wanted)
    try:
        dataset = make(**options)
    except (RuntimeError, OSError, ValueError) as error:
        raise _not_there(name, options, error) from error
    return stimuli_from_dataset(f"torchvision:{where}", dataset, wanted)


def _split_option(make: Any, name: str, split: str) -> dict[str, Any]:
    parameters = inspect.signature(make.__init__).parameters
    option = next((option for option in ("train", "split", "image_set") if option in parameters), None)
    if option is None and not split:
        return {}
    if option is None:
        raise BadInput(f"The data set {name!r} has no splits, but {split!r} was asked for. Write 'torchvision:{name}'.")
    if not split or (option == "train" and split not in {"train", "test"}):
        came = repr(split) if split else "none"
        raise BadInput(
            f"The data set {name!r} has splits; expected one, such as 'torchvision:{name}:test' or "
            f"'torchvision:{name}:train', came {came}."
        )
    return {option: split == "train"} if option == "train" else {option: split}


def _root_option(make: Any, name: str, wanted: Wanted) -> dict[str, Any]:
    if "root" not in inspect.signature(make.__init__).parameters:
        return {}
    root = wanted.root or os.environ.get(ROOT_VARIABLE)
    if not root:
        raise BadInput(f"Where does the data set {name!r} lie? Name its folder with root, or set {ROOT_VARIABLE}.")
    return {"root": str(Path(root).expanduser())}


def _not_there(name: str, options: dict[str, Any], error: Exception) -> BadInput:
    arguments = ", ".join(f"{option}={value!r}" for option, value in options.items())
    return BadInput(
        f"The data set {name!r} does not open ({error}). Nothing is downloaded here; fetch it once, where torchvision "
        f"can, with: torchvision.datasets.{name}({arguments}, download=True)"
    )


def stimuli_from_dataset(name: str, dataset: Any, wanted: Wanted) -> Stimuli:
    """Make stimuli of a torchvision data set.

    Data sets that list their files (``samples`` and ``root``) are read as files, with ids from the paths. Every other is
    read once at opening, for ids from the content of its images.
    """
    if hasattr(dataset, "samples") and hasattr(dataset, "root"):
        return _from_files(name, dataset, wanted)
    loader = ItemLoader(dataset, name)
    hashes, labels = _read_once(loader, len(dataset))
    columns, notes = _columns(labels, dataset, name)
    read_once = "Every image was read once at opening, for ids from content."
    return make_stimuli(name, content_ids(hashes, columns), loader, columns, hashes, wanted, (*notes, read_once))


def _read_once(loader: ItemLoader, n: int) -> tuple[list[str], list[Any]]:
    """Return hash and label of every item, holding one image at a time."""
    hashes, labels = [], []
    for row in range(n):
        image, label = loader.item(row)
        hashes += content_hashes([np.asarray(image)])
        labels.append(label)
    return hashes, labels


def _from_files(name: str, dataset: Any, wanted: Wanted) -> Stimuli:
    paths = [str(path) for path, _ in dataset.samples]
    ids = [Path(os.path.relpath(path, dataset.root)).as_posix() for path in paths]
    columns, notes = _columns([label for _, label in dataset.samples], dataset, name)
    sizes = [str(size_of(Path(path))) for path in paths]
    return make_stimuli(name, ids, FileLoader(tuple(paths)), columns, sizes, wanted, notes)


def _columns(labels: Sequence[Any], dataset: Any, where: str) -> tuple[Columns, tuple[str, ...]]:
    """Return the labels as ``label``, and by name as ``category``; data sets without whole-number labels have neither."""
    if not all(map(_is_whole_number, labels)):
        return {}, (f"{where!r} has no categories: its labels are not whole numbers.",)
    numbers = np.asarray([int(label) for label in labels], dtype=np.int64)
    picked, notes = pick_category({"label": numbers}, None, where)
    names = getattr(dataset, "classes", None)
    named = None if names is None else [" ".join(name) if isinstance(name, tuple) else str(name) for name in names]
    return {**picked, "category": name_categories(numbers, named, where)}, notes


def _is_whole_number(label: Any) -> bool:
    """Say whether `label` is one whole number: of Python, of numpy, or a tensor of one."""
    return isinstance(label, int) or (np.ndim(label) == 0 and np.issubdtype(np.asarray(label).dtype, np.integer))
