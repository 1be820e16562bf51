"""What the study does unless it is told otherwise, as data; what the abstract of the paper leaves open is marked so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from dataclasses import field as entry
from typing import Any

from stratoscope.errors import BadInput, unknown_name

PAPER = "after Muratore et al. 2022, arXiv:2205.13816"
TAFAZOLI = "Tafazoli et al. 2017, doi:10.7554/eLife.22794"
#: Properties of images whose information is measured, from low to middle level.
PROPERTIES = (
    "mean_luminance",
    "luminance_sd",
    "rms_contrast",
    "spatial_frequency",
    "dominant_orientation",
    "edge_density",
    "corner_energy",
    "contour_curvature",
)
#: How the pruning index compares two amounts of information.
PRUNING = ("difference", "log-ratio")
#: Numbers that stand for all units of a stage.
CENTRES = ("median", "mean")
#: How units that never change their response are scored.
SILENT = ("zero", "exclude")
#: What part of the image the properties of a unit are measured on.
FIELDS = ("image", "theoretical", "effective")
#: Measures of how far information is concentrated in few units.
CONCENTRATIONS = ("gini", "top-share")
#: Estimators of intrinsic dimension that may be the one the claims are about.
ESTIMATORS = ("two_nn", "gride", "levina_bickel", "two_nn_calibrated")


def _open(default: Any, why: str) -> Any:
    """Make a field whose value the abstract of the paper does not settle, and say why this one was chosen."""
    return entry(default=default, metadata={"open": why})


@dataclass(frozen=True)
class Protocol:
    """How information, dimension and read-out are measured.

    Only the abstract of Muratore et al. 2022 could be verified, so nearly everything here is a choice. `open_choices`
    lists these, and the report prints them.

    Attributes
    ----------
    properties : tuple of str
        Image properties by name, of `stratoscope.stimuli.properties.PROPERTIES` or columns of the stimuli.
    field : str
        Where properties are measured: ``image``, the whole of it; ``theoretical``, the pixels that a unit can depend on by
        the wiring; ``effective``, the pixels that move it in the trained network, by weight, which favours
        that network over others. Fields leave the four properties that are a mean over pixels.
    n_field_stimuli : int
        Stimuli that the effective field is a mean over.
    n_units : int
        Units sampled at every stage, the same for all models; 0 for all units.
    response_bins, value_bins : int
        Bins of a unit's responses and of a property's values, equally filled as far as ties allow.
    other_response_bins : int
        Response bins of the control.
    correction : str
        Correction of the bias of information, see `stratoscope.metrics.unit_information`.
    n_shuffles : int
        Shuffles of the stimuli for the baseline and its p-values; the smallest p is 1 / (n_shuffles + 1).
    alpha : float
        A unit informs about a property where its p is at most this.
    silent : str
        ``zero``: a unit that never changes informs about nothing and counts. ``exclude``: it does not count.
    over_units : str
        ``median`` or ``mean``: what stands for all units of a stage.
    pruning : str
        ``difference`` (bits, untrained - trained) or ``log-ratio`` (log2 of untrained over trained).
    concentration : str
        ``gini``, or ``top-share``: the share of all information that the best 10 % of the units hold.
    estimator : str
        Estimator of intrinsic dimension that the claims are about; the others stand beside it.
    dimension_stimuli : int
        Most stimuli that the dimension is estimated on, drawn once, as many of each object as can be.
    n_matched : int
        Random subsets of units for the dimension at matched numbers of units.
    pair_threshold : float
        Object pairs are compared whose mean luminances have at least this ratio, for units.
    population_threshold : float
        The same for populations.
    n_pairs : int
        Most pairs of objects of like luminance that are read out; where more pass, so many are drawn, the same for all
        models.
    n_readout_units : int
        Sampled units that objects are read out of one by one.
    n_draws : int
        Draws of one training view of each object, for units.
    population_sizes : tuple of int
        Numbers of units that objects are read out of; where the narrowest stage has fewer than all of them, its number.
    n_populations : int
        Random populations of each size.
    decoder : str
        Linear decoder of the populations.
    n_resamples : int
        Bootstrap resamples of units for the intervals.
    level : float
        Level of intervals.
    seed : int
        Seed of everything random; models take ``seed``, ``seed + 1`` ...
    """

    properties: tuple[str, ...] = _open(PROPERTIES, "the abstract says low- to middle-level image information alone")
    field: str = _open("image", "how the receptive field of a network's unit is defined is not known")
    n_field_stimuli: int = 16
    n_units: int = _open(1000, "how many units a stage were sampled is not known")
    response_bins: int = _open(3, "3 in Tafazoli et al. 2017, for spike counts")
    value_bins: int = _open(10, "23 in Tafazoli et al. 2017, for luminance; fewer leave more samples a cell")
    other_response_bins: int = 5
    correction: str = _open("panzeri-treves", "used by Tafazoli et al. 2017")
    n_shuffles: int = _open(50, "100 in Tafazoli et al. 2017; with 50 the smallest p is 0.0196")
    alpha: float = _open(0.05, "as in Tafazoli et al. 2017")
    silent: str = _open("zero", "excluded in the control")
    over_units: str = _open("median", "the level is single units; their summary is not known")
    pruning: str = _open("difference", "no definition of pruning is in the abstract")
    concentration: str = _open("gini", "no definition of distillation is in the abstract")
    estimator: str = _open("two_nn", "the estimator of the same authors since Ansuini et al. 2019")
    dimension_stimuli: int = _open(1000, "doubling the number changes little")
    n_matched: int = 3
    pair_threshold: float = _open(0.9, "0.9 for single cells in Tafazoli et al. 2017")
    population_threshold: float = _open(0.8, "0.8 or 0.6 for populations in Tafazoli et al. 2017")
    n_pairs: int = _open(45, "every pair in Tafazoli et al. 2017, who had the 45 of ten objects")
    n_readout_units: int = _open(100, "all units in Tafazoli et al. 2017; reading out units one by one takes long")
    n_draws: int = _open(100, "1000 in Tafazoli et al. 2017")
    population_sizes: tuple[int, ...] = _open((96,), "6, 12, 24, 48 and 96 in Tafazoli et al. 2017")
    n_populations: int = _open(5, "50 in Tafazoli et al. 2017")
    decoder: str = _open("svm", "linear, as in Tafazoli et al. 2017")
    n_resamples: int = 200
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in {
            "silent": SILENT, "over_units": CENTRES, "pruning": PRUNING, "concentration": CONCENTRATIONS,
            "estimator": ESTIMATORS, "field": FIELDS,
        }.items():  # fmt: skip
            if getattr(self, name) not in known:
                raise unknown_name(name.replace("_", " "), getattr(self, name), known)
        if not self.properties:
            raise BadInput(
                "The study needs at least one image property, but none came. Give properties=('mean_luminance',)."
            )
        for name, smallest in _SMALLEST.items():
            if getattr(self, name) < smallest:
                raise BadInput(f"{name} is at least {smallest}, but {getattr(self, name)} came. Give a larger one.")

    @property
    def open_choices(self) -> dict[str, str]:
        """What the abstract of the paper does not settle: name of the field, and why it has its value."""
        return {one.name: str(one.metadata["open"]) for one in fields(self) if "open" in one.metadata}

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)


_SMALLEST: Mapping[str, int] = {
    "n_units": 0, "response_bins": 2, "value_bins": 2, "other_response_bins": 2, "n_shuffles": 1,
    "dimension_stimuli": 20, "n_field_stimuli": 1, "n_matched": 2, "n_populations": 1, "n_pairs": 1, "n_readout_units": 1, "n_draws": 1, "n_resamples": 2, "seed": 0,
}  # fmt: skip
