"""Recordings: spikes and counts of neurons in several areas, and the way from spikes to responses."""

from stratoscope.sources.recording.counting import count_spikes
from stratoscope.sources.recording.presentations import Presentations
from stratoscope.sources.recording.spikes import Spikes
from stratoscope.sources.recording.trial_counts import TrialCounts
from stratoscope.sources.recording.units import Units

__all__ = ["Presentations", "Spikes", "TrialCounts", "Units", "count_spikes"]
