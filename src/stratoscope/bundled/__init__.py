"""Trained networks that come with the package: an index and their checkpoints, as data."""
