"""Options that several commands share, in groups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_SOURCE: tuple[Any, ...] = (
    click.option("--weights", default="default", show_default=True, help="A .safetensors file, 'default' or 'random'."),
    click.option("--stages", multiple=True, metavar="WHICH", help="auto, relu, conv, linear, block, a name, glob or regex; repeatable. [default: auto]"),
    click.option("--unit", multiple=True, metavar="UNIT", help="What a unit is: channel, channel:max, position, cls, mean, token; repeatable. [default: what each metric conventionally reads]"),
    click.option("--input", "input_", type=click.Choice(["auto", "crop", "squash"]), default="auto", show_default=True, help="How an image is brought to the input size."),
    click.option("--size", type=click.IntRange(min=1), help="Input size in pixels, where the network leaves a choice."),
    click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1 ..."),
    click.option("--autocast", type=click.Choice(["bfloat16", "float16"]), help="Compute in this format: faster, other numbers."),
    click.option("--channels-last", is_flag=True, help="Another order of memory: often faster, the same numbers but for rounding."),
    click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of everything random."),
)  # fmt: skip

_LOAD: tuple[Any, ...] = (
    click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True, help="Stimuli at a time."),
    click.option("--budget", default="4GB", show_default=True, help="Memory the study may use."),
    click.option("--limit", type=click.IntRange(min=1), help="At most so many stimuli, drawn with the seed."),
    click.option("--per-category", type=click.IntRange(min=1), help="At most so many stimuli of each category."),
)  # fmt: skip
_CLAIMS: tuple[Any, ...] = (
    click.option("--correction", type=click.Choice(["holm", "benjamini-hochberg", "bonferroni", "none"]), default="holm", show_default=True, help="How p-values of the claims are corrected."),
    click.option("--skip-unreadable", is_flag=True, help="Leave unreadable images out, and say so, instead of ending."),
)  # fmt: skip


def source_options(function: F) -> F:
    """Add the options that say which source is opened and how."""
    for option in reversed(_SOURCE):
        function = option(function)
    return function


def classifier_options(function: F) -> F:
    """Add the options that say how a network is opened of which one stage and its output are read."""
    for option in reversed((_SOURCE[0], *_SOURCE[3:])):
        function = option(function)
    return function


def study_options(out: str, *, claims: bool = True, workers: str = "Threads that load stimuli.") -> Callable[[F], F]:
    """Add the options of every study, whose folder is `out` by default and whose `workers` do what is said; and those of one that judges claims."""
    told = "findings" if claims else "summary"
    kept: tuple[Any, ...] = (
        click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help=workers),
        click.option("--out", type=click.Path(path_type=Path), default=Path(out), show_default=True, help="Folder of the study."),
        click.option("--overwrite", is_flag=True, help="Replace results that are in the folder."),
        click.option("--quiet", "-q", is_flag=True, help=f"No progress bars and no {told}."),
    )  # fmt: skip

    def added(function: F) -> F:
        for option in reversed((*_LOAD, *(_CLAIMS if claims else ()), *kept)):
            function = option(function)
        return function

    return added


def one_or_many(chosen: tuple[str, ...], default: str) -> str | tuple[str, ...]:
    """Return what a repeatable option was given: the default, the one value, or all of them."""
    return chosen[0] if len(chosen) == 1 else chosen or default


def names(chosen: tuple[str, ...]) -> list[str] | None:
    """Return the metrics asked for: ``a,b`` holds two names, ``a:option=1,other=2`` one with options; None for none."""
    split = (one.replace(",", " ").split() if ":" not in one else [one] for one in chosen)
    return [name for group in split for name in group] or None


def opened_source(model: str, asked: dict[str, Any]) -> Any:
    """Open the source that `source_options` describe."""
    from stratoscope.sources.openers import open_source

    return open_source(
        model,
        weights=asked["weights"],
        stages=one_or_many(asked["stages"], "auto"),
        unit=one_or_many(asked["unit"], "channel"),
        input=asked["input_"],
        size=asked["size"],
        device=asked["device"],
        seed=asked["seed"],
        autocast=asked["autocast"],
        channels_last=asked["channels_last"],
    )
