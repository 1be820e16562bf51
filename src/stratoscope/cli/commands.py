"""How every command behaves: errors are sentences, a mistyped command gets its neighbours, help has examples."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NoReturn, TypeVar

import click

from stratoscope.cli.say import say
from stratoscope.errors import StratoscopeError, UnreadableStimulus, did_you_mean, printable

#: Exit codes: 0 fine; 1 something failed during the run, which the results say; 2 wrong usage or input.
FAILED, WRONG = 1, 2

F = TypeVar("F", bound=Callable[..., Any])


class Command(click.Command):
    """A command that prints errors of the house as one sentence; ``--traceback`` shows where they came from."""

    def __init__(self, *args: Any, examples: str = "", **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.examples = examples
        self.params.append(
            click.Option(["--traceback"], is_flag=True, help="Show where an error came from.", expose_value=False,
                         callback=_remember, is_eager=True)
        )  # fmt: skip

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of the house becomes a sentence and an exit code."""
        try:
            with _ended_politely():
                return super().invoke(ctx)
        except StratoscopeError as error:
            if ctx.meta.get("stratoscope.traceback"):
                raise
            fail(str(error), FAILED if isinstance(error, UnreadableStimulus) else WRONG)
        except OSError as error:  # no error of the house: the system refuses a name, a disk or a right
            if ctx.meta.get("stratoscope.traceback") or isinstance(error, BrokenPipeError):
                raise
            about = f" {error.filename!r}" if error.filename else ""
            fail(f"The system refuses{about}: {error.strerror or error}. --traceback shows where.", FAILED)
        except KeyboardInterrupt:
            fail("Stopped before the end; nothing half-written was left.", FAILED)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are typed, one a line."""
        del ctx
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples.strip().splitlines():
                    formatter.write(f"  {line.strip()}\n")


@contextmanager
def _ended_politely() -> Iterator[None]:
    """Let SIGTERM, which batch systems send at the time limit, end the command as Ctrl-C does, leaving nothing behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _remember(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    ctx.meta["stratoscope.traceback"] = value


class Group(click.Group):
    """Commands that are imported when they are called, so that help comes at once."""

    def __init__(self, *args: Any, modules: Sequence[str] = (), **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.modules = tuple(modules)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which one meets them."""
        del ctx
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, or return None where there is none of that name."""
        del ctx
        if cmd_name not in self.modules:
            return None
        command = import_module(f"stratoscope.cli.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or offer the nearest names."""
        name = args[0]
        if name not in self.modules and not name.startswith("-"):
            known = ", ".join(self.modules)
            hint = did_you_mean(name, self.modules) or f" Known: {known}."
            ctx.fail(f"No command is called {name!r}.{hint}")
        return super().resolve_command(ctx, args)


def fail(sentence: str, code: int) -> NoReturn:
    """Print a sentence on stderr and end with `code`."""
    say(f"stratoscope: {printable(sentence)}", err=True)
    sys.exit(code)


def finish(failures: Sequence[str]) -> None:
    """Print on stderr what failed during the run and end with 1, or end well where nothing did."""
    if failures:
        for line in failures[:10]:
            say(f"failed: {printable(line)}", err=True)
        if len(failures) > 10:
            say(f"failed: and {len(failures) - 10} more, see the notes in the report", err=True)
        sys.exit(FAILED)
