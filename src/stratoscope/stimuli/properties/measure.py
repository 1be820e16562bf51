"""Measure the properties of a whole stimulus set, block by block, and keep them as its columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stratoscope.errors import BadInput
from stratoscope.stimuli.properties.catalogue import PROPERTIES, Block, Property, Setup
from stratoscope.stimuli.properties.luminance import luminance_images
from stratoscope.stimuli.properties.receptive_field import checked_maps
from stratoscope.stimuli.properties.silhouette import TOLERANCE, Background, ScreenLike
from stratoscope.types import Floats, Loaded, Stimuli

#: Pixels that are worked on at once; some thirty arrays of this many float64 are alive at the peak.
PIXELS = 2**19
NEEDS = {
    "rf": "rf=, the receptive field map (row, column) or maps (neuron, row, column)",
    "background": "background=, the luminance of the uniform background or 'border'",
    "screen": "screen=, which says where pixels are in degrees",
}


def measure_properties(
    stimuli: Stimuli,
    names: Iterable[str] | None = None,
    *,
    rf: ArrayLike | None = None,
    background: Background | None = None,
    size: int | tuple[int, int] | None = None,
    workers: int = 2,
    screen: ScreenLike | None = None,
    bands: int = 4,
    weights: str = "rec709",
    encoding: str = "linear",
    inside: float = 0.0,
    min_coverage: float = 0.1,
    min_conditions: int = 23,
    tolerance: float = TOLERANCE,
) -> dict[str, Floats]:
    """Measure properties of every stimulus; images are loaded in blocks and never held all at once.

    Parameters
    ----------
    stimuli : Stimuli
        Any set. Images of a set are RGB, or float arrays (channel, row, column) of one or three channels from 0 to 1.
    names : iterable of str, optional
        Properties of the catalogue `PROPERTIES`. None means all for which the rest is given: those of the silhouette
        need `background`, those of the receptive field `rf`, those in degrees `screen`.
    rf : array (row, column) or (neuron, row, column), optional
        Raw receptive field maps on the pixels of the images; see `rf_luminance`. Several give one column each,
        ``rf_luminance_0``, ``rf_luminance_1`` and so on.
    background : float or "border", optional
        Luminance of the uniform background; see `silhouettes`.
    size : int or (int, int), optional
        Rows and columns that every image is brought to before measuring, by averaging over areas; one number means
        a square, whatever the shape was. Needed where images differ in shape.
    workers : int, optional
        Threads that load images.
    screen : Screen, optional
        With it positions and sizes are given in degrees too.
    bands : int, optional
        Bands of orientation energy, 4 to 8, in columns such as ``orientation_energy_45``.
    weights, encoding : str, optional
        How pixels become luminance; see `luminance_images`.
    inside, min_coverage, min_conditions : optional
        Which conditions and neurons have a contrast; see `rf_contrast`.
    tolerance : float, optional
        As `silhouettes`.

    Returns
    -------
    dict of str to array (stimulus,), float64
        Columns, in the order of the catalogue or of `names`. NaN where a property does not exist (each says when).

    Raises
    ------
    UnknownName
        A name that is not in the catalogue; the nearest are offered.
    BadInput
        Something a named property needs was not given; images of different shapes without `size`; an image with NaN or
        out of range (the message names the stimulus); an empty set.
    UnreadableStimulus
        From loading.

    When it misleads
    ----------------
    Values in pixels and cycles per image depend on `size`: compare sets only when they were measured at one size.

    Examples
    --------
    >>> columns = measure_properties(stimuli, ["mean_luminance", "rms_contrast"])  # doctest: +SKIP
    """
    maps = None if rf is None else np.asarray(rf, dtype=np.float64)
    setup = Setup(maps, background, screen, bands, inside, min_coverage, min_conditions, tolerance)
    wanted = _wanted(names, setup)
    if workers < 1:
        raise BadInput(f"Loading needs at least one worker; came {workers}.")
    if len(stimuli) == 0:
        raise BadInput(f"The set {stimuli.name!r} has no stimuli to measure.")
    columns: dict[str, Floats] = {}
    for start, luminance in _blocks(stimuli, _rows_and_columns(size), workers, weights, encoding):
        for name, values in _measured(wanted, Block(luminance, setup)):
            column = columns.setdefault(name, np.full(len(stimuli), np.nan))
            column[start : start + len(values)] = values
    return _finished(wanted, columns, setup)


def add_properties(
    stimuli: Stimuli, names: Iterable[str] | None = None, *, prefix: str = "", **options: Any
) -> Stimuli:
    """Return the set with measured properties added to its columns.

    Parameters
    ----------
    stimuli : Stimuli
    names : iterable of str, optional
        As `measure_properties`.
    prefix : str, optional
        Put before the name of each new column.
    **options
        Further parameters of `measure_properties`.

    Returns
    -------
    Stimuli
        The same stimuli with more columns.

    Raises
    ------
    BadInput
        A column of that name is already there; it is never overwritten. Else as `measure_properties`.
    UnknownName
        As `measure_properties`.

    When it misleads
    ----------------
    The columns are of the images as they are now; a network may see them cropped and resized.
    """
    measured = {prefix + name: values for name, values in measure_properties(stimuli, names, **options).items()}
    taken = [name for name in measured if name in stimuli.columns]
    if taken:
        raise BadInput(
            f"The set {stimuli.name!r} already has the column{'s' * (len(taken) > 1)} {', '.join(map(repr, taken))}. "
            "Give prefix= (such as 'measured_'), or name other properties."
        )
    return replace(stimuli, columns={**stimuli.columns, **measured})


def _wanted(names: Iterable[str] | None, setup: Setup) -> list[Property]:
    if names is None:
        return [one for one in (PROPERTIES[name] for name in PROPERTIES) if all(map(setup.has, one.needs))]
    if isinstance(names, str):
        names = [names]
    wanted = [PROPERTIES[name] for name in dict.fromkeys(names)]
    for one in wanted:
        missing = [need for need in one.needs if not setup.has(need)]
        if missing:
            raise BadInput(f"The property {one.name!r} needs {' and '.join(NEEDS[need] for need in missing)}.")
    return wanted


def _rows_and_columns(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    both = (size, size) if isinstance(size, int) else tuple(size)
    if len(both) != 2 or min(both) < 1:
        raise BadInput(f"A size is a number of pixels, or of rows and columns, from 1 up; came {size!r}.")
    return int(both[0]), int(both[1])


def _blocks(
    stimuli: Stimuli, size: tuple[int, int] | None, workers: int, weights: str, encoding: str
) -> Iterator[tuple[int, Floats]]:
    """Yield the first row and the luminance (stimulus, row, column) of block after block."""

    def one(row: int) -> Floats:
        return _luminance(stimuli.load(row), stimuli.ids[row], size, weights, encoding)

    first = one(0)
    step = max(1, PIXELS // first.size)
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(stimuli), step):
            images = list(pool.map(one, range(start, min(start + step, len(stimuli)))))
            _check_shapes(stimuli, start, images, first.shape)
            yield start, np.stack(images)


def _luminance(loaded: Loaded, name: str, size: tuple[int, int] | None, weights: str, encoding: str) -> Floats:
    """Luminance (row, column) of one stimulus as its set hands it over."""
    image = np.asarray(loaded)
    try:
        if isinstance(loaded, np.ndarray):
            image = _channels_last(loaded)
        luminance = luminance_images(image[None], weights=weights, encoding=encoding)[0]
        _check_range(luminance)
    except BadInput as error:
        raise BadInput(f"Stimulus {name!r} cannot be measured. {error}") from error
    return luminance if size is None else resized(luminance, size)


def _check_range(luminance: Floats) -> None:
    if luminance.max() > 1 + 1e-6:
        raise BadInput(f"Floats run from 0 to 1; the largest is {luminance.max():.4g}. Divide by the value of white.")


def _channels_last(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Turn (channel, row, column) into (row, column, 3), or (row, column) for one channel."""
    if array.ndim != 3 or array.shape[0] not in {1, 3}:
        raise BadInput(f"An array stimulus has the shape (channel, row, column), 1 or 3 channels; came {array.shape}.")
    return array[0] if array.shape[0] == 1 else np.moveaxis(array, 0, -1)


def resized(luminance: Floats, size: tuple[int, int]) -> Floats:
    """Bring luminance (row, column) to `size` by averaging over areas; the mean luminance stays."""
    rows, columns = (_averaging(old, new) for old, new in zip(luminance.shape, size, strict=True))
    return np.asarray(rows @ luminance @ columns.T)


def _averaging(old: int, new: int) -> Floats:
    """Share of each old pixel in each new one along an axis, (new, old); rows add up to 1."""
    edges = np.arange(new + 1) * (old / new)
    low, high = edges[:-1, None], edges[1:, None]
    pixels = np.arange(old)[None]
    return np.asarray(np.clip(np.minimum(high, pixels + 1) - np.maximum(low, pixels), 0, None) * (new / old))


def _check_shapes(stimuli: Stimuli, start: int, images: list[Floats], shape: tuple[int, ...]) -> None:
    for row, image in enumerate(images, start):
        if image.shape != shape:
            raise BadInput(
                f"Stimuli {stimuli.ids[0]!r} and {stimuli.ids[row]!r} have different shapes, (row, column) = {shape} and "
                f"{image.shape}, and properties in pixels would not compare. Give size=, such as size=64."
            )


def _measured(wanted: list[Property], block: Block) -> Iterator[tuple[str, Floats]]:
    if block.setup.rf is not None:
        checked_maps(block.setup.rf, block.luminance.shape[1:])
    for one in wanted:
        values = one.measure(block)
        if isinstance(values, Mapping):
            yield from ((f"{one.name}_{ending}", column) for ending, column in values.items())
        else:
            yield one.name, values


def _finished(wanted: list[Property], columns: dict[str, Floats], setup: Setup) -> dict[str, Floats]:
    finishers = {one.name: one.finish for one in wanted if one.finish is not None}

    def finished(name: str, values: Floats) -> Floats:
        finish = finishers.get(name) or finishers.get(name.rpartition("_")[0])
        return values if finish is None else finish(values, setup)

    return {name: finished(name, values) for name, values in columns.items()}
