"""``stratoscope demo``."""

from __future__ import annotations

from pathlib import Path

import click

from stratoscope.cli.commands import Command, finish
from stratoscope.cli.say import say


@click.command(
    cls=Command,
    examples="""
    stratoscope demo
    stratoscope demo --out my-demo --seed 1
    """,
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("demo-run"), show_default=True, help="Folder of the run."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of everything random.")
@click.option("--overwrite", is_flag=True, help="Replace results that are in the folder.")
@click.option("--restart", is_flag=True, help="Throw away what is done of a demo that was broken off, and begin anew.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
def command(out: Path, seed: int, overwrite: bool, restart: bool, quiet: bool) -> None:
    """Profile the bundled network on the bundled objects, intact and lesioned, and write the report."""
    from stratoscope.demo import run_demo

    results = run_demo(out, seed=seed, overwrite=overwrite, progress=not quiet, resume=not restart)
    say(repr(results))
    say(f"Report: {out / 'report.html'}")
    finish(results.failures)
