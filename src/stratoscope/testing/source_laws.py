"""The laws every source keeps. `check_source` tries them all; what breaks one raises `AssertionError` with a sentence."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from stratoscope.types import Floats, Integers, Played, Responses, Source, Stage, Stimuli

MakeSource = Callable[[], Source]


def check_source(make_source: MakeSource, stimuli: Stimuli, *, rtol: float = 1e-4, atol: float = 1e-5) -> None:
    """Try every law on sources made by `make_source`.

    Parameters
    ----------
    make_source : callable
        Makes a fresh source. One with a `prepare` method is prepared with `stimuli`; one with a `module` (a
        `torch.nn.Module`) is also held to leave it as it was and to read it where it says.
    stimuli : Stimuli
        At least three stimuli that can all be read.
    rtol, atol : float
        How far responses may differ between batchings.

    Raises
    ------
    AssertionError
        A law is broken; the sentence says which, where, and how.
    """
    _law(len(stimuli) >= 3, f"The laws need at least 3 stimuli to tell orders apart; got {len(stimuli)}.")
    check_stages(make_source, stimuli)
    check_answers_once(make_source, stimuli)
    check_batching(make_source, stimuli, rtol=rtol, atol=atol)
    check_repeatable(make_source, stimuli, rtol=rtol, atol=atol)
    check_leaves_no_trace(make_source, stimuli)
    check_reads_at_once(make_source, stimuli, rtol=rtol, atol=atol)


def check_stages(make_source: MakeSource, stimuli: Stimuli) -> None:
    """Stages are listed once each, with depths from 0 to 1 that never fall, and visited in that order."""
    source = _made(make_source, stimuli)
    keys = [_key(stage) for stage in source.stages]
    depths = [stage.depth for stage in source.stages]
    _law(bool(keys), "A source has at least one stage; this one lists none.")
    _law(len(set(keys)) == len(keys), f"A stage is listed once for each unit; twice: {_twice(keys)}.")
    _law(all(0 <= depth <= 1 for depth in depths), f"Depths lie between 0 and 1; got {depths}.")
    _law(depths == sorted(depths), f"Stages are listed in order of depth; got {depths}.")
    visits: list[tuple[str, str]] = []
    source.play(stimuli, lambda stage, _rows, _responses: visits.append(_key(stage)), batch_size=len(stimuli))
    _law(visits == keys, f"Stages are visited in the order listed; listed {keys}, visited {visits}.")


def check_answers_once(make_source: MakeSource, stimuli: Stimuli) -> None:
    """Every stage answers every stimulus exactly once, with as many units as it says."""
    source = _made(make_source, stimuli)
    done: list[int] = []
    heard = _Heard()
    played = source.play(stimuli, heard, batch_size=2, progress=done.append)
    _law(played == Played(len(stimuli)), f"All {len(stimuli)} stimuli are played and none skipped; got {played}.")
    _law(done == sorted(done) and done[-1:] == [len(stimuli)], f"Progress counts up to {len(stimuli)}; got {done}.")
    for stage in source.stages:
        times = heard.times[_key(stage)]
        wrong = {stimuli.ids[row]: times[row] for row in range(len(stimuli)) if times[row] != 1}
        _law(not wrong, f"Stage {stage.name!r} answers every stimulus exactly once; it did so this often: {wrong}.")
        shape = heard.table(stage, len(stimuli)).shape
        _law(shape[1] == stage.n_units, f"Stage {stage.name!r} says {stage.n_units} units; it gave {shape[1]}.")


def check_batching(make_source: MakeSource, stimuli: Stimuli, *, rtol: float = 1e-4, atol: float = 1e-5) -> None:
    """Responses depend neither on the size of a batch nor on the number of workers nor on the order of stimuli."""
    reference = _responses(_made(make_source, stimuli), stimuli, batch_size=len(stimuli), workers=0)
    for options in ({"batch_size": 1, "workers": 1}, {"batch_size": 2, "workers": 3}):
        again = _responses(_made(make_source, stimuli), stimuli, **options)
        _same_tables(reference, again, f"with {options}", rtol, atol)
    backwards = np.arange(len(stimuli))[::-1].copy()
    turned = _responses(_made(make_source, stimuli), stimuli.take(backwards), batch_size=2, workers=0)
    _same_tables(reference, {key: table[backwards] for key, table in turned.items()}, "played backwards", rtol, atol)


def check_repeatable(make_source: MakeSource, stimuli: Stimuli, *, rtol: float = 1e-4, atol: float = 1e-5) -> None:
    """Playing the same source twice gives the same responses."""
    source = _made(make_source, stimuli)
    first = _responses(source, stimuli, batch_size=3)
    _same_tables(first, _responses(source, stimuli, batch_size=3), "in a second pass", rtol, atol)


def check_leaves_no_trace(make_source: MakeSource, stimuli: Stimuli) -> None:
    """Random states, and of a module modes, weights and hooks, are as before, also after an error in a visit."""
    source = _made(make_source, stimuli)
    module = _module(source)
    if module is not None:
        _mix_modes(module)
    before = _state(module)
    source.play(stimuli, lambda _stage, _rows, _responses: None, batch_size=2)
    _same_state(before, _state(module), "after a pass")
    _fail_once(source, stimuli)
    _same_state(before, _state(module), "after an error in a visit")


def check_reads_at_once(make_source: MakeSource, stimuli: Stimuli, *, rtol: float = 1e-4, atol: float = 1e-5) -> None:
    """What a stage hands over is what its module returned, not what a later module made of the same memory.

    Tried on the stages of a source with a `module` that are modules and read by ``channel`` or ``position``.
    """
    source = _made(make_source, stimuli)
    module = _module(source)
    if module is None:
        return
    parts = dict(module.named_modules())
    stages = [stage for stage in source.stages if _path(stage) in parts and stage.unit in ("channel", "position")]
    clones: dict[str, list[torch.Tensor]] = {_path(stage): [] for stage in stages}
    heard = _Heard()
    with ExitStack() as hooks:
        for path, kept in clones.items():
            hooks.enter_context(parts[path].register_forward_hook(_cloning(kept)))
        source.play(stimuli, heard, batch_size=len(stimuli))
    for stage in stages:
        call = int(stage.name.rpartition(":")[2]) if ":" in stage.name else 1
        expected = _read(clones[_path(stage)][call - 1].double(), stage)
        came = heard.table(stage, len(stimuli))
        if expected is None or np.allclose(came, expected, rtol=rtol, atol=atol):
            continue
        raise AssertionError(
            f"Stage {stage.name!r} hands over what its module returned; the largest difference from a copy taken at once is "
            f"{np.abs(came - expected).max():.3g}. A reference kept past an in-place operation would do this."
        )


@dataclass
class _Heard:
    """A visitor that copies everything."""

    pieces: dict[tuple[str, str], list[tuple[Integers, Floats]]] = field(default_factory=dict)
    times: dict[tuple[str, str], Counter[int]] = field(default_factory=dict)

    def __call__(self, stage: Stage, rows: Integers, responses: Responses) -> None:
        values = torch.as_tensor(responses).detach().cpu().double().numpy().copy()
        good = values.ndim == 2 and len(values) == len(rows)
        _law(good, f"Responses are (stimulus={len(rows)}, unit); stage {stage.name!r} gave {values.shape}.")
        self.pieces.setdefault(_key(stage), []).append((np.array(rows), values))
        self.times.setdefault(_key(stage), Counter()).update(int(row) for row in rows)

    def table(self, stage: Stage, n: int) -> Floats:
        pieces = self.pieces.get(_key(stage), [])
        _law(bool(pieces), f"Every stage answers; stage {stage.name!r} never did.")
        table = np.full((n, pieces[0][1].shape[1]), np.nan)
        for rows, values in pieces:
            table[rows] = values
        return table


def _made(make_source: MakeSource, stimuli: Stimuli) -> Source:
    source: Any = make_source()
    made: Source = source.prepare(stimuli) if hasattr(source, "prepare") else source
    return made


def _responses(source: Source, stimuli: Stimuli, **options: int) -> dict[tuple[str, str], Floats]:
    heard = _Heard()
    source.play(stimuli, heard, **options)  # type: ignore[arg-type]
    return {_key(stage): heard.table(stage, len(stimuli)) for stage in source.stages}


def _same_tables(
    a: dict[tuple[str, str], Floats], b: dict[tuple[str, str], Floats], when: str, rtol: float, atol: float
) -> None:
    for key, table in a.items():
        same = table.shape == b[key].shape and np.allclose(table, b[key], rtol=rtol, atol=atol, equal_nan=True)
        _law(same, f"Stage {key[0]!r} answers a stimulus always the same; {when} it answered otherwise.")


def _fail_once(source: Source, stimuli: Stimuli) -> None:
    class Deliberate(Exception):
        pass

    def fail(_stage: Stage, _rows: Integers, _responses: Responses) -> None:
        raise Deliberate

    try:
        source.play(stimuli, fail, batch_size=2)
    except Deliberate:
        return
    raise AssertionError("An error in a visit reaches the caller; this source swallowed it.")


def _mix_modes(module: nn.Module) -> None:
    for i, part in enumerate(module.modules()):
        part.training = i % 3 != 1


def _state(module: nn.Module | None) -> dict[str, Any]:
    state: dict[str, Any] = {
        "the random state of torch": torch.get_rng_state().tolist(),
        "the random state of numpy": repr(np.random.get_state()),
        "the random state of python": random.getstate(),
        "the grad mode": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "the stack of function modes": torch._C._len_torch_function_stack(),  # noqa: SLF001 - there is no public count
    }
    if module is not None:
        parts = dict(module.named_modules())
        weights = [*module.named_parameters(), *module.named_buffers()]
        state["the training modes"] = {path: part.training for path, part in parts.items()}
        state["the hooks"] = {path: _hooks(part) for path, part in parts.items()}
        state["which weights learn"] = {name: weight.requires_grad for name, weight in weights}
        state["the weights"] = {name: (id(w), w.device, w.detach().cpu().numpy().tobytes()) for name, w in weights}
    return state


def _hooks(part: nn.Module) -> tuple[int, ...]:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return tuple(len(getattr(part, kind)) for kind in kinds)


def _same_state(before: dict[str, Any], after: dict[str, Any], when: str) -> None:
    changed = [what for what, value in before.items() if after[what] != value]
    _law(not changed, f"A source leaves everything as it was; {when} it had changed {' and '.join(changed)}.")


def _cloning(kept: list[torch.Tensor]) -> Callable[[nn.Module, Any, Any], None]:
    def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
        kept.append((output if isinstance(output, torch.Tensor) else output[0]).detach().clone())

    return hook


def _read(output: torch.Tensor, stage: Stage) -> Floats | None:
    """Read a cloned output (stimulus, ...) by the definition of a unit, written independently of any source."""
    table = output.cpu().numpy().astype(np.float64)
    if table.shape[1:] != stage.shape:
        return None
    if stage.unit == "position" or table.ndim == 2:
        return table.reshape(len(table), -1)
    channels = {"channels-first": 1, "channels-last": -1, "tokens": -1}.get(stage.layout)
    moved = np.moveaxis(table, channels, 1) if channels else table
    means: Floats = moved.reshape(len(moved), moved.shape[1], -1).mean(2)
    return means if channels else None


def _module(source: Source) -> nn.Module | None:
    module = getattr(source, "module", None)
    return module if isinstance(module, nn.Module) else None


def _key(stage: Stage) -> tuple[str, str]:
    return stage.name, stage.unit


def _path(stage: Stage) -> str:
    return stage.name.partition(":")[0]


def _twice(keys: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [key for key, times in Counter(keys).items() if times > 1]


def _law(kept: bool, broken: str) -> None:
    if not kept:
        raise AssertionError(broken)
