"""``stratoscope figures``."""

from __future__ import annotations

from pathlib import Path

import click

from stratoscope.cli.commands import Command
from stratoscope.cli.say import say


@click.command(
    cls=Command,
    examples="""
    stratoscope figures runs/alexnet
    stratoscope figures runs/alexnet --format svg --columns two --out paper/figures
    """,
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--format", default="pdf", show_default=True, metavar="NAME", help="pdf, svg or png.")
@click.option("--columns", default="one", show_default=True, metavar="NAME", help="one (89 mm wide) or two (183 mm).")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the figures. [default: figures in RUN]")
def command(run: Path, format: str, columns: str, out: Path | None) -> None:
    """Write every figure of RUN for a paper, as vector graphics; nothing is recomputed."""
    from stratoscope.figures.catalogue import write_figures
    from stratoscope.results import open_results

    paths, left_out = write_figures(open_results(run), out or run / "figures", format=format, columns=columns)
    for path in paths:
        say(path)
    for line in left_out:
        say(f"left out: {line}", err=True)
