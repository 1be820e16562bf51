"""Metrics: functions of plain arrays (stimulus, unit), each of which a run computes from one summary too."""

from stratoscope.metrics.calibration import two_nn_calibrated
from stratoscope.metrics.controlled_dimension import controlled_dimension
from stratoscope.metrics.controls import shuffled, size_matched, structureless, without_constant_units
from stratoscope.metrics.correlation_dimension import correlation_dimension
from stratoscope.metrics.decimation import two_nn_decimation
from stratoscope.metrics.disagreement import dimension_disagreement
from stratoscope.metrics.ess import ess
from stratoscope.metrics.expected_decimation import two_nn_decimation_expected
from stratoscope.metrics.extrapolation import extrapolated
from stratoscope.metrics.gride import gride
from stratoscope.metrics.groups import PerGroup, dimension_per_group, dimension_per_group_in
from stratoscope.metrics.information import (
    EstimatorDisagreement,
    InformationBreakdown,
    InformationTable,
    ObjectInformation,
    estimator_disagreement,
    gaussian_copula_information,
    information_breakdown,
    information_table,
    ksg_information,
    object_information,
    ross_information,
    unit_information,
)
from stratoscope.metrics.levina_bickel import levina_bickel
from stratoscope.metrics.lifetime import lifetime_sparseness
from stratoscope.metrics.matched import stimuli_matched, stimuli_matched_in, units_matched
from stratoscope.metrics.moments import constant_fraction, dead_fraction, unit_mean, unit_variance
from stratoscope.metrics.noise_corrected import signal_gride
from stratoscope.metrics.readout import (
    PopulationReadout,
    Readout,
    Split,
    UnitReadout,
    arbitrary_groups,
    confusion_bits,
    cross_validated_readout,
    population_generalization,
    population_separability,
    splits_across_views,
    unit_generalization,
    unit_separability,
)
from stratoscope.metrics.receptive_field_fit import fit_fields
from stratoscope.metrics.receptive_field_maps import FieldMaps, bar_maps, sparse_noise_maps
from stratoscope.metrics.resampling import two_nn_resampled
from stratoscope.metrics.rsa import noise_ceiling, rsa, split_half_ceiling
from stratoscope.metrics.signal_participation_ratio import signal_participation_ratio
from stratoscope.metrics.similarity import cka, cka_matrix, cka_of_grams, rdm
from stratoscope.metrics.sparseness import population_sparseness, stimulus_sparseness
from stratoscope.metrics.spectrum import eigenspectrum, participation_ratio, participation_ratio_corrected
from stratoscope.metrics.subset import subset_in
from stratoscope.metrics.two_nn import two_nn
from stratoscope.metrics.unit_groups import unit_groups

__all__ = [
    "EstimatorDisagreement",
    "FieldMaps",
    "InformationBreakdown",
    "InformationTable",
    "ObjectInformation",
    "PerGroup",
    "PopulationReadout",
    "Readout",
    "Split",
    "UnitReadout",
    "arbitrary_groups",
    "bar_maps",
    "cka",
    "cka_matrix",
    "cka_of_grams",
    "confusion_bits",
    "constant_fraction",
    "controlled_dimension",
    "correlation_dimension",
    "cross_validated_readout",
    "dead_fraction",
    "dimension_disagreement",
    "dimension_per_group",
    "dimension_per_group_in",
    "eigenspectrum",
    "ess",
    "estimator_disagreement",
    "extrapolated",
    "fit_fields",
    "gaussian_copula_information",
    "gride",
    "information_breakdown",
    "information_table",
    "ksg_information",
    "levina_bickel",
    "lifetime_sparseness",
    "noise_ceiling",
    "object_information",
    "participation_ratio",
    "participation_ratio_corrected",
    "population_generalization",
    "population_separability",
    "population_sparseness",
    "rdm",
    "ross_information",
    "rsa",
    "shuffled",
    "signal_gride",
    "signal_participation_ratio",
    "size_matched",
    "sparse_noise_maps",
    "split_half_ceiling",
    "splits_across_views",
    "stimuli_matched",
    "stimuli_matched_in",
    "stimulus_sparseness",
    "structureless",
    "subset_in",
    "two_nn",
    "two_nn_calibrated",
    "two_nn_decimation",
    "two_nn_decimation_expected",
    "two_nn_resampled",
    "unit_generalization",
    "unit_groups",
    "unit_information",
    "unit_mean",
    "unit_separability",
    "unit_variance",
    "units_matched",
    "without_constant_units",
]
