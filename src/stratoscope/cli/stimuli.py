"""``stratoscope stimuli make`` and ``stratoscope stimuli describe``."""

from __future__ import annotations

from pathlib import Path

import click

from stratoscope.cli.commands import Command, Group
from stratoscope.cli.grid import grid
from stratoscope.cli.options import words


class StimuliGroup(Group):
    """The two commands about stimuli, both in this file."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one of the two, or None."""
        del ctx
        return {"make": make, "describe": describe}.get(cmd_name)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples of both."""
        del ctx
        with formatter.section("Examples"):
            formatter.write("  stratoscope stimuli make objects: --out views\n")
            formatter.write("  stratoscope stimuli describe objects: --properties mean_luminance,rms_contrast\n")
        formatter.write("\nBoth take --traceback, which shows where an error came from.\n")


@click.group(cls=StimuliGroup, modules=("make", "describe"))
def command() -> None:
    """Render object views into files, and measure image properties of any stimuli."""


@click.command(
    cls=Command,
    examples="""
    stratoscope stimuli make objects: --out views
    stratoscope stimuli make 'objects:dense?n=2000&seed=1' --out dense
    stratoscope stimuli make objects:my_meshes --out mine
    """,
)
@click.argument("spec", metavar="STIMULI")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="New folder for images and stimuli.csv.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bar.")
def make(spec: str, out: Path, quiet: bool) -> None:
    """Write every image of STIMULI as a PNG, and its parameters as a table.

    STIMULI is most often objects: (380 views of ten objects), objects:dense?n=... (random views) or objects:FILE with a
    mesh of your own, but any set of images will do.
    """
    from tqdm import tqdm

    from stratoscope.stimuli import open_stimuli
    from stratoscope.stimuli.write import write_stimuli

    stimuli = open_stimuli(spec)
    with tqdm(total=len(stimuli), disable=quiet, unit="image") as bar:

        def show(done: int) -> None:
            bar.update(done - bar.n)

        table = write_stimuli(stimuli, out, progress=show)
    click.echo(f"{len(stimuli)} images: {table}")


@click.command(
    cls=Command,
    examples="""
    stratoscope stimuli describe objects:
    stratoscope stimuli describe photos/ --properties mean_luminance,rms_contrast --out properties.csv
    """,
)
@click.argument("spec", metavar="STIMULI")
@click.option("--properties", metavar="NAMES", help="Image properties to measure, with commas between, or 'all'.")
@click.option("--out", type=click.Path(path_type=Path), help="CSV for ids, columns and properties of every stimulus.")
def describe(spec: str, properties: str | None, out: Path | None) -> None:
    """Say what is in STIMULI, and measure properties of the images."""
    from stratoscope.stimuli import describe_stimuli, open_stimuli
    from stratoscope.stimuli.describe import ranges
    from stratoscope.stimuli.write import write_table

    stimuli = open_stimuli(spec)
    told = describe_stimuli(stimuli)
    click.echo(f"{told['name']}: {told['n']} stimuli, fingerprint {told['fingerprint'][:12]}")
    if told["categories"]:
        click.echo("categories: " + ", ".join(f"{name} ({count})" for name, count in told["categories"].items()))
    measured = {}
    if properties:
        from stratoscope.stimuli.properties import measure_properties

        measured = measure_properties(stimuli, None if properties == "all" else words(properties))
    rows = ranges({**stimuli.columns, **measured})
    click.echo(grid(("column", "lowest", "mean", "highest"), rows, right=("lowest", "mean", "highest")))
    for note in told["notes"]:
        click.echo(f"note: {note}")
    if out:
        write_table({"id": stimuli.ids, **stimuli.columns, **measured}, out)  # type: ignore[dict-item]
        click.echo(f"Table: {out}")
