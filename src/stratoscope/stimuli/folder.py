"""A folder of images, or of class folders with images."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from stratoscope.errors import BadInput
from stratoscope.stimuli.columns import Columns, natural
from stratoscope.stimuli.decode import read_image
from stratoscope.stimuli.openers import Wanted, first_few, make_stimuli, opener, refuse
from stratoscope.types import Stimuli

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})


@dataclass(frozen=True)
class FileLoader:
    """Loads stimulus `row` from its file; has no state, so any number of threads may call it."""

    paths: tuple[str, ...]

    def __call__(self, row: int) -> Image.Image:
        """Return stimulus `row` as RGB."""
        return read_image(Path(self.paths[row]))


@opener("folder")
def open_folder(where: str, wanted: Wanted) -> Stimuli:
    """Open every image below a folder; the first folder below it is the category.

    The order is natural (``view2`` before ``view10``) and ids are paths relative to the folder, with ``/``. A folder
    with images and no class folders has no categories. Hidden files, what macOS adds to a zip (``__MACOSX``) and files that are
    not images are counted in a note. Links are followed, and how many images they reach outside of the folder is noted.

    Parameters
    ----------
    where : str
        Path of the folder.
    wanted : Wanted
        Columns to keep.

    Returns
    -------
    Stimuli
        Its fingerprint is a hash of ids and file sizes.

    Raises
    ------
    BadInput
        The folder is not there, cannot be read, has no image, or has images beside its class folders.
    """
    refuse(wanted, f"the folder {where!r}", "image_column", "category_column", "root")
    root = Path(where).expanduser()
    if not root.is_dir():
        raise BadInput(f"There is no folder {where!r}. Expected a folder of class folders with images.")
    files = list(walk(root))
    names = [name for name, _ in files]
    ids = sorted((name for name in names if is_image(name)), key=natural)
    notes = (*ignored_notes(names), *_linked_notes(root, ids))
    if not ids:
        raise BadInput(
            f"There is no image in the folder {where!r} or below it. Expected files ending in "
            f"{', '.join(sorted(ENDINGS))}; {' '.join(notes) or 'it is empty.'}"
        )
    sizes = dict(files)
    columns = categories_of(ids, where)
    load = FileLoader(tuple(f"{root}{os.sep}{name}" for name in ids))
    return make_stimuli(f"folder:{where}", ids, load, columns, [str(sizes[name]) for name in ids], wanted, notes)


def walk(root: Path) -> Iterator[tuple[str, int]]:
    """Yield relative path (with ``/``) and size in bytes of every file below `root`; hidden folders as one file.

    A link that leads nowhere has size -1; it is met again, with a sentence, when it is loaded.
    """
    waiting: list[tuple[str, tuple[str, ...]]] = [("", ())]
    while waiting:
        above, links = waiting.pop()
        for entry in _entries(root / above):
            name = f"{above}{entry.name}"
            if entry.is_dir() and not is_hidden(entry.name):
                waiting.append((f"{name}/", _follow(entry, links)))
            else:
                yield name, size_of(entry)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise BadInput(
            f"The folder {str(folder)!r} cannot be read: {error.strerror}. Give yourself the right to read it, "
            "or move it out of the stimuli."
        ) from error


def _follow(entry: os.DirEntry[str], links: tuple[str, ...]) -> tuple[str, ...]:
    """Return the folders that links led to on the way down, with `entry` if it is a link; refuses a circle."""
    if not entry.is_symlink():
        return links
    target = Path(entry.path).resolve()
    if str(target) in links or target in (here := Path(entry.path).parent.resolve(), *here.parents):
        raise BadInput(f"The link {entry.path!r} leads back to a folder above it. Remove it.")
    return (*links, str(target))


def _linked_notes(root: Path, ids: Sequence[str]) -> tuple[str, ...]:
    """Say how many images lie outside of the folder, where links lead: another folder may change under the run."""
    top = os.path.realpath(root)
    folders = {name: os.path.realpath(f"{top}{os.sep}{name}") for name in {one.rpartition("/")[0] for one in ids}}
    away = [name for name in ids if _leads_away(name, folders[name.rpartition("/")[0]], top)]
    return (f"{len(away)} images are links to outside of the folder (first: {away[0]!r}).",) if away else ()


def _leads_away(name: str, folder: str, top: str) -> bool:
    """Tell of an image whose folder leads to `folder` whether it lies outside of `top`; most are no links themselves."""
    path = f"{folder}{os.sep}{name.rpartition('/')[2]}"
    real = os.path.realpath(path) if os.path.islink(path) else path  # noqa: PTH114  a Path for each takes a second
    return not real.startswith(f"{top.rstrip(os.sep)}{os.sep}")


def size_of(file: Path | os.DirEntry[str]) -> int:
    """Return the size of a file in bytes, -1 where there is none to read."""
    try:
        return file.stat().st_size if file.is_file() else -1
    except (OSError, ValueError):
        return -1


def is_hidden(name: str) -> bool:
    """Return whether any part of the path `name` starts with a dot, or is the folder that macOS adds to a zip."""
    return name.startswith((".", "__MACOSX")) or "/." in name or "/__MACOSX" in name


def ending_of(name: str) -> str:
    """Return the ending of the file `name` in lower case, with its dot; empty where there is none."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122  a Path for each of 50,000 names takes a second


def is_image(name: str) -> bool:
    """Return whether `name` ends like an image, upper or lower case, and is not hidden."""
    return ending_of(name) in ENDINGS and not is_hidden(name)


def ignored_notes(names: Sequence[str]) -> tuple[str, ...]:
    """Count the files that are no stimuli."""
    hidden = sum(map(is_hidden, names))
    others = Counter(ending_of(name) for name in names if not is_hidden(name) and not is_image(name))
    listing = ", ".join(f"{ending or 'no ending'}: {count}" for ending, count in sorted(others.items()))
    notes = [f"Ignored {others.total()} files that are not images ({listing})."] if others else []
    return (*notes, *([f"Ignored {hidden} hidden files or folders."] if hidden else []))


def categories_of(ids: Sequence[str], where: str) -> Columns:
    """Return the first folder of every path as ``category``, or nothing where there are no folders."""
    flat = [name for name in ids if "/" not in name]
    if len(flat) == len(ids):
        return {}
    if flat:
        raise BadInput(
            f"{len(flat)} of {len(ids)} images lie in {where!r} itself, beside class folders: {first_few(flat)}. "
            "Expected every image in a class folder, or no class folders. Move them."
        )
    return {"category": np.asarray([name.split("/", 1)[0] for name in ids], dtype=np.str_)}
