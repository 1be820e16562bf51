"""The models of the study: the trained one, the three things "untrained" can mean, and checkpoints on the way."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stratoscope.errors import BadInput, unknown_name
from stratoscope.sources import lesions
from stratoscope.sources.bundled import bundled_networks
from stratoscope.sources.network import Network
from stratoscope.sources.openers import open_source
from stratoscope.sources.weights import load_weights, weights_hash
from stratoscope.types import Source

#: The three meanings, and what each is called in a sentence.
UNTRAINED: Mapping[str, str] = {
    "fresh": "fresh initialisation",
    "permuted": "permuted weights",
    "checkpoint": "the first checkpoint",
}
_LESIONS = {"fresh": lesions.reinitialize, "permuted": lesions.permute_weights}


@dataclass(frozen=True)
class Model:
    """One model that is played.

    Attributes
    ----------
    kind : str
        ``trained``, ``fresh``, ``permuted`` or ``checkpoint``.
    name : str
        For messages and progress bars; a checkpoint's name is its place in training, such as ``step 16``.
    seed : int or None
        Of a random model.
    make : callable
        Gives the source, to be prepared.
    """

    kind: str
    name: str
    seed: int | None
    make: Callable[[], Source]


def planned_models(
    source: Source,
    untrained: str | Sequence[str] | None,
    checkpoints: Sequence[str | Path | Network],
    *,
    n_models: int,
    seed: int,
) -> tuple[tuple[Model, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the untrained models and checkpoints to play, the meanings of untrained among them, and remarks.

    Parameters
    ----------
    source : Source
        The trained source.
    untrained : str or sequence of str, optional
        Meanings as in `UNTRAINED`, the first of which the claims are about; ``none`` for none. By default all that there
        are: ``checkpoint`` only where checkpoints are given.
    checkpoints : sequence of str, path or Network
        Weights files of the same network, bundled networks (``bundled:alexnet@16``, or ``@*`` for all), patterns of file
        names, or networks; in the order of training.
    n_models, seed : int
        Models of each random kind, and the seed of the first.

    Raises
    ------
    UnknownName, BadInput, WeightsError
        For a meaning that does not exist or cannot be made here, or checkpoints of another network.
    """
    asked = _asked(untrained)
    if not isinstance(source, Network):
        if asked or checkpoints:
            raise BadInput(
                f"{source.name!r} holds responses, and only a network has untrained versions. Ask for untrained='none', or "
                "give a network."
            )
        return (), (), (f"No untrained models were made: {source.name!r} holds responses and is no network.",)
    steps, remarks = _checkpoints(source, checkpoints)
    if asked is None:
        asked = tuple(kind for kind in UNTRAINED if kind != "checkpoint" or steps)
    if "checkpoint" in asked and not steps:
        raise BadInput(
            "The first checkpoint was asked for as the untrained network, but no checkpoints came. Give some: "
            "--checkpoints 'bundled:alexnet@*', or the weights files of the same network in the order of training."
        )
    random = [
        Model(kind, UNTRAINED[kind], one, partial(_LESIONS[kind], source, one))
        for kind in asked
        if kind != "checkpoint"
        for one in range(seed, seed + n_models)
    ]
    return (*random, *steps), asked, remarks


def _asked(untrained: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if untrained is None:
        return None
    given = (untrained,) if isinstance(untrained, str) else tuple(untrained)
    for kind in given:
        if kind not in (*UNTRAINED, "none"):
            raise unknown_name("meaning of untrained", kind, [*UNTRAINED, "none"])
    if "none" in given and len(given) > 1:
        raise BadInput(f"Untrained models were asked for, and none of them: {', '.join(given)}. Leave 'none' out.")
    return tuple(dict.fromkeys(kind for kind in given if kind != "none"))


def _checkpoints(source: Network, given: Sequence[str | Path | Network]) -> tuple[tuple[Model, ...], tuple[str, ...]]:
    """Return a model for each checkpoint that is not the trained network itself."""
    found: list[Model] = []
    remarks: list[str] = []
    trained = weights_hash(source.module)
    for name, make in (pair for one in given for pair in _expanded(source, one)):
        made = make()
        if weights_hash(made.module) == trained:
            remarks.append(f"Checkpoint {name} has the weights of the trained network and was not played again.")
        else:
            found.append(Model("checkpoint", name, None, make))
    names = [model.name for model in found]
    if len(set(names)) < len(names):
        raise BadInput(
            f"Every checkpoint needs a name of its own, but these came: {', '.join(names)}. Rename the files."
        )
    return tuple(found), tuple(remarks)


def _expanded(source: Network, given: str | Path | Network) -> list[tuple[str, Callable[[], Network]]]:
    if isinstance(given, Network):
        return [(_step(given.lesion), partial(_alike, source, given, _step(given.lesion)))]
    text = str(given)
    if text.startswith("bundled:"):
        return [(f"step {name.partition('@')[2]}", partial(_bundled, source, name)) for name in _steps(text)]
    files = _fitting(text) if any(sign in text for sign in "*?[") else [text]
    if not files:
        raise BadInput(
            f"No file fits the checkpoints {text!r}. Give the paths of weights files, or a pattern that fits some."
        )
    return [(Path(file).stem, partial(_loaded, source, Path(file))) for file in files]


def _fitting(pattern: str) -> list[str]:
    """Return the files that fit `pattern`, numbers within their names sorted as numbers."""
    path = Path(pattern).expanduser()
    return sorted(map(str, Path(path.anchor or ".").glob(str(path.relative_to(path.anchor)))), key=_natural)


def _steps(text: str) -> list[str]:
    """Return the bundled networks that `text` names: one, or all steps of a network for ``@*``."""
    name, _, step = text.removeprefix("bundled:").partition("@")
    known = [one for one in bundled_networks() if "@" in one]
    if step == "*" and any(one.startswith(f"{name}@") for one in known):
        return sorted((one for one in known if one.startswith(f"{name}@")), key=_natural)
    if f"{name}@{step}" not in known:
        raise unknown_name("bundled checkpoint", text, [f"bundled:{one}" for one in known])
    return [f"{name}@{step}"]


def _bundled(source: Network, name: str) -> Network:
    opened = open_source(f"bundled:{name}")
    assert isinstance(opened, Network)
    return _alike(source, opened, f"step {name.partition('@')[2]}")


def _alike(source: Network, other: Network, name: str) -> Network:
    """Put the module of `other` into `source`, so that it is named, prepared and read as the trained network."""
    shapes = [
        {key: tuple(tensor.shape) for key, tensor in network.module.state_dict().items()} for network in (source, other)
    ]
    if shapes[0] != shapes[1]:
        raise BadInput(
            f"Checkpoint {name!r} is of another network than {source.name!r}: their weights differ in names or shapes. "
            "Give checkpoints of the same architecture."
        )
    return source.with_module(other.module, lesion=f"checkpoint at {name}")


def _loaded(source: Network, file: Path) -> Network:
    module = copy.deepcopy(source.module)
    load_weights(module, file)
    return source.with_module(module, lesion=f"checkpoint at {file.stem}")


def _step(lesion: str) -> str:
    return lesion.removeprefix("checkpoint at ")


def _natural(text: str) -> list[tuple[bool, int, str]]:
    """Sort numbers within names as numbers."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", text)]
