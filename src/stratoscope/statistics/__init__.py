"""Statistics of a run: trends along stages, resampling, permutation tests, correction, association, claims."""
