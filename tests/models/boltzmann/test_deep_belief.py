"""Deep belief nets: exact likelihoods, and the step that makes greedy training sound."""

import numpy as np
import pytest

from physlearn import SGD, EquilibriumPropagation, PersistentContrastiveDivergence, Spin
from physlearn.models import RBM, DeepBelief, stack


def states(n):
    return ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(float)


def machine(n, m, rng):
    rbm = RBM(n, m, scale=1.0, temperature=1.3, rng=rng)
    return rbm.with_theta({"a": rng.standard_normal(n), "c": rng.standard_normal(m)})


def test_an_upside_down_copy_on_top_changes_nothing(rng, tol):
    """Hinton, Osindero and Teh 2006, section 4: the complementary prior of one RBM is the RBM itself."""
    bottom = machine(5, 4, rng)
    theta = {"W": bottom.theta["W"].T, "a": bottom.theta["c"], "c": bottom.theta["a"]}
    net = DeepBelief([bottom, RBM(4, 5, temperature=1.3, theta=theta)])
    np.testing.assert_allclose(net.log_likelihood(states(5)), bottom.log_likelihood(states(5)).value, rtol=1e-10)


def test_generates_what_its_likelihood_says(rng, tol):
    net = DeepBelief([machine(4, 3, rng), machine(3, 3, rng), machine(3, 2, rng)])
    p = np.exp(net.log_likelihood(states(4)))
    assert p.sum() == pytest.approx(1.0, rel=tol.IDENTITY)
    drawn = net.generate(5000, sweeps=40, rng=0)
    counts = np.bincount((drawn @ (2 ** np.arange(4))).astype(int), minlength=16)
    z = (counts / 5000 - p) / np.sqrt(p * (1 - p) / 5000)
    assert np.max(np.abs(z)) < tol.STATISTICAL


def test_learns_layer_by_layer(rng):
    data = np.repeat([[0, 0, 1, 1, 1], [1, 1, 0, 0, 1], [1, 0, 1, 0, 0]], 40, axis=0)
    rule = PersistentContrastiveDivergence(5, 100)
    net = stack(data, [6, 4], rule=rule, optimizer=SGD(0.1), epochs=300, batch=30, rng=0, scale=0.1)
    assert net.transform(data).shape == (120, 4)
    assert -np.log(3) - net.log_likelihood(data).mean() < 0.5  # divergence from the data, in nats; 2.4 at the start


def test_gaussian_bottom(rng):
    data = rng.standard_normal((50, 3))
    rule = PersistentContrastiveDivergence(1, 20)
    settings = dict(rule=rule, optimizer=SGD(0.01, bounds={"k": (0.1, 10.0)}), epochs=2, rng=0, visible="gaussian")
    with pytest.raises(ValueError, match="there is no parameter 'k'"):  # only the bottom machine has a stiffness
        stack(data, [4, 2], **settings)
    net = stack(data, [4, 2], **{**settings, "optimizer": SGD(0.01)})
    assert np.all(np.isfinite(net.generate(3, sweeps=5, rng=0)))


def test_spins_all_the_way_up():
    settings = dict(rule=PersistentContrastiveDivergence(1, 20), optimizer=SGD(0.01), rng=0)
    net = stack(np.eye(4), [3, 2], epochs=1, hidden="spin", **settings)
    assert [type(machine.energy.layers["h"].kind) for machine in net.machines] == [Spin, Spin]


def test_bad_input_is_named(rng):
    with pytest.raises(ValueError, match=r"machines: got \(\)"):
        DeepBelief([])
    with pytest.raises(ValueError, match="expected at least one RBM, and nothing else"):
        DeepBelief([3])
    with pytest.raises(TypeError, match="rule: got EquilibriumPropagation, expected a sampled one"):
        stack([[0, 1]], [2], rule=EquilibriumPropagation(0.1), optimizer=SGD(0.1), epochs=1)
    with pytest.raises(ValueError, match="hidden units of machine 0"):
        DeepBelief([machine(4, 3, rng), machine(2, 2, rng)])
