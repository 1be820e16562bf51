"""Metrics: functions of plain arrays (stimulus, unit), each of which a run computes from one summary too."""

from stratoscope.metrics.controls import shuffled, size_matched, structureless, without_constant_units
from stratoscope.metrics.decimation import two_nn_decimation
from stratoscope.metrics.gride import gride
from stratoscope.metrics.information import (
    InformationTable,
    ObjectInformation,
    information_table,
    object_information,
    unit_information,
)
from stratoscope.metrics.levina_bickel import levina_bickel
from stratoscope.metrics.lifetime import lifetime_sparseness
from stratoscope.metrics.moments import constant_fraction, dead_fraction, unit_mean, unit_variance
from stratoscope.metrics.rsa import noise_ceiling, rsa, split_half_ceiling
from stratoscope.metrics.similarity import cka, cka_matrix, cka_of_grams, rdm
from stratoscope.metrics.sparseness import population_sparseness, stimulus_sparseness
from stratoscope.metrics.spectrum import eigenspectrum, participation_ratio, participation_ratio_corrected
from stratoscope.metrics.two_nn import two_nn

__all__ = [
    "InformationTable",
    "ObjectInformation",
    "cka",
    "cka_matrix",
    "cka_of_grams",
    "constant_fraction",
    "dead_fraction",
    "eigenspectrum",
    "gride",
    "information_table",
    "levina_bickel",
    "lifetime_sparseness",
    "noise_ceiling",
    "object_information",
    "participation_ratio",
    "participation_ratio_corrected",
    "population_sparseness",
    "rdm",
    "rsa",
    "shuffled",
    "size_matched",
    "split_half_ceiling",
    "stimulus_sparseness",
    "structureless",
    "two_nn",
    "two_nn_decimation",
    "unit_information",
    "unit_mean",
    "unit_variance",
    "without_constant_units",
]
