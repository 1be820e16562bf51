"""The figures of the sparse-coding study, laid out as the panels of Liu, Zhen & Liu 2020: functions results -> figure."""

from stratoscope.figures.sparse_coding.controls import controls_of_sparseness
from stratoscope.figures.sparse_coding.hierarchy import hierarchy_of_sparseness
from stratoscope.figures.sparse_coding.lesioned import lesioned_sparseness, stagewise_lesions
from stratoscope.figures.sparse_coding.performance import sparseness_and_performance
from stratoscope.figures.sparse_coding.supplement import activation_distributions

__all__ = [
    "activation_distributions",
    "controls_of_sparseness",
    "hierarchy_of_sparseness",
    "lesioned_sparseness",
    "sparseness_and_performance",
    "stagewise_lesions",
]
