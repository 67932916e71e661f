import numpy as np
import pytest

from physlearn import Energy, check_energy, integrate, relax
from physlearn.lagrangians import Identity, LayerNorm, Relu, Sigmoid, Softmax, Tanh
from physlearn.models import ModernHopfield, layered_memory
from physlearn.terms import Bias, Separation

KINDS = [Identity(), Relu(), Tanh(0.7), Sigmoid(3.0), Softmax(2.0), LayerNorm(1.5, 0.1)]


@pytest.mark.parametrize("kind", KINDS, ids=repr)
def test_what_is_shown_is_the_gradient_of_the_lagrangian(kind, rng, tol):
    x = rng.standard_normal((3, 2, 4)) + 0.05
    g, h = kind.activation(x), 1e-6
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        slope = (kind.lagrangian(x + step) - kind.lagrangian(x - step)) / (2 * h)
        assert abs(slope[place[0]] - g[place]) < tol.GRADIENT * max(1.0, np.abs(g).max())
        assert np.allclose(np.delete(slope, place[0]), 0.0, atol=1e-8)
    check_energy(Energy({"x": (kind, 4)}, [Bias("x")], {"bias": rng.standard_normal(4)}))


@pytest.mark.parametrize("kind", KINDS, ids=repr)
def test_lagrangians_are_convex_and_survive_large_states(kind, rng):
    a, b = rng.normal(scale=5, size=(2, 200, 6))
    middle = kind.lagrangian((a + b) / 2)
    assert np.all(middle <= (kind.lagrangian(a) + kind.lagrangian(b)) / 2 + 1e-12)
    huge = np.array([[1e4, -1e4, 0.0]])
    assert np.all(np.isfinite(kind.activation(huge))) and np.all(np.isfinite(kind.lagrangian(huge)))


def test_energy_falls_in_deep_networks_of_every_kind(rng):
    kinds = [Identity(), Relu(), LayerNorm(), Tanh(2.0), Sigmoid(), Softmax(3.0)]
    sizes = [4, 5, 6, 5, 4, 3]
    weights = [rng.standard_normal(shape) for shape in zip(sizes[:-1], sizes[1:], strict=True)]
    weights = [0.6 * w / np.linalg.norm(w, 2) for w in weights]  # linear and rectified layers may not feed themselves
    energy = layered_memory(kinds, weights, bias=rng.standard_normal(4))
    check_energy(energy)
    start = energy.random_state(4, rng)
    tau = {f"x{a}": 0.5 + 0.3 * a for a in range(6)}  # layers may be fast or slow
    run = integrate(energy, (0, 30), x0=start, tau=tau, tol=1e-8)
    assert np.all(np.diff(run.energy, axis=0) < 1e-9)
    rest = relax(energy, run.final, tol=1e-9)
    assert rest.converged and np.allclose(rest.energy, run.energy[-1], atol=1e-4)


def test_a_softmax_hidden_layer_is_a_modern_hopfield_network(rng):
    xi, beta = rng.standard_normal((6, 8)), 0.7
    layered, memory = layered_memory([Identity(), Softmax(beta)], [xi.T]), ModernHopfield(xi, beta)
    x = rng.standard_normal((5, 8))
    at = {"x0": x, "x1": x @ xi.T}  # the hidden layer at rest
    assert np.allclose(layered(at), memory.energy(x), rtol=1e-12)
    assert np.allclose(layered.field(layered.state(at), "x0"), memory.update(x), rtol=1e-12)
    rest = relax(layered, at, tol=1e-10)
    assert np.allclose(rest.x["x0"], memory.recall(x, steps=10_000).x["x"], atol=1e-6)


def test_a_relu_hidden_layer_is_a_rectified_dense_memory(rng):
    xi = np.sign(rng.standard_normal((3, 8)))
    layered = layered_memory([Identity(), Relu()], [xi.T / np.sqrt(8)])
    s = np.sign(rng.standard_normal((5, 8)))
    at = {"x0": s, "x1": s @ xi.T / np.sqrt(8)}
    dense = Separation("s", 2, rectified=True).energy({"s": s}, {"patterns": xi})
    assert np.allclose(layered(at) - 4.0, dense, rtol=1e-12)  # |s|^2/2 = 4


def test_refusals(rng):
    from physlearn import Real

    for make in (lambda: Tanh(0.0), lambda: Softmax(-1.0), lambda: LayerNorm(eps=0.0), lambda: Sigmoid(np.nan)):
        with pytest.raises(ValueError, match="positive"):
            make()
    with pytest.raises(ValueError, match="do not chain"):
        layered_memory([Identity(), Relu(), Relu()], [np.ones((2, 3)), np.ones((4, 2))])
    with pytest.raises(ValueError, match="none empty"):
        layered_memory([Identity(), Relu()], [np.ones((2, 0))])
    with pytest.raises(ValueError, match=r"bias: shape \(2,\), expected \(3,\)"):
        layered_memory([Identity(), Relu()], [np.ones((3, 2))], bias=[1.0, 2.0])
    with pytest.raises(ValueError, match="one between each two"):
        layered_memory([Identity(), Relu()], [])
    with pytest.raises(ValueError, match="no Lagrangian"):
        layered_memory([Real(), Relu()], [np.ones((2, 3))])
