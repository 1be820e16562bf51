"""The main job on what the package brings: the bundled network on rendered objects, intact and lesioned."""

from __future__ import annotations

from pathlib import Path

from stratoscope.measure import profile
from stratoscope.measure.partial.folder import beside, discard
from stratoscope.measure.request import DEFAULT_METRICS
from stratoscope.report import write_report
from stratoscope.results import Results, check_target
from stratoscope.sources import lesions
from stratoscope.sources.bundled import open_bundled
from stratoscope.sources.openers import Request
from stratoscope.stimuli import join_stimuli, open_stimuli
from stratoscope.types import Stimuli

MODEL = "alexnet"
DENSE_VIEWS = 620
#: Beside the default metrics: how alike stages are, and what single channels tell about the luminance of an image.
FURTHER = ("cka", "unit_information:values=luminance")


def demo_stimuli(seed: int) -> Stimuli:
    """Return the 380 views of Tafazoli et al. 2017 and `DENSE_VIEWS` random combined ones: a thousand in all."""
    dense = open_stimuli(f"objects:dense?n={DENSE_VIEWS}&seed={1000 + seed}")
    return join_stimuli([open_stimuli("objects:tafazoli"), dense])


def run_demo(
    out: str | Path,
    *,
    seed: int = 0,
    overwrite: bool = False,
    progress: bool = True,
    stimuli: Stimuli | None = None,
    resume: bool = True,
) -> Results:
    """Profile the bundled network on rendered objects, intact and under three lesions, and write the report.

    The lesions are those of Liu, Zhen & Liu 2020 that say what learning and gating do: permuted weights, gating
    removed; and, since "untrained" has more than one meaning, the network as it was at the start of its training.

    Parameters
    ----------
    out : path
        Folder of the results; the report is ``report.html`` in it.
    seed : int
        Seed of the dense views, of the permutation and of every resampling.
    overwrite : bool
        Replace results that are in the folder.
    progress : bool
        Show progress bars.
    stimuli : Stimuli, optional
        Other stimuli than `demo_stimuli`.
    resume : bool
        Go on where a demo with the same `out` was broken off; otherwise begin anew.
    """
    target = check_target(out, overwrite=overwrite)
    views = demo_stimuli(seed) if stimuli is None else stimuli
    intact, start = (open_bundled(name, Request(f"bundled:{name}", stages="relu")) for name in (MODEL, f"{MODEL}@0"))
    intact = intact.prepare(views)
    sources = [intact, lesions.remove_gating(intact), lesions.permute_weights(intact, seed), start]
    places = [beside(target) / str(index) for index in range(len(sources))]
    metrics = [*DEFAULT_METRICS, *(FURTHER if "luminance" in views.columns else FURTHER[:1])]
    runs = [
        profile(source, views, metrics=metrics, seed=seed, progress=progress, checkpoint=place, resume=resume)
        for source, place in zip(sources, places, strict=True)
    ]
    results = Results.combine(runs)
    results.save(target, overwrite=overwrite)
    write_report(results, target / "report.html")
    for place in places:
        discard(place)
    places[0].parent.rmdir()
    return results
