"""Linear read-out: what a decoder tells apart, and whether it still does for views it has not seen."""

from stratoscope.metrics.readout.confusion import confusion_accuracy, confusion_bits
from stratoscope.metrics.readout.cross_validated import cross_validated_readout
from stratoscope.metrics.readout.folds import Split
from stratoscope.metrics.readout.labels import arbitrary_groups
from stratoscope.metrics.readout.population_generalization import population_generalization
from stratoscope.metrics.readout.population_record import PopulationReadout
from stratoscope.metrics.readout.population_separability import population_separability
from stratoscope.metrics.readout.record import Readout
from stratoscope.metrics.readout.unit_generalization import unit_generalization
from stratoscope.metrics.readout.unit_record import UnitReadout
from stratoscope.metrics.readout.unit_separability import unit_separability
from stratoscope.metrics.readout.view_splits import splits_across_views

__all__ = [
    "PopulationReadout",
    "Readout",
    "Split",
    "UnitReadout",
    "arbitrary_groups",
    "confusion_accuracy",
    "confusion_bits",
    "cross_validated_readout",
    "population_generalization",
    "population_separability",
    "splits_across_views",
    "unit_generalization",
    "unit_separability",
]
