"""Statistics: intervals, resampling, trends, corrections, and the claims of a study."""
