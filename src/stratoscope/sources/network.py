"""A network as a source: any `torch.nn.Module`, read at chosen stages while stimuli pass through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import nn

from stratoscope.errors import BadInput, StageError, UnreadableStimulus
from stratoscope.sources.arithmetic import Arithmetic
from stratoscope.sources.choose import choose_taps
from stratoscope.sources.feed import Batch, feed, load_image
from stratoscope.sources.fingerprint import describe_preprocess
from stratoscope.sources.layouts import UNKNOWN
from stratoscope.sources.listen import Listener, Reading, listening
from stratoscope.sources.taps import Tap, Traced, find_taps
from stratoscope.sources.undisturbed import undisturbed, usable_device
from stratoscope.sources.units import unit_name, unit_reader
from stratoscope.sources.weights import weights_hash
from stratoscope.summaries.threads import numpy_in_one_thread
from stratoscope.types import Loaded, Played, Stage, Stimuli, Visit


@dataclass(frozen=True)
class _Settings:
    """What was asked for; the parameters of `Network`."""

    module: nn.Module
    name: str
    stages: str | tuple[str, ...]
    unit: tuple[str, ...]
    preprocess: Callable[[Loaded], torch.Tensor] | None
    layout: str | Mapping[str, str] | None
    device: str
    origin: str | None
    lesion: str
    seed: int | None
    autocast: str | None
    channels_last: bool


@dataclass(frozen=True)
class _Prepared:
    """What is known once one stimulus has passed."""

    traced: Traced
    readings: tuple[Reading, ...]


class Network:
    """Any network, read at chosen stages with a chosen definition of a unit.

    Nothing about the module changes: modes, weights, hooks, device and random states are after a pass what they were
    before, also after an error. Two networks may share a module, and none is ever changed: `prepare`, `select` and
    `with_module` return new ones.

    Parameters
    ----------
    module : torch.nn.Module
        The network. It is run in evaluation mode.
    name : str
        Name of the hierarchy.
    stages : str or sequence of str
        Which stages: ``auto``, a kind, names, globs, ``re:`` patterns; see `stratoscope.sources.choose.choose_taps`.
    unit : str or sequence of str
        What a unit is (``channel``, ``channel:max``, ``channel:top5``, ``channel:centre``, ``position``, ``cls``,
        ``mean``, ``token``); with several, each stage is read once for each in the same pass.
    preprocess : callable, optional
        Makes a float32 tensor (channel, row, column) of what a stimulus set hands over; called from threads and free
        of random numbers. Images divided by 255 and arrays as they are where not given.
    layout : str or mapping of glob to str, optional
        Where channels are (``channels-first``, ``channels-last``, ``tokens``, ``flat``), where inference goes wrong.
    device : str
        Where the network runs; it returns to where it was afterwards.
    origin : str, optional
        How it was opened (``torchvision:alexnet``).
    lesion, seed : str, int
        What was done to it, and the seed of that.
    autocast : str, optional
        ``bfloat16`` or ``float16``: faster products, and other numbers; see `Arithmetic`.
    channels_last : bool
        Faster convolutions on some processors, the same numbers but for rounding.

    Raises
    ------
    BadInput, UnknownName
        An unknown unit definition, device or format. Stage names are checked by `prepare`.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        name: str = "network",
        stages: str | Sequence[str] = "auto",
        unit: str | Sequence[str] = "channel",
        preprocess: Callable[[Loaded], torch.Tensor] | None = None,
        layout: str | Mapping[str, str] | None = None,
        device: str = "cpu",
        origin: str | None = None,
        lesion: str = "intact",
        seed: int | None = None,
        autocast: str | None = None,
        channels_last: bool = False,
    ) -> None:
        if not isinstance(module, nn.Module):
            raise BadInput(f"A network is a torch.nn.Module; got a {type(module).__name__}.")
        units = (unit,) if isinstance(unit, str) else tuple(unit)
        chosen = stages if isinstance(stages, str) else tuple(stages)
        names = tuple(dict.fromkeys(map(unit_name, units)))
        origins = (str(device), origin, lesion, seed, autocast, channels_last)
        self._settings = _Settings(module, name, chosen, names, preprocess, layout, *origins)
        if not units:
            raise BadInput("No definition of a unit was given. Give 'channel', 'position' or another, or several.")
        self._device = usable_device(str(device))
        self._arithmetic = Arithmetic(self._device, autocast, channels_last)
        self._prepared: _Prepared | None = None

    @property
    def module(self) -> nn.Module:
        """The network itself; change it only through a lesion."""
        return self._settings.module

    @property
    def name(self) -> str:
        """Name of the hierarchy."""
        return self._settings.name

    @property
    def preprocess(self) -> Callable[[Loaded], torch.Tensor] | None:
        """What makes a tensor of a stimulus; None for images divided by 255 and arrays as they are."""
        return self._settings.preprocess

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self._device

    @property
    def readings(self) -> tuple[Reading, ...]:
        """What is listened to for the chosen stages; known after `prepare`."""
        return self._prepared.readings if self.stages and self._prepared else ()

    @property
    def lesion(self) -> str:
        """What was done to the network; ``intact`` for nothing."""
        return self._settings.lesion

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The chosen stages, in order of execution; known after `prepare`."""
        if self._prepared is None:
            raise StageError(
                f"The stages of {self.name!r} are known only after one stimulus has passed. "
                "Call network = network.prepare(stimuli) first."
            )
        return tuple(stage for reading in self._prepared.readings for stage, _ in reading.stages)

    def select(self, stages: str | Sequence[str] | None = None, unit: str | Sequence[str] | None = None) -> Self:
        """Return the network with other stages, another definition of a unit, or both; to be prepared again."""
        chosen = {"stages": stages, "unit": unit}
        return self._with(**{key: value for key, value in chosen.items() if value is not None})

    def taking_inputs(self) -> Self:
        """Return the network without its preprocessing, for stimuli that are inputs already; to be prepared again."""
        return self._with(preprocess=None)

    def with_module(self, module: nn.Module, *, lesion: str | None = None, seed: int | None = None) -> Self:
        """Return the same network with another `module` in it, read at the same stages.

        A prepared network keeps its stages by name, so that a lesion is read where the intact network was.
        """
        names = {f"name:{reading.tap.name}": None for reading in self._prepared.readings} if self._prepared else None
        stages = {"stages": tuple(names)} if names else {}
        return self._with(module=module, lesion=self.lesion if lesion is None else lesion, seed=seed, **stages)

    def prepare(self, stimuli: Stimuli) -> Self:
        """Let the first readable stimulus pass, check every name and shape, and return the network with its stages.

        Raises
        ------
        UnknownName, StageError, BadInput
            A stage does not exist, never runs or cannot be read, or a unit definition makes no sense for it.
        """
        traced = self._trace(stimuli)
        taps = choose_taps(self._settings.stages, traced)
        square = traced.input_shape[-1] == traced.input_shape[-2]
        readings = tuple(Reading(tap, tuple(self._stage(tap, unit, square) for unit in self._units)) for tap in taps)
        prepared = self._with()
        prepared._prepared = _Prepared(traced, readings)  # noqa: SLF001 - one of ourselves, not yet given away
        return prepared

    def taps(self, example: Stimuli) -> list[Stage]:
        """Return every stage that can be chosen, in order of execution, from the first readable stimulus.

        Units are channels, or positions where it could not be found out which dimension holds the channels.
        """
        traced = self._traced(example)
        return [self._stage(tap, "position" if tap.layout == UNKNOWN else "channel", True)[0] for tap in traced.taps]

    def left_out(self, example: Stimuli) -> dict[str, str]:
        """Return the calls that cannot be chosen, and why; modules that never run are among them."""
        traced = self._traced(example)
        return {**traced.left_out, **dict.fromkeys(traced.idle, "it never runs")}

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
        """Play every stimulus once, calling `visit` for each stage and batch from inside the pass.

        `progress` is called after every batch with the number of stimuli done so far, skipped ones included. A network
        that is not prepared prepares itself first.

        Raises
        ------
        UnreadableStimulus, BadInput
            A stimulus cannot be read (and `skip_unreadable` is not set), or has another shape than the traced one.
        StageError
            A stage did not answer every stimulus exactly once.
        """
        if self._prepared is None:
            return self.prepare(stimuli).play(
                stimuli,
                visit,
                batch_size=batch_size,
                workers=workers,
                skip_unreadable=skip_unreadable,
                progress=progress,
            )
        played = 0
        skipped: list[tuple[int, str]] = []
        batches = feed(
            stimuli,
            self._settings.preprocess,
            batch_size=batch_size,
            workers=workers,
            skip_unreadable=skip_unreadable,
            shape=self._prepared.traced.input_shape,
        )
        with (
            closing(batches),
            numpy_in_one_thread(),
            undisturbed(self.module, self._device),
            listening(self.module, self._prepared.readings, visit, stimuli.ids) as listener,
        ):
            for batch in batches:
                played += self._pass(batch, listener)
                skipped += batch.skipped
                if progress is not None:
                    progress(played + len(skipped))
        return Played(played, tuple(skipped))

    def describe(self) -> dict[str, Any]:
        """Say what this network is, as plain values: class, size and hash of the weights, preprocessing, lesion."""
        settings = self._settings
        plain = {key: getattr(settings, key) for key in ("name", "origin", "lesion", "seed", "device")}
        layout = settings.layout
        return {
            **plain,
            "class": type(self.module).__qualname__,
            "parameters": sum(parameter.numel() for parameter in self.module.parameters()),
            "weights_sha256": weights_hash(self.module),
            "preprocess": describe_preprocess(settings.preprocess),
            "arithmetic": self._arithmetic.describe(self.module),
            "layout": dict(layout) if isinstance(layout, Mapping) else layout or "inferred",
            "unit": list(self._units),
            "stages": settings.stages if isinstance(settings.stages, str) else list(settings.stages),
        }

    def __repr__(self) -> str:
        return f"Network({type(self.module).__name__}, name={self.name!r}, lesion={self.lesion!r}, units={self._units})"

    @property
    def _units(self) -> tuple[str, ...]:
        return self._settings.unit

    def _with(self, **changes: Any) -> Self:
        return type(self)(**{**vars(self._settings), **changes})

    def _traced(self, example: Stimuli) -> Traced:
        return self._prepared.traced if self._prepared else self._trace(example)

    def _trace(self, stimuli: Stimuli) -> Traced:
        image = _first_readable(stimuli, self._settings.preprocess).to(self._device)
        with undisturbed(self.module, self._device):
            return find_taps(self.module, image, self._settings.layout)

    def _stage(self, tap: Tap, unit: str, square: bool) -> tuple[Stage, Callable[[torch.Tensor], torch.Tensor]]:
        read = unit_reader(unit, tap.layout, tap.shape, stage=tap.name, square=square)
        # A real tensor: one on the device "meta" has torch import its compiler, which takes two seconds.
        n_units = read(torch.zeros((1, *tap.shape))).shape[1]
        return Stage(tap.name, tap.depth, tap.kind, tap.shape, unit, n_units, tap.layout, self.name), read

    def _pass(self, batch: Batch, listener: Listener) -> int:
        n = len(batch.rows)
        if n:
            with torch.inference_mode(), listener.batch(batch.rows):
                self._run(batch.images)
        return n

    def _run(self, images: torch.Tensor) -> None:
        try:
            self._arithmetic.run(self.module, images)
        except torch.OutOfMemoryError as error:
            raise BadInput(
                f"A batch of {len(images)} stimuli does not fit into the memory of {self._device}. "
                f"Give fewer at a time: --batch-size {max(1, len(images) // 2)}, or use another device."
            ) from error


def _first_readable(stimuli: Stimuli, preprocess: Callable[[Loaded], torch.Tensor] | None) -> torch.Tensor:
    first: UnreadableStimulus | None = None
    for row in range(len(stimuli)):
        try:
            return load_image(stimuli, row, preprocess)
        except UnreadableStimulus as error:
            first = first or error
    raise first or BadInput(f"The stimulus set {stimuli.name!r} is empty. Give at least one stimulus.")
