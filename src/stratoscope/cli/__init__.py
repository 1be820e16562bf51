"""The command line: it parses, makes one library call, and prints. No arithmetic here."""

from stratoscope.cli.entry import main

__all__ = ["main"]
