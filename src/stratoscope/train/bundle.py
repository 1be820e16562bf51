"""From a finished training to the few checkpoints that the package brings, in 16 bits where that changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from stratoscope.errors import BadInput
from stratoscope.models import ARCHITECTURES
from stratoscope.models.checkpoint import Header, open_checkpoint, save_checkpoint
from stratoscope.stimuli.objects import DEFAULT_OBJECTS, default_object, render, tafazoli_views
from stratoscope.train.loop import Trained
from stratoscope.train.views import network_input

#: Largest change of a logit by 16-bit storage that counts as none, as a share of the spread of the logits.
NEGLIGIBLE = 0.01


@dataclass(frozen=True)
class Kept:
    """One bundled checkpoint.

    Attributes
    ----------
    file : Path
        Where it is.
    header : Header
        What made it.
    change : float
        Largest change of a logit by 16-bit storage over the 380 views, as a share of the spread of the logits.
    flips : int
        Views, of 380, whose most likely class changed by it.
    """

    file: Path
    header: Header
    change: float
    flips: int


def bundle(trained: Trained, steps: Sequence[int], folder: str | Path) -> tuple[Kept, ...]:
    """Copy chosen checkpoints of a training into a folder, in 16 bits.

    Parameters
    ----------
    trained : Trained
        What `train` gave.
    steps : sequence of int
        Steps to keep.
    folder : path
        Where they go.

    Raises
    ------
    BadInput
        If a step has no checkpoint, or 16 bits change a logit by more than `NEGLIGIBLE`.
    """
    by_step = {int(path.stem.removeprefix("step-")): path for path in trained.checkpoints}
    missing = [step for step in steps if step not in by_step]
    if missing:
        raise BadInput(f"There is no checkpoint of step {missing[0]}; there are {', '.join(map(str, by_step))}.")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    images = _images()
    return tuple(_keep(by_step[step], folder, images) for step in steps)


def write_index(path: str | Path, networks: Mapping[str, Sequence[Kept]]) -> None:
    """Write ``index.toml``: for every network its last file, how it was made, and the file of every step."""
    tables = [_table(name, kept, Path(path).parent) for name, kept in networks.items()]
    head = "# Networks that come with the package. Written by benchmarks/bundle_networks.py.\n\n"
    Path(path).write_text(head + "\n".join(tables), encoding="utf-8")


def _table(name: str, kept: Sequence[Kept], root: Path) -> str:
    header = kept[-1].header
    lines = {
        "title": ARCHITECTURES[header.architecture].title,
        "file": kept[-1].file.relative_to(root).as_posix(),
        "hidden": list(ARCHITECTURES[header.architecture].hidden),
        "classes": list(header.classes),
        "stimuli": header.stimuli,
        "command": header.command,
        "chance": round(1 / len(header.classes), 4),
    }
    parts: dict[str, list[tuple[int, object]]] = {
        "steps": [(one.header.step, one.file.relative_to(root).as_posix()) for one in kept],
        "accuracy": [(one.header.step, one.header.accuracy) for one in kept],
        "half_precision_change": [(one.header.step, round(one.change, 5)) for one in kept],
        "half_precision_flips": [(one.header.step, one.flips) for one in kept],
    }
    text = f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
    for part, values in parts.items():
        text += f"[{name}.{part}]\n" + "".join(f"{step} = {json.dumps(value)}\n" for step, value in values)
    return text


def _keep(path: Path, folder: Path, images: Tensor) -> Kept:
    network, header = open_checkpoint(path)
    target = folder / path.name
    save_checkpoint(target, network, header, half=True)
    full = _logits(path, images)
    halved = _logits(target, images)
    change = float((full - halved).abs().max() / full.std())
    if change > NEGLIGIBLE:
        target.unlink()
        raise BadInput(
            f"Stored in 16 bits, {path.name!r} changes a logit by {change:.3f} of their spread, more than {NEGLIGIBLE}. "
            "Keep it in 32 bits."
        )
    return Kept(target, header, change, int((full.argmax(1) != halved.argmax(1)).sum()))


@torch.no_grad()
def _logits(path: Path, images: Tensor) -> Tensor:
    network, header = open_checkpoint(path)
    logits: Tensor = network(network_input(images, header.mean, header.std))
    return logits


def _images() -> Tensor:
    meshes = {name: default_object(name) for name in DEFAULT_OBJECTS}
    return torch.from_numpy(render(meshes, tafazoli_views(DEFAULT_OBJECTS)))
