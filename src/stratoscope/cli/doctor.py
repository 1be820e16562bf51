"""``stratoscope doctor``."""

from __future__ import annotations

import click

from stratoscope.cli.commands import Command
from stratoscope.cli.grid import grid


@click.command(cls=Command, examples="\n    stratoscope doctor\n    ")
def command() -> None:
    """Say what this installation can do: versions, threads, graphics card, and what each extra would bring."""
    from stratoscope.doctor import examine

    found = examine()
    click.echo(grid(("looked at", "found"), [(one.what, one.found) for one in found]))
    advice = [one for one in found if one.advice]
    if advice:
        click.echo("\nWhat you may want to do:")
        for one in advice:
            click.echo(f"  {one.what}: {one.advice}")
