"""A deep belief net as one energy: its audit, its likelihood by enumeration, and training of all layers at once."""

import numpy as np
import pytest

from physlearn import (
    SGD,
    BoltzmannLearning,
    Machine,
    check_energy,
    enumerate_states,
    learn,
    sample,
)
from physlearn.models import RBM, DeepBelief


def net(visible="binary", hidden="binary", temperatures=(1.0, 1.0, 1.0), **bottom):
    sizes = (4, 3, 2, 2)
    made = []
    for k, t in enumerate(temperatures):
        kinds = dict(visible=visible, hidden=hidden, **bottom) if k == 0 else dict(visible=hidden, hidden=hidden)
        machine = RBM(sizes[k], sizes[k + 1], temperature=t, scale=1.0, rng=k, **kinds)
        theta = {"a": np.random.default_rng(9 + k).normal(size=machine.theta["a"].shape)}
        theta["c"] = np.random.default_rng(99 + k).normal(size=sizes[k + 1])
        if "k" in machine.theta:
            theta["k"] = np.linspace(0.7, 1.5, sizes[k])
        made.append(machine.with_theta(theta))
    return DeepBelief(made)


NETS = {
    "binary": {},
    "spins": dict(visible="spin", hidden="spin"),
    "Gaussian": dict(visible="gaussian"),
    "Potts": dict(visible="potts", q=3),
    "warm": dict(temperatures=(0.5, 2.0, 1.5)),
    "one machine": dict(temperatures=(0.8,)),
    "two machines": dict(temperatures=(1.0, 0.7)),
}


@pytest.mark.parametrize("name", NETS)
def test_its_terms_are_audited(name):
    check_energy(net(**NETS[name]))


@pytest.mark.parametrize("name", [name for name in NETS if name != "Gaussian"])
def test_its_distribution_is_the_net_s(name, tol):
    stack = net(**NETS[name])
    t, v = stack.machines[-1].temperature, np.array([[0, 1, 1, 0], [1, 1, 1, 0]], float)
    v = 2 * v - 1 if name == "spins" else v
    known = stack.log_likelihood(v)
    log_z = enumerate_states(stack, temperature=t).log_z
    found = [enumerate_states(stack, temperature=t, clamp={"v": row}).log_z - log_z for row in v]
    np.testing.assert_allclose(found, known, rtol=tol.IDENTITY, atol=1e-10)


def test_samples_of_all_layers_have_its_means():
    stack = net()
    drawn = sample(stack, temperature=1.0, n_samples=150, warmup=50, chains=40, rng=0)
    exact = enumerate_states(stack, temperature=1.0).means["x0"]
    np.testing.assert_allclose(drawn.x["x0"].mean((0, 1)), exact, atol=0.03)


def test_all_layers_learn_at_once():
    data = np.array([[0, 0, 1, 1], [1, 1, 0, 0]], float)
    stack = net(temperatures=(1.0, 1.0))
    assert isinstance(stack, Machine)
    done = learn(stack, {"v": data}, rule=BoltzmannLearning(), optimizer=SGD(0.5), epochs=60, batch=None)
    assert isinstance(done.machine, DeepBelief)
    before, after = (np.mean(which.log_likelihood(data)) for which in (stack, done.machine))
    assert after > before + 0.5
    assert done.cost[0] == pytest.approx(-before, rel=1e-9)
    other = stack.with_theta({"W1": 2 * stack.theta["W1"]})
    np.testing.assert_array_equal(other.machines[1].theta["W"], 2 * stack.machines[1].theta["W"])
    with pytest.raises(ValueError, match="there is no parameter 'W2', expected one of"):
        stack.with_theta({"W2": np.zeros((2, 2))})
