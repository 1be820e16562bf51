"""Listen to chosen calls of a network and hand over what they answered, at once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from stratoscope.errors import StageError
from stratoscope.sources.kinds import function_name
from stratoscope.sources.taps import Tap
from stratoscope.sources.trace import Site, first_tensor
from stratoscope.sources.units import Reader
from stratoscope.types import Integers, Stage, Visit


@dataclass(frozen=True)
class Reading:
    """A tap, and the stages that are read from it: one for each definition of a unit."""

    tap: Tap
    stages: tuple[tuple[Stage, Reader], ...]


@contextmanager
def listening(module: nn.Module, readings: Sequence[Reading], visit: Visit, ids: Sequence[str]) -> Iterator[Listener]:
    """Listen to `readings` while the context lasts: hooks on their modules only, functions only where one is a tap."""
    listener = Listener(readings, visit, ids)
    paths = {path for kind, path in listener.sites if kind == "module"}
    functions = {name for kind, name in listener.sites if kind == "function"}
    with ExitStack() as stack:
        for path in paths:
            part = module.get_submodule(path)
            stack.enter_context(part.register_forward_hook(_hook(listener, ("module", path))))
        if functions:
            stack.enter_context(_Functions(listener, frozenset(functions)))
        yield listener


class Listener:
    """Hears the calls of one batch after another and visits the stages among them."""

    def __init__(self, readings: Sequence[Reading], visit: Visit, ids: Sequence[str]) -> None:
        self._visit = visit
        self._ids = ids
        self._readings = {(reading.tap.site, reading.tap.ordinal): reading for reading in readings}
        self.sites: dict[Site, list[Reading]] = defaultdict(list)
        for reading in readings:
            self.sites[reading.tap.site].append(reading)
        self._heard: Counter[Site] = Counter()
        self._rows: Integers | None = None
        self.visiting = False

    @contextmanager
    def batch(self, rows: Integers) -> Iterator[None]:
        """Take what is heard within the context as answers to `rows`; every stage must answer exactly once."""
        self._rows = rows
        self._heard.clear()
        yield
        self._rows = None
        for site, readings in self.sites.items():
            if self._heard[site] != readings[0].tap.calls:
                raise _other_path(readings, self._heard[site], self._ids[int(rows[0])])

    def hear(self, site: Site, output: Any) -> None:
        """Count a call of `site` and, where it is a stage, visit it."""
        self._heard[site] += 1
        reading = self._readings.get((site, self._heard[site]))
        if reading is None or self._rows is None:
            return
        responses = _responses(reading.tap, first_tensor(output), len(self._rows))
        self.visiting = True  # what a visitor calls are not calls of the network
        try:
            for stage, read in reading.stages:
                values = read(responses)
                with torch.inference_mode(False), torch.no_grad():  # so that what a visitor keeps stays usable
                    self._visit(stage, self._rows, values)
        finally:
            self.visiting = False


def _hook(listener: Listener, site: Site) -> Callable[[nn.Module, Any, Any], None]:
    def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
        listener.hear(site, output)

    return hook


class _Functions(TorchFunctionMode):
    """Lets a listener hear the functions `names`."""

    def __init__(self, listener: Listener, names: frozenset[str]) -> None:
        super().__init__()
        self._listener = listener
        self._names = names

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if not self._listener.visiting:
            name = function_name(func, kwargs)
            if name in self._names:
                self._listener.hear(("function", name), result)
        return result


def _responses(tap: Tap, tensor: torch.Tensor | None, n: int) -> torch.Tensor:
    """Return what `tap` answered to `n` stimuli, its windows laid in a row; refuses another shape than traced."""
    expected = (n * tap.windows, *tap.response[1:])
    if tensor is None or tuple(tensor.shape) != expected:
        came = "no tensor" if tensor is None else f"shape {tuple(tensor.shape)}"
        raise StageError(
            f"Stage {tap.name!r} answered {n} stimuli with {came}, expected {expected} as when the network was traced. "
            "A network whose shapes depend on its stimuli cannot be read here; choose a stage that keeps its shape."
        )
    return tensor.reshape(n, *tap.shape) if tap.windows > 1 else tensor


def _other_path(readings: Sequence[Reading], times: int, stimulus: str) -> StageError:
    taps = [reading.tap for reading in readings]
    tap = next((tap for tap in taps if tap.ordinal > times), taps[-1])
    what = "answered stimulus {!r} twice" if times > tap.calls else "did not answer stimulus {!r} as traced"
    return StageError(
        f"Stage {tap.name!r} {what.format(stimulus)}: {tap.site[0]} {tap.site[1]!r} ran {times} times in this pass and "
        f"{tap.calls} when the network was traced. A network whose path depends on its stimuli cannot be read call by "
        "call; choose a stage that always runs equally often."
    )
