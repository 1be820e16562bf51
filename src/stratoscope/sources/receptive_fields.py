"""Which pixels of the image a unit of a network reads: by the wiring, and by what moves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from stratoscope.errors import BadInput, StageError
from stratoscope.sources.feed import feed, load_image
from stratoscope.sources.listen import listening
from stratoscope.sources.network import Network
from stratoscope.sources.undisturbed import undisturbed
from stratoscope.types import Integers, Responses, Stage, Stimuli

#: Maps on the pixels of the network's input, (unit, row, column), 0 and up.
Fields: TypeAlias = NDArray[np.float32]


def theoretical_fields(
    network: Network, stimuli: Stimuli, units: Mapping[str, Any], *, unit: str = "position", batch_size: int = 32
) -> dict[str, Fields]:
    """Which pixels a unit can depend on, by the wiring of the network.

    A row of pixels, then a column, is made NaN, one after another; what then answers NaN depends on it. So kernels, strides,
    dilation, padding, pooling and branches of any network are followed, weights of zero included. The field is where the
    rows and the columns found cross.

    Parameters
    ----------
    network : Network
        Any network; nothing in it is changed.
    stimuli : Stimuli
        The first one is shown, to know the size of the input.
    units : mapping of str to array of int
        Which units of which stages, numbered as the columns of the stage's responses are: with ``position`` the place in
        the flattened response, so that ``np.ravel_multi_index((channel, row, column), stage.shape)`` is one.
    unit : str
        What a unit is; see `Network`. ``channel`` is a mean over all positions, so its field is the whole image, or all of
        it that the stage reads; ``channel:centre`` is the middle.
    batch_size : int
        Images in a pass; there are as many as the input has rows and columns.

    Returns
    -------
    dict of str to array (unit, row, column), float32
        1 on the field of each unit and 0 elsewhere, on the pixels of the network's input.

    Raises
    ------
    UnknownName
        A stage that is not there; the nearest names are offered.
    BadInput
        A unit that the stage does not have, or units that are not whole numbers.

    When it misleads
    ----------------
    It is an upper bound. Most of what moves a unit lies near the middle of it (Luo et al. 2016, arXiv:1701.04128); see
    `effective_fields`. Branches of different size give the smallest set of rows times columns that holds them. A unit that
    reads a global pool, a fully connected layer or attention depends on all pixels.
    """
    base = load_image(stimuli, 0, network.preprocess).numpy()
    chosen = _prepared(network, stimuli, units, unit)
    wanted, rows = _checked(chosen, units), base.shape[1]
    n = rows + base.shape[2]
    hit = {name: np.zeros((n, len(which)), dtype=bool) for name, which in wanted.items()}

    def visit(stage: Stage, at: Integers, responses: Responses) -> None:
        assert isinstance(responses, torch.Tensor)
        hit[stage.name][at] = torch.isnan(responses[:, wanted[stage.name]]).cpu().numpy()

    with _exact_convolutions():
        _as_it_is(chosen, base).play(_blanked(base), visit, batch_size=batch_size, workers=0)
    return {name: _crossings(found[:rows].T, found[rows:].T) for name, found in hit.items()}


def effective_fields(
    network: Network,
    stimuli: Stimuli,
    units: Mapping[str, Any],
    *,
    unit: str = "position",
    n_stimuli: int = 16,
    seed: int = 0,
    batch_size: int = 16,
) -> dict[str, Fields]:
    """Which pixels move a unit: the mean size of the derivative of its response by each pixel.

        E(row, column) = mean over stimuli of Σ_channel |d response / d pixel|

    Parameters
    ----------
    network, stimuli, units, unit
        As in `theoretical_fields`; nothing in the network is changed, its gradients included.
    n_stimuli : int
        Stimuli in the mean, drawn without replacement; all of them where there are fewer.
    seed : int
        Seed of the drawing.
    batch_size : int
        Stimuli in a pass. Each pass is followed by one pass backwards for every unit.

    Returns
    -------
    dict of str to array (unit, row, column), float32
        0 and up, on the pixels of the network's input, in units of the response by unit of the input. All 0 for a unit that
        no drawn stimulus moves (a ReLU that stays silent).

    Raises
    ------
    UnknownName, BadInput
        As in `theoretical_fields`.
    StageError
        A stage whose response has no derivative by the image.

    When it misleads
    ----------------
    It depends on the stimuli: a ReLU passes a derivative only where it is active, so a selective unit needs stimuli that
    drive it, and untrained and trained networks must be shown the same. The derivative is by the input as the network gets
    it (normalised), and says what small changes do.

    References
    ----------
    Luo, Li, Urtasun & Zemel 2016, arXiv:1701.04128.
    """
    chosen = _prepared(network, stimuli, units, unit)
    wanted = _checked(chosen, units)
    drawn = np.random.default_rng(seed).permutation(len(stimuli))[: max(int(n_stimuli), 1)]
    sample = stimuli.take(np.sort(drawn))
    total: dict[str, NDArray[np.float64]] = {}
    for images in (batch.images for batch in feed(sample, network.preprocess, batch_size=batch_size, workers=0)):
        for name, size in _derivatives(chosen, images, wanted, sample):
            total[name] = total.get(name, 0.0) + size
    return {name: (total[name] / len(sample)).astype(np.float32) for name in wanted}


def _prepared(network: Network, stimuli: Stimuli, units: Mapping[str, Any], unit: str) -> Network:
    if not units:
        raise BadInput("No units were asked for. Give a mapping such as {'features.3': [0, 17]}.")
    return network.select([f"name:{name}" for name in units], unit).prepare(stimuli)


def _checked(network: Network, units: Mapping[str, Any]) -> dict[str, Integers]:
    """Return the units of every stage as integers that its responses have."""
    found = {}
    for stage in network.stages:
        which = np.atleast_1d(np.asarray(units[stage.name]))
        if which.ndim != 1 or which.dtype.kind not in "iu" or not len(which):
            raise BadInput(
                f"Units of stage {stage.name!r} are whole numbers from 0 to {stage.n_units - 1}, one or several, but "
                f"{units[stage.name]!r} came."
            )
        if which.min() < 0 or which.max() >= stage.n_units:
            wrong = which[(which < 0) | (which >= stage.n_units)][0]
            raise BadInput(
                f"Stage {stage.name!r} has {stage.n_units} units ({stage.unit}), numbered from 0 to {stage.n_units - 1}, "
                f"and unit {wrong} was asked for. Choose among these."
            )
        found[stage.name] = which.astype(np.int64)
    return found


def _blanked(base: NDArray[np.float32]) -> Stimuli:
    """Return the image with one row, then one column of pixels made NaN, as stimuli."""
    rows, columns = base.shape[1:]

    def load(row: int) -> NDArray[np.float32]:
        image = base.copy()
        image[(slice(None), row) if row < rows else (slice(None), slice(None), row - rows)] = np.nan
        return image

    ids = tuple([f"row {row}" for row in range(rows)] + [f"column {column}" for column in range(columns)])
    return Stimuli("one row or column of pixels NaN", ids, load)


def _as_it_is(network: Network, base: NDArray[np.float32]) -> Network:
    """Return the network, traced with `base`, with inputs taken as they are."""
    shown = Stimuli("the first stimulus", ("whole",), lambda _: base.copy())
    return network.taking_inputs().prepare(shown)


def _crossings(rows: NDArray[np.bool_], columns: NDArray[np.bool_]) -> Fields:
    return (rows[:, :, None] & columns[:, None, :]).astype(np.float32)


@contextmanager
def _exact_convolutions() -> Iterator[None]:
    """Switch off libraries whose convolutions work on tiles (Winograd), in which a NaN would spread to neighbours.

    Only the switches are touched: the context managers of torch set further flags along with them.
    """
    before = torch._C._get_mkldnn_enabled(), torch._C._get_nnpack_enabled(), torch.backends.cudnn.enabled  # noqa: SLF001
    try:
        _switch(mkldnn=False, nnpack=False, cudnn=False)
        yield
    finally:
        _switch(mkldnn=before[0], nnpack=before[1], cudnn=bool(before[2]))


def _switch(*, mkldnn: bool, nnpack: bool, cudnn: bool) -> None:
    torch._C._set_mkldnn_enabled(mkldnn)  # noqa: SLF001 - torch has no public switch that sets this alone
    torch._C._set_nnpack_enabled(nnpack)  # noqa: SLF001
    torch.backends.cudnn.enabled = cudnn


def _derivatives(
    network: Network, images: torch.Tensor, wanted: Mapping[str, Integers], stimuli: Stimuli
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield for every stage Σ over stimuli and channels of |d response / d pixel|, (unit, row, column)."""
    kept: dict[str, torch.Tensor] = {}

    def visit(stage: Stage, _rows: Integers, responses: Responses) -> None:
        assert isinstance(responses, torch.Tensor)
        with torch.enable_grad():  # a copy: a later layer may overwrite what it was made from
            kept[stage.name] = responses[:, wanted[stage.name]]

    device = network.device
    pixels = images.to(device).requires_grad_()
    with (
        undisturbed(network.module, device),
        torch.enable_grad(),
        listening(network.module, network.readings, visit, stimuli.ids) as listener,
    ):
        with listener.batch(np.arange(len(images))):
            network.module(pixels.clone())
        for name, responses in kept.items():
            yield name, _sizes(name, responses, pixels)


def _sizes(name: str, responses: torch.Tensor, pixels: torch.Tensor) -> NDArray[np.float64]:
    if not responses.requires_grad:
        raise StageError(
            f"The response of stage {name!r} has no derivative by the image: the network cuts gradients before it. "
            "Use theoretical_fields, or choose a stage before the cut."
        )
    sizes = np.empty((responses.shape[1], *pixels.shape[2:]))
    for place in range(responses.shape[1]):
        (slope,) = torch.autograd.grad(responses[:, place].sum(), pixels, retain_graph=True, allow_unused=True)
        sizes[place] = 0.0 if slope is None else slope.abs().sum(dim=(0, 1), dtype=torch.float64).cpu().numpy()
    return sizes
