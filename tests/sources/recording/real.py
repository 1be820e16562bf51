"""The real recordings beside the project, as `Recording`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stratoscope.sources.recording import Presentations, Recording, Spikes, TrialCounts, Units, open_recording


def macaque_it(data: Path) -> Recording:
    """Zhang et al. 2011: 132 units of 21 sessions, 7 objects at 3 positions, spikes to the millisecond."""
    with np.load(data / "neural/macaque_it_zhang_desimone_7objects/zd7_it132_spikes_1ms.npz") as z:
        raster = np.unpackbits(z["spikes_packed"], axis=-1)[..., : int(z["n_bins"])]
        trial, session, onset_bin = z["trial_index"], z["session"].astype(str), int(z["stim_onset_bin"])
        objects, positions, names = z["objects"], z["positions"], z["units"]
    ids = np.array([[f"{thing}/{place}" for place in positions] for thing in objects])
    times = []
    for unit in range(len(raster)):
        where = np.argwhere(raster[unit])
        at = trial[unit][tuple(where[:, :3].T)]
        times.append(np.sort(at + (where[:, 3] + 0.5) / 1000))
    first = [int(np.flatnonzero(session == name)[0]) for name in dict.fromkeys(session)]
    rows = [(unit, *where) for unit in first for where in np.argwhere(trial[unit] >= 0)]
    onset = np.array([trial[row] for row in rows]) + onset_bin / 1000
    stimulus = np.array([ids[row[1], row[2]] for row in rows])
    shown = Presentations(stimulus, onset, onset + 0.5, session=session[[row[0] for row in rows]])
    columns = {"category": np.repeat(objects, 3), "position": np.tile(positions, 7)}
    spikes = Spikes(tuple(times), Units(tuple(names), np.array("IT"), session), shown)
    return Recording(spikes, "macaque IT", ids=ids.ravel().tolist(), columns=columns).count((0.1, 0.5))


def macaque_v4(data: Path) -> Recording:
    """Cowley et al. 2023, session 210325: 50 units, 640 images, 6 to 10 repeats."""
    file = data / "neural/macaque_v4_cowley/v4_session210325_trials.npz"
    return open_recording(file, dims=("unit", "stimulus", "repeat"), area="V4", missing=-1)


def mouse_v1(data: Path, region: int) -> TrialCounts:
    """Antolik et al. 2016: 103 or 55 units, 50 images, 10 or 8 repeats."""
    file = data / "neural/mouse_v1_antolik/antolik2016_mouse_v1_regions12.npz"
    name = f"region{region}_val_trials"
    return open_recording(file, counts=name, dims=("repeat", "stimulus", "unit"), area="V1").trials
