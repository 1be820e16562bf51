"""The nouns of the house: frozen records, and the protocols of what may be plugged in.

Only a `Summary` changes while data flows; everything else is made whole and stays as it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from PIL import Image

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
#: One batch of responses, (stimulus, unit). It may be overwritten as soon as the visit returns.
Responses: TypeAlias = "torch.Tensor | NDArray[Any]"
#: One stimulus as its set hands it over: an RGB image, or a float32 array (channel, row, column) used as it is.
Loaded: TypeAlias = "Image.Image | NDArray[np.float32]"


@dataclass(frozen=True)
class Stage:
    """One stage of a hierarchy, read with one definition of what a unit is.

    Attributes
    ----------
    name : str
        Name in the hierarchy: a module (``features.1``), a call of it (``layer1.0.relu:2``), or an area (``V1``).
    depth : float
        Normalised depth, 0 (input) to 1 (output).
    kind : str
        ``relu``, ``activation``, ``conv``, ``linear``, ``block``, ``norm``, ``pool``, ``area`` ...
    shape : tuple of int
        Shape of the response to one stimulus before units are read, such as ``(64, 55, 55)``.
    unit : str
        What a unit is: ``channel`` (the spatial mean), ``channel:max``, ``position``, ``cls``, ``neuron`` ...
    n_units : int
        Number of units.
    layout : str
        ``channels-first``, ``channels-last``, ``tokens`` or ``flat``.
    hierarchy : str
        Name of the network or recording the stage belongs to.
    """

    name: str
    depth: float
    kind: str
    shape: tuple[int, ...]
    unit: str
    n_units: int
    layout: str = "flat"
    hierarchy: str = ""


class Visit(Protocol):
    """What a source calls at once with each batch of responses."""

    def __call__(self, stage: Stage, rows: Integers, responses: Responses, /) -> None:
        """Take `responses` (stimulus, unit) of `stage` to the stimuli at positions `rows` of their set."""


@dataclass(frozen=True)
class Stimuli:
    """An ordered set of stimuli with stable ids, properties as columns, and a way to load each.

    Attributes
    ----------
    name : str
        How the set was asked for, printed in the results.
    ids : tuple of str
        Unique, from file names or content, never from order.
    load : callable
        ``load(row)`` gives stimulus `row` (0 to n - 1) as an RGB image or a float32 array (channel, row, column);
        raises `UnreadableStimulus`. Safe to call from several threads.
    columns : mapping of str to array (stimulus,)
        Properties; ``category`` is the one that metrics per category use.
    fingerprint : str
        Hash of ids and content (or of file sizes and times, where hashing all content would cost a pass).
    notes : tuple of str
        What a reader must know about the set: what was ignored, where the categories come from.
    """

    name: str
    ids: tuple[str, ...]
    load: Callable[[int], Loaded]
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    fingerprint: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def categories(self) -> NDArray[Any] | None:
        """Category of every stimulus (stimulus,), or None where the set has no categories."""
        return self.columns.get("category")

    def take(self, rows: Integers) -> Stimuli:
        """Return the set restricted to `rows`, in that order."""
        chosen = np.asarray(rows, dtype=np.int64)
        load = self.load
        return replace(
            self,
            ids=tuple(self.ids[i] for i in chosen),
            load=lambda row: load(int(chosen[row])),
            columns={name: values[chosen] for name, values in self.columns.items()},
            fingerprint=f"{self.fingerprint}[{len(chosen)} of {len(self)}]",
        )


@dataclass(frozen=True)
class Played:
    """What came of one pass.

    Attributes
    ----------
    n : int
        Stimuli that were played.
    skipped : tuple of (int, str)
        Row of every stimulus that was left out, and why.
    """

    n: int
    skipped: tuple[tuple[int, str], ...] = ()


@runtime_checkable
class Source(Protocol):
    """Anything that can play stimuli through stages: a network, responses that exist already, a recording."""

    @property
    def name(self) -> str:
        """Name of the hierarchy."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The chosen stages, in order of execution."""

    def play(
        self,
        stimuli: Stimuli,
        visit: Visit,
        *,
        batch_size: int = 32,
        workers: int = 2,
        skip_unreadable: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Played:
        """Play every stimulus once, calling `visit` for each stage and batch at once.

        `progress` is called with the number of stimuli done after every batch.
        """

    def describe(self) -> dict[str, Any]:
        """Say what this is, as plain values for ``run.toml``: opener, weights and their hash, preprocessing, lesion."""


class Summary(Protocol):
    """What is kept of one stage's stream. The only thing that changes while data flows."""

    def update(self, rows: Integers, responses: Responses) -> None:
        """Take in a batch of responses (stimulus, unit) to the stimuli at positions `rows`."""

    def merge(self, other: Summary) -> None:
        """Take in everything that `other` has seen; their stimuli must not overlap."""

    def state(self) -> dict[str, Any]:
        """Return what was kept, as numpy arrays by name."""


class PortableSummary(Summary, Protocol):
    """A summary whose content can be put away as plain arrays, and taken in by another one later or elsewhere."""

    def pack(self) -> dict[str, NDArray[Any]]:
        """Return all that was seen, as few numbers as hold it exactly; arrays may be views of what is kept."""

    def unpack(self, packed: Mapping[str, NDArray[Any]], start: int = 0) -> None:
        """Take in what another summary of the same kind packed, its row 0 being stimulus `start` of this one."""


@dataclass(frozen=True)
class Estimate:
    """A number, or an array of numbers along one dimension, with its uncertainty.

    Attributes
    ----------
    value, low, high : float or array
        Estimate and the ends of its interval at `level`; NaN ends where no interval is known.
    n : int
        Number of stimuli the estimate stands on, after what was dropped.
    level : float
        Coverage the interval aims at.
    method : str
        Estimator and the way its interval was made.
    dropped : mapping of str to int
        What was left out and how many, such as ``{"duplicates": 3}``.
    scale : float or array, optional
        Length scale the estimate was made at (mean neighbour distance), in the units of the responses.
    seed : int, optional
        Seed of the resampling, where there was one.
    note : str
        What a reader must know beside the number.
    """

    value: Any
    low: Any
    high: Any
    n: int
    level: float = 0.95
    method: str = ""
    dropped: Mapping[str, int] = field(default_factory=dict)
    scale: Any = None
    seed: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Metric:
    """The declaration of a metric; `metrics.declare.metric` makes it from a function of plain arrays.

    Attributes
    ----------
    name : str
        Name of the function.
    function : callable
        The metric on plain arrays: ``function(responses, **options)`` with responses (stimulus, unit).
    needs : str
        Summary it reads in a run: ``per_stimulus``, ``per_unit``, ``categories``, ``gram`` or ``spool``, which is
        all responses in blocks of units.
    through : callable
        The same from that summary's state: ``through(state, **options)``.
    dims : tuple of str
        Dimensions of the result: () for one number a stage, ``("unit",)``, ``("category",)``, ``("n1",)`` ...
    unit : str
        Physical unit of the value ("1", "bits", "dimensions").
    range : tuple of float
        Smallest and largest value possible.
    reads : str
        Unit definition it conventionally reads: ``channel`` or ``position``.
    controls : tuple of str
        Controls computed and drawn beside it by default.
    paper : str
        Source, with DOI.
    nearest : int, optional
        How many nearest neighbours of every stimulus the value reads from the summary ``gram``; those beyond are read for
        its interval alone. None is all that are kept.
    """

    name: str
    function: Callable[..., Any]
    needs: str
    through: Callable[..., Any]
    dims: tuple[str, ...]
    unit: str
    range: tuple[float, float]
    reads: str
    controls: tuple[str, ...]
    paper: str
    nearest: int | None = None

    @property
    def title(self) -> str:
        """First line of the function's docstring."""
        return (self.function.__doc__ or self.name).strip().splitlines()[0]
