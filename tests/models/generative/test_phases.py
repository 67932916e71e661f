import numpy as np
import pytest
from scipy.optimize import brentq

from physlearn.models import GaussianMixture, OUProcess, clones_agree, collapse_time, own_weight, speciation_time


def crossing(n, d):
    data = np.random.default_rng(0).standard_normal((n, d))
    return brentq(lambda t: own_weight(data, t, rng=1) - 0.5, 0.1, 1.0, xtol=1e-3)


def test_a_datum_loses_its_weight_at_the_collapse_time():
    """The formula for many data, and a shift of 0.02 for 3,000."""
    assert abs(collapse_time(3000, 16) - 0.229) < 1e-3
    assert abs(crossing(3000, 16) - collapse_time(3000, 16) - 0.02) < 0.01


@pytest.mark.slow
def test_the_same_in_more_dimensions():
    assert abs(crossing(20_000, 32) - collapse_time(20_000, 32) - 0.02) < 0.01


def test_clones_agree_as_their_paths_do(tol):
    """Two clones at one point go to a class by its posterior: draws of the point, and of the classes."""
    assert abs(clones_agree(1.0) - 0.7752) < 1e-4 and abs(clones_agree(np.e) - 0.9950) < 1e-4
    assert abs(clones_agree(np.exp(-1)) - 0.5601) < 1e-4 and clones_agree(0.0) == pytest.approx(0.5)
    assert clones_agree(50.0) == pytest.approx(1.0)
    d, process = 9, OUProcess()
    law = GaussianMixture(np.array([[1.0], [-1.0]]) * np.ones(d), 1.0)  # |m|^2 = d
    noised = process.noised(law, 0.5 * np.log(d))
    r = noised.responsibilities(noised.sample(4000, 3))
    agree = np.sum(r**2, 1)
    assert abs(agree.mean() - clones_agree(1.0)) < tol.STATISTICAL * agree.std() / np.sqrt(4000)
    data = law.sample(4000, 4)
    assert abs(speciation_time(data) - 0.5 * np.log(d + 1)) < 0.05


def test_what_is_refused():
    with pytest.raises(ValueError, match="data: all are the same point"):
        speciation_time(np.ones((3, 2)))
    with pytest.raises(ValueError, match="t: got 0"):
        own_weight(np.eye(3), 0.0)
    with pytest.raises(ValueError, match="n: got 1"):
        collapse_time(1, 3)
    with pytest.raises(ValueError, match="separation: got -1"):
        clones_agree(-1)
