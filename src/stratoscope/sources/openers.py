"""The one door to sources: a short text such as ``torchvision:alexnet`` becomes a `Source`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from stratoscope.errors import BadInput, UnknownName, WeightsError, did_you_mean, refuse_impossible_name, unknown_name
from stratoscope.registry import Registry
from stratoscope.sources.array_files import ENDINGS, open_arrays
from stratoscope.sources.network import Network
from stratoscope.sources.preprocess import MODES, Preprocess
from stratoscope.sources.seeding import generator_at
from stratoscope.sources.weights import CHECKPOINTS, load_weights

if TYPE_CHECKING:
    from torch import nn

    from stratoscope.types import Source

T = TypeVar("T")

FORMS = (
    "torchvision:NAME, timm:NAME, hf:NAME or hf:FOLDER, bundled:NAME, FILE.py:FUNCTION, "
    f"a file of responses ({', '.join(ENDINGS)}), or recording:FILE"
)


@dataclass(frozen=True)
class Request:
    """How a source was asked for; what an opener gets beside the name.

    Attributes
    ----------
    spec : str
        The whole text, ``torchvision:alexnet``.
    weights : str
        ``default`` (what comes with the network), ``random``, the name of a set of weights, or a file.
    stages, unit : str or sequence of str
        What is read; see `Network`.
    input : str
        ``auto`` (what the weights ask for), ``crop`` or ``squash``; see `Preprocess`.
    size : int, optional
        Pixels a side of the input.
    device : str
        Where the network runs.
    seed : int
        Seed of random weights.
    autocast, channels_last : str, bool
        How it computes; see `Network`.
    """

    spec: str
    weights: str = "default"
    stages: str | Sequence[str] = "auto"
    unit: str | Sequence[str] = "channel"
    input: str = "auto"
    size: int | None = None
    device: str = "cpu"
    seed: int = 0
    autocast: str | None = None
    channels_last: bool = False

    @property
    def is_file(self) -> bool:
        """Whether the weights are a file of one's own."""
        return self.weights.endswith((".safetensors", *CHECKPOINTS)) or Path(self.weights).is_file()

    def preprocess(self, asked: Preprocess) -> Preprocess:
        """Return what the weights ask for, changed by what the user asks for."""
        mode = asked.mode if self.input == "auto" else self.input
        size = asked.size if self.size is None else self.size
        if (mode, size) == (asked.mode, asked.size):
            return asked
        return replace(asked, mode=mode, size=size, resize=None)

    def network(self, module: nn.Module, preprocess: Preprocess, weights: str) -> Network:
        """Make the network, its name and origin saying which weights it has."""
        fresh = weights.startswith("random")
        return Network(
            module,
            name=f"{self.spec} ({weights})" if fresh else self.spec,
            stages=self.stages,
            unit=self.unit,
            preprocess=self.preprocess(preprocess),
            device=self.device,
            autocast=self.autocast,
            channels_last=self.channels_last,
            origin=f"{self.spec}, weights: {weights}",
            seed=self.seed if fresh else None,
        )

    def own_weights(self, build: Callable[[], nn.Module]) -> tuple[nn.Module, str]:
        """Build with random weights, and load the file over them where one was given; say which they are."""
        module = seeded(build, self.seed)
        if self.weights == "random":
            return module, f"random initialisation, seed {self.seed}"
        load_weights(module, self.weights)
        return module, self.weights


class Opener(Protocol):
    """What a plug-in of the entry-point group ``stratoscope.sources`` is: the text after the prefix, and the request."""

    def __call__(self, name: str, request: Request, /) -> Source:
        """Open the source called `name`."""


#: Prefix before the colon, and who opens what comes after it.
SOURCES: Registry[Opener] = Registry("model source", group="stratoscope.sources")


def open_source(
    spec: str | Path,
    *,
    weights: str | Path = "default",
    stages: str | Sequence[str] = "auto",
    unit: str | Sequence[str] = "channel",
    input: str = "auto",
    size: int | None = None,
    device: str = "cpu",
    seed: int = 0,
    autocast: str | None = None,
    channels_last: bool = False,
) -> Source:
    """Open a network or responses by a short text.

    Parameters
    ----------
    spec : str
        ``torchvision:NAME``, ``timm:NAME``, ``hf:NAME`` or ``hf:FOLDER``, ``bundled:NAME`` (``bundled:NAME@STEP`` for an
        early checkpoint), ``FILE.py:FUNCTION`` (returns a module or a `Network`), a ``.npz``, ``.zarr`` or ``.nc``
        file of responses, or ``recording:FILE`` (see `open_recording`; options as ``recording:FILE?window=0.1:0.5``), of
        which an ``.nwb`` file needs no prefix.
    weights : str or path
        ``default``: those that come with the network, downloaded where need be. ``random``: a fresh start under `seed`;
        name and origin say so. The name of a set of torchvision weights (``IMAGENET1K_V1``). Or a file, see
        `load_weights`.
    stages, unit : str or sequence of str
        What is read; see `Network`.
    input : str
        ``auto``: as the weights were trained. ``crop`` or ``squash`` whatever they ask for; see `Preprocess`.
    size : int, optional
        Pixels a side of the input.
    device : str
        Where the network runs.
    seed : int
        Seed of random weights; torch's global random state is left alone.
    autocast, channels_last : str, bool
        ``bfloat16`` or ``float16``, and the order of memory: faster, with other numbers; see `Network`.

    Returns
    -------
    Source
        A `Network`, `Arrays`, or a `Recording`.

    Raises
    ------
    UnknownName
        No such source, model, set of weights or function; the nearest names are offered.
    WeightsError
        The weights cannot be had or do not fit.
    MissingExtra
        The library of the source is not installed.
    BadInput
        Options that make no sense for the source.
    """
    spec = str(spec)
    refuse_impossible_name(spec, "a source")
    refuse_impossible_name(str(weights), "a file of weights")
    if input not in ("auto", *MODES):
        raise unknown_name("input", input, ("auto", *MODES))
    request = Request(spec, str(weights), stages, unit, input, size, device, seed, autocast, channels_last)
    if spec.endswith(ENDINGS) and not spec.startswith("recording:"):
        return _responses(request)
    opener, name = _opener(spec)
    return opener(name, request)


def _opener(spec: str) -> tuple[Opener, str]:
    """Split `spec` at its prefix; refuses one that nobody opens."""
    from stratoscope.sources import bundled, python_file, zoo  # noqa: F401 (they add their openers)
    from stratoscope.sources.recording import opener  # noqa: F401

    if spec.partition("?")[0].endswith(".nwb") and not spec.startswith("recording:"):
        return SOURCES["recording"], spec
    prefix, colon, name = spec.partition(":")
    path, _, function = spec.removeprefix("file:").rpartition(":")
    if path.endswith(".py"):
        return SOURCES["file"], f"{path}:{function}"
    if colon and prefix in SOURCES and name:
        return SOURCES[prefix], name
    hint = did_you_mean(spec, [f"{known}:{name}" for known in SOURCES], n=1) if colon else _hint_without_prefix(spec)
    raise UnknownName(f"{spec!r} names no source.{hint} A source is {FORMS}.")


def _hint_without_prefix(spec: str) -> str:
    """Suggest what was probably meant by a text without a prefix."""
    if spec.endswith(".py"):
        return f" Name the function in the file that makes the network: {spec}:FUNCTION."
    if spec.endswith((".safetensors", *CHECKPOINTS)):
        return " Weights need an architecture: give that as the source, and the file with --weights."
    if Path(spec).exists():
        return " It is a file or folder: give the network first, and the stimuli after it."
    return f" Did you mean 'torchvision:{spec}'?" if spec.isidentifier() else ""


def _responses(request: Request) -> Source:
    """Open a file of responses; refuses options that only networks have."""
    asked = (request.weights, request.input, request.size, request.stages, request.autocast, request.channels_last)
    if asked != ("default", "auto", None, "auto", None, False):
        raise BadInput(
            f"{request.spec!r} holds responses that exist already: weights, stages, input, size, autocast and channels-last "
            "have no meaning for it. Leave them out."
        )
    return open_arrays(request.spec, unit="unit" if request.unit == "channel" else str(request.unit))


def seeded(build: Callable[[], T], seed: int) -> T:
    """Call `build` with torch's generator of the CPU at `seed`, and put the generator back."""
    with generator_at(seed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        return build()


def download_failed(what: str, error: Exception) -> WeightsError:
    """Build the error for weights that a hub did not give."""
    reason = next((line for line in str(error).strip().splitlines() if line), type(error).__name__)
    return WeightsError(
        f"The weights of {what} could not be downloaded ({type(error).__name__}: {reason[:200]}). Go online once, or give "
        "weights that are here: --weights FILE.safetensors, or --weights random for a network that never learnt."
    )
