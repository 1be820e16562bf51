"""What the study does unless it is told otherwise, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from stratoscope.errors import BadInput
from stratoscope.results import Declared

PAPER = "Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158"
#: Metric of the study: the population sparseness index, PSI.
PSI = "population_sparseness"
#: Below this fraction of its mean square the variance of a unit is the rounding of float32, not a response.
RESIDUE = 1e-12

#: Indices beside PSI, by name, with the options of `population_sparseness` that give them.
INDICES: Mapping[str, Mapping[str, str]] = {
    "raw_treves_rolls": {"normalization": "none", "index": "treves-rolls"},
    "hoyer_sparseness": {"normalization": "liu2020", "index": "hoyer"},
    "gini_sparseness": {"normalization": "liu2020", "index": "gini"},
}


@dataclass(frozen=True)
class Protocol:
    """How sparseness is measured and controlled.

    Attributes
    ----------
    normalization, dead, variance_floor
        Of `stratoscope.metrics.population_sparseness`.
    n_subsets : int
        Random subsets of units for size matching, and permutations for the structureless baseline.
    n_resamples : int
        Bootstrap resamples of categories.
    level : float
        Level of intervals.
    seed : int
        Seed of every resampling; lesions take ``seed``, ``seed + 1`` ...
    """

    normalization: str = "liu2020"
    dead: str = "zero"
    variance_floor: float = 0.0
    n_subsets: int = 20
    n_resamples: int = 1000
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_subsets < 2 or self.n_resamples < 2:
            raise BadInput(
                f"A control needs at least 2 draws, but n_subsets is {self.n_subsets} and n_resamples {self.n_resamples}."
            )

    @property
    def options(self) -> dict[str, Any]:
        """Options of `population_sparseness`."""
        return {"normalization": self.normalization, "dead": self.dead, "variance_floor": self.variance_floor}

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)


def _index(name: str, title: str, paper: str, misleads: str) -> Declared:
    """Declare an index of sparseness, 0 to 1, one value a category."""
    return Declared(name, title, "categories", ("category",), "1", (0.0, 1.0), "channel", (), paper, misleads)


#: What the study measures beside the declared metrics.
DECLARED: tuple[Declared, ...] = (
    _index(
        "raw_treves_rolls", "Treves-Rolls sparseness of each category's mean responses as they are.",
        "Treves & Rolls 1991, doi:10.1088/0954-898X_2_4_004",
        "Dead units raise it, where they lower PSI. With negative responses, as without gating, everything reads near 1.",
    ),
    _index(
        "hoyer_sparseness", "Hoyer's index of the responses normalised as for PSI.",
        "Hoyer 2004, Journal of Machine Learning Research 5:1457",
        "It shares the normalisation of PSI, and what is wrong with it.",
    ),
    _index(
        "gini_sparseness", "Gini index of the responses normalised as for PSI.",
        "Gini 1912, Variabilita e mutabilita",
        "It shares the normalisation of PSI, and what is wrong with it.",
    ),
    Declared(
        "mean_activation", "Mean over units of the mean response to each category.", "categories", ("category",),
        "response", (float("-inf"), float("inf")), "channel", (), "arithmetic mean",
        "Its scale is that of the stage; compare categories, not stages.",
    ),
    Declared(
        "readout_accuracy", "Accuracy of a cross-validated multinomial logistic regression, for each category.",
        "responses", ("category",), "1", (0.0, 1.0), "channel", (), PAPER,
        "It depends on the number of training stimuli and on the penalty. With few stimuli a category it is coarse.",
    ),
    Declared(
        "correlation_with_accuracy", "Correlation over categories of PSI at a stage with the accuracy of the read-out.",
        "categories", ("coefficient",), "1", (-1.0, 1.0), "channel", (), PAPER,
        "With 10 categories only correlations above 0.63 differ from zero at 5 %. The stages share their categories.",
    ),
    Declared(
        "weibull_shape", "Shape k of the Weibull distribution fitted to normalised activations; below 1 is a long tail.",
        "categories", ("fit",), "1", (0.0, float("inf")), "channel", (), PAPER,
        "As published, the fit is made to the heights of a histogram as if they were samples. With a free location and "
        "k below 1 the likelihood has no maximum, so that fit depends on where the search begins.",
    ),
)  # fmt: skip
