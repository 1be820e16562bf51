import numpy as np
import pytest

from stratoscope.stimuli.properties import measure_properties
from stratoscope.types import Stimuli


@pytest.mark.realdata
def test_small_photographs_have_spectra_near_one_over_f_and_upright_contours(data):
    path = next(data.rglob("cifar10_test1000_train2000.npz"))
    with np.load(path) as stored:
        pixels = stored["x_test"][:300]
    images = np.moveaxis(pixels, -1, 1).astype(np.float32) / np.float32(255)
    stimuli = Stimuli("cifar", tuple(map(str, range(300))), images.__getitem__)
    found = measure_properties(stimuli)
    assert -3.2 < np.median(found["spectral_slope"]) < -1.8
    upright = found["orientation_energy_0"] + found["orientation_energy_90"]
    assert np.median(upright / (found["orientation_energy_45"] + found["orientation_energy_135"])) > 1
    assert all(np.isfinite(values).all() for values in found.values())
