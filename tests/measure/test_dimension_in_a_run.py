"""The estimators of dimension in a run: every one gives the number it gives alone."""

import numpy as np
import pytest

import stratoscope as st
from stratoscope.metrics.declare import METRICS


def test_every_estimator_of_dimension_gives_in_a_run_what_it_gives_alone():
    rng = np.random.default_rng(0)
    responses = rng.random((120, 4)) @ rng.standard_normal((4, 30))
    source = st.Arrays({"area": responses})
    stimuli = st.Stimuli("none", tuple(map(str, range(120))), lambda _: np.zeros((3, 4, 4), np.float32))
    asked = ["two_nn_calibrated", "ess:k=30", "correlation_dimension", "dimension_disagreement:k=30"]
    table = st.profile(source, stimuli, metrics=asked, unit="neuron").table()
    for one in asked:
        name, _, option = one.partition(":")
        row = table[(table.metric == name) & (table.control == "")].iloc[0]
        alone = METRICS[name].function(responses, **({"k": 30} if option else {}))
        assert row.value == pytest.approx(alone.value, rel=1e-6)
        assert row.low == pytest.approx(alone.low, rel=1e-5)
        assert alone.note in row.note
