"""An ``.npz`` with images, labels and properties, perhaps in several splits. Nothing in it is unpickled."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.stimuli.arrays import NAMES_OF_LABELS, as_images, stimuli_from_arrays
from stratoscope.stimuli.decode import refuse_no_file
from stratoscope.stimuli.openers import Wanted, first_few, opener, refuse
from stratoscope.types import Stimuli

IMAGE_NAMES = ("images", "image", "imgs", "img", "x", "stimuli", "data", "arr_0")
#: Shape and type of every array in the file.
Headers: TypeAlias = dict[str, tuple[tuple[int, ...], np.dtype[Any]]]


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
    refuse(wanted, f"the arrays {where!r}", "root")
    place, part = split_place(where)
    headers = read_headers(Path(place).expanduser(), place)
    name = find_images(headers, wanted.image_column or part, place)
    arrays = _read(Path(place).expanduser(), place, headers, name)
    images, notes = as_images(arrays.pop(name), f"{place}:{name}")
    objects = [name for name, (_, dtype) in headers.items() if dtype.hasobject]
    left = (f"Left out arrays of Python objects, which are never read: {first_few(objects)}.",) if objects else ()
    return stimuli_from_arrays(f"npz:{where}", images, arrays, wanted, (*notes, *left))


def split_place(where: str) -> tuple[str, str | None]:
    """Split ``FILE.npz:test`` into the path and the split or array, None where none is named."""
    match = re.fullmatch(r"(.*\.npz):([^/\\:]+)", where, flags=re.IGNORECASE)
    return (match[1], match[2]) if match else (where, None)


def read_headers(path: Path, where: str) -> Headers:
    """Return shape and type of every array, reading no data and unpickling nothing."""
    refuse_no_file(path, "an .npz")
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): _header(archive, name) for name in members}
    except FileNotFoundError:
        raise BadInput(f"There is no file {where!r}. Expected an .npz with images.") from None
    except Exception as error:  # zipfile and its decompressors raise many kinds of exception on damaged bytes
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
    able = _able(headers)
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


def _able(headers: Headers) -> list[str]:
    """Return the arrays that could be images: numbers, with 3 or 4 dimensions."""
    return [name for name, (shape, dtype) in headers.items() if len(shape) in {3, 4} and dtype.kind in "ufib"]


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
    others = {pair[1] for name in _able(headers) if (pair := _stem_and_split(name)) and pair[1] != split}
    n = headers[images][0][0] if headers[images][0] else 0
    wanted = {images: images}
    for name, (shape, dtype) in headers.items():
        is_property = len(shape) == 1 and shape[0] == n and dtype.kind in "ufibUS"
        if name in NAMES_OF_LABELS or (is_property and not (set(_parts(name)) & others - {""})):
            wanted[name] = _without_split(name, split)
    try:
        with np.load(path, allow_pickle=False) as file:
            return {alias: _as_text(file[name]) for name, alias in wanted.items()}
    except MemoryError:
        shape, dtype = headers[images]
        raise BadInput(
            f"{where!r}: {images} {dtype}{shape} does not fit into memory. Use a folder of images."
        ) from None
    except Exception as error:
        raise BadInput(
            f"{where!r} cannot be read ({error}). Write it again without objects, with numpy.savez."
        ) from error


def _as_text(array: NDArray[Any]) -> NDArray[Any]:
    return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array


def _parts(name: str) -> tuple[str, str]:
    lower = name.lower()
    return lower.partition("_")[0], lower.rpartition("_")[2]


def _without_split(name: str, split: str) -> str:
    return re.sub(rf"^{re.escape(split)}_|_{re.escape(split)}$", "", name, flags=re.IGNORECASE) if split else name
