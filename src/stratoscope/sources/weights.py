"""Weights from a file into a network: tensors only, never code, and all of them or none."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from stratoscope.errors import WeightsError, did_you_mean

#: Endings read with ``torch.load(weights_only=True)``.
CHECKPOINTS = (".pt", ".pth", ".bin", ".ckpt", ".tar")
#: Names under which training scripts nest the weights; the first one present is taken.
NESTS = ("state_dict", "model_state_dict", "model", "net", "weights", "params")
#: Put before every name by wrappers of the network (DataParallel, compile, Lightning).
PREFIXES = ("module.", "_orig_mod.", "model.")
#: What torch's reader says when a file asks for more than tensors and plain containers.
CODE_SIGNS = ("GLOBAL", "global", "Can only", "unrecognized function", "Unsupported class")
SHOWN = 3


def load_weights(module: nn.Module, path: str | Path) -> None:
    """Load the weights in a file into `module`, completely or not at all.

    Parameters
    ----------
    module : torch.nn.Module
        Takes the weights in place; unchanged when an error is raised.
    path : path
        A ``.safetensors`` file, or a checkpoint of tensors (``.pt``, ``.pth``, ``.bin``, ``.ckpt``, ``.tar``), also
        nested (``{"state_dict": ...}``) and with the prefix of a wrapper (``module.``).

    Raises
    ------
    WeightsError
        The file is missing, damaged or holds code, or its names, shapes or kinds of numbers are not those of the network. Only the
        step counters of batch normalisation (``num_batches_tracked``) and tied copies may be missing.
    """
    path = Path(path)
    found = _without_prefix(read_weights(path), module)
    _check_names(module, found, path)
    _check_shapes(module, found, path)
    _check_types(module, found, path)
    module.load_state_dict(found, strict=False)


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of a weights file by name, on the CPU, without running any code that it may hold."""
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"There is no weights file {str(path)!r}. Give the path of a .safetensors or .pth file.")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix in CHECKPOINTS:
        return _tensors_of(_read_checkpoint(path), path)
    raise WeightsError(
        f"Weights are read from .safetensors or {', '.join(CHECKPOINTS)} files, and {str(path)!r} is neither. "
        "Rename it to the ending of its real format, or convert it to .safetensors."
    )


def weights_hash(module: nn.Module) -> str:
    """Return the SHA-256 of every tensor of `module` (name, type, shape, bytes), in the order of their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if isinstance(tensor, Tensor):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _read_checkpoint(path: Path) -> Any:
    """Read a checkpoint with torch's reader that refuses everything but tensors and plain containers."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Detected pickle protocol")
            return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        if not _holds_code(path, error):
            raise _damaged(path, error) from error
        raise WeightsError(
            f"{str(path)!r} holds more than tensors: opening it would run code from the file, so it was refused. "
            "If you trust where it comes from, load it yourself and convert it: "
            "safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')."
        ) from error
    except Exception as error:  # torch's readers raise nearly every kind of exception on damaged bytes
        raise _damaged(path, error) from error


def _holds_code(path: Path, error: Exception) -> bool:
    """Tell a file that asks for functions or classes from one that is no checkpoint at all."""
    with path.open("rb") as file:
        plain_pickle = file.read(2) in (b"\x80\x03", b"\x80\x04", b"\x80\x05")
    return plain_pickle or any(sign in str(error) for sign in CODE_SIGNS)


def _damaged(path: Path, error: Exception) -> WeightsError:
    """Build the error for a file that cannot be read to its end."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return WeightsError(
        f"{str(path)!r} ({path.stat().st_size} bytes) cannot be read as weights: it is damaged, cut short or of another "
        f"format ({reason[:160]}). Download or save it again."
    )


def _tensors_of(content: Any, path: Path) -> dict[str, Tensor]:
    """Find the mapping of names to tensors in what a checkpoint held."""
    while isinstance(content, Mapping):
        nest = next((name for name in NESTS if isinstance(content.get(name), Mapping)), None)
        if nest is None:
            break
        content = content[nest]
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(
            f"{str(path)!r} holds a {type(content).__name__} instead of weights by name. "
            "Save the network's state_dict() instead."
        )
    odd = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    if odd:
        raise WeightsError(
            f"{str(path)!r} holds {len(odd)} entries that are not tensors, such as {_listed(odd)}, and nothing under "
            f"{', '.join(NESTS)}. Save the network's state_dict() alone."
        )
    return dict(content)


def _without_prefix(found: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """Take away a wrapper's prefix that every name in the file has and no name of `module`."""
    for prefix in PREFIXES:
        ours = any(name.startswith(prefix) for name in module.state_dict())
        if found and not ours and all(name.startswith(prefix) for name in found):
            found = {name.removeprefix(prefix): tensor for name, tensor in found.items()}
    return found


def _check_names(module: nn.Module, found: Mapping[str, Tensor], path: Path) -> None:
    """Refuse a file that lacks tensors of the network or has others."""
    wanted = module.state_dict()
    missing = [name for name in wanted if name not in found and not _may_miss(name, module, found)]
    extra = [name for name in found if name not in wanted]
    if not missing and not extra:
        return
    parts = []
    if missing:
        parts.append(f"{len(missing)} of the network's {len(wanted)} tensors are missing, such as {_listed(missing)}")
    if extra:
        near = did_you_mean(extra[0], missing or wanted, n=1)
        parts.append(f"{len(extra)} in the file are not in the network, such as {_listed(extra)}")
        parts[-1] += f" ({extra[0]!r}:{near})" if near else ""
    raise WeightsError(
        f"The weights in {str(path)!r} are those of another network: {'; '.join(parts)}. "
        "Give the file that was saved from this architecture."
    )


def _may_miss(name: str, module: nn.Module, found: Mapping[str, Tensor]) -> bool:
    """Say whether a tensor may be missing: a step counter, or one tied to a tensor that is there."""
    if name.rpartition(".")[2] == "num_batches_tracked":
        return True
    state = module.state_dict(keep_vars=True)
    return any(other in found and state[other] is state[name] for other in state)


def _check_shapes(module: nn.Module, found: Mapping[str, Tensor], path: Path) -> None:
    """Refuse tensors of another shape."""
    wanted = module.state_dict()
    wrong = [name for name in found if found[name].shape != wanted[name].shape]
    if wrong:
        listing = ", ".join(
            f"{name!r} is {tuple(found[name].shape)} in the file and {tuple(wanted[name].shape)} in the network"
            for name in wrong[:SHOWN]
        )
        raise WeightsError(
            f"{len(wrong)} tensors in {str(path)!r} have another shape: {listing}. "
            "Was it saved from a network of another width, depth or number of classes?"
        )


def _check_types(module: nn.Module, found: Mapping[str, Tensor], path: Path) -> None:
    """Refuse whole or complex numbers where the network has real ones; another precision is converted."""
    wanted = module.state_dict()
    wrong = [name for name in found if _kind(name, found[name]) != _kind(name, wanted[name])]
    if wrong:
        kinds = (str(one[wrong[0]].dtype).removeprefix("torch.") for one in (found, wanted))
        raise WeightsError(
            f"{len(wrong)} tensors in {str(path)!r} are of another kind: {wrong[0]!r} is {' in the file and '.join(kinds)} in "
            "the network. Quantised weights have to be turned back into real numbers first."
        )


def _kind(name: str, tensor: Tensor) -> tuple[bool, bool]:
    """Say whether a tensor holds real numbers, and whether complex ones; step counters may be kept as either."""
    counter = name.endswith("num_batches_tracked")
    return tensor.is_floating_point() and not counter, tensor.is_complex()


def _listed(names: list[str]) -> str:
    """Return the first few names, quoted."""
    return ", ".join(map(repr, names[:SHOWN]))
