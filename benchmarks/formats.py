"""What faster arithmetic and 16 bits do to every metric: the same run each way, against plain float32.

    python -m benchmarks.formats [--source bundled:alexnet] [--stimuli 'objects:dense?n=500']

For every metric the largest difference over stages, of the difference of the two values over half the width of the
metric's own 95 % interval where it has one, and relative to the value otherwise.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
import pandas as pd

import stratoscope as st

METRICS = (
    "population_sparseness",
    "lifetime_sparseness",
    "dead_fraction",
    "two_nn",
    "gride",
    "levina_bickel",
    "participation_ratio",
    "cross_validated_readout",
    "cka",
)
#: How to open the source, and how to run the pass.
WAYS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "channels last": ({"channels_last": True}, {}),
    "autocast bfloat16": ({"autocast": "bfloat16"}, {}),
    "autocast float16": ({"autocast": "float16"}, {}),
    "spool bfloat16": ({}, {"spool": "bfloat16"}),
    "spool float16": ({}, {"spool": "float16"}),
}


def run(source: str, stimuli: str, opened: dict[str, object], played: dict[str, object]) -> st.Results:
    """Profile one way."""
    network = st.open_source(source, **opened)
    return st.profile(network, st.open_stimuli(stimuli), metrics=METRICS, progress=False, **played)


def differences(plain: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return, per metric, the largest relative difference and the largest in half widths of the interval."""
    gap = (other["value"] - plain["value"]).abs().to_numpy()
    half = ((plain["high"] - plain["low"]) / 2).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        found = pd.DataFrame(
            {
                "metric": plain["metric"].to_numpy(),
                "relative": gap / plain["value"].abs().to_numpy(),
                "of half interval": gap / half,
            }
        )
    return found.replace([np.inf], np.nan).groupby("metric", sort=False).max()


def main(source: str, stimuli: str) -> None:
    """Print both differences of every metric, each way a column."""
    plain = run(source, stimuli, {}, {})
    tables = {way: differences(plain.table(), run(source, stimuli, *how).table()) for way, how in WAYS.items()}
    for what in ("relative", "of half interval"):
        print(f"\nlargest difference over stages, {what}")
        print(pd.DataFrame({way: table[what] for way, table in tables.items()}).to_string(float_format="{:.1e}".format))
    matrices = {way: run(source, stimuli, *how).cross for way, how in WAYS.items()}
    for way, cross in matrices.items():
        gaps = {name: float(np.nanmax(np.abs(cross[name] - plain.cross[name]))) for name in cross.data_vars}
        print(f"{way}: largest difference between stages {gaps}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="bundled:alexnet")
    parser.add_argument("--stimuli", default="objects:dense?n=500")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    main(given.source, given.stimuli)
