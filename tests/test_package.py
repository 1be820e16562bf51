"""The front door: few names, each of which can be used, and none of which costs an import of torch."""

from __future__ import annotations

import subprocess
import sys

import stratoscope as st


def test_every_public_name_is_there_and_there_are_at_most_twenty():
    assert len(st.__all__) <= 20
    for name in st.__all__:
        assert getattr(st, name) is not None


def test_metrics_and_results_work_without_torch():
    code = (
        "import sys; import numpy as np; from stratoscope.metrics import two_nn;"
        "from stratoscope.results import open_results; import stratoscope.figures, stratoscope.report;"
        "print(round(two_nn(np.random.default_rng(0).random((300, 2))).value), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "2 False", done.stderr


def test_an_unknown_name_is_an_ordinary_attribute_error():
    assert not hasattr(st, "profil")
