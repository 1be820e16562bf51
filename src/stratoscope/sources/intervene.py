"""Answer chosen calls of a network differently while it runs, without changing its modules or their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Self, TypeAlias

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from stratoscope.errors import BadInput
from stratoscope.sources.kinds import NONLINEARITIES, function_name, module_kind, stand_in

#: What is answered instead: ``answer(before, after)`` of a call's first argument and of what it returned.
Answer: TypeAlias = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
#: A call to answer: (("module", path) or ("function", name), the how manieth call of it in a pass, from 1).
Target: TypeAlias = tuple[tuple[str, str], int]
#: Non-linearities of single values; ``glu`` halves the channels, so that nothing can take its place.
GATES = NONLINEARITIES - {"glu"}
#: While it lasts, what is computed is not taken for calls of the network.
_UNHEARD = torch._C.DisableTorchFunction  # noqa: SLF001 (torch documents it and has no other way to pause modes)


def intervene(module: nn.Module, targets: Mapping[Target, Answer] | Answer) -> nn.Module:
    """Let `module` answer the calls in `targets` differently; with an answer alone, every non-linearity.

    `module` itself is changed (hooks, and a class of its own that has the same name), so give it a copy. Interventions
    can be laid on top of each other; the later one sees what the earlier one answered.
    """
    if any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        raise BadInput(
            "The network is compiled TorchScript, whose inner calls cannot be reached. Give the Python network."
        )
    intervention = Intervention(targets)
    for path, part in module.named_modules():
        if intervention.concerns(path, part):
            part.register_forward_pre_hook(_Before(intervention), with_kwargs=True)
            part.register_forward_hook(_After(intervention, path), with_kwargs=True)
    layers = [*getattr(module, "_interventions", ()), intervention]
    if not hasattr(module, "_interventions"):
        module.__class__ = _intervened(type(module))
    object.__setattr__(module, "_interventions", layers)
    return module


def _intervened(cls: type[nn.Module]) -> type[nn.Module]:
    """Make a class that is `cls` and runs with the interventions of its instance in force; can be pickled and copied."""

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        with ExitStack() as stack:
            for intervention in reversed(self._interventions):
                stack.enter_context(intervention)
            output = cls.forward(self, *args, **kwargs)
        for intervention in self._interventions:
            intervention.check()
        return output

    def reduce(self: Any, _protocol: int) -> tuple[Any, ...]:
        return _blank, (cls,), self.__dict__

    named = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return type(cls.__name__, (cls,), {"forward": forward, "__reduce_ex__": reduce, **named})


def _blank(cls: type[nn.Module]) -> nn.Module:
    """Make an empty instance for a copy to be filled."""
    made = _intervened(cls)
    return made.__new__(made)


class Intervention(TorchFunctionMode):
    """One lesion of the calls of a network; counts the calls of every pass afresh."""

    def __init__(self, targets: Mapping[Target, Answer] | Answer) -> None:
        super().__init__()
        self._every = targets if callable(targets) else None
        self._targets = {} if callable(targets) else dict(targets)
        self._paths = {path for (kind, path), _ in self._targets if kind == "module"}
        self._names = GATES if self._every else {name for (kind, name), _ in self._targets if kind == "function"}
        self._start()

    def concerns(self, path: str, module: nn.Module) -> bool:
        """Say whether calls of `module` itself are to be answered."""
        if self._every is None:
            return path in self._paths
        is_gate = module_kind(module) in ("relu", "activation") and not isinstance(module, nn.GLU)
        return is_gate and not any(True for _ in module.children())

    def __enter__(self) -> Self:
        self._start()
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def check(self) -> None:
        """Refuse a pass in which nothing was answered: the lesion would be one in name only."""
        if not self._answered:
            what = "non-linearity" if self._every else "call " + ", ".join(sorted(site[1] for site, _ in self._targets))
            raise BadInput(f"The lesion changed nothing: no {what} ran in this pass. Choose a stage that runs.")

    def before(self, given: torch.Tensor) -> None:
        """Keep what a module was given: it may work in place."""
        self._given.append(given.clone() if isinstance(given, torch.Tensor) else given)

    def after(self, path: str, given: torch.Tensor, output: Any) -> Any:
        """Answer for the module at `path`, in place where it worked in place."""
        kept, site = self._given.pop(), ("module", path)
        self._calls[site] += 1
        answer = self._every or self._targets.get((site, self._calls[site]))
        if answer is None:
            return output
        with _UNHEARD():
            return self._put(answer(kept, _tensor(output, path)), given if output is given else None)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = function_name(func, kwargs)
        if name not in self._names:
            return func(*args, **kwargs)
        site = ("function", name)
        self._calls[site] += 1
        answer = None if self._every and self._given else self._every or self._targets.get((site, self._calls[site]))
        return func(*args, **kwargs) if answer is None else self._answer(answer, name, func, args, kwargs)

    def _answer(self, answer: Answer, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
        """Answer for a function, and let whoever listens take it for the function's own result."""
        with _UNHEARD():
            given = args[0] if args else kwargs["input"]
            kept = given.clone()
            result = func(*args, **kwargs)
            put = self._put(answer(kept, result), given if result is given else None)
        return stand_in(put, name=name)

    def _put(self, answer: torch.Tensor, place: torch.Tensor | None) -> torch.Tensor:
        self._answered += 1
        return answer if place is None else place.copy_(answer)

    def _start(self) -> None:
        self._calls: Counter[tuple[str, str]] = Counter()
        self._given: list[Any] = []
        self._answered = 0


class _Before:
    """Pre-hook of a module whose calls are answered; an object, so that copies of the network have their own."""

    def __init__(self, intervention: Intervention) -> None:
        self._intervention = intervention

    def __call__(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._intervention.before(_first(args, kwargs))


class _After:
    """Hook of a module whose calls are answered."""

    def __init__(self, intervention: Intervention, path: str) -> None:
        self._intervention = intervention
        self._path = path

    def __call__(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        return self._intervention.after(self._path, _first(args, kwargs), output)


def _first(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    return args[0] if args else next(iter(kwargs.values()), None)


def _tensor(output: Any, path: str) -> torch.Tensor:
    if not isinstance(output, torch.Tensor):
        raise BadInput(
            f"Stage {path!r} returns a {type(output).__name__}, and only a single tensor can be lesioned. "
            "Choose a stage inside it."
        )
    return output
