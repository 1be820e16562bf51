"""The study on a published network and real images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import stratoscope as st
from stratoscope.studies import sparse_coding
from stratoscope.studies.liu2020.protocol import PSI, Protocol

NETWORKS = Path(__file__).resolve().parents[1] / "acceptance" / "real_networks.py"


@pytest.mark.realdata
def test_resnet20_has_its_sparseness_and_falls_with_permuted_weights(data, monkeypatch):
    monkeypatch.setenv("STRATOSCOPE_DATA", str(data))
    stimuli = st.open_stimuli(f"{data}/images/cifar10_lossless/cifar10_test1000_train2000.npz:test")
    network = st.open_source(f"{NETWORKS}:resnet20")
    how = {"protocol": Protocol(n_subsets=5, n_resamples=50), "progress": False, "batch_size": 100}
    study = sparse_coding(network, stimuli, lesions=["permute_weights"], n_models=2, **how)
    table = study.table().query(f"metric == {PSI!r} and control == ''")
    intact = table.query("lesion == ''")["value"].to_numpy()
    np.testing.assert_allclose(intact[[0, 9, 18]], [0.326, 0.252, 0.375], atol=0.03)
    permuted = table.query("lesion == 'permute_weights'").groupby("stage", sort=False)["value"].median().to_numpy()
    assert permuted[-1] < intact[-1] - 0.1
    claims = study.claims.set_index(["claim", "control"])["value"]
    assert claims["sparseness-rises", "size-matched units"] > 0 > claims["sparseness-rises", ""]
