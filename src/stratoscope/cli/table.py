"""``stratoscope table``."""

from __future__ import annotations

from pathlib import Path

import click

from stratoscope.cli.commands import Command
from stratoscope.cli.say import say


@click.command(
    cls=Command,
    examples="""
    stratoscope table runs/alexnet
    stratoscope table runs/alexnet --out alexnet.tex
    stratoscope table runs/alexnet runs/vgg --out both.parquet
    """,
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="File .csv, .parquet or .tex. [default: bars in the terminal]"
)
@click.option("--format", metavar="NAME", help="csv, parquet or latex. [default: told from the suffix of --out]")
def command(runs: tuple[Path, ...], out: Path | None, format: str | None) -> None:
    """Show every metric of RUN along its stages, or write the table to a file."""
    from stratoscope.results import Results, open_results
    from stratoscope.results.export import export_table, summary

    opened = [open_results(run) for run in runs]
    results = opened[0] if len(opened) == 1 else Results.combine(opened)
    say(summary(results) if out is None else f"Table: {export_table(results, out, format)}")
