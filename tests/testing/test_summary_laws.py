"""The laws of summaries hold for the honest ones, and catch every liar."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import StageError
from stratoscope.summaries import Categories, Gram, PerStimulus, PerUnit
from stratoscope.summaries.blocks import on_host
from stratoscope.summaries.per_stimulus import FIELDS
from stratoscope.testing.summary_laws import check_summary, same_state

N, UNITS = 24, 7
HONEST = {
    "per_unit": lambda: PerUnit(UNITS),
    "per_unit of second order": lambda: PerUnit(UNITS, order=2, threshold=0.1),
    "per_stimulus": lambda: PerStimulus(N, fields=FIELDS),
    "categories": lambda: Categories(np.arange(N) % 5 - 1, ["a", "b", "c", "d"], UNITS),
    "gram": lambda: Gram(N, UNITS),
    "gram with two exact neighbours": lambda: Gram(N, UNITS, k=5, exact=2),
    "gram without the matrix": lambda: Gram(N, UNITS, k=3, neighbours_only=True, duplicates="merge"),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_summary_passes(name):
    check_summary(HONEST[name], UNITS, n_stimuli=N)


def test_gram_passes_through_a_file(tmp_path):
    check_summary(lambda: Gram(N, UNITS, k=4, memory_limit=0, folder=tmp_path), UNITS, n_stimuli=N)


class SumsOfSquares(PerUnit):
    """Adds x and x^2 in single precision."""

    def __init__(self):
        super().__init__(UNITS)
        self.sums = np.zeros((2, UNITS), dtype=np.float32)

    def update(self, rows, responses):
        super().update(rows, responses)
        block = on_host(responses).astype(np.float32)
        self.sums += np.stack([block.sum(axis=0), (block**2).sum(axis=0)])

    def merge(self, other):
        super().merge(other)
        self.sums += other.sums

    def state(self):
        n, (s1, s2) = self._powers.n, self.sums
        return {"m2": (s2 - s1**2 / n).astype(np.float64)}


class DoubleSumsOfSquares(SumsOfSquares):
    """The same in double precision: good until the offset is large."""

    pack = None  # it keeps something else than the class it is made of

    def __init__(self):
        super().__init__()
        self.sums = np.zeros((2, UNITS))

    def update(self, rows, responses):
        PerUnit.update(self, rows, responses)
        block = on_host(responses).astype(np.float64)
        self.sums += np.stack([block.sum(axis=0), (block**2).sum(axis=0)])


class FirstRows(PerUnit):
    """Keeps the first four stimuli that come, whichever they are."""

    def __init__(self):
        super().__init__(UNITS)
        self.kept = np.empty((0, UNITS))

    def update(self, rows, responses):
        super().update(rows, responses)
        self.kept = np.concatenate([self.kept, on_host(responses).astype(np.float64)])[:4]

    def merge(self, other):
        super().merge(other)
        self.kept = np.concatenate([self.kept, other.kept])[:4]

    def state(self):
        return {"kept": self.kept.copy()}


class ForgetsExtremes(PerUnit):
    """Merges everything but the extremes."""

    def merge(self, other):
        kept = self._minimum.copy(), self._maximum.copy()
        super().merge(other)
        self._minimum, self._maximum = kept


class KeepsTheBatch(FirstRows):
    """Keeps what it was handed, and looks at it later."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def update(self, rows, responses):
        PerUnit.update(self, rows, responses)
        self.batches.append((rows, responses))

    def merge(self, other):
        PerUnit.merge(self, other)
        self.batches += other.batches

    def state(self):
        total = np.zeros((N, UNITS))
        for rows, responses in self.batches:
            total[np.asarray(rows)] = on_host(responses)
        return {"all": total}


class CountsTwice(PerUnit):
    """Counts what it merges twice."""

    def merge(self, other):
        super().merge(other)
        self._active += other._active


class TakesEverything(PerUnit):
    """Never asks whether a stimulus came before."""

    def update(self, rows, responses):
        self._seen.mask[:] = False
        rows, first = np.unique(rows, return_index=True)
        super().update(rows, responses[first])


class InItsOwnPrecision(PerUnit):
    """Averages in whatever precision the responses have."""

    def __init__(self):
        super().__init__(UNITS)
        self.total = np.zeros(UNITS)

    def update(self, rows, responses):
        super().update(rows, responses)
        block = responses.detach().float().numpy() if hasattr(responses, "detach") else responses
        self.total += (block.astype(np.float16) if hasattr(responses, "detach") else block).sum(axis=0, dtype=float)
        self.total += 1e-3 * (getattr(responses, "itemsize", 4) == 2) * len(rows)

    def merge(self, other):
        super().merge(other)
        self.total += other.total

    def state(self):
        return {"total": self.total.copy()}


class EmptyCounts(PerUnit):
    """Takes an empty summary for one that saw zeros."""

    def merge(self, other):
        empty = other._powers.n == 0
        super().merge(other)
        if empty:
            self._minimum = np.minimum(self._minimum, 0) - 1


class LendsItsInside(PerUnit):
    """Hands out its own arrays."""

    def state(self):
        return {"active": self._active, "n": np.int64(self._powers.n)}


class MarksBeforeRefusing(PerUnit):
    """Counts the batch before it looks at the rows."""

    def update(self, rows, responses):
        self._active += (on_host(responses) > 0).sum(axis=0)
        super().update(rows, responses)


@pytest.mark.parametrize(
    ("liar", "law"),
    [
        (SumsOfSquares, "any batching|any order"),
        (DoubleSumsOfSquares, "'any .*' on float64 responses with an offset of 1e6"),
        (FirstRows, "any order"),
        (lambda: ForgetsExtremes(UNITS), "merge is one pass"),
        (KeepsTheBatch, "may be overwritten"),
        (lambda: CountsTwice(UNITS), "merge is one pass"),
        (
            lambda: TakesEverything(UNITS),
            "each stimulus once.*twice in the stream|each stimulus once.*twice in a batch",
        ),
        (InItsOwnPrecision, "same values, same state"),
        (lambda: EmptyCounts(UNITS), "empty is neutral"),
        (lambda: LendsItsInside(UNITS), "reading changes nothing"),
        (lambda: MarksBeforeRefusing(UNITS), "a refusal left its trace"),
    ],
)
def test_a_liar_is_caught_by_its_law(liar, law):
    with pytest.raises(AssertionError, match=law):
        check_summary(liar, UNITS, n_stimuli=N)


def test_states_differ_in_entries_shapes_and_values():
    with pytest.raises(AssertionError, match=r"different entries: \['b'\]"):
        same_state({"a": 1}, {"a": 1, "b": 2})
    with pytest.raises(AssertionError, match=r"'a' has the shapes \(2,\) and \(3,\)"):
        same_state({"a": np.zeros(2)}, {"a": np.zeros(3)})
    with pytest.raises(AssertionError, match="'a' differs in 1 of 2 values"):
        same_state({"a": np.array([1.0, 2.0])}, {"a": np.array([1.0, 2.0 + 1e-9])})
    with pytest.raises(AssertionError, match="'a' differs"):
        same_state({"a": np.array([1, 2])}, {"a": np.array([1, 3])})
    same_state({"a": np.array([np.nan, 2.0])}, {"a": np.array([np.nan, 2.0 + 1e-15])})


class ForgetsWhereItLies(PerStimulus):
    """Puts what was packed at its own rows, wherever the part begins."""

    def __init__(self):
        super().__init__(N)

    def unpack(self, packed, start=0):
        super().unpack(packed | {"rows": packed["rows"] - start * (start > 0)}, start)


class PacksAboutItsOwnCentre(PerUnit):
    """Adds sums about one centre to sums about another."""

    def __init__(self):
        super().__init__(UNITS)

    def unpack(self, packed, start=0):
        centre = self._powers.centre if self._powers.n else packed["centre"]
        super().unpack(packed | {"centre": centre}, start)


@pytest.mark.parametrize("liar", [ForgetsWhereItLies, PacksAboutItsOwnCentre])
def test_a_summary_that_packs_badly_is_caught(liar):
    with pytest.raises((AssertionError, StageError), match=r"what was packed is one pass|answered twice"):
        check_summary(liar, UNITS, n_stimuli=N)
