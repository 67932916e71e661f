"""Couplings through maps: fields to both sides, shared biases, what is refused."""

import numpy as np
import pytest

from physlearn import Binary, Energy, Potts, Real, check_energy, relax
from physlearn.maps import AveragePool, Chain, Conv, MaxPool, Reshape, Tanh
from physlearn.terms import Bias, Coupling, Dense, Parabola


def energy(map, shape, after, kind=None):
    rng = np.random.default_rng(0)
    layers = {"x": (kind or Real(), shape), "y": (Real(), after)}
    theta = map.start((shape,), rng) if getattr(map, "parameters", ()) else {}
    theta = {name: rng.normal(size=value.shape) for name, value in theta.items()}
    return Energy(layers, [Coupling(("x", "y"), map), Parabola("y", fixed=np.ones(after))], theta)


MAPS = {
    "several kernels": (Conv(3, 3, "K", None), (6, 5, 2), (4, 3, 3)),
    "stride and padding": (Conv(2, 3, "K", None, stride=2, padding=1), (6, 6, 1), (3, 3, 2)),
    "dilation": (Conv(2, 2, "K", "b", dilation=2), (5, 4, 2), (3, 2, 2)),
    "average": (Chain(Conv(2, 3, "K", None), AveragePool(2)), (6, 6, 1), (2, 2, 2)),
    "maximum": (Chain(Conv(2, 3, "K", None), MaxPool(2)), (6, 6, 1), (2, 2, 2)),
    "pooling alone": (AveragePool((2, 1)), (4, 3, 2), (2, 3, 2)),
    "activation": (Chain(Conv(2, 3, "K", "b"), Tanh()), (4, 4, 1), (2, 2, 2)),
}


@pytest.mark.parametrize("name", MAPS)
def test_energy_and_fields(name):
    check_energy(energy(*MAPS[name]))


def test_a_convolution_is_the_dense_coupling_of_its_toeplitz_matrix(rng):
    map, shape, after = MAPS["stride and padding"]
    net = energy(map, shape, after)
    n, m = int(np.prod(shape)), int(np.prod(after))
    w = map.forward((np.eye(n).reshape(n, *shape),), net.theta)[0].reshape(n, m)
    x, y = rng.normal(size=(3, *shape)), rng.normal(size=(3, *after))
    flat = Energy({"x": (Real(), n), "y": (Real(), m)}, [Dense(("x", "y"))], {"W": w})
    state, rows = {"x": x, "y": y}, {"x": x.reshape(3, -1), "y": y.reshape(3, -1)}
    term, dense = net.terms[0], flat.terms[0]
    assert np.allclose(term.energy(state, net.theta), dense.energy(rows, flat.theta))
    for layer in ("x", "y"):
        found = term.field(state, net.theta, layer).reshape(3, -1)
        assert np.allclose(found, dense.field(rows, flat.theta, layer))


def test_one_bias_a_kernel(rng):
    layers = {"x": (Real(), (3, 2, 4))}
    net = Energy(layers, [Bias("x", "b"), Parabola("x", fixed=np.ones((3, 2, 4)))], {"b": rng.normal(size=4)})
    check_energy(net)
    assert np.allclose(relax(net).x, np.broadcast_to(net.theta["b"], (3, 2, 4)))
    assert net.response({"x": np.ones((1, 3, 2, 4))})["b"].shape == (4,)


def test_refusals():
    with pytest.raises(ValueError, match=r"has the shape \(4, 3, 3\), but layer 'y' is \(4, 3, 2\)"):
        relax(energy(MAPS["several kernels"][0], (6, 5, 2), (4, 3, 2)))
    with pytest.raises(ValueError, match="does not fit an image of"):
        energy(Conv(1, 5, "K", None), (4, 4, 1), (1, 1, 1))
    with pytest.raises(ValueError, match="the gap between two of its values is no slope"):
        relax(energy(*MAPS["activation"], kind=Binary()))
    with pytest.raises(ValueError, match="maps take numbers"):
        relax(energy(*MAPS["average"], kind=Potts(3)))
    with pytest.raises(TypeError, match="expected a map such as"):
        Coupling(("x", "y"), Conv)
    check_energy(energy(*MAPS["average"], kind=Binary()))
    check_energy(energy(Reshape((4,)), (2, 2), (4,)))
