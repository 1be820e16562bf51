"""The command ``stratoscope``."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import click

from stratoscope.cli.commands import Group

#: One module a command, in the order of help.
COMMANDS = (
    "demo",
    "profile",
    "sweep",
    "stages",
    "metrics",
    "stimuli",
    "train",
    "study",
    "compare",
    "report",
    "figures",
    "table",
    "doctor",
)


def _version() -> str:
    try:
        return version("stratoscope")
    except PackageNotFoundError:
        return "unknown (not installed)"


@click.group(
    cls=Group, modules=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(_version(), prog_name="stratoscope")
def main() -> None:
    """Measure how the stages of a visual hierarchy reformat images.

    Sparseness, dimension, information and read-out for every layer of a network or every area of a recording, each
    number with its uncertainty and its controls. Begin with: stratoscope demo
    """
