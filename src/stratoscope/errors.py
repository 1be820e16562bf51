"""One family of errors; every message is a sentence for the person at the keyboard.

A message says what happened, what was expected, what came, and what to do next. Each class has a `slug`, the
heading of its page in ``docs/errors.md``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: Bytes a name of a file may have, and characters a path: what Linux and macOS allow, and more than Windows does.
LONGEST_NAME, LONGEST_PATH = 255, 4095


class StratoscopeError(Exception):
    """Anything the user can mend. The command line prints it without a traceback."""

    slug = "error"


class BadInput(StratoscopeError, ValueError):
    """A value, shape or combination of arguments that cannot be worked with."""

    slug = "bad-input"


class UnknownName(StratoscopeError, LookupError):
    """A name that is not among those known; the message offers the nearest ones."""

    slug = "unknown-name"


class TooFew(BadInput):
    """Fewer stimuli, units or categories than the estimator needs."""

    slug = "too-few"


class UnreadableStimulus(BadInput):
    """An image that cannot be read; the message names the file."""

    slug = "unreadable-stimulus"


class StageError(BadInput):
    """A stage that never runs, or answers a stimulus twice."""

    slug = "stage"


class WeightsError(BadInput):
    """Weights that do not fit the network, or are not weights alone."""

    slug = "weights"


class BudgetTooSmall(BadInput):
    """The memory budget cannot hold the run; the message says the smallest that can."""

    slug = "budget"


class ResultsError(BadInput):
    """A results folder that is incomplete, damaged or of another schema version."""

    slug = "results"


class MissingExtra(StratoscopeError, ImportError):
    """An optional library is not installed; the message names the extra that brings it."""

    slug = "missing-extra"


def did_you_mean(name: str, options: Iterable[str], n: int = 3) -> str:
    """Return `` Did you mean 'a' or 'b'?`` for the options nearest to `name`, or an empty string."""
    near = difflib.get_close_matches(name, list(dict.fromkeys(options)), n=n, cutoff=0.5)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def unknown_name(kind: str, name: str, options: Iterable[str]) -> UnknownName:
    """Build the error for a `name` of `kind` (such as "metric") that is none of `options`."""
    known = list(options)
    hint = did_you_mean(name, known)
    listing = "" if hint else f" Known: {', '.join(map(repr, known)) or 'none'}."
    return UnknownName(f"No {kind} is called {name!r}.{hint}{listing}")


def missing_extra(library: str, extra: str, purpose: str) -> MissingExtra:
    """Build the error for a `library` that `purpose` needs and that the extra `extra` installs."""
    return MissingExtra(
        f"{purpose} needs {library}, which is not installed. Install it with: pip install 'stratoscope[{extra}]'"
    )


def refuse_impossible_name(text: str, what: str) -> None:
    """Refuse what no file can be called, `what` being an address that may be a path: the system raises for it everywhere."""
    parts = text.encode("utf-8", "surrogatepass").split(b"/")
    if "\0" in text or max(map(len, parts)) > LONGEST_NAME or len(text) > LONGEST_PATH:
        raise BadInput(
            f"{text[:60]!r} ... cannot be {what}: no file has a name of more than {LONGEST_NAME} bytes, a path of more than "
            f"{LONGEST_PATH} characters, or a NUL in it. Check what was typed."
        )


def printable(text: str) -> str:
    r"""Return `text` with every character that cannot be printed shown by its code, such as ``\n`` or ``\x1b``.

    Names of files and stages come from outside. A newline in one would make two lines of a sentence, an escape code would
    colour or clear the terminal, and a right-to-left mark would let ``exe.png`` be read as ``gnp.exe``.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
