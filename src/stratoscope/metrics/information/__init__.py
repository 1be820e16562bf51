"""Unit information: bits that one unit's response carries about a property of the stimulus, for a million units."""

from stratoscope.metrics.information.breakdown import InformationBreakdown, information_breakdown
from stratoscope.metrics.information.copula import gaussian_copula_information
from stratoscope.metrics.information.disagreement import EstimatorDisagreement, estimator_disagreement
from stratoscope.metrics.information.nearest import ksg_information, ross_information
from stratoscope.metrics.information.objects import ObjectInformation, object_information
from stratoscope.metrics.information.table import InformationTable, information_table
from stratoscope.metrics.information.unit import unit_information

__all__ = [
    "EstimatorDisagreement",
    "InformationBreakdown",
    "InformationTable",
    "ObjectInformation",
    "estimator_disagreement",
    "gaussian_copula_information",
    "information_breakdown",
    "information_table",
    "ksg_information",
    "object_information",
    "ross_information",
    "unit_information",
]
