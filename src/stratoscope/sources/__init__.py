"""Sources: whatever can play stimuli through stages, and the lesions that turn one source into another."""

from stratoscope.sources import lesions
from stratoscope.sources.arrays import Arrays
from stratoscope.sources.network import Network
from stratoscope.sources.openers import open_source

__all__ = ["Arrays", "Network", "lesions", "open_source"]
