import numpy as np
import pytest

from physlearn.maps import Affine, AveragePool, Chain, Conv, MaxPool, Relu, Reshape, Softplus
from physlearn.models import GaussianMixture, map_jacobian, shrinkage

NETS = {
    "dense": (Chain(Affine(20, "A", None), Relu(), Affine(20, "B", None), Relu(), Affine(16, "C", None)), (16,)),
    "convolutional": (
        Chain(
            Conv(3, (3, 3), "K", None, padding=1),
            Relu(),
            MaxPool((2, 2)),
            Conv(4, (3, 3), "L", None, padding=1),
            Relu(),
            AveragePool((2, 2)),
            Affine(16, "C", None),
        ),
        (8, 8, 1),
    ),
}


@pytest.mark.parametrize("name", NETS)
def test_networks_without_biases_are_homogeneous(name, rng, tol):
    """D(a y) = a D(y) and D(y) = J(y) y; the Jacobian is that of differences; with a bias neither holds."""
    net, shape = NETS[name]
    theta, y = net.start([shape], rng), rng.standard_normal(shape)
    value = net.forward((y[None],), theta)[0][0]
    for a in (1e-3, 0.5, 40.0):
        scaled = net.forward((a * y[None],), theta)[0][0]
        assert np.allclose(scaled, a * value, rtol=tol.IDENTITY, atol=a * tol.IDENTITY)
    j = map_jacobian(net, y, theta)
    assert j.shape == (16, y.size) and np.allclose(j @ y.ravel(), value, rtol=1e-10, atol=1e-12)
    assert np.array_equal(j, map_jacobian(net, 3.0 * y, theta))  # the same region of the rectifiers
    h, step = 1e-6, rng.standard_normal(shape)
    ahead, behind = (net.forward((y[None] + by * step,), theta)[0][0] for by in (h, -h))
    assert np.allclose(j @ step.ravel(), (ahead - behind) / (2 * h), rtol=tol.GRADIENT, atol=1e-7)
    for broken in (Chain(net, Affine(16, "D", "b")), Chain(net, Softplus())):
        more = broken.start([shape], rng) | theta
        more |= {"b": rng.standard_normal(16)} if "b" in more else {}
        wrong = broken.forward((2 * y[None],), more)[0] - 2 * broken.forward((y[None],), more)[0]
        assert np.max(np.abs(wrong)) > 0.1


def test_the_basis_of_the_best_denoisers(rng):
    """A Gaussian: eigenvectors of its covariance, lambda/(lambda + sigma^2); a mixture: symmetric, not negative."""
    root, sigma = rng.standard_normal((5, 5)), 0.7
    c = root @ root.T
    values, vectors = np.linalg.eigh(c)
    found = shrinkage(GaussianMixture(np.zeros((1, 5)), c[None]).jacobian(rng.standard_normal(5), sigma))
    assert np.allclose(found.factors, (values / (values + sigma**2))[::-1]) and found.asymmetry < 1e-12
    assert np.allclose(np.abs(np.sum(found.basis * vectors[:, ::-1], 0)), 1)
    mixture = GaussianMixture(rng.standard_normal((4, 5)), 0.2)
    found = shrinkage(mixture.jacobian(rng.standard_normal(5), 0.5))
    assert found.asymmetry < 1e-12 and np.all(found.factors > 0.2 / 0.45 - 1e-9)


def test_a_linear_network_that_has_learnt_to_denoise_shrinks_by_the_covariance(rng):
    """Least squares on many noised draws is the Wiener filter; its map has the same basis."""
    c, sigma, n = np.diag([4.0, 1.0, 0.1]), 0.6, 200_000
    x = rng.standard_normal((n, 3)) @ np.sqrt(c)
    y = x + sigma * rng.standard_normal((n, 3))
    net, w = Affine(3, "W", None), np.linalg.lstsq(y, x, rcond=None)[0]
    j = map_jacobian(net, np.ones(3), {"W": w})
    found = shrinkage(j)
    assert np.allclose(found.factors, [4 / 4.36, 1 / 1.36, 0.1 / 0.46], atol=0.01) and found.asymmetry < 0.02
    assert np.allclose(j, GaussianMixture(np.zeros((1, 3)), c[None]).jacobian(np.ones(3), sigma), atol=0.01)


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"jacobian: got the shape \(2, 3\), expected \(d, d\)"):
        shrinkage(np.zeros((2, 3)))
    with pytest.raises(TypeError, match="map"):
        map_jacobian(np.tanh, np.ones(3), {})
    with pytest.raises(ValueError, match=r"y: got the shape \(\)"):
        map_jacobian(Reshape((3,)), 1.0, {})
