"""Which units of a stage are looked at one by one: a sample, drawn once and the same for all models."""

from __future__ import annotations

import numpy as np

from stratoscope.sources.seeding import tensor_seed
from stratoscope.types import Integers, Stage


def sampled_units(stage: Stage, n_units: int, seed: int) -> Integers:
    """Return up to `n_units` units of `stage`, ascending; 0 asks for all.

    The draw depends on the seed, the name of the stage and its number of units alone, so that every model of one
    architecture is read at the same units.
    """
    if n_units == 0 or stage.n_units <= n_units:
        return np.arange(stage.n_units)
    rng = np.random.default_rng(tensor_seed(seed, stage.name))
    return np.sort(rng.choice(stage.n_units, n_units, replace=False)).astype(np.int64)


def unit_places(stage: Stage, units: Integers) -> dict[str, Integers]:
    """Return where each of `units` lies: ``unit_channel`` (unit,), and ``unit_row``, ``unit_column`` in maps.

    Channels are counted from 0. Where a unit is a channel, or positions have no rows and columns, only the channel is
    known; where it is not known which axis holds the channels, ``unit_index`` says the place in the flattened response.
    """
    shape = stage.shape
    if stage.unit != "position" or len(shape) <= 1:
        return {"unit_channel": units}
    if stage.layout == "channels-first":
        places = np.unravel_index(units, shape)
        channel, rest = places[0], places[1:]
    elif stage.layout in ("channels-last", "tokens"):
        places = np.unravel_index(units, shape)
        channel, rest = places[-1], places[:-1]
    else:
        return {"unit_index": units}
    names = {1: ("unit_token",), 2: ("unit_row", "unit_column")}.get(len(rest), ())
    named = dict(zip(names, rest, strict=True)) if names else {"unit_index": units}
    return {"unit_channel": channel.astype(np.int64), **{name: at.astype(np.int64) for name, at in named.items()}}
