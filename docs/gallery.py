"""Draw the gallery: every figure there is, from runs of a bundled network, as `python docs/gallery.py FOLDER`.

Runs that are not in FOLDER yet are made there (minutes); those that are there are only read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pictures import write_png

import stratoscope as st
from stratoscope.demo import run_demo
from stratoscope.figures.captions import pretty
from stratoscope.figures.catalogue import FIGURES, figures_of
from stratoscope.results import Results

DOCS = Path(__file__).resolve().parent
NETWORK = "bundled:alexnet"
VIEWS = "objects:dense?n=400&seed=1"


def _demo(out: Path) -> None:
    run_demo(out)


def _sparse_coding(out: Path) -> None:
    lesions = ["default", "remove_gating at each"]
    network, views = st.open_source(NETWORK, stages="relu"), st.open_stimuli(VIEWS)
    st.studies.sparse_coding(network, views, lesions=lesions, n_models=3, out=out)


def _prune_and_distill(out: Path) -> None:
    from stratoscope.studies.muratore2022.protocol import Protocol

    protocol = Protocol(n_units=200, n_shuffles=20)
    views, dense = st.open_stimuli("objects:"), st.open_stimuli("objects:dense?n=600")
    given = {"checkpoints": [f"{NETWORK}@*"], "n_models": 3, "protocol": protocol}
    st.studies.prune_and_distill(st.open_source(NETWORK, stages="relu"), views, dense=dense, out=out, **given)


def _unit_lesions(out: Path) -> None:
    network, views = st.open_source(NETWORK, stages="relu"), st.open_stimuli(VIEWS)
    st.studies.ablate_by_rank(network, views, "relu6", n_random=9, out=out)


def _compare(out: Path) -> None:
    views = st.open_stimuli("objects:tafazoli?objects=jug,star,knot,ring")
    asked = ["rdm", "population_sparseness", "two_nn"]
    runs = [
        st.profile(st.open_source(f"bundled:{name}", stages="relu"), views, metrics=asked)
        for name in ("alexnet", "resnet")
    ]  # fmt: skip
    st.studies.compare(runs, out=out)


@dataclass(frozen=True)
class Shown:
    """A run of the gallery: how it is made, and in words."""

    title: str
    make: Callable[[Path], object]
    call: str


RUNS = {
    "demo": Shown("Any run", _demo, "stratoscope demo"),
    "sparse-coding": Shown(
        "The sparse-coding study", _sparse_coding,
        f"stratoscope study sparse-coding {NETWORK} '{VIEWS}' --models 3 --lesion default --lesion 'remove_gating at each'",
    ),
    "prune-and-distill": Shown(
        "The prune-and-distill study", _prune_and_distill,
        f"stratoscope study prune-and-distill '{NETWORK}@*' objects: --dense 'objects:dense?n=600' --models 3 --units 200 --shuffles 20",
    ),
    "unit-lesions": Shown(
        "Unit lesions", _unit_lesions,
        f"stratoscope study unit-lesions {NETWORK} '{VIEWS}' --stage relu6 --draws 9",
    ),
    "compare": Shown("Hierarchies side by side", _compare, "stratoscope compare runs/alexnet runs/resnet"),
}  # fmt: skip


def draw(runs: Path) -> str:
    """Draw the figures of all runs in `runs` into the pictures of the gallery, and return its page."""
    parts = [
        "# Gallery",
        (
            "Every figure the package draws, from real runs of a bundled network on rendered objects: small runs, whose numbers say how a "
            "figure looks and not what is true of anything. `results` is `stratoscope.open_results(FOLDER)` of a run. The picture of a run "
            "in your own folder: `stratoscope figures FOLDER`. This page and its pictures are written by `python docs/gallery.py FOLDER`."
        ),
    ]
    for name, shown in RUNS.items():
        if not (runs / name).is_dir():
            shown.make(runs / name)
        parts += [f"## {shown.title}", f"```sh\n{shown.call}\n```", *_pictures(st.open_results(runs / name), name)]
    return "\n\n".join(parts) + "\n"


def _pictures(results: Results, run: str) -> list[str]:
    """Draw the figures of one run; of those that a metric or a matrix has each, the first of its kind."""
    shown: dict[str, str] = {}
    for name, make in figures_of(results).items():
        call = _call(make)
        if call.split("(")[0] in (one.split("(")[0] for one in shown.values()):
            continue
        write_png(make(), DOCS / "images" / "gallery" / f"{run}-{name}.png", width=1200)
        shown[name] = call
    return [_entry(run, name, call) for name, call in shown.items()]


def _call(make: Callable[..., object]) -> str:
    """Return the call that draws a figure, as one would write it."""
    words = ", ".join(["results", *map(repr, make.args[1:])])  # type: ignore[attr-defined]
    return f"{make.func.__name__}({words})"  # type: ignore[attr-defined]


def _entry(run: str, name: str, call: str) -> str:
    function = call.split("(", maxsplit=1)[0]
    about = (FIGURES[function].__doc__ or "").strip().splitlines()[0]
    home = FIGURES[function].__module__
    return (
        f"### {function}\n\n{about}\n\n```py\nfrom {home} import {function}\n\n{call}\n```\n\n"
        f"![{pretty(name)}](images/gallery/{run}-{name}.png)"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(
            "Give the folder of the runs, which are made where they are not there: python docs/gallery.py runs/gallery"
        )
    (DOCS / "gallery.md").write_text(draw(Path(sys.argv[1])), encoding="utf-8")
