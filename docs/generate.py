"""Write the pages that the code already knows: ``cli.md``, ``metrics.md`` and ``faults.md``. With ``--check``, fail where they are stale."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

import stratoscope.metrics  # noqa: F401 - importing the metrics declares them
from stratoscope.cli import main
from stratoscope.cli.commands import Command
from stratoscope.metrics.declare import METRICS
from stratoscope.results import Declared, declared

HERE = Path(__file__).resolve().parent


def cli_page() -> str:
    """Return the page of the command line."""
    context = click.Context(main, info_name="stratoscope", **main.context_settings)
    parts = ["# Command line", _prose(main.help)]
    for name in main.list_commands(context):
        parts += _any(main.get_command(context, name), context, name, "##")
    parts.append(
        "## Exit codes\n\n0: all went well. 1: something failed during the run, and the results say what. "
        "2: wrong usage or wrong input."
    )
    return "\n\n".join(parts) + "\n"


def _any(command: click.Command | None, parent: click.Context, name: str, heading: str) -> Iterator[str]:
    """Describe a command, or a group and its commands one heading lower."""
    context = click.Context(command, parent=parent, info_name=name) if command else parent
    if isinstance(command, Command):
        yield from _command(command, context, heading)
    elif isinstance(command, click.Group):
        yield f"{heading} {name}"
        yield _prose(command.help)
        for inner in command.list_commands(context):
            yield from _any(command.get_command(context, inner), context, inner, heading + "#")


def _command(command: Command, context: click.Context, heading: str) -> Iterator[str]:
    yield f"{heading} {context.info_name}"
    yield f"```text\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```"
    yield _prose(command.help)
    options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
    records = [record for record in (option.get_help_record(context) for option in options) if record]
    rows = "\n".join(f"| `{_cell(option)}` | {_cell(words)} |" for option, words in records)
    yield f"| option | what it does |\n| --- | --- |\n{rows}"
    examples = "\n".join(line.strip() for line in command.examples.strip().splitlines())
    yield f"```sh\n{examples}\n```"


def metrics_page() -> str:
    """Return the page of the metrics."""
    parts = [
        "# Metrics",
        "Every metric that is declared, in the order of declaration; `stratoscope metrics` lists the same.",
    ]
    for name in METRICS:
        parts += _metric(declared(METRICS[name]))
    return "\n\n".join(parts) + "\n"


def _metric(said: Declared) -> Iterator[str]:
    yield f"## {said.name}"
    yield said.title
    told = {
        "needs": said.needs,
        "one number for each": " x ".join(said.dims) or "stage",
        "range": f"{said.range[0]:g} to {said.range[1]:g}",
        "unit": said.unit,
        "reads": said.reads,
        "controls": ", ".join(said.controls) or "none",
        "source": said.paper,
    }
    yield "\n".join(f"- **{name}**: {value}" for name, value in told.items())
    if said.misleads:
        yield f"**When it misleads.** {said.misleads}"


def _prose(text: str | None) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))


def _cell(text: str) -> str:
    return re.sub(r"([|\[\]])", r"\\\1", " ".join(text.split()))


FAULTS = HERE.parent / "tests" / "faults"
#: What stands above the tables of faults.
ABOUT_FAULTS = """# Faults, and what happens

Every fault that was tried, what happens, and the test that shows it. The rows are read from `tests/faults`, a test a row, so
that none can be claimed here and not be tried. Whatever is wrong ends in one sentence and an exit code (see
[errors.md](errors.md)), or in a note in the results; never in a traceback, a hang, or a number that is not what it says.
`make soak` runs the longer versions.

What cannot be promised:

- **Bits that no format guards.** MATLAB, HDF5 (NWB, NetCDF) and CSV files carry no checksums: a flipped bit inside a number is another
  number, and nobody can tell. Archives (`.npz`, `.zip`) and results folders do carry them.
- **Libraries in C.** On damaged files scipy's MATLAB reader can crash the process and NetCDF's can hang for ever; both were met here. A file is
  therefore read by another process first, which costs an import and a second reading, and only that process goes down. HDF5 through
  h5py (NWB, MATLAB 7.3) neither crashed nor hung in the damages tried, and is read directly; should it crash, the run is lost and nothing
  false is left, because results are written whole or not at all.
- **Values that vanish.** Responses below about 1e-150, which only arrays in double precision can hold, have squares of zero: dimension and spectrum
  refuse them as equal, sparseness reads 0. Multiply them by a constant first; no metric but means and variances depends on it.
- **Known weaknesses of dependencies.** `pip-audit` asks a data base on the network, which could not be reached where these tests were written.
  What stands in its place is a review: `constraints.txt` pins one version of all that is needed, nothing unpinned is installed, and
  the licences of the direct dependencies are checked. Run `pip-audit -r constraints.txt` where there is a network."""


def faults_page() -> str:
    """Return the page of faults, from the first lines of the tests: ``fault -> what happens``."""
    parts = [ABOUT_FAULTS]
    for file in sorted(FAULTS.glob("test_*.py")):
        parts += _faults(ast.parse(file.read_text(encoding="utf-8")), file.name)
    return "\n\n".join(parts) + "\n"


def _faults(module: ast.Module, file: str) -> Iterator[str]:
    """Describe the faults of one file of tests; a test that does not say what it tries is an error."""
    heading, _, about = (ast.get_docstring(module) or "").partition(": ")
    yield f"## {heading}"
    yield f"In `tests/faults/{file}`: {about}"
    rows = []
    for test in (one for one in module.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")):
        fault, arrow, outcome = " ".join((ast.get_docstring(test) or "").split()).partition(" -> ")
        if not arrow:
            sys.exit(f"{file}: {test.name} has no docstring 'fault -> what happens'.")
        rows.append(f"| {_cell(fault)} | {_cell(outcome)} | `{test.name}` |")
    yield "\n".join(["| fault | what happens | test |", "| --- | --- | --- |", *rows])


PAGES = {"cli.md": cli_page, "metrics.md": metrics_page, "faults.md": faults_page}


def stale(folder: Path = HERE) -> list[str]:
    """Return the pages in `folder` that are not what the code says."""
    return [
        name for name, page in PAGES.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != page()
    ]  # fmt: skip


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        old = stale()
        sys.exit(f"Stale: {', '.join(old)}. Run: python docs/generate.py" if old else 0)
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
