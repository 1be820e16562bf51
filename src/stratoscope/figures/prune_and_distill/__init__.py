"""The figures of the prune-and-distill study: functions results -> figure."""

from stratoscope.figures.prune_and_distill.dimension import dimension_over_depth
from stratoscope.figures.prune_and_distill.information import distillation_over_depth, information_over_depth
from stratoscope.figures.prune_and_distill.invariance import invariance_over_depth
from stratoscope.figures.prune_and_distill.relation import pruning_against_expansion
from stratoscope.figures.prune_and_distill.training import over_training

__all__ = [
    "dimension_over_depth",
    "distillation_over_depth",
    "information_over_depth",
    "invariance_over_depth",
    "over_training",
    "pruning_against_expansion",
]
