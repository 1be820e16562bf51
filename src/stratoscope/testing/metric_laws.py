"""Laws that every metric keeps; `check_metric` says which one a metric breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stratoscope.errors import StratoscopeError, TooFew, unknown_name
from stratoscope.metrics.declare import METRICS
from stratoscope.types import Estimate, Floats, Metric

#: Makes responses (stimulus, unit) of a stage, and options of the metric that belong to them, from a generator.
MakeResponses = Callable[[np.random.Generator], tuple[Floats, dict[str, Any]]]
#: Makes the state of the metric's summary from responses and the same options.
MakeState = Callable[..., Mapping[str, Any]]
INVARIANCES = ("units", "stimuli", "scale", "offset", "rotation")


def check_metric(
    metric: Metric | str,
    make_responses: MakeResponses,
    *,
    make_state: MakeState | None = None,
    invariances: Iterable[str] = ("units", "stimuli"),
    per_row: Iterable[str] = (),
    fewest: int | None = None,
    rtol: float = 1e-6,
    seed: int = 0,
) -> None:
    """Raise AssertionError, with a sentence, at the first law that `metric` breaks.

    Parameters
    ----------
    metric : Metric or str
        The declaration, or the name of a registered one.
    make_responses : callable
        ``make_responses(rng)`` gives responses (stimulus, unit) and a dict of options for the function.
    make_state : callable, optional
        ``make_state(responses, **options)`` gives the summary's state; with it the number through the summary is
        compared with the number from the array. Options `per_row` are not handed to ``through``.
    invariances : iterable of str
        Which of ``units`` (permuting units), ``stimuli`` (permuting stimuli), ``scale`` (one positive factor),
        ``offset`` (one constant for each unit) and ``rotation`` (of the axes of units) leave the number as it is.
        Results with a dimension ``unit`` or ``stimulus`` must follow the permutation instead.
    per_row : iterable of str
        Options with one value a stimulus, to be permuted along with the stimuli (``categories``).
    fewest : int, optional
        Fewest stimuli the metric works with; one fewer must raise `TooFew`.
    rtol : float
        Largest relative difference between numbers that should be equal.
    seed : int
        Seed of the responses.

    Raises
    ------
    AssertionError
        Naming the metric, the law, and what came.
    """
    declared = METRICS[metric] if isinstance(metric, str) else metric
    responses, options = make_responses(np.random.default_rng(seed))
    case = _Case(declared, responses, options, frozenset(per_row), rtol)
    value = _leaves_its_input(case)
    _is_deterministic(case, value)
    _is_as_declared(declared, responses, value)
    _refuses_nonfinite(case)
    for invariance in invariances:
        _is_invariant(case, value, invariance)
    if fewest is not None:
        _refuses_too_few(case, fewest)
    if make_state is not None:
        _is_the_same_through_its_summary(case, value, make_state)


@dataclass(frozen=True)
class _Case:
    """A metric and what it is tried on; `per_row` names the options with one value a stimulus."""

    metric: Metric
    responses: Floats
    options: dict[str, Any]
    per_row: frozenset[str]
    rtol: float

    def call(self, responses: Floats, rows: Any = slice(None)) -> Any:
        """Call the function on `responses`, with the options of the stimuli `rows`."""
        options = {name: np.asarray(v)[rows] if name in self.per_row else v for name, v in self.options.items()}
        return self.metric.function(responses, **options)


def number(result: Any) -> Floats:
    """Return the number in a metric's result, of an `Estimate` its value."""
    return np.asarray(result.value if isinstance(result, Estimate) else result, dtype=np.float64)


def _law(metric: Metric, holds: object, sentence: str) -> None:
    if not holds:
        raise AssertionError(f"{metric.name} {sentence}")


def _same(a: Any, b: Any, rtol: float = 1e-12) -> bool:
    first, second = number(a), number(b)
    size = np.abs(first[np.isfinite(first)]).max(initial=1e-300)
    return first.shape == second.shape and np.allclose(first, second, rtol=rtol, atol=rtol * size, equal_nan=True)


def _leaves_its_input(case: _Case) -> Any:
    given = case.responses.copy()
    value = case.call(given)
    _law(case.metric, np.array_equal(given, case.responses), "changes the responses it is given.")
    return value


def _is_deterministic(case: _Case, value: Any) -> None:
    again, metric = case.call(case.responses.copy()), case.metric
    _law(metric, _same(value, again), f"gives {number(value)} and then {number(again)} for the same input and seed.")
    if isinstance(value, Estimate):
        ends = all(_same(getattr(value, end), getattr(again, end)) for end in ("low", "high"))
        _law(metric, ends, "gives another interval for the same input and seed.")


def _is_as_declared(metric: Metric, responses: Floats, value: Any) -> None:
    found = number(value)
    _law(metric, found.ndim == len(metric.dims), f"declares dims {metric.dims} and returns shape {found.shape}.")
    for axis, name in enumerate(metric.dims):
        sizes = {"unit": responses.shape[1], "stimulus": len(responses), "other_stimulus": len(responses)}
        expected = sizes.get(name, found.shape[axis])
        _law(
            metric, found.shape[axis] == expected, f"returns {found.shape[axis]} values along {name!r}, not {expected}."
        )
    low, high = metric.range
    known = found[np.isfinite(found)]
    _law(metric, known.size, "returns no finite number for ordinary responses.")
    inside = known.min() >= low - 1e-9 and known.max() <= high + 1e-9
    _law(metric, inside, f"declares the range {low} to {high} and returns {known.min()} to {known.max()}.")
    if isinstance(value, Estimate):
        _interval_is_sound(metric, value)


def _interval_is_sound(metric: Metric, estimate: Estimate) -> None:
    value, low, high = (np.asarray(getattr(estimate, end)) for end in ("value", "low", "high"))
    known = np.isfinite(value) & np.isfinite(low)
    _law(
        metric, (low[known] <= value[known]).all() and (value[known] <= high[known]).all(), "lies outside its interval."
    )
    _law(metric, low.shape == value.shape == high.shape, "has interval ends of another shape than its value.")


def _refuses_nonfinite(case: _Case) -> None:
    for bad in (np.nan, np.inf):
        broken = case.responses.copy()
        broken[1, -1] = bad
        try:
            came = number(case.call(broken)).ravel()[:3]
        except StratoscopeError:
            continue
        _law(case.metric, False, f"returns {came} for responses that hold {bad}, where it should refuse.")


def _refuses_too_few(case: _Case, fewest: int) -> None:
    case.call(case.responses[:fewest].copy(), slice(fewest))
    try:
        case.call(case.responses[: fewest - 1].copy(), slice(fewest - 1))
    except TooFew:
        return
    _law(case.metric, False, f"works with {fewest - 1} stimuli, where {fewest} are said to be the fewest.")


def _is_invariant(case: _Case, value: Any, invariance: str) -> None:
    if invariance not in INVARIANCES:
        raise unknown_name("invariance", invariance, INVARIANCES)
    rng = np.random.default_rng(1)
    changed, expected, rows = case.responses.copy(), number(value), np.arange(len(case.responses))
    if invariance == "units":
        order = rng.permutation(changed.shape[1])
        changed, expected = changed[:, order], _follow(case.metric, expected, ("unit",), order)
    elif invariance == "stimuli":
        rows = rng.permutation(len(changed))
        changed, expected = changed[rows], _follow(case.metric, expected, ("stimulus", "other_stimulus"), rows)
    elif invariance == "scale":
        changed = changed * 3.7
    elif invariance == "offset":
        changed = changed + rng.standard_normal(changed.shape[1])
    else:
        changed = changed @ np.linalg.qr(rng.standard_normal((changed.shape[1],) * 2))[0]
    came = number(case.call(changed, rows))
    same = _same(expected, came, case.rtol)
    _law(case.metric, same, f"is not invariant under {invariance}: {expected} became {came}.")


def _follow(metric: Metric, value: Floats, names: tuple[str, ...], order: Any) -> Floats:
    for axis, name in enumerate(metric.dims):
        if name in names:
            value = np.take(value, order, axis=axis)
    return value


def _is_the_same_through_its_summary(case: _Case, value: Any, make_state: MakeState) -> None:
    metric, state = case.metric, make_state(case.responses, **case.options)
    rest = {name: given for name, given in case.options.items() if name not in case.per_row}
    came = metric.through(state, **rest)
    same = _same(value, came, case.rtol)
    _law(metric, same, f"is {number(value)} from the array and {number(came)} through the summary {metric.needs!r}.")
    if isinstance(value, Estimate) and isinstance(came, Estimate):
        ends = all(_same(getattr(value, end), getattr(came, end), 10 * case.rtol) for end in ("low", "high"))
        _law(metric, ends, "has another interval through its summary.")
