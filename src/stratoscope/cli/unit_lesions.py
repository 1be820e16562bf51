"""``stratoscope study unit-lesions``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from stratoscope.cli.commands import Command
from stratoscope.cli.options import classifier_options, opened_source, study_options
from stratoscope.cli.say import say


@click.command(
    "unit-lesions",
    cls=Command,
    examples="""
    stratoscope study unit-lesions bundled:alexnet 'objects:dense?n=500' --stage relu6
    stratoscope study unit-lesions torchvision:alexnet imagenet-val/ --stage features.11 --labels imagenet-classes.txt
    stratoscope study unit-lesions my_net.py:build photos.csv --stage relu --by selectivity --by random --fraction 0.5
    """,
)
@click.argument("model")
@click.argument("stimuli")
@click.option("--stage", required=True, metavar="STAGE", help="Stage whose channels are silenced.")
@classifier_options
@click.option(
    "--by",
    multiple=True,
    metavar="NAME",
    help="lifetime_sparseness, selectivity, mean_activation or random; repeatable. [default: all]",
)
@click.option(
    "--fraction",
    "fractions",
    multiple=True,
    type=float,
    metavar="NUMBER",
    help="Fraction of the channels, above 0 up to 1; repeatable. [default: 0.1, 0.25, 0.5, 0.75]",
)
@click.option("--end", "ends", multiple=True, metavar="END", help="highest or lowest; repeatable. [default: both]")
@click.option(
    "--labels",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Text file with the category of every output, one a line, in order. [default: known for bundled networks]",
)
@click.option("--output", metavar="STAGE", help="Stage that holds the classes. [default: the last]")
@click.option(
    "--draws",
    "n_random",
    type=click.IntRange(min=1),
    default=19,
    show_default=True,
    help="Random ablations of each size; 19 let p reach 0.05 one-sided, 39 two-sided.",
)
@study_options("unit-lesions-run", claims=False)
def unit_lesions(model: str, stimuli: str, **asked: Any) -> None:
    """Silence channels of one stage of MODEL by rank or at random, and measure the accuracy that is lost on STIMULI.

    Channels are ranked by lifetime sparseness, selectivity and mean activation; random ablation of as many is the control.
    STIMULI needs categories that are classes of MODEL.
    """
    from stratoscope.stimuli import open_stimuli
    from stratoscope.studies import ablate_by_rank

    chosen = open_stimuli(stimuli, limit=asked["limit"], per_category=asked["per_category"], seed=asked["seed"])
    results = ablate_by_rank(opened_source(model, {**asked, "stages": (), "unit": ()}), chosen, **_run(asked))
    if not asked["quiet"]:
        say(results.run["study"]["summary"])
    say(f"Study: {asked['out']}")
    say(f"Report: {results.report(asked['out'] / 'report.html')}")


def _run(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the study itself is told; what was not asked for is left to it."""
    kept = ("stage", "output", "n_random", "seed", "batch_size", "workers", "budget", "out", "overwrite")
    repeated = {name: asked[name] for name in ("by", "fractions", "ends") if asked[name]}
    file: Path | None = asked["labels"]
    labels = None if file is None else [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()]
    return {**{name: asked[name] for name in kept}, **repeated, "labels": labels, "progress": not asked["quiet"]}
