"""The training loop: deterministic, with checkpoints along a logarithmic schedule, and able to go on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from stratoscope.errors import BadInput
from stratoscope.models import build
from stratoscope.models.architectures import INPUT_SIZE
from stratoscope.models.checkpoint import Header, fill, read_tensors, save_checkpoint, write_tensors
from stratoscope.stimuli.objects import open_objects
from stratoscope.train.recipe import Recipe
from stratoscope.train.views import Labelled, Split, network_input, split_stimuli

#: Steps between two saves of the state from which training can go on.
SAVE_EVERY = 100
#: Largest norm of the gradient.
CLIP = 1.0
STATE = "state.safetensors"
RECIPE = "recipe.json"

#: ``progress(done, total, what)`` hears how far the work is.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Trained:
    """What came of a training.

    Attributes
    ----------
    folder : Path
        Where the checkpoints are.
    checkpoints : tuple of Path
        In the order of their steps, the initial state first.
    accuracy : float
        Share of held-out views that the last one recognises, 0 to 1.
    chance : float
        What guessing would give.
    """

    folder: Path
    checkpoints: tuple[Path, ...]
    accuracy: float
    chance: float


def train(recipe: Recipe, folder: str | Path, *, progress: Progress | None = None) -> Trained:
    """Train a network to name the object in every view, or go on with a training that was stopped.

    Checkpoints ``step-000000.safetensors`` ... are written at the start, after 1, 2, 4, 8 ... steps and at the end, each
    with its accuracy on the held-out views (see `split_stimuli`) in the header. The order of the images depends
    only on seed and step, so that a training that was stopped and taken up again gives the same weights.

    Parameters
    ----------
    recipe : Recipe
        What to train and how; `RECIPES` has those of the bundled networks.
    folder : path
        Where to write; made if it is not there. A folder with the same recipe is gone on with.
    progress : callable, optional
        Called as ``progress(done, total, what)``.

    Raises
    ------
    BadInput
        If the folder holds a training by another recipe or other files, or the stimuli do not suit.
    WeightsError
        If the saved state is damaged or of another architecture.
    """
    folder = Path(folder)
    tell = progress or (lambda *_: None)
    stimuli = open_objects(recipe.stimuli)
    _check_folder(folder, recipe)
    split = split_stimuli(
        stimuli,
        INPUT_SIZE,
        share=recipe.held_out,
        seed=recipe.seed,
        progress=lambda done: tell(done, len(stimuli), "rendering"),
    )
    with _threads(recipe.threads):
        run = _Run(recipe, folder, split)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECIPE).write_text(json.dumps(asdict(recipe), indent=1), encoding="utf-8")
        run.take_up()
        for step in range(run.step, recipe.steps):
            loss = run.advance()
            tell(step + 1, recipe.steps, f"loss {loss:.3f}")
        return run.close()


class _Run:
    """A network with its optimiser, as far as it has come."""

    def __init__(self, recipe: Recipe, folder: Path, split: Split) -> None:
        self.recipe, self.folder, self.split = recipe, folder, split
        self.network = build(recipe.architecture, len(split.classes), seed=recipe.seed)
        self.optimizer = _optimizer(recipe, self.network)
        self.step = 0
        self.accuracy = float("nan")

    def take_up(self) -> None:
        """Go to the last saved state, or keep the initial one as the first checkpoint."""
        if not (self.folder / STATE).is_file():
            self._keep()
            return
        tensors, header = read_tensors(self.folder / STATE)
        weights = {name.removeprefix("network."): t for name, t in tensors.items() if name.startswith("network.")}
        fill(self.network, weights, STATE, self.recipe.architecture)
        self._fill_optimizer(tensors)
        self.step, self.accuracy = int(header["step"]), float(header["accuracy"])

    def advance(self) -> float:
        """Take one step, save what is due, and return the loss before it."""
        rows = _batch_rows(len(self.split.learned), self.recipe, self.step)
        images, labels = self.split.learned.images[rows], self.split.learned.labels[rows]
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate_at(self.step)
        self.network.train()
        self.optimizer.zero_grad()
        loss = functional.cross_entropy(self.network(network_input(images, self.split.mean, self.split.std)), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step()
        self.step += 1
        if self.step in self.recipe.saved_steps:
            self._keep()
        if self.step % SAVE_EVERY == 0 or self.step == self.recipe.steps:
            self._save_state()
        return float(loss.detach())

    def close(self) -> Trained:
        """Say what came of it."""
        paths = tuple(_checkpoint(self.folder, step) for step in self.recipe.saved_steps)
        return Trained(self.folder, paths, self.accuracy, 1 / len(self.split.classes))

    def _keep(self) -> None:
        self.accuracy = accuracy(self.network, self.split.held_out, self.split)
        header = Header(
            architecture=self.recipe.architecture,
            classes=self.split.classes,
            mean=self.split.mean,
            std=self.split.std,
            step=self.step,
            steps=self.recipe.steps,
            seed=self.recipe.seed,
            accuracy=round(self.accuracy, 4),
            stimuli=f"objects:{self.recipe.stimuli}",
            command=self.recipe.command,
        )
        save_checkpoint(_checkpoint(self.folder, self.step), self.network, header)

    def _save_state(self) -> None:
        tensors = {f"network.{name}": tensor.clone() for name, tensor in self.network.state_dict().items()}
        for index, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value).clone() for name, value in values.items()}
        write_tensors(self.folder / STATE, tensors, {"step": str(self.step), "accuracy": repr(self.accuracy)})

    def _fill_optimizer(self, tensors: dict[str, Tensor]) -> None:
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith("optimizer."):
                _, index, key = name.split(".")
                state.setdefault(int(index), {})[key] = tensor
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})


@torch.no_grad()
def accuracy(network: nn.Module, views: Labelled, split: Split, *, batch: int = 256) -> float:
    """Share of `views` whose object the network names, 0 to 1."""
    network.eval()
    right = 0
    for start in range(0, len(views), batch):
        rows = slice(start, start + batch)
        logits = network(network_input(views.images[rows], split.mean, split.std))
        right += int((logits.argmax(1) == views.labels[rows]).sum())
    return right / len(views)


def _batch_rows(n: int, recipe: Recipe, step: int) -> Tensor:
    """Rows of a step: every pass over the images has an order of its own, drawn from the seed."""
    per_pass = max(1, n // recipe.batch)
    epoch, within = divmod(step, per_pass)
    order = np.random.default_rng((recipe.seed, epoch)).permutation(n)
    return torch.from_numpy(order[within * recipe.batch : (within + 1) * recipe.batch])


def _optimizer(recipe: Recipe, network: nn.Module) -> torch.optim.Optimizer:
    """Optimiser that decays weight matrices and kernels, not biases and gains."""
    groups = [
        {"params": [p for p in network.parameters() if p.ndim >= 2], "weight_decay": recipe.decay},
        {"params": [p for p in network.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=recipe.rate)


def _checkpoint(folder: Path, step: int) -> Path:
    return folder / f"step-{step:06d}.safetensors"


def _check_folder(folder: Path, recipe: Recipe) -> None:
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / RECIPE).is_file():
        raise BadInput(f"The folder {str(folder)!r} has other files in it. Give a new folder for the training.")
    before = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
    changed = [name for name, value in asdict(recipe).items() if before.get(name) != value]
    if changed:
        raise BadInput(
            f"The folder {str(folder)!r} holds a training with another {', '.join(changed)} "
            f"({before.get(changed[0])!r} instead of {getattr(recipe, changed[0])!r}). Go on with the same recipe, or "
            "give a new folder."
        )


@contextmanager
def _threads(n: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
