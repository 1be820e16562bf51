"""The methods of a run in sentences that a paper can take over: what was shown to what, what was read, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stratoscope.figures import pretty, pretty_lesion
from stratoscope.results import Results

#: Libraries whose versions belong in a paper, by the name they are cited under.
_LIBRARIES = {"torch": "PyTorch", "numpy": "NumPy", "scipy": "SciPy"}


def methods_paragraph(results: Results) -> str:
    """Return the methods of `results` as one paragraph, from what the runs wrote down; nothing is guessed.

    Runs that share stimuli, stages, metrics and settings are told together. What a run did not write down is left out.
    """
    runs = [run for run in results.run.get("runs", [results.run]) if run.get("source", {}).get("kind") != "comparison"]
    told = [sentence for group in _alike(runs) for sentence in _sentences(group, results)]
    versions: Mapping[str, Any] = next((run["versions"] for run in runs if "versions" in run), {})
    return " ".join([*told, *_software(versions)])


def _alike(runs: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Group runs that differ in nothing but the lesion and its seed."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for run in runs:
        source = run.get("source", {})
        key = repr((source.get("name"), run.get("stimuli", {}).get("fingerprint")))
        groups.setdefault(key, []).append(run)
    return list(groups.values())


def _sentences(group: Sequence[Mapping[str, Any]], results: Results) -> Iterator[str]:
    run = group[0]
    source, stimuli = run.get("source", {}), run.get("stimuli", {})
    if stimuli:
        yield _shown(source, stimuli)
    elif source:
        yield f"{source.get('name', 'A hierarchy')} was given as {source.get('kind', 'results')}."
    if source.get("preprocess"):
        yield f"Preprocessing: {source['preprocess']}."
    yield from _lesions(group)
    yield from _read(run)
    yield from _measured(run, results)


def _shown(source: Mapping[str, Any], stimuli: Mapping[str, Any]) -> str:
    categories = stimuli.get("categories", {})
    counts = sorted(set(categories.values()))
    span = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}" if counts else ""
    of = f" in {len(categories)} categories of {span}" if categories else ""
    left_out = f" ({stimuli['skipped']} left out as unreadable)" if stimuli.get("skipped") else ""
    what = f"{source.get('origin') or source.get('name', 'a hierarchy')}"
    hashed = f", weights SHA-256 {str(source['weights_sha256'])[:12]}" if source.get("weights_sha256") else ""
    return f"{stimuli.get('played', stimuli.get('n', 0)):,} stimuli ({stimuli.get('name', 'a set')}{of}){left_out} were shown to {what}{hashed}."


def _lesions(group: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    lesions: dict[str, list[int]] = {}
    for run in group:
        source = run.get("source", {})
        name = str(source.get("lesion") or "intact")
        lesions.setdefault(name, []).extend([int(source["seed"])] if "seed" in source and name != "intact" else [])
    named = [f"{pretty_lesion(name)}{_seeds(seeds)}" for name, seeds in lesions.items() if name != "intact"]
    if named:
        yield f"The same was done with: {'; '.join(named)}."


def _seeds(seeds: Sequence[int]) -> str:
    return f" (seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))})" if seeds else ""


def _read(run: Mapping[str, Any]) -> Iterator[str]:
    by_unit: dict[str, list[Mapping[str, Any]]] = {}
    for stage in run.get("stages", ()):
        by_unit.setdefault(str(stage["unit"]), []).append(stage)
    for unit, stages in by_unit.items():
        sizes = sorted({int(stage["units"]) for stage in stages})
        counted = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
        names = [str(stage["name"]) for stage in stages]
        listed = ", ".join(names) if len(names) <= 8 else f"{names[0]} to {names[-1]}"
        yield f"Responses were read at {len(stages)} stages ({listed}) with unit {unit} ({counted} units a stage)."


def _measured(run: Mapping[str, Any], results: Results) -> Iterator[str]:
    told = []
    for name, asked in run.get("metrics", {}).items():
        said = results.metrics.get(name)
        options = ", ".join(f"{key} = {value}" for key, value in asked.get("options", {}).items())
        paper = said.paper.split(", doi:")[0] if said is not None and "doi:" in said.paper else ""
        about = "; ".join(part for part in (paper, options) if part)
        told.append(f"{pretty(name)} ({about})" if about else pretty(name))
    if told:
        yield f"Measured: {', '.join(told)}."
    seed = run.get("settings", {}).get("seed")
    if seed is not None:
        yield f"Seed of every resampling: {seed}."


def _software(versions: Mapping[str, Any]) -> Iterator[str]:
    if "stratoscope" not in versions:
        return
    others = [f"{words} {versions[name]}" for name, words in _LIBRARIES.items() if name in versions]
    beside = f" with {', '.join(others)}" if others else ""
    yield f"Software: Stratoscope {versions['stratoscope']}{beside}."
