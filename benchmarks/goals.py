"""What is to be shown, and against what: every row with its goal, beside what came out in this run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Goal:
    """One line of the table.

    Attributes
    ----------
    work : str
        What was done, and over what the ratio is.
    sign : {"<=", ">="}
        Which way the goal lies.
    goal : float
    figure : callable
        Takes what the benchmark found and returns the figure; None where a peer is not installed.
    """

    work: str
    sign: str
    goal: float
    figure: Callable[[Found], float | None]

    def line(self, found: Found) -> tuple[str, str, str, str]:
        """Return work, figure, goal, and whether it is met."""
        figure = self.figure(found)
        if figure is None:
            return self.work, "not measured", f"{self.sign} {self.goal:g}", ""
        met = figure <= self.goal if self.sign == "<=" else figure >= self.goal
        return self.work, f"{figure:.4g}", f"{self.sign} {self.goal:g}", "met" if met else "NOT met"


def at(*path: str) -> Callable[[Found], float | None]:
    """Return a function that reads the number at `path`, or None where nothing was found there."""

    def read(found: Found) -> float | None:
        here: Any = found
        for name in path:
            if not isinstance(here, Mapping) or name not in here:
                return None
            here = here[name]
        return float(here)

    return read


def _peers(row: str, points: str) -> list[Goal]:
    return [
        Goal(f"TwoNN {points}, {peer} over ours", ">=", times, at(row, f"stage {points}", peer, "times ours"))
        for peer, times in (("scikit-dimension", 5.0), ("DADApy", 6.0), ("published recipe", 25.0))
    ]


def _same(row: str, points: str) -> Goal:
    def largest(found: Found) -> float | None:
        peers = found.get(row, {}).get(f"stage {points}", {})
        return max((one["off ours by"] for one in peers.values() if "off ours by" in one), default=None)

    return Goal(f"TwoNN {points}, largest difference from any", "<=", 1e-6, largest)


def _whole(network: str) -> list[Goal]:
    row = f"{network} with pairs over decode + forward + Gram"
    return [
        Goal(row, "<=", 1.25, at(row, "ratio")),
        Goal("its memory above decode + forward, MB, for a budget of 1 GB", "<=", 1000, at(row, "MB above it")),
    ]


_PSI = "AlexNet, PSI over decode + forward"

#: The lines of every group of benchmarks, in the order of the table.
GOALS: dict[str, list[Goal]] = {
    "cost": [
        Goal("AlexNet, streaming, same tensors, over bare", "<=", 1.10, at("same tensors", "ratio")),
        Goal("AlexNet, streaming, JPEG, over decode + forward", "<=", 1.10, at("JPEG files", "ratio")),
        Goal("memory at 2,000 over 500 images", "<=", 1.05, at("memory many/few")),
        Goal("memory above the bare pass, MB", "<=", 300, at("memory above bare MB")),
    ],
    "streaming": [
        Goal(f"{name}, streaming over bare", "<=", 1.10, at(f"{name}, streaming over bare", "ratio"))
        for name in ("AlexNet", "ResNet-50")
    ],
    "sparseness": [Goal(_PSI, "<=", 1.05, at(_PSI, "ratio"))],
    "whole pass": _whole("AlexNet"),
    "deep pass": _whole("ResNet-50"),
    "dimension": [*_peers("dimension", "5,000 x 4,096"), _same("dimension", "5,000 x 4,096")],
    "wide": [*_peers("wide", "5,000 x 50,000"), _same("wide", "5,000 x 50,000")],
    "analysis": [
        Goal(
            "whole analysis 2,000 x 50,000, DADApy over ours",
            ">=",
            25,
            at("wide analysis", "stage 2,000 x 50,000", "DADApy", "times ours"),
        )
    ],
    "limit": [
        Goal(f"search, {kind} points, {name}, over GEMM", "<=", most, at("limit", f"{kind} 5,000 x 4,096", name))
        for kind in ("stage", "noise")
        for name, most in (
            ("as chosen", 0.4),
            ("torch int8", 0.4),
            ("torch bfloat16", 0.4),
            ("float32, the faster", 0.65),
        )
    ],
    "large": [
        Goal("search, 50,000 x 4,096 on all cores: peak memory, MB", "<=", 2000, at("large", "peak MB")),
    ],
    "scaling": [
        Goal("search: exponent along stimuli", "<=", 2.1, at("scaling", "stimuli", "exponent")),
        Goal("search: exponent along units", "<=", 1.1, at("scaling", "units", "exponent")),
    ],
    "exponents": [
        Goal(f"streaming: exponent along {along}", "<=", 1.1, at(along, "exponent"))
        for along in ("stimuli", "units", "stages")
    ],
    "unit information": [
        Goal(
            "unit information, six properties, scikit-learn over ours", ">=", 1000, at("1000 stimuli", "ratio, of six")
        ),
        Goal("unit information, us a unit and property", "<=", 5, at("1000 stimuli", "us a unit and property, of six")),
    ],
}


def table(found: Mapping[str, Found]) -> Iterator[str]:
    """Yield the lines of the table for the groups that were measured."""
    lines = [goal.line(found[group]) for group, goals in GOALS.items() if group in found for goal in goals]
    wide = [max((len(line[column]) for line in lines), default=0) for column in range(4)]
    for work, figure, goal, met in lines:
        yield f"{work:{wide[0]}}  {figure:>{wide[1]}}  {goal:>{wide[2]}}  {met}".rstrip()
