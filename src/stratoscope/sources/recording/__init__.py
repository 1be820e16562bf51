"""Recordings: spikes and counts of neurons in several areas, and the way from spikes to responses."""

from stratoscope.sources.recording.assemblies import from_assembly
from stratoscope.sources.recording.counting import count_spikes
from stratoscope.sources.recording.nwb_write import export_nwb
from stratoscope.sources.recording.open import open_recording
from stratoscope.sources.recording.populations import noise_correlations, pseudo_population, shuffle_trials
from stratoscope.sources.recording.presentations import Presentations
from stratoscope.sources.recording.psth import Psth, latencies, psth
from stratoscope.sources.recording.recording import Recording
from stratoscope.sources.recording.reliability import Reliability, half_means, split_half
from stratoscope.sources.recording.selection import Selection, informative_units, responsive_units
from stratoscope.sources.recording.spikes import Spikes
from stratoscope.sources.recording.trial_counts import TrialCounts
from stratoscope.sources.recording.units import Units

__all__ = [
    "Presentations",
    "Psth",
    "Recording",
    "Reliability",
    "Selection",
    "Spikes",
    "TrialCounts",
    "Units",
    "count_spikes",
    "export_nwb",
    "from_assembly",
    "half_means",
    "informative_units",
    "latencies",
    "noise_correlations",
    "open_recording",
    "pseudo_population",
    "psth",
    "responsive_units",
    "shuffle_trials",
    "split_half",
]
