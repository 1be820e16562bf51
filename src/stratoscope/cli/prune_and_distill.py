"""``stratoscope study prune-and-distill``."""

from __future__ import annotations

from typing import Any

import click

from stratoscope.cli.commands import Command, finish
from stratoscope.cli.options import opened_source, source_options, study_options
from stratoscope.cli.say import say


@click.command(
    "prune-and-distill",
    cls=Command,
    examples="""
    stratoscope study prune-and-distill 'bundled:alexnet@*' objects: --dense 'objects:dense?n=3000'
    stratoscope study prune-and-distill torchvision:alexnet objects: --dense 'objects:dense?n=3000' --untrained fresh
    stratoscope study prune-and-distill my_net.py:build views.csv --checkpoints 'run/*.safetensors' --weights last.safetensors
    stratoscope study prune-and-distill bundled:resnet objects: --property mean_luminance --property edge_density
    """,
)
@click.argument("model")
@click.argument("stimuli")
@source_options
@click.option(
    "--dense",
    metavar="STIMULI",
    help="Many more views, on which information and dimension are measured. [default: the same]",
)
@click.option(
    "--checkpoints",
    multiple=True,
    metavar="WHICH",
    help="Checkpoints in the order of training: weights files or a pattern of them, or bundled:NAME@*; repeatable.",
)
@click.option(
    "--untrained",
    multiple=True,
    type=click.Choice(["fresh", "permuted", "checkpoint", "none"]),
    help="What untrained means; the claims are about the first, the others are controls; repeatable. [default: all there are]",
)
@click.option(
    "--models", "n_models", type=click.IntRange(min=1), default=5, show_default=True, help="Models of each random kind."
)
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="NAME",
    help="Image property, or a column of STIMULI; repeatable. [default: eight]",
)
@click.option(
    "--field",
    type=click.Choice(["image", "theoretical", "effective"]),
    default="image",
    show_default=True,
    help="Where properties are measured: the image, or the receptive field of each unit by wiring or by what moves it.",
)
@click.option(
    "--units",
    "n_units",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Units sampled at every stage; 0 for all.",
)
@click.option("--response-bins", type=click.IntRange(min=2), default=3, show_default=True, help="Bins of responses.")
@click.option("--value-bins", type=click.IntRange(min=2), default=10, show_default=True, help="Bins of properties.")
@click.option(
    "--shuffles",
    "n_shuffles",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Shuffles of the stimuli.",
)
@click.option(
    "--pruning",
    type=click.Choice(["difference", "log-ratio"]),
    default="difference",
    show_default=True,
    help="How the pruning index compares.",
)
@click.option(
    "--concentration",
    type=click.Choice(["gini", "top-share"]),
    default="gini",
    show_default=True,
    help="What measures distillation.",
)
@click.option(
    "--estimator",
    type=click.Choice(["two_nn", "gride", "levina_bickel", "two_nn_calibrated"]),
    default="two_nn",
    show_default=True,
    help="Estimator of dimension that the claims are about.",
)
@click.option(
    "--objects", metavar="COLUMN", help="Column that says which object is shown. [default: object, else category]"
)
@study_options("prune-and-distill-run", workers="Threads that load stimuli and close stages.")
def prune_and_distill(model: str, stimuli: str, **asked: Any) -> None:
    """Ask whether training prunes image information from single units of MODEL, after Muratore et al. 2022.

    Unit information about image properties, intrinsic dimension, and read-out of objects across views, in the trained
    network, in untrained ones and at checkpoints, with the abstract's claims before and after controls. STIMULI are views of
    objects. MODEL is that of 'stratoscope profile'; 'bundled:NAME@*' stands for a bundled network and all its checkpoints.
    """
    from stratoscope.stimuli import open_stimuli
    from stratoscope.studies import prune_and_distill

    name, star, _ = model.partition("@*")
    given = [*asked["checkpoints"], *([model] if star else [])]
    dense = asked["dense"]
    study = prune_and_distill(
        opened_source(name, asked),
        open_stimuli(stimuli, limit=asked["limit"], per_category=asked["per_category"], seed=asked["seed"]),
        dense=None if dense is None else open_stimuli(dense),
        checkpoints=given,
        **_run(asked),
    )
    if not asked["quiet"]:
        say(repr(study))
    say(f"Study: {asked['out']}")
    say(f"Report: {study.report(asked['out'] / 'report.html')}")
    finish(study.results.failures)


def _run(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the study itself is told."""
    from stratoscope.studies.muratore2022.protocol import Protocol

    kept = ("n_models", "objects", "correction", "seed", "batch_size", "workers", "budget", "skip_unreadable", "out",
            "overwrite")  # fmt: skip
    fields = ("n_units", "response_bins", "value_bins", "n_shuffles", "pruning", "concentration", "estimator", "field")
    chosen: dict[str, Any] = {name: asked[name] for name in fields}
    if asked["properties"]:
        chosen["properties"] = tuple(asked["properties"])
    return {
        **{name: asked[name] for name in kept},
        "protocol": Protocol(**chosen),
        "untrained": list(asked["untrained"]) or None,
        "stages": asked["stages"] or "relu",
        "unit": asked["unit"][0] if asked["unit"] else "position",
        "progress": not asked["quiet"],
    }
