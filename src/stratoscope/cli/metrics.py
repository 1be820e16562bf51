"""``stratoscope metrics``."""

from __future__ import annotations

import click

from stratoscope.cli.commands import Command
from stratoscope.cli.grid import grid
from stratoscope.cli.say import say


@click.command(
    cls=Command,
    examples="""
    stratoscope metrics
    stratoscope metrics two_nn
    """,
)
@click.argument("names", nargs=-1)
def command(names: tuple[str, ...]) -> None:
    """List the metrics: what each needs, its range and unit, and its source. With NAMES, tell all about these."""
    import stratoscope.metrics
    from stratoscope.metrics.declare import METRICS
    from stratoscope.results import declared

    del stratoscope
    chosen = [declared(METRICS[name]) for name in (names or METRICS)]
    if not names:
        head = ("metric", "needs", "along", "range", "unit", "reads", "source")
        body = [
            (
                m.name,
                m.needs,
                " x ".join(m.dims) or "stage",
                f"{m.range[0]:g} to {m.range[1]:g}",
                m.unit,
                m.reads,
                m.paper,
            )
            for m in chosen
        ]
        say(grid(head, body))
        return
    for m in chosen:
        told = {"needs": m.needs, "along": " x ".join(m.dims) or "stage", "range": f"{m.range[0]:g} to {m.range[1]:g}",
                "unit": m.unit, "reads": m.reads, "controls": ", ".join(m.controls) or "none", "source": m.paper,
                "when it misleads": m.misleads}  # fmt: skip
        say(f"{m.name}: {m.title}")
        say("\n".join(f"  {name}: {value}" for name, value in told.items() if value))
