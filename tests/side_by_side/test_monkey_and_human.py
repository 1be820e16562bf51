"""A network's stages against published matrices of monkey and human IT."""

from __future__ import annotations

import numpy as np
import pytest

import stratoscope as st
from stratoscope.figures.side_by_side import matrices_of
from stratoscope.metrics import rsa
from stratoscope.studies import compare, given_rdms
from stratoscope.studies.side_by_side.geometry import geometries


@pytest.mark.realdata
def test_monkey_and_human_it_agree_and_a_network_compares_with_both(data):
    file = data / "neural" / "it_rdms_kriegeskorte92" / "kriegeskorte92_rdms_images.npz"
    with np.load(file) as held:
        rdms = {"monkey IT": held["mIT_rdm_condensed"], "human IT": held["hIT_rdm_condensed"]}
    stimuli = st.open_stimuli(str(file))
    published = given_rdms("IT", rdms, stimuli.ids)
    assert rsa(*geometries(published)[0].rdms) == pytest.approx(0.44, abs=0.01)
    run = st.profile(st.open_source("bundled:alexnet", stages="relu"), stimuli, metrics=["rdm"], progress=False)
    found = matrices_of(compare([run, published], n_draws=20).results)[0]
    assert found.n == 92
    assert found.value.shape == (7, 2)
    assert np.isfinite(found.low).all()
