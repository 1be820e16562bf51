"""The one place that prints: names that came from outside cannot steer the terminal they are shown on."""

from __future__ import annotations

import click

from stratoscope.errors import printable


def say(text: object, *, err: bool = False) -> None:
    """Print `text` on stdout, or on stderr; what is no printable character is shown by its code."""
    click.echo("\n".join(printable(line) for line in str(text).split("\n")), err=err)
