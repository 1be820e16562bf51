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
    stratoscope demo --cortex
    """,
)
@click.option(
    "--cortex",
    is_flag=True,
    help="Put the network beside a simulated rat of four areas instead; a made-up cortex with known tuning.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the run; demo-run, or demo-cortex-run with --cortex, without it.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of everything random.")
@click.option("--overwrite", is_flag=True, help="Replace results that are in the folder.")
@click.option("--restart", is_flag=True, help="Throw away what is done of a demo that was broken off, and begin anew.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
def command(cortex: bool, out: Path | None, seed: int, overwrite: bool, restart: bool, quiet: bool) -> None:
    """Profile the bundled network on the bundled objects, intact and lesioned, and write the report."""
    if cortex:
        _beside_a_rat(out or Path("demo-cortex-run"), seed, overwrite=overwrite, quiet=quiet)
        return
    from stratoscope.demo import run_demo

    out = out or Path("demo-run")
    results = run_demo(out, seed=seed, overwrite=overwrite, progress=not quiet, resume=not restart)
    say(repr(results))
    say(f"Report: {out / 'report.html'}")
    finish(results.failures)


def _beside_a_rat(out: Path, seed: int, *, overwrite: bool, quiet: bool) -> None:
    """Run the network beside the simulated rat, and print matches and claims."""
    from stratoscope.cli.compare import told
    from stratoscope.demo_cortex import REMARK, run_cortex_demo

    study = run_cortex_demo(out, seed=seed, overwrite=overwrite, progress=not quiet)
    for line in (*told(study.results), REMARK, *study.findings[:1]):
        say(line)
    say(f"Report: {out / 'report.html'}")
