"""``stratoscope sweep``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from stratoscope.cli.commands import Command, finish
from stratoscope.cli.options import names
from stratoscope.cli.say import say


@click.command(
    cls=Command,
    examples="""
    stratoscope sweep networks.csv --stimuli photos/ --out night
    stratoscope sweep lesions.toml --stimuli objects: --metrics two_nn,participation_ratio --out lesions
    """,
)
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the sweep; the same command continues there.",
)
@click.option("--stimuli", help="Stimuli of the rows that name none.")
@click.option(
    "--metrics", multiple=True, metavar="NAMES", help="As in 'stratoscope profile', for every row; repeatable."
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1 ...")
@click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True, help="Stimuli at a time.")
@click.option("--workers", type=click.IntRange(min=0), default=2, show_default=True, help="Threads that load stimuli.")
@click.option("--budget", default="2GB", show_default=True, help="Memory a run may use.")
@click.option("--skip-unreadable", is_flag=True, help="Leave unreadable images out, and say so, instead of ending.")
@click.option("--no-report", is_flag=True, help="Write no report.html into the folder.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bars and no line a row.")
def command(table: Path, out: Path, quiet: bool, no_report: bool, **asked: Any) -> None:
    """Measure every row of TABLE: networks, checkpoints, lesions and seeds.

    TABLE is a .csv with a line a run and the columns model, and where wanted stimuli, weights, lesion, seed, stages, unit, input, size, limit,
    per_category, name; or a .toml with [[rows]], in which a list stands for a run for each of its values. All rows are
    checked before the first is measured. Images are decoded once for networks that bring them to the same frame.
    """
    from stratoscope.sweeps import sweep

    done = sweep(
        table, out=out, progress=not quiet, tell=None if quiet else say, **{**asked, "metrics": names(asked["metrics"])}
    )
    say(f"Sweep: {out} ({len(done.rows)} rows, {done.kept} finished before)")
    if not no_report and done.results is not None:
        say(f"Report: {done.report(out / 'report.html')}")
    finish(done.failures)
