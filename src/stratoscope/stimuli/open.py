"""Open any stimuli by what they are called: a path, or ``kind:place``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stratoscope.errors import BadInput, did_you_mean, refuse_impossible_name, unknown_name
from stratoscope.stimuli import archive, datasets, folder, npz, objects, table  # noqa: F401  they register their openers
from stratoscope.stimuli.choose import choose
from stratoscope.stimuli.columns import count_categories
from stratoscope.stimuli.decode import DECODING
from stratoscope.stimuli.folder import ENDINGS
from stratoscope.stimuli.openers import OPENERS, Wanted
from stratoscope.types import Stimuli

KIND_OF_FILE = {".csv": "table", ".tsv": "table", ".npz": "npz", ".zip": "zip"}


def open_stimuli(
    spec: str | Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    per_category: int | None = None,
    columns: Sequence[str] | None = None,
    image_column: str | None = None,
    category_column: str | None = None,
    root: str | Path | None = None,
) -> Stimuli:
    """Open stimuli: a folder of class folders, a table, an ``.npz``, a zip, or a data set of torchvision.

    Parameters
    ----------
    spec : str or Path
        A path (``images/``, ``list.csv``, ``list.stim.csv``, ``cifar.npz``, ``cifar.npz:test``, ``images.zip``), or
        ``folder:``, ``table:``, ``npz:``, ``zip:`` with a path, ``objects:`` (rendered views, see
        `stratoscope.stimuli.objects.open_objects`), ``torchvision:NAME:SPLIT``, or a plug-in's kind.
    limit : int, optional
        Keep at most this many, spread evenly over the categories.
    seed : int
        Which stimuli `limit` and `per_category` choose.
    per_category : int, optional
        Keep this many of every category.
    columns : sequence of str, optional
        Properties to keep; all of them by default.
    image_column : str, optional
        Column of a table, or array of an ``.npz``, that has the images.
    category_column : str, optional
        Column that becomes ``category``.
    root : str or Path, optional
        Folder that a table's paths are relative to, or where a torchvision data set lies.

    Returns
    -------
    Stimuli
        In the order of the file, or natural order of the paths in a folder; a choice keeps the order.

    Raises
    ------
    BadInput
        Nothing there, or something that cannot be read; the message says what was expected.
    UnknownName
        A kind, column or data set that is not known.
    TooFew
        A category with fewer stimuli than `per_category`.

    Examples
    --------
    >>> open_stimuli("cifar.npz:test", per_category=10)  # doctest: +SKIP
    """
    refuse_impossible_name(str(spec), "the address of stimuli")
    kind, where = find_kind(str(spec))
    place = None if root is None else Path(root)
    wanted = Wanted(_names(columns), image_column, category_column, place)
    return choose(OPENERS[kind](where, wanted), limit=limit, per_category=per_category, seed=seed)


def _names(columns: Sequence[str] | None) -> tuple[str, ...] | None:
    if columns is None:
        return None
    return (columns,) if isinstance(columns, str) else tuple(columns)


def find_kind(spec: str) -> tuple[str, str]:
    """Split `spec` into the kind of stimuli and the place; a plain path gets its kind from what is there."""
    prefix, colon, rest = spec.partition(":")
    if colon and prefix in OPENERS:
        return prefix, rest
    file, _ = npz.split_place(spec)
    path = Path(file).expanduser()
    if path.is_dir():
        return "folder", spec
    ending = path.suffix.lower()
    if path.exists() and ending in KIND_OF_FILE:
        return KIND_OF_FILE[ending], spec
    if path.exists():
        raise BadInput(f"{spec!r} is {_what(ending)}. {_EXPECTED}")
    if colon and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]+", prefix):
        raise unknown_name("kind of stimuli", prefix, OPENERS)
    raise BadInput(f"There is no file or folder {file!r}.{_neighbours(path)} {_EXPECTED}")


_EXPECTED = (
    "Expected a folder of images, a table (.csv, .tsv), an .npz, a .zip, or 'kind:place' such as 'torchvision:NAME'."
)


def _what(ending: str) -> str:
    return (
        "a single image" if ending in ENDINGS else f"a file of a kind ({ending or 'no ending'}) that is not known here"
    )


def _neighbours(path: Path) -> str:
    above = path.parent
    return did_you_mean(path.name, sorted(one.name for one in above.iterdir())) if above.is_dir() else ""


def describe_stimuli(stimuli: Stimuli) -> dict[str, Any]:
    """Say what a set is, as plain values for ``run.toml``.

    Returns
    -------
    dict
        ``name``, ``n``, ``categories`` (name to count, in natural order), ``columns``, ``fingerprint``, ``notes``, and
        ``decoding``: how images in files are read.
    """
    return {
        "name": stimuli.name,
        "n": len(stimuli),
        "categories": count_categories(stimuli.categories),
        "columns": list(stimuli.columns),
        "fingerprint": stimuli.fingerprint,
        "notes": list(stimuli.notes),
        "decoding": DECODING,
    }
