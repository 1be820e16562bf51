"""``stratoscope train``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from stratoscope.cli.commands import Command
from stratoscope.cli.say import say


@click.command(
    cls=Command,
    examples="""
    stratoscope train alexnet
    stratoscope train resnet --seed 1 --out trained/resnet-1
    stratoscope train vit --stimuli 'objects:dense?n=40000&seed=7' --steps 5000
    """,
)
@click.argument("architecture")
@click.option(
    "--stimuli", metavar="STIMULI", help="Object views, 'objects:dense?...'. [default: those of the bundled networks]"
)
@click.option("--steps", type=click.IntRange(min=1), help="Optimisation steps. [default: the recipe's]")
@click.option("--batch", type=click.IntRange(min=2), help="Images a step. [default: the recipe's]")
@click.option("--optimizer", help="adamw or sgd. [default: the recipe's]")
@click.option("--rate", type=float, help="Highest learning rate. [default: the recipe's]")
@click.option("--decay", type=float, help="Weight decay. [default: the recipe's]")
@click.option("--warmup", type=float, help="Share of the steps in which the rate climbs. [default: the recipe's]")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of weights, order and held-out views. [default: 0]")
@click.option("--held-out", type=float, help="Share of view space that is held out. [default: 0.2]")
@click.option("--threads", type=click.IntRange(min=1), help="Threads; others may change the last bits. [default: 1]")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of checkpoints. [default: trained/ARCHITECTURE]")
@click.option("--quiet", "-q", is_flag=True, help="No progress bar.")
def command(architecture: str, out: Path | None, quiet: bool, **asked: Any) -> None:
    """Train a small network to name the object in every view.

    ARCHITECTURE is alexnet, vgg, resnet or vit. Checkpoints are written at the start, after 1, 2, 4, 8 ... steps and at
    the end. A training that was stopped is gone on with by the same command.
    """
    from tqdm import tqdm

    from stratoscope.train import train
    from stratoscope.train.recipe import recipe

    changes = {name: value for name, value in asked.items() if value is not None}
    if "stimuli" in changes:
        changes["stimuli"] = changes["stimuli"].removeprefix("objects:")
    plan = recipe(architecture, **changes)
    with tqdm(total=plan.steps, disable=quiet, unit=" steps", delay=2) as bar:

        def show(done: int, total: int, what: str) -> None:
            bar.total, bar.n = total, done
            bar.set_description(what)

        trained = train(plan, out or Path("trained") / architecture, progress=show)
    say(f"Held-out views recognised: {trained.accuracy:.1%} (chance {trained.chance:.1%})")
    say(f"Last checkpoint: {trained.checkpoints[-1]}")
