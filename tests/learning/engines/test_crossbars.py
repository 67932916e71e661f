"""Compiled epochs of deep resistive networks take the steps of the general road."""

import numpy as np
import pytest

from circuits import DeepResistiveNetwork
from physlearn import SGD, EquilibriumPropagation, SquaredError, learn
from physlearn.errors import ConvergenceError

COST = SquaredError("output")
FIXED = {"max_steps": (5, 3), "unconverged": "ignore", "tol": 1e-15}


def machine(widths=(3, 6, 5, 2), **more):
    net = DeepResistiveNetwork(widths, gain=more.pop("gain", (3.0, 1.5, 2.0)[: len(widths) - 1]), rng=4, **more)
    rng = np.random.default_rng(0)
    currents = {name: 0.1 * rng.normal(size=v.shape) for name, v in net.theta.items() if name[0] == "b"}
    return net.with_theta({name: value.astype(net.theta[name].dtype) for name, value in currents.items()})


def data(rng, n=11):
    x = rng.uniform(-1, 1, (n, 3)) * (rng.uniform(size=(n, 3)) < 0.6)  # some sources at 0 V
    return {"input": x, "output": rng.uniform(-0.5, 0.5, (n, 2))}


@pytest.mark.parametrize("widths", [(3, 6, 5, 2), (3, 6, 2), (3, 2)])
@pytest.mark.parametrize("variant", ["centred", "positive", "negative"])
def test_same_steps_as_the_general_road(widths, variant, rng):
    net, pairs = machine(widths), data(rng)
    told = dict(rule=EquilibriumPropagation(0.05, variant), cost=COST, epochs=3, batch=4, rng=2, relax_options=FIXED)
    optimizer = SGD(lambda epoch: 0.3 / (1 + epoch), bounds=net.bounds)
    fast = learn(net, pairs, optimizer=optimizer, method="compiled", **told)
    slow = learn(net, pairs, optimizer=optimizer, method="relax", **told)
    assert learn(net, pairs, optimizer=optimizer, **told).method == "compiled"
    for name, value in slow.theta.items():
        assert np.allclose(fast.theta[name], value, rtol=1e-10, atol=1e-12), name
        assert not np.allclose(value, net.theta[name])
    assert np.allclose(fast.cost, slow.cost, rtol=1e-10)
    assert fast.memory["steps"] == slow.memory["steps"] == 9


def test_single_precision_stays_single(rng):
    net, pairs = machine(precision="single"), data(rng)
    told = dict(rule=EquilibriumPropagation(0.05), cost=COST, batch=4, rng=2, relax_options=FIXED)
    told |= {"optimizer": SGD(0.1, bounds=net.bounds), "epochs": 3}
    single, double = learn(net, pairs, **told), learn(machine(), pairs, **told)
    for name, value in double.theta.items():
        assert single.theta[name].dtype == np.float32 and np.allclose(single.theta[name], value, rtol=1e-4, atol=1e-5)


def test_some_parameters_may_stay(rng):
    net, pairs = machine(), data(rng)
    told = dict(
        rule=EquilibriumPropagation(0.05), cost=COST, batch=4, rng=2, relax_options=FIXED, trainable=["G2", "b3"]
    )
    fast, slow = (
        learn(net, pairs, optimizer=SGD(0.2, bounds={"G2": (0, 0.95)}), method=method, **told)
        for method in ("compiled", "relax")
    )
    for name, value in slow.theta.items():
        assert np.allclose(fast.theta[name], value, rtol=1e-10, atol=1e-12), name
        assert np.array_equal(value, net.theta[name]) == (name not in ("G2", "b3"))


def test_resumes_bit_for_bit(rng):
    net, pairs = machine(), data(rng)
    told = dict(rule=EquilibriumPropagation(0.05), cost=COST, batch=4, relax_options=FIXED)
    told |= {"optimizer": SGD(0.1, bounds=net.bounds)}
    whole = learn(net, pairs, epochs=5, rng=2, **told)
    half = learn(net, pairs, epochs=2, rng=2, **told)
    again = learn(net, pairs, epochs=3, resume=half, **told)
    assert all(np.array_equal(whole.theta[n], again.theta[n]) for n in net.theta)


@pytest.mark.parametrize("precision", ["double", "single"])
def test_phases_not_at_rest_are_counted(precision, rng):
    """As the general road does: three phases of each of the three batches; none where the sweeps are many."""
    net, pairs = machine(precision=precision), data(rng)
    told = dict(rule=EquilibriumPropagation(0.05), cost=COST, optimizer=SGD(0.0, bounds=net.bounds), batch=4, rng=2)
    counts = {}
    for method in ("compiled", "relax"):
        for steps, tol in ((1, 1e-15), (400, 1e-5), (3, 1e-1)):
            options = {"max_steps": steps, "tol": tol, "unconverged": "ignore"}
            counts[method, steps] = learn(net, pairs, method=method, relax_options=options, **told).unrested
    assert [counts["compiled", steps] for steps in (1, 400, 3)] == [9, 0, 0]
    assert all(counts["compiled", steps] == counts["relax", steps] for steps in (1, 400, 3))
    options = {"max_steps": 2, "tol": 1e-12, "unconverged": "ignore"}
    once = learn(net, pairs, method="compiled", relax_options=options, **told)
    assert (
        "not at rest=9" in repr(once) and learn(net, pairs, resume=once, relax_options=options, **told).unrested == 18
    )


def test_a_nudge_that_outweighs_the_conductances(rng):
    net, pairs = machine(), data(rng)
    told = dict(cost=COST, optimizer=SGD(0.1, bounds=net.bounds), relax_options=FIXED)
    with pytest.raises(ConvergenceError, match="the nudge takes the minimum away"):
        learn(net, pairs, rule=EquilibriumPropagation(50.0), **told)


def test_a_node_that_floats(rng):
    net, pairs = machine((3, 6, 2)), data(rng)
    g1, g2 = np.array(net.theta["G1"]), np.array(net.theta["G2"])
    g1[:, 0], g2[0] = 0.0, 0.0
    cut = net.with_theta({"G1": g1, "G2": g2})
    told = dict(rule=EquilibriumPropagation(0.05), cost=COST, relax_options=FIXED, rng=0)
    with pytest.raises(ConvergenceError, match="theta is not finite"):
        learn(cut, pairs, optimizer=SGD(0.1, bounds=net.bounds), **told)


def test_a_rate_that_is_too_large(rng):
    net, pairs = machine(), data(rng)
    told = dict(rule=EquilibriumPropagation(0.05), cost=COST, relax_options=FIXED, rng=0)
    with pytest.raises(ConvergenceError, match="expected conductances >= 0"):
        learn(net, pairs, optimizer=SGD(100.0), epochs=50, **told)


@pytest.mark.parametrize(
    "change,reason",
    [
        ({"relax_options": {"max_steps": 5}}, "a fixed number of sweeps"),
        ({"optimizer": SGD(0.1, momentum=0.5)}, "without momentum"),
        ({"rule": EquilibriumPropagation(0.1, linearised=True)}, "real nudges by the full cost"),
    ],
)
def test_refusals(change, reason, rng):
    net = machine()
    told = dict(rule=EquilibriumPropagation(0.1), cost=COST, optimizer=SGD(0.1, bounds=net.bounds), relax_options=FIXED)
    told |= change
    with pytest.raises(ValueError, match=reason):
        learn(net, data(rng), method="compiled", **told)
