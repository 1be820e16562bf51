"""The simulated rat as a recording, and as files: NWB, the images, and the truth beside them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from stratoscope.errors import BadInput, missing_extra, unknown_name
from stratoscope.sources.recording import Presentations, Recording, Spikes, Units, export_nwb
from stratoscope.stimuli.objects import open_objects
from stratoscope.stimuli.write import write_stimuli
from stratoscope.testing.rat.design import ON
from stratoscope.testing.rat.simulate import SimulatedRat, simulate_rat
from stratoscope.testing.rat.spikes import Session, rat_sessions

#: What a written rat consists of.
NWB, IMAGES, TRUTH = "recording", "stimuli", "truth.npz"
_OPTIONS: dict[str, Callable[[str], Any]] = {
    "size": float,
    "n_trials": int,
    "seed": int,
    "effects": lambda text: text not in ("0", "false", "no"),
}


def recorded(rat: SimulatedRat) -> Recording:
    """Return the rat as a recording with spikes: areas V1, LM, LI, LL in a session each, objects as categories.

    The name says that it was simulated. Latencies of the simulation are a column of the units; `latencies` finds them again.
    """
    sessions = rat_sessions(rat)
    spikes = Spikes(tuple(train for one in sessions for train in one.times), _units(rat), _presentations(rat, sessions))
    columns = {**rat.scenes.columns, "category": rat.scenes.objects}
    return Recording(spikes, rat.name, [area.name for area in rat.areas], rat.scenes.ids, columns)


def _units(rat: SimulatedRat) -> Units:
    names = np.repeat([area.name for area in rat.areas], [area.design.n_units for area in rat.areas])
    ids = tuple(f"{area.name}-{unit:03d}" for area in rat.areas for unit in range(area.design.n_units))
    latency = np.concatenate([area.tuning.latency for area in rat.areas])
    return Units(ids, names, names, {"simulated_latency": latency})


def _presentations(rat: SimulatedRat, sessions: tuple[Session, ...]) -> Presentations:
    onset = np.concatenate([one.onset for one in sessions])
    return Presentations(
        np.array(rat.scenes.ids)[np.concatenate([one.stimulus for one in sessions])],
        onset,
        onset + ON,
        np.concatenate([one.trial for one in sessions]),
        np.repeat([one.area for one in sessions], [len(one.onset) for one in sessions]),
    )


def rat_from(spec: str) -> SimulatedRat:
    """Simulate the rat that ``rat``, or ``rat?size=0.1&seed=1&effects=0``, asks for.

    Raises
    ------
    UnknownName, BadInput
        For an option that does not exist, or a value that is none.
    """
    name, _, query = spec.partition("?")
    if name != "rat":
        raise BadInput(f"A simulated rat is asked for as 'rat' or 'rat?size=0.1&seed=1', but {spec!r} came.")
    options: dict[str, Any] = {}
    for key, text in parse_qsl(query, keep_blank_values=True):
        if key not in _OPTIONS:
            raise unknown_name("option of the simulated rat", key, _OPTIONS)
        try:
            options[key] = _OPTIONS[key](text)
        except ValueError as error:
            raise BadInput(f"The option {key!r} of the simulated rat is a number, but {text!r} came.") from error
    return simulate_rat(**options)


def write_rat(rat: SimulatedRat, folder: str | Path) -> Path:
    """Write a simulated rat: ``recording/`` (NWB, a file for each area), ``stimuli/`` (images) and ``truth.npz``.

    Parameters
    ----------
    rat : SimulatedRat
        The rat.
    folder : path
        A new folder. Nothing is left there when something fails.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    BadInput
        Where the folder is there already.
    MissingExtra
        Without pynwb.
    """
    folder = Path(folder)
    if folder.exists():
        raise BadInput(f"{str(folder)!r} is there already. Give a new folder.")
    try:
        import pynwb  # noqa: F401 (found out before anything is simulated)
    except ImportError as error:
        raise missing_extra("pynwb", "nwb", "Writing a simulated rat") from error
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        export_nwb(recorded(rat), part / NWB, description=f"SIMULATED, not recorded: {rat.name}")
        write_stimuli(open_objects(""), part / IMAGES)
        np.savez_compressed(part / TRUTH, **_truth(rat))
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _truth(rat: SimulatedRat) -> dict[str, Any]:
    """Return the arrays of the truth, named by area and attribute of `Tuning`, and the ids of stimuli."""
    kept = ("centre", "sigma", "latency", "expected", "spontaneous", "luminance")
    arrays = {f"{area.name}.{name}": getattr(area.tuning, name) for area in rat.areas for name in kept}
    return {"stimulus": np.array(rat.scenes.ids), **arrays}
