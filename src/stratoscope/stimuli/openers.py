"""What every opener shares: the registry, what was asked for, and how a set is put together from its parts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from stratoscope.errors import BadInput
from stratoscope.registry import Registry
from stratoscope.stimuli.columns import count_categories, keep_columns
from stratoscope.types import Loaded, Stimuli


@dataclass(frozen=True)
class Wanted:
    """What was asked for beside the place.

    Attributes
    ----------
    columns : tuple of str, optional
        Property columns to keep; all of them where None. ``category`` is always kept.
    image_column : str, optional
        Column (of a table) or array (of an ``.npz``) that has the images.
    category_column : str, optional
        Column that becomes ``category``.
    root : Path, optional
        Folder that paths are relative to, or where a data set lies.
    """

    columns: tuple[str, ...] | None = None
    image_column: str | None = None
    category_column: str | None = None
    root: Path | None = None


#: ``opener(where, wanted)`` opens what stands behind the prefix it is registered under.
Opener: TypeAlias = Callable[[str, Wanted], Stimuli]

OPENERS: Registry[Opener] = Registry("kind of stimuli", group="stratoscope.stimuli")


def opener(prefix: str) -> Callable[[Opener], Opener]:
    """Register the decorated function as the opener of ``prefix:...`` and return it untouched."""

    def register(function: Opener) -> Opener:
        return OPENERS.add(prefix, function)

    return register


def refuse(wanted: Wanted, what: str, *options: str) -> None:
    """Refuse `options` that were asked for and that mean nothing to `what`, rather than drop them."""
    for option in options:
        if (value := getattr(wanted, option)) is not None:
            raise BadInput(
                f"{option}={str(value)!r} means nothing to {what}. Leave it out, or list the images in a table."
            )


def make_stimuli(
    name: str,
    ids: Sequence[str],
    load: Callable[[int], Loaded],
    columns: Mapping[str, NDArray[Any]],
    content: Iterable[str],
    wanted: Wanted,
    notes: Sequence[str] = (),
) -> Stimuli:
    """Put a set together: check the ids, keep the wanted columns, take the fingerprint.

    Parameters
    ----------
    name : str
        How the set was asked for.
    ids : sequence of str
        One id a stimulus, from file name or content.
    load : callable
        ``load(row)`` gives one stimulus.
    columns : mapping of str to array (stimulus,)
        Every property there is.
    content : iterable of str
        One word a stimulus that changes with its content: a hash, or the file size.
    wanted : Wanted
        Which columns to keep.
    notes : sequence of str
        What a reader must know.

    Raises
    ------
    BadInput
        No stimulus at all, an id twice, or an id that is not valid text.
    UnknownName
        A wanted column that is not there.
    """
    check_ids(name, ids)
    kept = keep_columns(columns, wanted.columns)
    fingerprint = take_fingerprint(ids, content, kept.get("category"))
    return Stimuli(name, tuple(ids), load, kept, fingerprint, (*notes, *single_image_notes(kept)))


def check_ids(name: str, ids: Sequence[str]) -> None:
    """Refuse an empty set, ids that are not unique, and ids that no results file could hold."""
    if not ids:
        raise BadInput(f"There is no stimulus in {name!r}. Expected at least one image.")
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise BadInput(
            f"{len(twice)} images of {name!r} are listed more than once (first: {twice[0]!r}). "
            "A stimulus has one row; remove the repeats."
        )
    for file in ids:
        if not file.isascii() and any("\ud800" <= letter <= "\udfff" for letter in file):
            raise BadInput(f"The file name {file!r} in {name!r} is not valid UTF-8. Rename the file.")


def take_fingerprint(ids: Sequence[str], content: Iterable[str], categories: NDArray[Any] | None) -> str:
    """Hash ids, content words and categories, in the order of the set: SHA-256, hexadecimal."""
    words = [""] * len(ids) if categories is None else [str(category) for category in categories]
    digest = hashlib.sha256()
    for name, word, category in zip(ids, content, words, strict=True):
        digest.update(f"{name}\0{word}\0{category}\0".encode())
    return digest.hexdigest()


def single_image_notes(columns: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    """Say which categories have a single image."""
    counts = count_categories(columns.get("category"))
    single = [name for name, count in counts.items() if count == 1]
    if not single:
        return ()
    head = f"{len(single)} of {len(counts)} categories have a single image (first: {single[0]!r})"
    return (f"{head}; metrics that need two in each category will refuse this set.",)


def first_few(names: Iterable[str], n: int = 3) -> str:
    """Return the first `n` of `names` in quotes, with how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - n} more" if len(listed) > n else ""
    return ", ".join(map(repr, listed[:n])) + more
