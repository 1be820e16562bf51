"""Information that single units carry about image properties at one stage, with its baseline and controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.metrics import InformationTable, information_table
from stratoscope.studies.muratore2022.over_units import ALL, STATISTICS, Drawn, drawn, resampled
from stratoscope.studies.muratore2022.protocol import Protocol
from stratoscope.studies.muratore2022.write import Writer
from stratoscope.types import Floats

INFORMATION = "property_information"
FRACTION = "informative_fraction"
CONCENTRATION = "information_concentration"
TOP_SHARE = "information_top_share"
#: Below this fraction of its mean square the variance of a unit is the rounding of float32, not a response.
RESIDUE = 1e-12
SHUFFLED, WITHOUT_SILENT = "minus shuffle", "without constant units"


@dataclass(frozen=True)
class Informed:
    """Information of every unit about every property, in bits.

    Attributes
    ----------
    names : tuple of str
        The properties.
    bits : array (property, unit)
        Corrected.
    above : array (property, unit)
        Plug-in less the mean over shuffles.
    other : array (property, unit)
        Corrected, with the control's number of response bins.
    null, p, z : array (property, unit)
        Mean over shuffles, permutation p and z of the plug-in information.
    silent : array (unit,)
        Units that answer everything the same.
    notes : tuple of str
    """

    names: tuple[str, ...]
    bits: Floats
    above: Floats
    other: Floats
    null: Floats
    p: Floats
    z: Floats
    silent: NDArray[np.bool_]
    notes: tuple[str, ...]


def informed(responses: NDArray[Any], values: Mapping[str, Floats], protocol: Protocol) -> Informed:
    """Measure the information of `responses` (stimulus, unit) about `values`, each (stimulus,) or, within fields, (stimulus, unit).

    Stimuli without a value of a property are left out of its measurement alone.
    """
    names = tuple(values)
    silent = without_variance(responses)
    if silent.any():  # so that the rounding of float32 in them is not taken for a response
        responses = np.where(silent, 0, responses)
    tables = _tables(responses, values, protocol, protocol.response_bins, protocol.n_shuffles)
    others = _tables(responses, values, protocol, protocol.other_response_bins, 0)

    def along(field: str) -> Floats:
        return np.stack([tables[name].of(name)[field] for name in names])

    return Informed(
        names,
        along("corrected"),
        along("plugin") - along("null_mean"),
        np.stack([others[name].of(name)["corrected"] for name in names]),
        along("null_mean"),
        along("p"),
        along("z"),
        silent,
        tuple(dict.fromkeys(note for table in tables.values() for note in table.notes if "unit" not in note)),
    )


def without_variance(responses: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which units of `responses` (stimulus, unit) answer everything the same, up to the rounding of float32."""
    centre = responses.mean(axis=0, dtype=np.float64)
    variance = np.square(responses - centre, dtype=np.float64).mean(axis=0)
    return np.asarray(variance <= RESIDUE * (variance + centre**2))


def _tables(
    responses: NDArray[Any], values: Mapping[str, Floats], protocol: Protocol, bins: int, n_shuffles: int
) -> dict[str, InformationTable]:
    """Measure together the properties that are known for the same stimuli."""
    groups: dict[bytes, list[str]] = {}
    for name, column in values.items():
        groups.setdefault(_known(column).tobytes(), []).append(name)
    found: dict[str, InformationTable] = {}
    for names in groups.values():
        known = _known(values[names[0]])
        table = information_table(
            responses if known.all() else responses[known],
            {name: values[name][known] for name in names},
            response_bins=bins, value_bins=protocol.value_bins, correction=protocol.correction,
            n_shuffles=n_shuffles, seed=protocol.seed,
        )  # fmt: skip
        found |= dict.fromkeys(names, table)
    return found


def _known(column: Floats) -> NDArray[np.bool_]:
    """Say of which stimuli a property is known; within fields it is of all."""
    return np.isfinite(column) if column.ndim == 1 else np.ones(len(column), dtype=bool)


@dataclass(frozen=True)
class OverUnits:
    """Information and its concentration over the units of a stage, by control, for what compares models."""

    information: Mapping[str, Drawn]
    concentration: Mapping[str, Drawn]


def write_information(write: Writer, found: Informed, protocol: Protocol) -> OverUnits:
    """Write down what units inform about, and return what comparing models needs."""
    for name, data in {"bits": found.bits, "null": found.null, "p": found.p, "z": found.z}.items():
        write.array(
            f"{INFORMATION}.{name}",
            data.astype(np.float32),
            "property",
            "unit",
            unit="bits" if name in ("bits", "null") else "1",
        )
    counted = ~found.silent if protocol.silent == "exclude" else np.ones(len(found.silent), dtype=bool)
    versions = {
        "": (found.bits, counted),
        SHUFFLED: (found.above, counted),
        WITHOUT_SILENT: (found.bits, ~found.silent),
        f"{protocol.other_response_bins} response bins": (found.other, counted),
    }
    information, concentration = {}, {}
    note = "; ".join(found.notes)
    for control, (bits, units) in versions.items():
        if not units.any():
            for metric in (INFORMATION, CONCENTRATION):
                write.failed(metric, "no unit changes its response", item=ALL, control=control)
            continue
        chosen = bits[:, units]
        draws = resampled(chosen.shape[1], protocol.n_resamples, protocol.seed)
        information[control] = drawn(found.names, chosen, STATISTICS[protocol.over_units], draws)
        concentration[control] = drawn(found.names, chosen, STATISTICS[protocol.concentration], draws)
        how: dict[str, Any] = {"level": protocol.level, "seed": protocol.seed}
        said = f"{protocol.over_units} over units; bootstrap of units"
        estimates = information[control].estimates(method=said, **how)
        write.by_property(INFORMATION, estimates, control=control, note="" if control else note)
        said = f"{protocol.concentration} over units; bootstrap of units"
        spread = concentration[control].estimates(method=said, **how)
        write.by_property(CONCENTRATION, {ALL: spread[ALL]} if control else spread, control=control)
    _write_shares(write, found, counted, protocol)
    return OverUnits(information, concentration)


def _write_shares(write: Writer, found: Informed, counted: NDArray[np.bool_], protocol: Protocol) -> None:
    """Write the fraction of units that inform, and the share of the best tenth."""
    if not counted.any():
        return
    draws = resampled(int(counted.sum()), protocol.n_resamples, protocol.seed)
    how: dict[str, Any] = {"level": protocol.level, "seed": protocol.seed}
    informs = (found.p[:, counted] <= protocol.alpha + 1e-12).astype(np.float64)
    fractions = drawn(found.names, informs, STATISTICS["mean"], draws)
    said = f"fraction of units with p of at most {protocol.alpha:g}; bootstrap of units"
    write.by_property(FRACTION, fractions.estimates(method=said, **how))
    write.array(FRACTION, fractions.value[:-1], "property")
    shares = drawn(found.names, found.bits[:, counted], STATISTICS["top-share"], draws)
    write.by_property(TOP_SHARE, shares.estimates(method="share of the best tenth; bootstrap of units", **how))
