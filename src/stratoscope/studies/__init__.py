"""Studies: a paper as stimuli, sources, lesions, metrics, claims and figures."""
