"""The one place where bytes become an RGB image, or a sentence about why they cannot."""

from __future__ import annotations

import io
import os
import re
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from stratoscope.errors import BadInput, UnreadableStimulus

#: Largest file or zip member that is read, in bytes; no photograph comes near it.
MAX_BYTES = 256 * 2**20
#: Formats of Pillow that are tried. Others reach for helpers outside of it: EPS hands the file to Ghostscript, a language
#: that can do anything. JPEG takes in the MPO files of cameras.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
#: Environment variable with the largest number of pixels an image may have; Pillow's own limit where it is not set.
LIMIT_VARIABLE = "STRATOSCOPE_MAX_PIXELS"
#: How images in files are read, for the record of a run.
DECODING = (
    "RGB of 8 bits; EXIF orientation applied; transparency over grey 128; 16 bits and floats scaled, not clipped; "
    "the first image of an animation; colour profiles not applied"
)
#: What a path leads to where it is no file, for messages.
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
#: What shows through transparent pixels: the uniform mid-grey of vision experiments.
BACKGROUND = (128, 128, 128)
ORIENTATION_TAG = 0x0112
ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def unreadable(name: str, reason: str) -> UnreadableStimulus:
    """Build the error for the stimulus `name`; `reason` completes "cannot be read: ..."."""
    return UnreadableStimulus(
        f"Stimulus {name!r} cannot be read: {reason}. Replace it, "
        "or go on without it with --skip-unreadable, which lists what it leaves out."
    )


def read_image(path: Path) -> Image.Image:
    """Read the image file at `path` as RGB; raises `UnreadableStimulus`. See `decode`."""
    name = str(path)
    try:
        about = path.stat()
        if kind := no_file(about.st_mode):
            raise unreadable(name, f"it is {kind} and no file")
        if about.st_size > MAX_BYTES:
            mebibytes = f"{about.st_size / 2**20:,.0f} MiB"
            raise unreadable(name, f"it has {mebibytes}, more than the {MAX_BYTES // 2**20} MiB allowed")
        data = path.read_bytes()
    except FileNotFoundError:
        raise unreadable(name, "the file is not there") from None
    except OSError as error:
        raise unreadable(name, f"the system says {error.strerror or error!s}") from error
    return decode(data, name)


def no_file(mode: int) -> str:
    """Say what a path of this `mode` leads to where it is no file; reading a pipe or a device need never end."""
    return "" if stat.S_ISREG(mode) else KINDS.get(stat.S_IFMT(mode), "something else")


def refuse_no_file(path: Path, what: str) -> None:
    """Refuse a `path` that is there and is no file; one that is not there is left to who opens it."""
    try:
        kind = no_file(path.stat().st_mode)
    except (OSError, ValueError):
        return
    if kind:
        raise BadInput(f"{str(path)!r} is {kind}, and {what} is a file. Give the path of a file.")


def pixel_limit() -> int | None:
    """Return the largest number of pixels an image may have: `LIMIT_VARIABLE`, or else Pillow's own limit."""
    said = os.environ.get(LIMIT_VARIABLE)
    if said is None:
        return Image.MAX_IMAGE_PIXELS
    if not re.fullmatch(r"[1-9][0-9_,]{0,17}", said):
        raise BadInput(f"{LIMIT_VARIABLE} is {said!r}, expected a whole number of pixels, such as 200000000.")
    return int(re.sub("[_,]", "", said))


def decode(data: bytes, name: str) -> Image.Image:
    """Turn the bytes of an image file into an RGB image of 8 bits a channel.

    The EXIF orientation is applied. Grey, palette, CMYK and YCbCr images become RGB. Transparent pixels are laid over
    mid-grey (128). Sixteen-bit grey is scaled (65535 becomes 255), never clipped; floats from 0 to 1 likewise. Of an
    animation or a stack the first image is taken. Colour profiles are not applied.

    Parameters
    ----------
    data : bytes
        The file's content.
    name : str
        What to call it in messages.

    Returns
    -------
    PIL.Image.Image
        Loaded, mode ``RGB``.

    Raises
    ------
    UnreadableStimulus
        Empty, truncated, damaged, not an image of `FORMATS`, of more pixels than `pixel_limit`, or of a mode whose
        range is unknown. Damage that leaves a JPEG file complete in form cannot be noticed.
    """
    if not data:
        raise unreadable(name, "the file is empty (0 bytes)")
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise BadInput(
            "PIL.ImageFile.LOAD_TRUNCATED_IMAGES is on, which fills what is missing of a damaged image with grey. "
            "Set it to False before opening stimuli."
        )
    limit = pixel_limit()
    try:
        with _pillow_restrained(limit), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            image.load()
            return to_rgb(_upright(image), name)
    except (UnreadableStimulus, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise unreadable(name, _too_many(str(error), limit)) from None
    except UnidentifiedImageError:
        raise unreadable(name, f"its {len(data):,} bytes are no image of a format known here") from None
    except Exception as error:  # Pillow's decoders raise nearly every kind of exception on damaged bytes
        raise unreadable(name, f"the image is damaged or truncated ({error})") from error


def _too_many(said: str, limit: int | None) -> str:
    """Say how many pixels an image has, as Pillow counted them, and how to allow as many."""
    counted = re.search(r"\(([0-9]+) pixels\)", said)
    came = f"{int(counted[1]):,} pixels" if counted else "more pixels"
    return f"it has {came}, more than the {limit or 0:,} allowed, which {LIMIT_VARIABLE} changes"


def to_rgb(image: Image.Image, name: str) -> Image.Image:
    """Convert a loaded image of any mode to RGB, as `decode` says."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image.copy()
    if image.mode == "F" or image.mode.startswith("I"):
        return _scaled(image, name).convert("RGB")
    if "transparency" in image.info or image.mode in {"LA", "La", "PA", "RGBA", "RGBa"}:
        above = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", above.size, (*BACKGROUND, 255)), above).convert("RGB")
    return image.convert("RGB")


def _scaled(image: Image.Image, name: str) -> Image.Image:
    """Scale 16-bit integers, or floats from 0 to 1, to 8 bits."""
    values = np.asarray(image, dtype=np.float64)
    white = 1.0 if image.mode == "F" else 65535.0
    low, high = float(values.min()), float(values.max())
    if not (low >= 0.0 and high <= white):
        raise unreadable(name, f"its values run from {low:g} to {high:g}, expected 0 to {white:g}")
    return Image.fromarray(np.rint(values * (255.0 / white)).astype(np.uint8))


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; an image whose EXIF block cannot be read stays as it is stored."""
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001  a damaged EXIF block raises nearly every kind of exception, and the pixels are fine
        return image
    turn = ORIENTATIONS.get(orientation)
    return image if turn is None else image.transpose(turn)


_muting = threading.Lock()
#: Threads that decode, and the limit of Pillow that is put back after the last of them.
_decoding: list[Any] = [0]


@contextmanager
def _pillow_restrained(limit: int | None) -> Iterator[None]:
    """Hold Pillow to `limit` pixels, and silence its warnings but that of too many, an error, while any thread decodes.

    `warnings.catch_warnings` swaps the list of filters of the whole process and is not safe among threads; here the
    first thread in adds two filters and the last one out takes them away.
    """
    with _muting:
        _decoding[0] += 1
        if _decoding[0] == 1:
            _decoding[1:] = [Image.MAX_IMAGE_PIXELS]
            Image.MAX_IMAGE_PIXELS = limit
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
        ours = warnings.filters[:2]
    try:
        yield
    finally:
        with _muting:
            _decoding[0] -= 1
            if not _decoding[0]:
                Image.MAX_IMAGE_PIXELS = _decoding.pop()
                for entry in ours:
                    if entry in warnings.filters:
                        warnings.filters.remove(entry)  # type: ignore[attr-defined]
