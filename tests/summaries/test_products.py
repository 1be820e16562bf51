from __future__ import annotations

import numpy as np

from stratoscope.summaries.products import Product


def test_bfloat16_says_what_rounding_took_away(rng):
    piece = rng.standard_normal((7, 300)).astype(np.float32)
    half, size2, norm2, rest2 = Product("torch", "bfloat16").factor(piece)
    back = half.float().numpy().astype(float)
    np.testing.assert_allclose(size2, (piece.astype(float) ** 2).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(norm2, (back**2).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(rest2, ((piece - back) ** 2).sum(axis=1), rtol=1e-4)
