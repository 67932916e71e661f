"""Normal numbers of the ziggurat: moments, tails and distribution."""

import numpy as np
from scipy.stats import kstest, norm

from circuits.hardware.noise import EDGE, fill
from physlearn.rng import streams


def test_they_are_normal(tol):
    x = np.empty(1_000_000)
    fill(streams(3, 1)[0], x)
    assert kstest(x, "norm").pvalue > 1e-4
    for k, exact in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0), (6, 15.0)):
        error = np.sqrt((np.mean(x ** (2 * k)) - exact**2) / x.size)
        assert abs(np.mean(x**k) - exact) < tol.STATISTICAL * error, k
    for edge in (1.0, 2.5, EDGE[1], 4.0):  # the tail begins at EDGE[1]
        share = norm.sf(edge)
        for side in (x > edge, x < -edge):
            assert abs(side.mean() - share) < tol.STATISTICAL * np.sqrt(share / x.size)


def test_layers_have_equal_areas(tol):
    height = np.exp(-0.5 * EDGE**2)
    area = EDGE[1:-1] * np.diff(height)[1:]
    assert np.allclose(area, area[0], rtol=1e-8)
