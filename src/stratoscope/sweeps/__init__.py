"""Many runs from a small table: networks, checkpoints, lesions and seeds, each in a folder of its own."""

from stratoscope.sweeps.rows import SweepRow, read_rows
from stratoscope.sweeps.run import Sweep, sweep

__all__ = ["Sweep", "SweepRow", "read_rows", "sweep"]
