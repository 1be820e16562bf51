"""``stratoscope compare``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stratoscope.cli.commands import Command
from stratoscope.cli.grid import grid
from stratoscope.cli.say import say

if TYPE_CHECKING:
    from stratoscope.results import Results


@click.command(
    cls=Command,
    examples="""
    stratoscope compare runs/alexnet runs/cortex
    stratoscope compare runs/alexnet runs/alexnet-permuted runs/cortex --measure rsa-spearman --out runs/three
    stratoscope compare runs/alexnet runs/cortex --halves runs/cortex-odd runs/cortex-even
    """,
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...", type=click.Path(path_type=Path))
@click.option(
    "--measure",
    "measures",
    multiple=True,
    metavar="NAME",
    default=("rsa-spearman", "cka"),
    show_default=True,
    help="rsa-spearman, rsa-pearson or cka; repeatable.",
)
@click.option(
    "--halves",
    nargs=2,
    multiple=True,
    metavar="RUN RUN",
    type=click.Path(path_type=Path),
    help="Two runs of one hierarchy on halves of its trials, for its noise ceiling; repeatable.",
)
@click.option(
    "--draws",
    "n_draws",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="Random halves, for intervals.",
)
@click.option(
    "--over",
    metavar="WHAT",
    default="both",
    show_default=True,
    help="Halves of stimuli, of units, or of both at once. Units need runs profiled with --metrics unit_groups.",
)
@click.option("--level", type=float, default=0.95, show_default=True, help="Level of the intervals.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the halves.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("compare-run"),
    show_default=True,
    help="Folder of the comparison.",
)
@click.option("--overwrite", is_flag=True, help="Replace results that are in the folder.")
@click.option("--quiet", "-q", is_flag=True, help="No summary.")
def command(
    runs: tuple[Path, ...],
    measures: tuple[str, ...],
    halves: tuple[tuple[Path, Path], ...],
    n_draws: int,
    over: str,
    level: float,
    seed: int,
    out: Path,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Put the hierarchies of two or more RUNs side by side: network and cortex, intact and lesioned.

    Curves over depth, the similarity of every stage of one with every stage of the other on the stimuli they share, and
    the claims of all in one table. Similarity needs runs profiled with --metrics rdm, and intervals over units also
    --metrics unit_groups.
    """
    from stratoscope.studies import compare

    study = compare(
        runs, measures=measures, halves=halves, n_draws=n_draws, over=over, level=level, seed=seed, out=out,
        overwrite=overwrite,
    )  # fmt: skip
    if not quiet:
        for line in told(study.results):
            say(line)
        say(study.findings[0])
    say(f"Comparison: {out}")
    say(f"Report: {study.report(out / 'report.html')}")


def told(results: Results) -> Iterator[str]:
    """Go through the lines of the tables of best matches, and of the claims."""
    from stratoscope.figures.side_by_side import matrices_of
    from stratoscope.report.side_by_side import best_matches

    for one in matrices_of(results):
        found = best_matches(one)
        yield f"{one.measure}: {one.second} against {one.first}, {one.n} stimuli" + (
            f", {one.drawn}" if one.drawn else ""
        )
        yield grid(found.head, found.body) + "\n"
    claims = [row for row in results.run["study"]["claims"] if not row["control"]]
    if claims:
        yield grid(("verdict", "claim"), [(row["verdict"], row["sentence"]) for row in claims]) + "\n"
