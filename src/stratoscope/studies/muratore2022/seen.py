"""Properties of the images as the network sees them: after cropping and resizing, before normalisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stratoscope.errors import BadInput, TooFew, unknown_name
from stratoscope.sources.network import Network
from stratoscope.sources.preprocess import Preprocess
from stratoscope.stimuli.properties import PROPERTIES, measure_properties
from stratoscope.types import Floats, Loaded, Source, Stimuli

#: Light by which pairs of objects are matched.
LUMINANCE = "mean_luminance"
#: Fewest stimuli with a value that a property is measured on.
FEWEST = 20


@dataclass(frozen=True)
class Seen:
    """Properties of the stimuli.

    Attributes
    ----------
    values : mapping of str to array (stimulus,)
        Of all stimuli; NaN where a property does not exist.
    luminance : array (stimulus,) or None
        Mean luminance, for matching objects; None where the stimuli are no images.
    notes : tuple of str
        What a reader must know.
    """

    values: Mapping[str, Floats]
    luminance: Floats | None
    notes: tuple[str, ...] = ()


def seen_properties(
    source: Source, stimuli: Stimuli, names: Sequence[str], rows: NDArray[np.int64], *, workers: int, asked: bool
) -> Seen:
    """Measure `names` on every stimulus as `source` sees it.

    Parameters
    ----------
    source : Source
        Its preprocessing says what is seen. Where that is not known the images are measured as the set hands them over.
    stimuli : Stimuli
        All stimuli that are played. A name that is one of its columns is read from there.
    names : sequence of str
        Properties.
    rows : array
        Stimuli that information is measured on; a property must vary there.
    workers : int
        Threads that load.
    asked : bool
        Whether these very properties were asked for: then one that is constant is an error, else a note.

    Raises
    ------
    UnknownName, BadInput, TooFew
        For names that are neither properties nor columns, columns that are no numbers, properties that say nothing.
    """
    for name in names:
        if name not in PROPERTIES and name not in stimuli.columns and not _band(name):
            raise unknown_name("image property or column", name, [*PROPERTIES, *stimuli.columns])
    own = {name: _column(stimuli, name) for name in names if name in stimuli.columns}
    measured, notes = _measured(source, stimuli, [name for name in names if name not in own], workers)
    values = {column: one for name in names for column, one in _of(name, own, measured).items()}
    kept, told = _telling(values, rows, asked=asked)
    luminance = measured.get(LUMINANCE)
    return Seen(kept, luminance, (*notes, *told))


def _measured(
    source: Source, stimuli: Stimuli, names: Sequence[str], workers: int
) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Measure what the images need to be looked at for; light is always tried, for matching objects."""
    needed = list(dict.fromkeys([*names, LUMINANCE]))
    shown, note = as_seen(source, stimuli)
    whole = list(dict.fromkeys(name if name in PROPERTIES else _band(name) for name in needed))
    try:
        return measure_properties(shown, whole, workers=max(workers, 1)), (note,) if note else ()
    except BadInput:
        if names:
            raise
        return {}, ("The stimuli are no images, so pairs of objects are not matched in luminance.",)


def as_seen(source: Source, stimuli: Stimuli) -> tuple[Stimuli, str]:
    """Return the stimuli as the source sees them, float arrays from 0 to 1, and a note where that is not known."""
    preprocess = source.preprocess if isinstance(source, Network) else None
    if isinstance(preprocess, Preprocess):
        return replace(stimuli, load=_Undone(stimuli, preprocess)), ""
    if preprocess is None:
        return stimuli, ""
    return stimuli, (
        "Image properties were measured on the images as the set hands them over, because the network has preprocessing of "
        "its own that cannot be undone."
    )


@dataclass(frozen=True)
class _Undone:
    """Loads a stimulus, lets it be cropped and resized, and takes the normalisation back."""

    stimuli: Stimuli
    preprocess: Preprocess

    def __call__(self, row: int) -> Loaded:
        loaded = self.stimuli.load(row)
        if not isinstance(loaded, Image.Image):
            return loaded
        pixels = self.preprocess(loaded).numpy()
        mean, std = (
            np.asarray(part, dtype=np.float32)[:, None, None] for part in (self.preprocess.mean, self.preprocess.std)
        )
        undone: NDArray[np.float32] = np.clip(pixels * std + mean, 0.0, 1.0, dtype=np.float32)
        return undone


def _of(name: str, own: Mapping[str, Floats], measured: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the columns of the property `name`: one, or one a band where it has several."""
    for table in (own, measured):
        if name in table:
            return {name: table[name]}
    return {column: values for column, values in measured.items() if column.startswith(f"{name}_")}


def _band(name: str) -> str:
    """Return the property that measures `name` as one of several columns, such as a band of orientation energy."""
    stem, _, ending = name.rpartition("_")
    return stem if stem in PROPERTIES and ending.replace(".", "").isdigit() else ""


def _column(stimuli: Stimuli, name: str) -> Floats:
    values: NDArray[Any] = np.asarray(stimuli.columns[name])
    if values.dtype.kind not in "fiub":
        raise BadInput(
            f"The column {name!r} of {stimuli.name!r} holds {values.dtype} values, and a property is a number. Choose another "
            f"column, or a measured property: {', '.join(PROPERTIES)}."
        )
    return values.astype(np.float64)


def _telling(
    values: Mapping[str, Floats], rows: NDArray[np.int64], *, asked: bool
) -> tuple[dict[str, Floats], list[str]]:
    """Keep the properties that vary over `rows`; refuse or note the others."""
    kept: dict[str, Floats] = {}
    notes: list[str] = []
    for name, column in values.items():
        known = column[rows][np.isfinite(column[rows])]
        if len(known) < FEWEST or np.ptp(known) == 0:
            what = f"has a value for {len(known)} of {len(rows)} stimuli" if len(known) < FEWEST else "is constant"
            said = f"The property {name!r} {what}, so no unit can inform about it."
            if asked:
                raise BadInput(f"{said} Give {FEWEST} stimuli or more in which it varies, or leave it out.")
            notes.append(f"{said} It was left out.")
            continue
        kept[name] = column
        lost = len(rows) - len(known)
        notes += (
            [f"{lost} of {len(rows)} stimuli have no {name} and are left out where it is measured."] if lost else []
        )
    if not kept:
        raise TooFew(
            f"None of the properties {', '.join(values)} varies over the {len(rows)} stimuli. Give other properties."
        )
    return kept, notes
