"""How a network is trained: what is fixed before the first step."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from stratoscope.errors import BadInput, unknown_name
from stratoscope.models import ARCHITECTURES

#: Views that the bundled networks learned: the range of positions of Tafazoli et al. 2017 on both sides.
STIMULI = "dense?n=40000&seed=1&azimuth=-30,30&redraw=1"
OPTIMIZERS = ("adamw", "sgd")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights that come out.

    Attributes
    ----------
    architecture : str
        Name in `stratoscope.models.ARCHITECTURES`.
    stimuli : str
        What stands after ``objects:``.
    steps, batch : int
        Optimisation steps, and images in each.
    optimizer : str
        ``adamw``, or ``sgd`` with Nesterov momentum 0.9.
    rate, decay : float
        Highest learning rate, and weight decay.
    warmup : float
        Share of the steps over which the rate climbs linearly; after that it falls as half a cosine, to 0.
    seed : int
        Seed of the weights, of the order of the images and of which views are held out.
    held_out : float
        Share of the cells of view space that are held out.
    threads : int
        Threads of torch; another number may change the last bits.
    """

    architecture: str
    stimuli: str = STIMULI
    steps: int = 2000
    batch: int = 64
    optimizer: str = "adamw"
    rate: float = 2e-3
    decay: float = 0.02
    warmup: float = 0.08
    seed: int = 0
    held_out: float = 0.2
    threads: int = 1

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise unknown_name("architecture", self.architecture, ARCHITECTURES)
        if self.optimizer not in OPTIMIZERS:
            raise unknown_name("optimizer", self.optimizer, OPTIMIZERS)
        if self.steps < 1 or self.batch < 2 or self.threads < 1:
            raise BadInput(
                f"Training needs at least 1 step, 2 images a batch and 1 thread; came {self.steps}, {self.batch} and "
                f"{self.threads}."
            )
        if not (self.rate > 0 and self.decay >= 0 and 0 <= self.warmup < 1 and 0 < self.held_out < 1):
            raise BadInput(
                "The rate is above 0, the decay at least 0, the warm-up from 0 to below 1 and the held-out share between "
                f"0 and 1; came {self.rate}, {self.decay}, {self.warmup} and {self.held_out}."
            )

    def rate_at(self, step: int) -> float:
        """Learning rate of the step after `step` steps."""
        climb = max(1, round(self.warmup * self.steps))
        if step < climb:
            return self.rate * (step + 1) / climb
        return self.rate * 0.5 * (1 + math.cos(math.pi * (step - climb) / max(1, self.steps - climb)))

    @property
    def saved_steps(self) -> tuple[int, ...]:
        """Steps after which a checkpoint is kept: 0, the powers of two, and the last."""
        powers = [2**k for k in range(self.steps.bit_length()) if 2**k < self.steps]
        return (0, *powers, self.steps)

    @property
    def command(self) -> str:
        """The command line that trains this network again."""
        usual = RECIPES[self.architecture]
        names = ("steps", "batch", "optimizer", "rate", "decay", "warmup", "seed", "held_out", "threads")
        changed = [(name, getattr(self, name)) for name in names if getattr(self, name) != getattr(usual, name)]
        options = "".join(f" --{name.replace('_', '-')} {value}" for name, value in changed)
        stimuli = f" --stimuli 'objects:{self.stimuli}'" if self.stimuli != usual.stimuli else ""
        return f"stratoscope train {self.architecture}{stimuli}{options}"


#: The recipes of the bundled networks.
RECIPES: dict[str, Recipe] = {
    "alexnet": Recipe("alexnet", rate=1e-3),
    "vgg": Recipe("vgg"),
    "resnet": Recipe("resnet", steps=1500),
    "vit": Recipe("vit", rate=1.5e-3, steps=2500, decay=0.05),
}


def recipe(architecture: str, /, **changes: Any) -> Recipe:
    """Return the recipe of an architecture with some values changed."""
    if architecture not in RECIPES:
        raise unknown_name("architecture", architecture, RECIPES)
    return replace(RECIPES[architecture], **changes)
