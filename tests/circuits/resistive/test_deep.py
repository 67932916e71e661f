"""Deep resistive networks: Kirchhoff's laws with ideal diodes and amplifiers, few sweeps, and what learning follows."""

import numpy as np
import pytest

from circuits import DeepResistiveNetwork, as_circuit
from physlearn import Energy, EquilibriumPropagation, Real, SquaredError, check_energy, check_gradient, relax
from physlearn.terms import Crossbar


def network(widths=(3, 8, 6, 2), gain=(4.0, 2.0, 1.5), **more):
    net = DeepResistiveNetwork(widths, gain=gain, rng=5, **more)
    rng = np.random.default_rng(1)
    return net.with_theta({n: 0.3 * rng.normal(size=v.shape) for n, v in net.theta.items() if n[0] == "b"})


def test_energy_and_its_terms():
    check_energy(network().system)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_crossbar_is_its_resistors_one_by_one(mirrored, rng):
    signs = np.array([1.0, -1, 1]), np.array([1.0, -1])
    bar = Crossbar(("x", "y"), "G", gain=2.5, scale=0.4, mirrored=mirrored, signs=None if mirrored else signs)
    g = rng.uniform(0, 2, (6 if mirrored else 3, 2))
    net = Energy({"x": (Real(), 3), "y": (Real(), 2)}, [bar], {"G": g})
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    lines = np.concatenate([x, -x], 1) if mirrored else signs[0] * x
    ends = y if mirrored else signs[1] * y
    expected = sum(0.4 * 0.5 * g[i, j] * (2.5 * lines[:, i] - ends[:, j]) ** 2 for i in range(len(g)) for j in range(2))
    assert np.allclose(net({"x": x, "y": y}), expected)


def test_kirchhoffs_current_law_at_every_node(rng):
    """Amplifiers show A times the voltage, and draw 1/A of the current; diodes take what is left, one way only."""
    net = network()
    x = rng.normal(size=(7, 3))
    rest = relax(net, clamp={"input": x}, tol=1e-13)
    v, th, gains = net.voltages(rest.x), net.theta, net.gains
    lines = gains[0] * np.concatenate([x, -x], 1)
    sources = [lines, gains[1] * v["hidden1"], gains[2] * v["hidden2"]]
    scale = 1.0
    for k, name in enumerate(("hidden1", "hidden2", "output"), 1):
        scale /= gains[k - 1] ** 2 if k > 1 else 1.0
        up = np.array([1.0, -1] * 4)[: net.widths[k]] if name != "output" else np.ones(2)
        current = np.einsum("ij,bij->bj", th[f"G{k}"], sources[k - 1][:, :, None] - v[name][:, None, :])
        current += up * th[f"b{k}"] / scale
        if name != "output":
            after = ("hidden2", "output")[k - 1]
            drawn = np.einsum("ij,bij->bi", th[f"G{k + 1}"], gains[k] * v[name][:, :, None] - v[after][:, None, :])
            current -= drawn / gains[k]
        conducts = v[name] == 0 if name != "output" else np.zeros(v[name].shape, bool)
        assert np.allclose(current[~conducts], 0, atol=1e-9)
        assert np.all((up * current)[conducts] <= 0) and (name == "output" or conducts.any())


@pytest.mark.parametrize("widths, gain", [((3, 8, 6, 2), (4.0, 2.0, 1.5)), ((5, 12, 3), (3.0, 1.0))])
def test_the_circuit_that_one_would_solder_rests_at_the_same_voltages(widths, gain, rng):
    """Amplifiers make a circuit without an energy; scaled layer by layer it has the network's."""
    net, x = network(widths, gain), rng.normal(size=(9, widths[0]))
    circuit = as_circuit(net)
    assert not isinstance(circuit.system, Energy)
    found, wanted = circuit.solve({"input": x}), net.voltages(relax(net, clamp={"input": x}, tol=1e-13).x)
    largest = max(np.abs(v).max() for v in wanted.values())
    for name, size in zip(net.names[1:], widths[1:], strict=True):
        volts = np.stack([found.voltages[name, j] for j in range(size)], 1)
        assert np.abs(volts - wanted[name]).max() < 1e-9 * largest
    assert np.any(wanted["hidden1"] == 0)  # some diodes conduct


def test_one_rest_in_few_sweeps(rng):
    net = DeepResistiveNetwork((64, 100, 10), gain=10.0, rng=0)
    x = rng.uniform(size=(20, 64))
    few = relax(net, clamp={"input": x}, tol=1e-6)
    assert few.method == "descent (blocks)" and few.converged and few.steps <= 10
    other = relax(net, net.system.random_state(20, rng) | {"input": x}, clamp={"input": x}, tol=1e-12)
    again = relax(net, clamp={"input": x}, tol=1e-12)
    assert np.allclose(other.x["output"], again.x["output"], atol=1e-9)


def test_energy_never_rises_in_a_sweep(rng):
    net, clamp = network(), {"input": rng.normal(size=(4, 3))}
    start = net.system.random_state(4, rng)
    energies = [
        relax(net, start, clamp=clamp, method="descent", max_steps=k, unconverged="ignore", tol=1e-14).energy
        for k in range(8)
    ]
    assert np.all(np.diff(energies, axis=0) < 1e-12)


def test_equilibrium_propagation_follows_the_gradient(rng, tol):
    net = network((3, 8, 2), (4.0, 2.0))
    data = {"input": rng.normal(size=(3, 3)), "output": rng.normal(size=(3, 2))}
    for variant, slope in (("positive", 1.0), ("centred", 2.0)):
        rule, cost = EquilibriumPropagation(variant=variant), SquaredError("output")
        check = check_gradient(net, data, rule, [4e-3, 2e-3, 1e-3], cost=cost)
        assert abs(check.slope - slope) < tol.ORDER_ODE and check.cosine[-1] > 1 - 1e-4


def test_its_own_theta_gives_the_same_network(rng):
    net, x = network(), rng.normal(size=(2, 3))
    same = net.with_theta(net.theta)
    first, second = (relax(n, clamp={"input": x}).x["output"] for n in (net, same))
    assert np.array_equal(first, second) and same.bounds == dict.fromkeys(("G1", "G2", "G3"), (0.0, np.inf))


def test_refusals():
    with pytest.raises(ValueError, match="gain: got 2 numbers, expected one, or 3"):
        DeepResistiveNetwork((2, 3, 3, 1), gain=(1.0, 2.0))
    with pytest.raises(ValueError, match="at least an input's and an output's"):
        DeepResistiveNetwork((2,))
    net = network()
    with pytest.raises(ValueError, match="expected conductances >= 0"):
        relax(net.with_theta({"G2": -net.theta["G2"]}), clamp={"input": np.zeros(3)})
    with pytest.raises(ValueError, match=r"signs: 2 of layer 'y', expected 1"):
        bar = Crossbar(("x", "y"), "G", signs=([1.0], [1.0, -1.0]))
        relax(Energy({"x": (Real(), 1), "y": (Real(), 1)}, [bar], {"G": [[1.0]]}), clamp={"x": [1.0]})
