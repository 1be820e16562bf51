"""Libraries in C that a damaged file can bring down: another process reads the file first, and only it goes down."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from stratoscope.errors import BadInput

#: By library, the program that reads a file as we would: its crash is what is looked for, its refusals are met again here.
_READS = {
    "scipy.io": "import sys, scipy.io; scipy.io.loadmat(sys.argv[1])",
    "netCDF4": "import sys, netCDF4\n"
    "with netCDF4.Dataset(sys.argv[1]) as file:\n"
    "    file.set_auto_maskandscale(False)\n"
    "    [variable[...] for variable in file.variables.values() if variable.size < 2**25]",
}
#: Seconds that reading may take, and bytes for which a further second is given.
PATIENCE, BYTES_A_SECOND = 30.0, 5_000_000


def refuse_crashing(path: Path, library: str, patience: float = PATIENCE) -> None:
    """Refuse the file at `path` where `library` crashes or hangs on it, which no exception of Python would tell.

    Parameters
    ----------
    path : path
        The file; nothing is done where it is none.
    library : {'scipy.io', 'netCDF4'}
        What will read it.
    patience : float
        Seconds before it is taken to hang; more for large files.

    Raises
    ------
    BadInput
        The other process was ended by a signal, or did not end.
    """
    if not path.is_file():
        return
    patience += path.stat().st_size / BYTES_A_SECOND
    try:
        code = subprocess.run(  # noqa: S603  our own interpreter and program; the path is an argument, never code
            [sys.executable, "-c", _READS[library], str(path)], capture_output=True, timeout=patience, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        raise _damaged(path, f"{library} was still reading after {patience:.0f} s") from None
    if code < 0:
        raise _damaged(path, f"{library} crashes on it ({_signal(-code)})")


def _damaged(path: Path, reason: str) -> BadInput:
    return BadInput(f"{str(path)!r} cannot be read: {reason}. It is damaged or cut off; copy it again.")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
