"""Declare a metric: a function of plain arrays, and how a run computes the same from one summary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from stratoscope.registry import Registry
from stratoscope.types import Metric

METRICS: Registry[Metric] = Registry("metric", group="stratoscope.metrics")

F = TypeVar("F", bound=Callable[..., Any])


def metric(
    *,
    needs: str,
    through: Callable[..., Any],
    paper: str,
    dims: tuple[str, ...] = (),
    unit: str = "1",
    range: tuple[float, float] = (0.0, float("inf")),
    reads: str = "channel",
    controls: tuple[str, ...] = (),
    nearest: int | None = None,
) -> Callable[[F], F]:
    """Register the decorated function as a metric and return it untouched.

    Parameters are the attributes of `stratoscope.types.Metric`; name and title come from the function.
    """

    def register(function: F) -> F:
        name = function.__name__
        METRICS.add(name, Metric(name, function, needs, through, dims, unit, range, reads, controls, paper, nearest))
        return function

    return register
