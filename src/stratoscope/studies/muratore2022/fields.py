"""Image properties as each unit sees them, within its receptive field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.measure.unit_properties import unit_properties
from stratoscope.sources.network import Network
from stratoscope.sources.receptive_fields import Fields, effective_fields, theoretical_fields
from stratoscope.studies.muratore2022.protocol import PROPERTIES, Protocol
from stratoscope.types import Floats, Integers, Source, Stage, Stimuli

#: Properties that can be weighted with a field, and what each is made of.
WEIGHTED: Mapping[str, tuple[str, ...]] = {
    "mean_luminance": ("luminance",),
    "luminance_sd": ("contrast",),
    "rms_contrast": ("contrast", "luminance"),
    "corner_energy": ("corner_energy",),
}
#: Values by stage, then by property, (stimulus, unit); or (stimulus,) where all units of a stage see the same.
InFields = Mapping[str, Mapping[str, Floats]]


def measured_properties(protocol: Protocol, source: Source) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the properties that are measured, and remarks.

    Raises
    ------
    BadInput
        Where a field was asked for, of responses without a network, or of a property that cannot be weighted.
    """
    if protocol.field == "image":
        return protocol.properties, ()
    if not isinstance(source, Network):
        raise BadInput(
            f"The {protocol.field} field of units was asked for, but {source.name!r} holds responses, and fields are read from "
            "a network. Leave field at 'image', or give a network."
        )
    left_out = [name for name in protocol.properties if name not in WEIGHTED]
    if left_out and protocol.properties != PROPERTIES:
        raise BadInput(
            f"A property within a field is a mean over pixels by weight, which {', '.join(left_out)} is not. Ask for "
            f"{', '.join(WEIGHTED)}, or leave field at 'image'."
        )
    kept = tuple(name for name in protocol.properties if name in WEIGHTED)
    said = f"Properties were measured within the {protocol.field} field of every unit"
    theirs = ", which is that of the trained network in all models" if protocol.field == "effective" else ""
    remark = f"{said}{theirs}; {', '.join(left_out)} cannot be weighted and were left out." if left_out else ""
    return kept, (remark or f"{said}{theirs}.",)


def bytes_held(stages: Sequence[Stage], units: Mapping[str, Integers], n_stimuli: int, protocol: Protocol) -> int:
    """Return the bytes that the values of `in_fields` take, at most."""
    if protocol.field == "image":
        return 0
    return 4 * n_stimuli * len(WEIGHTED) * sum(len(units[stage.name]) for stage in stages)


def in_fields(
    network: Source, stimuli: Stimuli, units: Mapping[str, Integers], names: Sequence[str], protocol: Protocol
) -> InFields:
    """Measure the properties `names` of `stimuli` within the fields of `units`, stage by stage; nothing for ``image``.

    A unit without a field (one that no stimulus moves) sees 0 everywhere, about which nothing can inform.
    """
    if protocol.field == "image":
        return {}
    assert isinstance(network, Network)
    parts = tuple(dict.fromkeys(part for name in names for part in WEIGHTED[name]))
    found: dict[str, dict[str, Floats]] = {}
    for stage in network.stages:
        maps = _maps(network, stimuli, stage, units[stage.name], protocol)
        alike = bool((maps == maps[:1]).all())
        measured = unit_properties(network, stimuli, {stage.name: maps[:1] if alike else maps}, parts)[stage.name]
        made = {name: _made(name, measured) for name in names}
        found[stage.name] = {name: values[:, 0] if alike else values for name, values in made.items()}
    return found


def _maps(network: Network, stimuli: Stimuli, stage: Stage, units: Integers, protocol: Protocol) -> Fields:
    wanted = {stage.name: units}
    if protocol.field == "theoretical":
        return theoretical_fields(network, stimuli, wanted, unit=stage.unit)[stage.name]
    return effective_fields(
        network, stimuli, wanted, unit=stage.unit, n_stimuli=protocol.n_field_stimuli, seed=protocol.seed
    )[stage.name]


def _made(name: str, measured: Mapping[str, Floats]) -> Floats:
    """Return the values of a property (stimulus, unit) in float32, 0 where a unit sees nothing."""
    first, *rest = (np.nan_to_num(measured[part]) for part in WEIGHTED[name])
    if rest:  # contrast over luminance, which comes in percent
        first = np.divide(100 * first, rest[0], out=np.zeros_like(first), where=rest[0] > 0)
    return np.asarray(first, dtype=np.float32)
