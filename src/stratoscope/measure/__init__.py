"""The pass: what was asked, the memory it takes, one play of the stimuli, and the closing of every stage."""

from stratoscope.measure.profile import profile

__all__ = ["profile"]
