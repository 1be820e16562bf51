"""Stimuli: opened from folders, tables, arrays, zips and data sets, loaded one at a time."""

from stratoscope.stimuli.choose import choose
from stratoscope.stimuli.decode import decode
from stratoscope.stimuli.examples import choose_examples
from stratoscope.stimuli.join import join_stimuli
from stratoscope.stimuli.open import describe_stimuli, open_stimuli
from stratoscope.stimuli.openers import OPENERS, Wanted, make_stimuli, opener

__all__ = [
    "OPENERS",
    "Wanted",
    "choose",
    "choose_examples",
    "decode",
    "describe_stimuli",
    "join_stimuli",
    "make_stimuli",
    "open_stimuli",
    "opener",
]
