"""Images as arrays: an ``.npz`` with images, labels and properties, and several splits of them."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from PIL import Image

from stratoscope.errors import BadInput
from stratoscope.stimuli.columns import name_categories, pick_category
from stratoscope.stimuli.decode import to_rgb
from stratoscope.stimuli.openers import Wanted, make_stimuli, opener
from stratoscope.types import Loaded, Stimuli

IMAGE_NAMES = ("images", "image", "imgs", "img", "x", "stimuli", "data", "arr_0")
LABEL_NAMES = ("category", "label", "labels", "y", "target", "targets", "class", "condition", "object")
NAMES_OF_LABELS = ("label_names", "class_names", "category_names", "classes")
#: Shape and type of every array in the file.
Headers: TypeAlias = dict[str, tuple[tuple[int, ...], np.dtype[Any]]]


@dataclass(frozen=True)
class ArrayLoader:
    """Loads stimulus `row` of an array of images; has no state, so any number of threads may call it.

    Attributes
    ----------
    images : array
        uint8 (stimulus, row, column) or (stimulus, row, column, channel), or float32 (stimulus, channel, row, column).
    name : str
        What to call it in messages.
    """

    images: NDArray[Any]
    name: str

    def __call__(self, row: int) -> Loaded:
        """Return stimulus `row`: RGB, or a copy of the floats."""
        one = self.images[row]
        if one.dtype == np.float32:
            return np.array(one, dtype=np.float32)
        return to_rgb(Image.fromarray(one), f"{self.name}[{row}]")


@opener("npz")
def open_npz(where: str, wanted: Wanted) -> Stimuli:
    """Open the images in an ``.npz``; ``FILE.npz:test`` takes the split ``x_test`` (or any array by its name).

    Images are uint8, (stimulus, row, column) or with 1, 3 or 4 channels last or 1 or 3 first; or floats, which are handed over
    as they are (with channels first, grey three times). Every other array with an entry for each image is a
    property; ``category`` is ``category``, ``label``, ``labels``, ``y``, ``target``, ``class``, ``condition`` or
    ``object``, the first that is there, by name where there are ``label_names`` or ``classes``. Ids are the first 16
    hexadecimal digits of the SHA-256 of an image's values; see `content_ids`.

    Parameters
    ----------
    where : str
        Path of the file, with the split or array after a colon.
    wanted : Wanted
        Columns to keep; image and category array.

    Returns
    -------
    Stimuli
        Its fingerprint is a hash of the images' hashes and of the categories.

    Raises
    ------
    BadInput
        A file that cannot be read, no or more than one array of images, or values whose meaning is unknown.
    """
    place, part = split_place(where)
    headers = read_headers(Path(place).expanduser(), place)
    name = find_images(headers, wanted.image_column or part, place)
    arrays = _read(Path(place).expanduser(), place, headers, name)
    images, notes = as_images(arrays.pop(name), f"{place}:{name}")
    return stimuli_from_arrays(f"npz:{where}", images, arrays, wanted, notes)


def stimuli_from_arrays(
    name: str, images: NDArray[Any], arrays: Mapping[str, NDArray[Any]], wanted: Wanted, notes: Sequence[str] = ()
) -> Stimuli:
    """Make a set of images in memory and their properties (stimulus,); ``label_names`` name whole-number labels."""
    columns = {name: values for name, values in arrays.items() if name not in NAMES_OF_LABELS}
    named = next((arrays[name] for name in NAMES_OF_LABELS if name in arrays), None)
    picked, said = pick_category(columns, wanted.category_column, name, LABEL_NAMES)
    if "category" in picked and wanted.category_column is None and named is not None:
        picked["category"] = name_categories(picked["category"], list(map(str, named.tolist())), name)
    hashes = content_hashes(images)
    ids = content_ids(hashes, columns)
    copies = len(hashes) - len(set(hashes))
    again = (f"{copies} images have the same values as another; their ids end in -2, -3 ...",) if copies else ()
    return make_stimuli(name, ids, ArrayLoader(images, name), picked, hashes, wanted, (*notes, *said, *again))


def content_hashes(images: Iterable[NDArray[Any]]) -> list[str]:
    """Return the SHA-256 of the values of each image, in C order, hexadecimal."""
    return [hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest() for image in images]


def content_ids(hashes: Sequence[str], columns: Mapping[str, NDArray[Any]]) -> list[str]:
    """Return ids that do not depend on the order of the stimuli: the first 16 digits of each hash.

    Stimuli of the same content get ``-2``, ``-3`` ... in the order of their properties (as text, the columns sorted by
    name). Where these are the same too, the stimuli are interchangeable, and nothing depends on which has which.
    """
    same: dict[str, list[int]] = defaultdict(list)
    for row, digest in enumerate(hashes):
        same[digest[:16]].append(row)
    names = sorted(columns)
    ids = [""] * len(hashes)
    for short, rows in same.items():
        rows.sort(key=lambda row: (hashes[row], *(str(columns[name][row]) for name in names)))
        for place, row in enumerate(rows, 1):
            ids[row] = short if place == 1 else f"{short}-{place}"
    return ids


def split_place(where: str) -> tuple[str, str | None]:
    """Split ``FILE.npz:test`` into the path and the split or array, None where none is named."""
    match = re.fullmatch(r"(.*\.npz):([^/\\:]+)", where, flags=re.IGNORECASE)
    return (match[1], match[2]) if match else (where, None)


def read_headers(path: Path, where: str) -> Headers:
    """Return shape and type of every array, reading no data and unpickling nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): _header(archive, name) for name in members}
    except FileNotFoundError:
        raise BadInput(f"There is no file {where!r}. Expected an .npz with images.") from None
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        raise BadInput(f"{where!r} is not a whole .npz ({error}). Write it again with numpy.savez.") from error


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    with archive.open(name) as file:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(file)
        return shape, dtype


def find_images(headers: Headers, part: str | None, where: str) -> str:
    """Return the name of the array of images; `part` is a split, or the name of an array."""
    if part is not None and part in headers:
        return part
    able = [name for name, (shape, dtype) in headers.items() if len(shape) in {3, 4} and dtype.kind in "ufib"]
    named = [name for name in able if _stem_and_split(name)]
    splits = {name: _stem_and_split(name)[1] for name in named}
    if part is not None:
        chosen = [name for name in named if splits[name] == part.lower()]
    else:
        chosen = [name for name in named if not splits[name]] or named or able
    if len(chosen) == 1:
        return chosen[0]
    listing = ", ".join(f"{name} {dtype}{shape}" for name, (shape, dtype) in headers.items())
    what = "an array of images" if part is None else f"an array of images called {part!r} or of that split"
    options = ", ".join(repr(f":{splits.get(name) or name}") for name in named or able)
    advice = f"Say which after the file name: {options}." if options else "Expected one with 3 or 4 dimensions."
    raise BadInput(f"{where!r} has {len(chosen) or 'no'} candidates for {what}, among: {listing}. {advice}")


def _stem_and_split(name: str) -> tuple[str, ...]:
    """Split ``x_test`` or ``test_images`` into stem and split, ``images`` into itself and no split; else nothing."""
    lower = name.lower()
    for stem in IMAGE_NAMES:
        if lower == stem:
            return stem, ""
        if lower.startswith(f"{stem}_"):
            return stem, lower.removeprefix(f"{stem}_")
        if lower.endswith(f"_{stem}"):
            return stem, lower.removesuffix(f"_{stem}")
    return ()


def _read(path: Path, where: str, headers: Headers, images: str) -> dict[str, NDArray[Any]]:
    """Read the images, the names of labels, and every array with one entry for each image (of this split)."""
    split = (_stem_and_split(images) or ("", ""))[1]
    others = {pair[1] for name in headers if (pair := _stem_and_split(name)) and pair[1] != split}
    n = headers[images][0][0] if headers[images][0] else 0
    wanted = {images: images}
    for name, (shape, dtype) in headers.items():
        is_property = len(shape) == 1 and shape[0] == n and dtype.kind in "ufibU"
        if name in NAMES_OF_LABELS or (is_property and not (set(_parts(name)) & others - {""})):
            wanted[name] = _without_split(name, split)
    try:
        with np.load(path, allow_pickle=False) as file:
            return {alias: file[name] for name, alias in wanted.items()}
    except MemoryError:
        shape, dtype = headers[images]
        raise BadInput(
            f"{where!r}: {images} {dtype}{shape} does not fit into memory. Use a folder of images."
        ) from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BadInput(
            f"{where!r} cannot be read ({error}). Write it again without objects, with numpy.savez."
        ) from error


def _parts(name: str) -> tuple[str, str]:
    lower = name.lower()
    return lower.partition("_")[0], lower.rpartition("_")[2]


def _without_split(name: str, split: str) -> str:
    return re.sub(rf"^{re.escape(split)}_|_{re.escape(split)}$", "", name, flags=re.IGNORECASE) if split else name


def as_images(array: NDArray[Any], where: str) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return `array` as uint8 with channels last (or none), or as float32 with channels first; and notes."""
    if array.ndim not in {3, 4} or 0 in array.shape:
        raise BadInput(
            f"{where!r} has shape {array.shape}, expected (stimulus, row, column) and perhaps 1 to 4 channels."
        )
    if array.dtype == np.uint8:
        return _channels_last(array, where), ()
    if array.dtype.kind == "f":
        return _floats(array, where)
    raise BadInput(
        f"{where!r} is {array.dtype}, expected uint8 (0 to 255) or floats (0 to 1). Scale it, then convert it with "
        ".astype('uint8')."
    )


def _channels_last(array: NDArray[Any], where: str) -> NDArray[Any]:
    if array.ndim == 3:
        return array
    last, first = array.shape[3] in {1, 3, 4}, array.shape[1] in {1, 3}
    if last == first:
        raise BadInput(
            f"{where!r} has shape {array.shape}: which of its dimensions is the channel is not clear. "
            "Expected (stimulus, row, column, channel) with 1, 3 or 4 channels or (stimulus, channel, row, column) with 1 or 3."
        )
    images = array if last else np.moveaxis(array, 1, 3)
    return images[..., 0] if images.shape[3] == 1 else images


def _floats(array: NDArray[Any], where: str) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise BadInput(f"{where!r} has values that are NaN or infinite. Expected finite values, 0 to 1.")
    images = _channels_last(array, where)
    images = np.repeat(images[:, None], 3, axis=1) if images.ndim == 3 else np.moveaxis(images, 3, 1)
    outside = low < 0 or high > 1
    note = f"{where!r} has values from {low:g} to {high:g}, outside 0 to 1; they are handed over as they are."
    return np.ascontiguousarray(images, dtype=np.float32), (note,) if outside else ()
