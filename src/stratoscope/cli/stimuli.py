"""``stratoscope stimuli make`` and ``stratoscope stimuli describe``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stratoscope.cli.commands import Command, Group
from stratoscope.cli.grid import grid
from stratoscope.cli.say import say

if TYPE_CHECKING:
    from stratoscope.stimuli.properties.silhouette import Background
    from stratoscope.types import Floats


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
            formatter.write("  stratoscope stimuli describe objects: -p mean_luminance\n")
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
    stratoscope stimuli make 'rat?size=0.1&seed=1' --out rat
    """,
)
@click.argument("spec", metavar="STIMULI")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="New folder for images and stimuli.csv.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bar.")
def make(spec: str, out: Path, quiet: bool) -> None:
    """Write every image of STIMULI as a PNG, and its parameters as a table.

    STIMULI is most often objects: (380 views of ten objects), objects:dense?n=... (random views) or objects:FILE with a
    mesh of your own, but any set of images will do.

    rat is a simulated recording of four visual areas that saw these objects, never a real one: spikes as NWB, the images, and
    the truth. rat?size=0.1&n_trials=5&seed=1&effects=0 has a tenth of the units, five trials of each
    stimulus, another seed, and areas that do not differ.
    """
    if spec.partition("?")[0] == "rat":
        _make_rat(spec, out)
        return
    from tqdm import tqdm

    from stratoscope.stimuli import open_stimuli
    from stratoscope.stimuli.write import write_stimuli

    stimuli = open_stimuli(spec)
    with tqdm(total=len(stimuli), disable=quiet, unit=" stimuli", delay=2, leave=False) as bar:

        def show(done: int) -> None:
            bar.update(done - bar.n)

        table = write_stimuli(stimuli, out, progress=show)
    say(f"{len(stimuli)} images: {table}")


def _make_rat(spec: str, out: Path) -> None:
    from stratoscope.testing.rat.recorded import rat_from, write_rat

    rat = rat_from(spec)
    folder = write_rat(rat, out)
    told = ", ".join(f"{area.name} {area.design.n_units}" for area in rat.areas)
    say(f"{rat.name} (nothing here was recorded): {told} units, {len(rat.scenes.ids)} stimuli: {folder}")


@click.command(
    cls=Command,
    examples="""
    stratoscope stimuli describe
    stratoscope stimuli describe images/ --size 64
    stratoscope stimuli describe objects: --background 0 -p silhouette_area -p mean_luminance
    """,
)
@click.argument("stimuli", required=False)
@click.option("-p", "--property", "names", multiple=True, help="Measure this property only; may be repeated.")
@click.option("--background", help="Luminance of the uniform background, 0 to 1, or 'border'.")
@click.option("--size", type=click.IntRange(1), help="Bring every image to this many rows and columns first.")
@click.option("--encoding", default="linear", show_default=True, help="'linear', or 'srgb' for photographs.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Threads that load images.")
def describe(
    stimuli: str | None,
    *,
    names: tuple[str, ...],
    background: str | None,
    size: int | None,
    encoding: str,
    workers: int,
) -> None:
    """Measure the properties of STIMULI and print their spread; without STIMULI, list what can be measured."""
    if stimuli is None:
        say(_catalogue(names))
        return
    from stratoscope.stimuli.open import open_stimuli
    from stratoscope.stimuli.properties import measure_properties

    opened = open_stimuli(stimuli)
    measured = measure_properties(
        opened, names or None, background=_background(background), size=size, encoding=encoding, workers=workers
    )
    say(f"{opened.name}: {len(opened)} stimuli")
    say(_spread(measured))


def _catalogue(names: tuple[str, ...]) -> str:
    """Return what can be measured, one property a line."""
    from stratoscope.stimuli.properties import PROPERTIES

    head = ("property", "unit", "range", "needs", "definition", "source")
    chosen = [PROPERTIES[name] for name in (names or PROPERTIES)]
    body = [
        (p.name, p.unit, f"{p.range[0]:g} to {p.range[1]:g}", ", ".join(p.needs) or "-", p.definition, p.paper)
        for p in chosen
    ]
    return grid(head, body)


def _spread(measured: dict[str, Floats]) -> str:
    """Return smallest, median and largest value of each column, and how many stimuli have none."""
    import numpy as np

    head = ("property", "smallest", "median", "largest", "without")
    body = []
    for name, values in measured.items():
        there = values[~np.isnan(values)]
        ends = [f"{value:.4g}" for value in np.quantile(there, (0, 0.5, 1))] if there.size else ["-"] * 3
        body.append((name, *ends, str(len(values) - there.size)))
    return grid(head, body, right=head[1:])


def _background(text: str | None) -> Background | None:
    if text is None or text == "border":
        return None if text is None else "border"
    try:
        return float(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither a luminance nor 'border'.", param_hint="--background") from None
