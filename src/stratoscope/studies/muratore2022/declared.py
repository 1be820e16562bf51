"""What the study measures beside the declared metrics of the package, as declarations for figures and reports."""

from __future__ import annotations

from stratoscope.results import Declared
from stratoscope.studies.muratore2022.comparison import DISTILLATION, EXPANSION, GAIN, PRUNING
from stratoscope.studies.muratore2022.informed import CONCENTRATION, FRACTION, INFORMATION, TOP_SHARE
from stratoscope.studies.muratore2022.protocol import PAPER, TAFAZOLI

_ANY = (float("-inf"), float("inf"))


def _one(name: str, title: str, unit: str, ends: tuple[float, float], paper: str, misleads: str) -> Declared:
    return Declared(name, title, "responses", (), unit, ends, "position", (), paper, misleads)


DECLARED: tuple[Declared, ...] = (
    _one(
        INFORMATION, "Information of single units about a property of the image.", "bits", _ANY, TAFAZOLI,
        "Bins lose information, and properties go along with each other. Units that see nothing but background inform about "
        "nothing.",
    ),
    _one(
        FRACTION, "Fraction of units that inform about a property beyond shuffled stimuli.", "1", (0.0, 1.0), TAFAZOLI,
        "By chance it is the significance level. More stimuli find smaller amounts.",
    ),
    _one(
        CONCENTRATION, "How far information about a property is concentrated in few units.", "1", (0.0, 1.0), PAPER,
        "Constant units raise it. Where there is little information, noise is concentrated too.",
    ),
    _one(
        TOP_SHARE, "Share of all information about a property that the best tenth of the units hold.", "1", (0.0, 1.0), PAPER,
        "As for the concentration.",
    ),
    _one(
        PRUNING, "Unit information in untrained networks less that in the trained one.", "bits", _ANY, PAPER,
        "Above zero where training lowered information. Units of two networks do not correspond: their summaries are compared.",
    ),
    _one(
        DISTILLATION, "Concentration of information in the trained network less that in untrained ones.", "1", _ANY, PAPER,
        "Above zero where training concentrated information in fewer units, also by silencing the others.",
    ),
    _one(
        EXPANSION, "Intrinsic dimension in the trained network less that in untrained ones.", "dimensions", _ANY, PAPER,
        "Estimators read low in high dimension, so large differences are understated.",
    ),
    _one(
        GAIN, "Read-out of objects across views in the trained network less that in untrained ones.", "bits", _ANY, PAPER,
        "It depends on the number of units and views.",
    ),
    _one(
        "object_information", "Information of single units about which of two objects of like luminance is shown.", "bits",
        _ANY, TAFAZOLI, "Objects differ in more than luminance, such as size and outline; the control by luminance says little "
        "about these.",
    ),
    *(
        _one(
            name, f"How well {who} tell two objects apart {where}, above chance.", "bits", _ANY, TAFAZOLI, misleads,
        )
        for name, who, where, misleads in (
            ("unit_separability", "single units", "over all views", "Test views resemble training views."),
            ("unit_generalization", "single units", "in views not learnt", "A silent unit is at chance."),
            ("population_separability", "populations", "over all views", "Test views resemble training views."),
            ("population_generalization", "populations", "in views not learnt", "It depends on the number of units."),
        )
    ),
    _one(
        "object_dimension", "Intrinsic dimension of the views of single objects, mean over objects.", "dimensions",
        (0.0, float("inf")), PAPER, "Few views of an object cannot show a dimension above 5.",
    ),
)  # fmt: skip
