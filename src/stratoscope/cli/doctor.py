"""``stratoscope doctor``."""

from __future__ import annotations

import click

from stratoscope.cli.commands import Command
from stratoscope.cli.grid import grid
from stratoscope.cli.say import say


@click.command(cls=Command, examples="\n    stratoscope doctor\n    ")
def command() -> None:
    """Say what this installation can do: versions, threads, graphics card, and what each extra would bring."""
    from stratoscope.doctor import examine

    found = examine()
    say(grid(("looked at", "found"), [(one.what, one.found) for one in found]))
    advice = [one for one in found if one.advice]
    if advice:
        say("\nWhat you may want to do:")
        for one in advice:
            say(f"  {one.what}: {one.advice}")
