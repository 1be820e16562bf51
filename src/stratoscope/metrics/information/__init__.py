"""Unit information: bits that one unit's response carries about a property of the stimulus, for a million units."""

from stratoscope.metrics.information.objects import ObjectInformation, object_information
from stratoscope.metrics.information.table import InformationTable, information_table
from stratoscope.metrics.information.unit import unit_information

__all__ = ["InformationTable", "ObjectInformation", "information_table", "object_information", "unit_information"]
