"""Results of a made-up run, for tests and examples of figures and reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.random import Generator

from stratoscope.results import Declared, Results, Row, StageResult, Values
from stratoscope.types import Stage

_CATEGORIES = ("anchor", "bicycle", "cup", "dog", "egg", "fork", "globe", "hammer", "iris", "jug")
_N1 = (1, 2, 4, 8, 16, 32, 64)
_PAPER = "An invented paper (2026)."
DECLARED = (
    Declared(
        "population_sparseness", "Sparseness of each category's response over the units of a stage, 0 (dense) to 1.",
        "categories", ("category",), "1", (0.0, 1.0), "channel", ("size-matched", "structureless"), _PAPER,
        "Responses must not be negative. Few units bound the index from above.",
    ),
    Declared(
        "dead_fraction", "Fraction of units that never respond.", "per_unit", (), "1", (0.0, 1.0), "channel", (), _PAPER,
        "It falls with the number of stimuli: a unit that is dead here may answer to another image.",
    ),
    Declared(
        "two_nn", "Intrinsic dimension from the ratio of the distances to the two nearest neighbours.", "gram", (),
        "dimensions", (0.0, float("inf")), "position", ("structureless",), _PAPER,
        "Noise of the size of the nearest distances raises it; high dimensions are underestimated.",
    ),
    Declared(
        "gride", "Intrinsic dimension at each neighbourhood size.", "gram", ("n1",), "dimensions", (0.0, float("inf")),
        "position", (), _PAPER, "Neighbourhoods beyond a tenth of the stimuli see the shape of the whole set.",
    ),
)  # fmt: skip


def toy_results(
    names: Sequence[str] = (
        "conv1.relu",
        "conv2.relu",
        "conv3.relu",
        "conv4.relu:2",
        "conv5.relu",
        "fc6",
        "fc7",
        "fc8",
    ),
    *,
    lesion: str = "",
    hierarchy: str = "toynet",
    seed: int = 0,
) -> Results:
    """Return an invented run in which sparseness rises and dimension rises, then falls; a lesion flattens both.

    Parameters
    ----------
    names : sequence of str
        Names of the stages.
    lesion : str
        Name of the lesion; empty for intact.
    hierarchy : str
        Name of the network.
    seed : int
        Seed of everything invented.
    """
    rng = np.random.default_rng(seed)
    stages = [result for index in range(len(names)) for result in _stage(rng, names, index, lesion, hierarchy)]
    ids = np.array([f"{name}/{view:02d}.png" for name in _CATEGORIES for view in range(12)])
    asked = {
        "source": {"opener": f"toy:{hierarchy}", "weights": "invented", "lesion": lesion or "none", "seed": seed},
        "stimuli": {"name": "objects:ten", "n": len(ids), "fingerprint": "5b1e0c"},
        "seed": seed,
        "versions": {"stratoscope": "0.1.0", "numpy": np.__version__},
    }
    return Results.build(
        asked,
        stages,
        {"stimulus": ids, "category": np.array(_CATEGORIES), "n1": np.array(_N1)},
        columns={"category": np.repeat(np.array(_CATEGORIES), 12)},
        metrics=DECLARED,
        remarks=["Two of 122 images were left out."] if not lesion else [],
        skipped=[("cup/12.png", "the file is truncated"), ("dog/12.png", "the file is empty")] if not lesion else [],
    )


def _stage(rng: Generator, names: Sequence[str], index: int, lesion: str, hierarchy: str) -> Iterator[StageResult]:
    depth = (index + 1) / len(names)
    width = 64 * 2 ** min(index, 4)
    shape = (width, 8, 8)
    channel = Stage(names[index], depth, "relu", shape, "channel", width, "channels-first", hierarchy)
    position = Stage(names[index], depth, "relu", shape, "position", width * 64, "channels-first", hierarchy)
    strength = 0.3 if lesion else 1.0
    yield _sparse(rng, channel, strength, lesion)
    yield _dimension(rng, position, strength, lesion)


def _sparse(rng: Generator, stage: Stage, strength: float, lesion: str) -> StageResult:
    middle = 0.25 + 0.45 * strength * stage.depth
    values = np.clip(rng.normal(middle, 0.07, len(_CATEGORIES)), 0, 1)
    value, item = float(np.median(values)), "median over categories"
    rows = [
        Row.of(stage, "population_sparseness", value, value - 0.04, value + 0.04, n=10, item=item, lesion=lesion),
        Row.of(
            stage, "population_sparseness", value - 0.03, n=10, item=item, lesion=lesion, control="size-matched", seed=0
        ),
        Row.of(
            stage, "population_sparseness", 0.36, 0.33, 0.39, n=10, item=item, lesion=lesion, control="structureless"
        ),
        Row.of(stage, "dead_fraction", round(0.2 * stage.depth**3, 3), n=120, lesion=lesion),
    ]
    about = {"method": "percentile bootstrap over categories", "level": 0.95}
    return StageResult(stage, {"population_sparseness": Values(values, ("category",), about)}, tuple(rows))


def _dimension(rng: Generator, stage: Stage, strength: float, lesion: str) -> StageResult:
    top = 6 + 12 * strength * float(np.sin(np.pi * stage.depth**0.7))
    failed = stage.name.endswith("fc8") and not lesion
    value = float("nan") if failed else top + float(rng.normal(0, 0.2))
    note = "120 stimuli have 4 distinct responses; TwoNN needs 10." if failed else ""
    curve = top * np.linspace(1.1, 0.7, len(_N1)) ** 1.4
    rows = [
        Row.of(stage, "two_nn", value, value * 0.9, value * 1.1, n=118, lesion=lesion, note=note),
        Row.of(stage, "two_nn", 26 + stage.depth, n=118, lesion=lesion, control="structureless", seed=0),
        *(
            Row.of(stage, "gride", number, 0.93 * number, 1.07 * number, n=118, item=f"n1={n1}", lesion=lesion)
            for n1, number in zip(_N1, curve, strict=True)
        ),
    ]
    about = {"method": "maximum likelihood", "level": 0.95}
    ends = {"": 1.0, ".low": 0.93, ".high": 1.07}
    return StageResult(
        stage, {f"gride{end}": Values(curve * by, ("n1",), about) for end, by in ends.items()}, tuple(rows)
    )
