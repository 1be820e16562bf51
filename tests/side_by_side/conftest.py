"""Hierarchies whose geometry is known: areas repeat that of layers, with noise."""

from __future__ import annotations

import numpy as np
import pytest

import stratoscope as st

IDS = tuple(f"image-{row}" for row in range(60))


def run_of(name, responses, ids=IDS, metrics=("rdm",)):
    categories = np.array([f"category {row % 4}" for row in range(len(ids))])
    source = st.Arrays(responses, ids=ids, name=name, columns={"category": categories})
    return st.profile(source, source.stimuli(), metrics=list(metrics), progress=False)


def layers_and_areas(seed=7):
    """Return a network of three layers, and two areas that look like the first and the last of them."""
    rng = np.random.default_rng(seed)
    latent = [rng.normal(size=(60, 6)) for _ in range(3)]
    network = {f"layer{i}": base @ rng.normal(size=(6, 40)) for i, base in enumerate(latent, 1)}
    cortex = {
        name: base @ rng.normal(size=(6, 25)) + 0.3 * rng.normal(size=(60, 25))
        for name, base in (("V1", latent[0]), ("IT", latent[2]))
    }
    return network, cortex


@pytest.fixture(scope="session")
def layers():
    return layers_and_areas()


@pytest.fixture(scope="session")
def profiled():
    """The function that profiles a mapping of responses under a name."""
    return run_of


@pytest.fixture(scope="session")
def pair(layers):
    network, cortex = layers
    metrics = (
        "rdm",
        "unit_groups",
        "two_nn",
        "gride:n1=(1, 2, 4, 8, 16)",
        "participation_ratio",
        "population_sparseness",
    )
    return run_of("network", network, metrics=metrics), run_of("cortex", cortex, metrics=metrics)
