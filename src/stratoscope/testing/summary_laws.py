"""The laws every summary keeps: what it holds depends on what it saw, never on how that came."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import StageError
from stratoscope.types import Summary

State: TypeAlias = Mapping[str, Any]
Make: TypeAlias = Callable[[], Summary]
_Pairs: TypeAlias = Iterator[tuple[State, State]]


def check_summary(
    make: Make,
    n_units: int,
    *,
    n_stimuli: int = 24,
    compare: Callable[[State, State], None] | None = None,
    seed: int = 0,
) -> None:
    """Check that a summary keeps the laws, on random responses and on such with a large offset.

    The laws: any batching and any order give the state of one pass, and so do parts that are merged, or packed and
    unpacked where a summary can be; an empty summary
    changes nothing on either side of a merge; numpy arrays and torch tensors of any float dtype that holds the same
    values give the same state; the batch may be overwritten after `update` returns; a stimulus that comes twice is
    refused and leaves no trace.

    Parameters
    ----------
    make : callable
        ``make()`` returns a new, empty summary for `n_stimuli` stimuli and `n_units` units.
    n_units : int
        Number of units of the responses.
    n_stimuli : int
        Number of stimuli, at least 6.
    compare : callable, optional
        ``compare(state, other)`` raises AssertionError where two states differ. Without it `same_state` decides: floats
        to 1e-12, everything else bit by bit.
    seed : int
        Seed of the responses and their order.

    Raises
    ------
    AssertionError
        A law is broken; the message names the summary and the law.

    Examples
    --------
    >>> from stratoscope.summaries import PerUnit
    >>> check_summary(lambda: PerUnit(7), 7)
    """
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((n_stimuli, n_units))
    compare = compare or same_state
    kinds: dict[str, NDArray[Any]] = {
        "rectified responses": np.maximum(noise, 0).astype(np.float32),
        "float32 responses with an offset of 1e4": (noise + 1e4).astype(np.float32),
        "float64 responses with an offset of 1e6": noise + 1e6,  # squares that double precision cannot hold exactly
    }
    for kind, responses in kinds.items():
        for law, pairs in LAWS.items():
            for state, other in pairs(make, responses, rng):
                _hold(compare, state, other, f"{type(make()).__name__} breaks the law {law!r} on {kind}")
    _check_refusals(make, noise.astype(np.float32), compare)


def same_state(state: State, other: State, *, tolerance: float = 1e-12) -> None:
    """Raise AssertionError where two states differ.

    Floats may differ by `tolerance` relative to themselves or to the largest of their array; integers, booleans and
    text not at all; NaN equals NaN.
    """
    assert set(state) == set(other), f"the states have different entries: {sorted(set(state) ^ set(other))}"
    for name, values in state.items():
        ours, theirs = np.asarray(values), np.asarray(other[name])
        assert ours.shape == theirs.shape, f"{name!r} has the shapes {ours.shape} and {theirs.shape}"
        if ours.dtype.kind != "f":
            assert np.array_equal(ours, theirs), f"{name!r} differs"
            continue
        size = np.nanmax(np.abs(ours[np.isfinite(ours)]), initial=0.0)
        near = np.isclose(ours, theirs, rtol=tolerance, atol=tolerance * size, equal_nan=True)
        assert near.all(), f"{name!r} differs in {np.count_nonzero(~near)} of {near.size} values"


def played(make: Make, responses: NDArray[Any], batches: list[NDArray[np.int64]]) -> Summary:
    """Return a new summary that has seen `responses` in `batches` of rows."""
    summary = make()
    for rows in batches:
        summary.update(rows, responses[rows])
    return summary


def _rows(responses: NDArray[Any]) -> NDArray[np.int64]:
    return np.arange(len(responses), dtype=np.int64)


def _whole(make: Make, responses: NDArray[Any]) -> State:
    return played(make, responses, [_rows(responses)]).state()


def _any_batching(make: Make, responses: NDArray[Any], _: np.random.Generator) -> _Pairs:
    rows = _rows(responses)
    for cuts in (list(range(1, len(rows))), [1], [len(rows) - 1], [0, 2, 5]):
        yield _whole(make, responses), played(make, responses, np.split(rows, cuts)).state()


def _any_order(make: Make, responses: NDArray[Any], rng: np.random.Generator) -> _Pairs:
    for rows in (_rows(responses)[::-1], rng.permutation(len(responses))):
        yield _whole(make, responses), played(make, responses, np.split(rows, [2, 5])).state()


def _merge_is_one_pass(make: Make, responses: NDArray[Any], rng: np.random.Generator) -> _Pairs:
    for rows in (_rows(responses), rng.permutation(len(responses))):
        parts = np.split(rows, [1, len(rows) // 2])
        for order in ((0, 1, 2), (2, 0, 1)):
            first, *others = (played(make, responses, [parts[i]]) for i in order)
            for other in others:
                first.merge(other)
            yield _whole(make, responses), first.state()


def _packed_is_one_pass(make: Make, responses: NDArray[Any], rng: np.random.Generator) -> _Pairs:
    if getattr(make(), "pack", None) is None:
        return
    for rows in (_rows(responses), rng.permutation(len(responses))):
        parts = np.split(rows, [1, len(rows) // 2])
        whole: Any = make()
        for part in parts:
            packed = _copied(played(make, responses, [part]))
            before = {name: values.copy() for name, values in packed.items()}
            whole.unpack(packed)
            for name, values in before.items():
                assert np.array_equal(values, packed[name], equal_nan=values.dtype.kind == "f"), f"{name!r} was changed"
        yield _whole(make, responses), whole.state()
    later: Any = make()  # rows that count from the part's first stimulus, and come to lie where that is
    if later.__class__.__name__ == "Categories":
        return  # it reads the category off the row
    for start in (0, 5):
        part = _rows(responses)[start : start + 5]
        summary = make()
        summary.update(part - start, responses[part])
        later.unpack(_copied(summary), start)
    yield played(make, responses, [_rows(responses)[:10]]).state(), later.state()


def _copied(summary: Any) -> dict[str, NDArray[Any]]:
    return {name: np.array(values) for name, values in summary.pack().items()}


def _more_after_merge(make: Make, responses: NDArray[Any], _: np.random.Generator) -> _Pairs:
    parts = np.split(_rows(responses), [3, 6])
    first, second = (played(make, responses, [part]) for part in parts[:2])
    first.merge(second)
    first.update(parts[2], responses[parts[2]])
    yield _whole(make, responses), first.state()


def _empty_is_neutral(make: Make, responses: NDArray[Any], _: np.random.Generator) -> _Pairs:
    empty, full = make(), played(make, responses, [_rows(responses)])
    empty.merge(full)
    yield _whole(make, responses), empty.state()
    full.merge(make())
    yield _whole(make, responses), full.state()
    nothing = played(make, responses, [_rows(responses)[:0], _rows(responses)])
    yield _whole(make, responses), nothing.state()


def _same_in_any_dress(make: Make, responses: NDArray[Any], _: np.random.Generator) -> _Pairs:
    import torch

    rows = _rows(responses)
    coarse = torch.from_numpy(responses.copy()).bfloat16()  # values that every dtype below holds exactly
    expected = _whole(make, coarse.double().numpy())
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        summary = make()
        summary.update(rows, coarse.to(dtype).clone().requires_grad_())
        yield expected, summary.state()
    yield expected, _whole(make, np.asfortranarray(coarse.float().numpy()))


def _batch_may_be_overwritten(make: Make, responses: NDArray[Any], _: np.random.Generator) -> _Pairs:
    summary = make()
    for rows in np.split(_rows(responses), [2, 5]):
        batch = responses[rows]
        given = rows.copy()
        summary.update(given, batch)
        batch[:] = 99.0
        given[:] = 0
    yield _whole(make, responses), summary.state()


def _reading_changes_nothing(make: Make, responses: NDArray[Any], _: np.random.Generator) -> _Pairs:
    parts = np.split(_rows(responses), [4])
    summary = played(make, responses, parts[:1])
    for values in summary.state().values():
        if isinstance(values, np.ndarray) and values.flags.writeable:
            values[...] = np.zeros((), dtype=values.dtype)
    summary.update(parts[1], responses[parts[1]])
    yield _whole(make, responses), summary.state()


#: Name of each law, and the function that yields pairs of states that must be the same.
LAWS: Mapping[str, Callable[[Make, NDArray[Any], np.random.Generator], _Pairs]] = {
    "any batching": _any_batching,
    "any order": _any_order,
    "merge is one pass": _merge_is_one_pass,
    "more may come after a merge": _more_after_merge,
    "empty is neutral": _empty_is_neutral,
    "same values, same state": _same_in_any_dress,
    "the batch may be overwritten": _batch_may_be_overwritten,
    "reading changes nothing": _reading_changes_nothing,
    "what was packed is one pass": _packed_is_one_pass,
}


def _check_refusals(make: Make, responses: NDArray[Any], compare: Callable[[State, State], None]) -> None:
    name, rows = type(make()).__name__, _rows(responses)
    half = len(rows) // 2

    def twice_in_a_batch(summary: Summary) -> None:
        summary.update(np.append(rows[half:], rows[half]), np.append(responses[half:], responses[half:][:1], axis=0))

    def twice_in_the_stream(summary: Summary) -> None:
        summary.update(rows[half - 1 :], responses[half - 1 :])

    def twice_by_merging(summary: Summary) -> None:
        summary.merge(played(make, responses, [rows[half - 1 :]]))

    for attempt in (twice_in_a_batch, twice_in_the_stream, twice_by_merging):
        summary, law = played(make, responses, [rows[:half]]), f"{name} breaks the law 'each stimulus once'"
        try:
            attempt(summary)
        except StageError:
            summary.update(rows[half:], responses[half:])
            _hold(compare, _whole(make, responses), summary.state(), f"{law}: a refusal left its trace")
        else:
            raise AssertionError(f"{law}: it took a stimulus {attempt.__name__.replace('_', ' ')}.")


def _hold(compare: Callable[[State, State], None], state: State, other: State, law: str) -> None:
    try:
        compare(state, other)
    except AssertionError as difference:
        raise AssertionError(f"{law}: {difference}.") from difference
