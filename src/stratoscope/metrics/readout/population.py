"""Populations of units drawn from a stage or an area: their Gram matrices, and the record of a read-out from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics.readout.kernels import checked_gram
from stratoscope.metrics.readout.labels import canonical, check_shufflable, coded, shuffled_within
from stratoscope.metrics.responses import checked_finite, checked_responses
from stratoscope.types import Floats, Integers

#: Numbers of units of Tafazoli et al. 2017.
SIZES = (6, 12, 24, 48, 96)


@dataclass(frozen=True)
class Population:
    """Responses of units to objects in views, in canonical order, from which populations are drawn.

    Attributes
    ----------
    responses : array (trial, stimulus, unit), or None
        One trial where there are no repeats; None where only the Gram matrix is known.
    gram : array (stimulus, stimulus), or None
        Inner products of all units.
    codes, views : array (stimulus,)
        Object and view.
    names : array (object,)
    n_vectors : int
        Pseudo-population vectors a stimulus.
    """

    responses: NDArray[Any] | None
    gram: Floats | None
    codes: Integers
    views: Integers
    names: NDArray[Any]
    n_vectors: int

    @classmethod
    def of(
        cls, responses: Any, objects: Any, views: Integers | None, gram: Any, n_vectors: int | None, what: str
    ) -> Population:
        """Check what came, and sort it by object and view."""
        products = None if gram is None else checked_gram(gram, what)
        trials = None if responses is None else _checked(responses, what)
        sizes = {len(products)} if products is not None else set()
        sizes |= set() if trials is None else {trials.shape[1]}
        if len(sizes) > 1:
            raise BadInput(f"{what} got responses and a Gram matrix of {sorted(sizes)} stimuli. Give those of one set.")
        n = sizes.pop()
        codes, names = coded(objects, n, "object")
        view_of = np.zeros(n, dtype=np.int64) if views is None else views
        order = canonical(n, codes, view_of)
        return cls(
            None if trials is None else trials[:, order],
            None if products is None else products[np.ix_(order, order)],
            codes[order],
            view_of[order],
            names,
            _vectors(trials, n_vectors, what),
        )

    @property
    def n_units(self) -> int | None:
        """Number of units, or None where only the Gram matrix is known."""
        return None if self.responses is None else self.responses.shape[2]

    @property
    def row_codes(self) -> Integers:
        """Object of every vector (vector,): the vectors of a stimulus follow each other."""
        return np.repeat(self.codes, self.n_vectors)

    @property
    def row_views(self) -> Integers:
        """View of every vector (vector,)."""
        return np.repeat(self.views, self.n_vectors)

    def products(self, size: int | str, rng: np.random.Generator) -> Floats:
        """Draw `size` units and, with trials, vectors of them; return inner products (vector, vector)."""
        if size == "all" and self.gram is not None:
            return self.gram
        assert self.responses is not None
        n_units = self.responses.shape[2]
        units = np.arange(n_units) if size == "all" else np.sort(rng.choice(n_units, size=int(size), replace=False))
        drawn = self._vectors(self.responses[:, :, units].astype(np.float64), rng)
        centred = drawn - drawn.mean(axis=0)
        return np.asarray(centred @ centred.T)

    def _vectors(self, trials: Floats, rng: np.random.Generator) -> Floats:
        """Draw the trials of every unit without replacement, each unit by itself; (vector, unit)."""
        if len(trials) == 1:
            return np.asarray(trials[0])
        key = np.where(np.isfinite(trials), rng.random(trials.shape), 2.0)  # absent trials come last
        chosen = np.argsort(key, axis=0)[: self.n_vectors]
        drawn = np.take_along_axis(trials, chosen, axis=0)
        return np.asarray(drawn.transpose(1, 0, 2).reshape(-1, trials.shape[2]))


def n_stimuli(responses: Any, gram: Any, what: str) -> int:
    """Return the number of stimuli of whichever came; refuse where neither did."""
    if responses is None and gram is None:
        raise BadInput(f"{what} needs responses (stimulus, unit) or a Gram matrix, and neither came. Give one.")
    if responses is None:
        return len(gram)
    if np.ndim(responses) not in {2, 3}:
        raise BadInput(
            f"{what} expects responses of shape (stimulus, unit) or (trial, stimulus, unit), but {np.shape(responses)} "
            "came. Flatten what belongs to one stimulus into one row."
        )
    return int(np.shape(responses)[-2])


def _checked(responses: Any, what: str) -> NDArray[Any]:
    array = np.asarray(responses)
    if array.ndim != 3:
        return checked_responses(array, what, fewest=4)[None]
    present = np.isfinite(array)
    if np.isinf(array).any():
        checked_finite(np.where(np.isinf(array), array, 0.0), what)
    if not present.any(axis=0).all():
        row, unit = (int(one) for one in np.argwhere(~present.any(axis=0))[0])
        raise TooFew(
            f"{what} needs at least 1 trial of every stimulus, but unit {unit} has none of stimulus {row}. "
            "Leave out such stimuli or units."
        )
    return array


def _vectors(trials: NDArray[Any] | None, asked: int | None, what: str) -> int:
    fewest = 1 if trials is None else int(np.isfinite(trials).sum(axis=0).min())
    if asked is not None and not 1 <= asked <= fewest:
        raise TooFew(
            f"{what} draws vectors without replacement, and some unit has {fewest} trials of some stimulus, but n_vectors "
            f"is {asked}. Ask for {fewest} at most."
        )
    return fewest if asked is None else asked


def checked_sizes(sizes: Any, population: Population, what: str) -> tuple[tuple[int | str, ...], str]:
    """Return the sizes asked for, and a note on those that there are too few units for."""
    asked = tuple(sizes) if np.ndim(sizes) and not isinstance(sizes, str) else (sizes,)
    for size in asked:
        if size != "all" and (isinstance(size, (str, bool)) or int(size) != size or size < 1):
            raise BadInput(f"Sizes of populations are whole numbers from 1, or 'all'; came {size!r}.")
    if population.responses is None and set(asked) != {"all"}:
        raise BadInput(f"{what} draws units from responses, and only a Gram matrix came. Ask for sizes=('all',).")
    n_units = population.n_units or 0
    large = [size for size in asked if size != "all" and int(size) > n_units]
    if len(large) == len(asked):
        raise TooFew(
            f"{what} needs at least {min(int(one) for one in large)} units, but there are {n_units}. "
            "Ask for smaller sizes, or for 'all'."
        )
    note = f"too few units ({n_units}) for populations of {', '.join(map(str, large))}" if large else ""
    return tuple(size if size == "all" else int(size) for size in asked), note


def resampled(
    population: Population,
    sizes: Sequence[int | str],
    n_resamplings: int,
    n_shuffles: int,
    seed: int,
) -> Iterator[tuple[int, int, Floats, list[Integers], tuple[int, int, int]]]:
    """Draw populations; yield size and resampling, inner products, labels (true, then shuffled), and a key of seeds."""
    codes, views = population.row_codes, population.row_views
    for at, size in enumerate(sizes):
        if size != "all" and int(size) > (population.n_units or 0):
            continue
        for k in range(n_resamplings):
            name = 0 if size == "all" else int(size)
            rng = np.random.default_rng((seed, name, k))
            products = population.products(size, rng)
            yield (
                at,
                k,
                products,
                [codes, *(shuffled_within(codes, views, rng) for _ in range(n_shuffles))],
                (seed, name, k),
            )


def shuffle_note(population: Population, n_shuffles: int, *, views_given: bool) -> str:
    """Refuse or remark on views within which objects cannot be shuffled."""
    return check_shufflable(population.codes, population.views) if n_shuffles and views_given else ""


def checked_numbers(n_resamplings: int, n_shuffles: int) -> None:
    """Refuse resamplings and shuffles that are no numbers of repetitions."""
    if n_resamplings < 1 or n_shuffles < 0:
        raise BadInput(
            f"At least 1 resampling and no negative number of shuffles is needed; n_resamplings is {n_resamplings}, "
            f"n_shuffles {n_shuffles}."
        )
