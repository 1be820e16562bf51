"""``stratoscope profile``."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import click

from stratoscope.cli.commands import Command, finish
from stratoscope.cli.options import names, opened_source, source_options
from stratoscope.cli.say import say

#: Lesions of a whole network, and whether they draw random numbers.
LESIONS = {"permute_weights": True, "permute_biases": True, "reinitialize": True, "remove_gating": False}


@click.command(
    cls=Command,
    examples="""
    stratoscope profile torchvision:alexnet photos/ --out alexnet-run
    stratoscope profile torchvision:resnet18 photos/ --stages relu --stages fc --unit channel --unit position
    stratoscope profile my_net.py:build photos.csv --weights my_net.safetensors --metrics two_nn,gride
    stratoscope profile torchvision:alexnet photos/ --lesion permute_weights --seed 1 --out lesioned-run
    stratoscope profile bundled:vgg objects: --properties mean_luminance,rms_contrast
    stratoscope profile torchvision:resnet50 imagenet/val --metrics population_sparseness --cluster local:2 --out resnet50
    stratoscope profile responses.npz --metrics two_nn
    stratoscope profile session.nwb --stages V1 --stages LL
    stratoscope profile "recording:session.nwb?window=0.05:0.25" --metrics two_nn,participation_ratio
    """,
)
@click.argument("model")
@click.argument("stimuli", required=False)
@source_options
@click.option("--lesion", type=click.Choice(list(LESIONS)), help="Lesion the network before it is profiled.")
@click.option(
    "--metrics",
    multiple=True,
    metavar="NAMES",
    help="Names with commas between, or NAME:OPTION=VALUE; repeatable; see 'stratoscope metrics'. [default: the usual ones]",
)
@click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True, help="Stimuli at a time.")
@click.option("--workers", type=click.IntRange(min=0), default=2, show_default=True, help="Threads that load stimuli.")
@click.option("--budget", default="2GB", show_default=True, help="Memory the run may use.")
@click.option("--spool", type=click.Choice(["bfloat16", "float16"]), help="Keep responses in 16 bits: half the room.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many stimuli, drawn with the seed.")
@click.option("--per-category", type=click.IntRange(min=1), help="At most so many stimuli of each category.")
@click.option(
    "--properties",
    multiple=True,
    metavar="NAMES",
    help="Image properties to measure and keep with the results, with commas between, or 'all'; see 'stratoscope stimuli describe'.",
)
@click.option("--skip-unreadable", is_flag=True, help="Leave unreadable images out, and say so, instead of ending.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run. [default: runs/MODEL-STIMULI]")
@click.option("--overwrite", is_flag=True, help="Replace results that are in the folder.")
@click.option("--restart", is_flag=True, help="Throw away what is done of a run that was broken off, and begin anew.")
@click.option(
    "--cluster",
    metavar="WHERE",
    help="Share the work: local, local:N (workers here), tcp://HOST:PORT (a Dask scheduler), or slurm:queue=NAME,cores=N,memory=SIZE,jobs=N.",
)
@click.option("--no-report", is_flag=True, help="Write no report.html into the folder.")
@click.option(
    "--extrapolate",
    is_flag=True,
    help="Of a recording: dimensions with infinitely many units, and stimuli; takes minutes.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress bars and no table.")
def command(model: str, stimuli: str | None, **asked: Any) -> None:
    """Compute metrics for every stage of MODEL on STIMULI; the same command goes on with a run that was broken off.

    MODEL is torchvision:NAME, timm:NAME, hf:NAME, bundled:NAME or file.py:function, a file of responses (.npz,
    .zarr, .nc) or recording:FILE, which need no STIMULI. STIMULI is a folder of class folders, a CSV with paths, an .npz, a .zip with a
    table, torchvision:NAME or objects:.
    """
    from stratoscope.measure import profile
    from stratoscope.report import write_report

    out = asked["out"] or Path("runs") / _slug(f"{model}-{stimuli}" if stimuli else model)
    source = _source(model, asked)
    played = _own_stimuli(model, source, asked) if stimuli is None else _stimuli(stimuli, asked)
    with _cluster(asked["cluster"]) as client:
        results = profile(source, played, **_run(asked), out=out, client=client)
    if not asked["quiet"]:
        say(repr(results))
    say(f"Results: {out}")
    if not asked["no_report"]:
        say(f"Report: {write_report(results, out / 'report.html')}")
    finish(results.failures)


def _source(model: str, asked: dict[str, Any]) -> Any:
    source = opened_source(model, asked)
    if not asked["lesion"]:
        return source
    from stratoscope.sources import lesions

    seed = {"seed": asked["seed"]} if LESIONS[asked["lesion"]] else {}
    return getattr(lesions, asked["lesion"])(source, **seed)


def _stimuli(spec: str, asked: dict[str, Any]) -> Any:
    from stratoscope.stimuli import open_stimuli

    stimuli = open_stimuli(spec, limit=asked["limit"], seed=asked["seed"], per_category=asked["per_category"])
    wanted = names(asked["properties"])
    if wanted is None:
        return stimuli
    from stratoscope.stimuli.properties import add_properties

    return add_properties(stimuli, None if wanted == ["all"] else wanted)


def _own_stimuli(model: str, source: Any, asked: dict[str, Any]) -> Any:
    """Return the stimuli that responses were recorded with; a network has none of its own."""
    from stratoscope.stimuli.choose import choose

    if not hasattr(source, "stimuli"):
        raise click.UsageError(
            f"Missing argument 'STIMULI': {model!r} needs images. Give a folder, a table, an .npz or a .zip after it."
        )
    return choose(source.stimuli(), limit=asked["limit"], per_category=asked["per_category"], seed=asked["seed"])


def _run(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the pass itself is told."""
    kept = ("batch_size", "workers", "budget", "spool", "seed", "skip_unreadable", "overwrite", "extrapolate")
    return {
        **{name: asked[name] for name in kept},
        "metrics": names(asked["metrics"]),
        "unit": asked["unit"] or None,
        "resume": not asked["restart"],
        "progress": not asked["quiet"],
    }


def _cluster(spec: str | None) -> AbstractContextManager[Any]:
    """Return the cluster whose workers share the run; none where none was asked for."""
    if spec is None:
        return nullcontext()
    from stratoscope.measure.cluster import open_cluster

    return open_cluster(spec)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.")
