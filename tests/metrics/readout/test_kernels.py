"""What is asked of inner products before they are read out."""

import numpy as np
import pytest

from stratoscope.errors import BadInput
from stratoscope.metrics.readout.kernels import checked_gram


@pytest.mark.parametrize("place", [(0, 1), (5, 590), (590, 5), (300, 299), (256, 0), (599, 598)])
def test_one_entry_that_its_mirror_is_not_is_seen_wherever_it_lies(rng, place):
    responses = rng.standard_normal((600, 20))
    gram = responses @ responses.T
    assert np.array_equal(checked_gram(gram, "A read-out"), gram)
    gram[place] += 1e-3
    with pytest.raises(BadInput, match="A read-out expects a symmetric Gram matrix"):
        checked_gram(gram, "A read-out")
