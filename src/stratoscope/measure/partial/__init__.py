"""A run that is not finished: what is done lies in a folder, and the same command goes on from there."""
