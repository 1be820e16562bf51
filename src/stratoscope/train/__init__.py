"""Training the small networks of `stratoscope.models` on object views."""

from stratoscope.train.loop import Trained, train
from stratoscope.train.recipe import RECIPES, Recipe

__all__ = ["RECIPES", "Recipe", "Trained", "train"]
