"""``stratoscope report``."""

from __future__ import annotations

from pathlib import Path

import click

from stratoscope.cli.commands import Command
from stratoscope.cli.say import say


@click.command(
    cls=Command,
    examples="""
    stratoscope report runs/alexnet
    stratoscope report runs/alexnet --out alexnet.html
    stratoscope report intact-run lesioned-run --out both.html
    """,
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The HTML file. [default: report.html in the first RUN]")
def command(runs: tuple[Path, ...], out: Path | None) -> None:
    """Write the HTML report of RUN again; nothing is recomputed. Several runs are shown beside each other."""
    from stratoscope.report import write_report
    from stratoscope.results import Results, open_results

    opened = [open_results(run) for run in runs]
    results = opened[0] if len(opened) == 1 else Results.combine(opened)
    say(f"Report: {write_report(results, out or runs[0] / 'report.html')}")
