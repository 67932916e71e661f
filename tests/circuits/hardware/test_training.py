"""Imperfect hardware: without faults it is the network; compiled epochs follow the plain loop; what each fault does."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits import Circuit, Failure, Hardware, ResistorNetwork, TransistorEdge, square_lattice
from physlearn import (
    SGD,
    Adam,
    ContrastiveDivergence,
    CoupledLearning,
    EquilibriumPropagation,
    SquaredError,
    learn,
    load,
    save,
)
from physlearn.models import RBM

COST = SquaredError("output")
EVERYTHING = dict(
    threshold=1e-5,
    update_noise=1e-3,
    measurement_noise=0.01,
    measurement_offset=0.005,
    clamp_bias=[0.01, -0.02],
    mismatch=0.05,
    drift=1e-4,
    active=0.5,
    failures=[Failure(3, 2, "cut"), Failure(5, 7, "dead"), Failure(0, 1)],
    rng=4,
)


def resistors(seed=1):
    graph = square_lattice(4, 4, periodic=True)
    g = np.random.default_rng(seed).uniform(0.5, 2.0, graph.number_of_edges())
    return ResistorNetwork(graph, conductance=g, ground=0, inputs=[5, 10], outputs=[3, 12])


def transistors(seed=1, outputs=(9, 2)):
    rng, graph = np.random.default_rng(seed), square_lattice(4, 4, periodic=True)
    for u, v in graph.edges:
        graph.edges[u, v]["element"] = TransistorEdge(float(rng.uniform(1.5, 4.0)))
    return Circuit(graph, ground=0, inputs=[14, 7, 10], outputs=list(outputs))


def task(machine, seed=2, n=6):
    rng = np.random.default_rng(seed)
    width = 2 if isinstance(machine, ResistorNetwork) else 3
    return {"input": rng.uniform(0.0, 0.9, (n, width)), "output": rng.uniform(0.0, 0.3, (n, 2))}


def train(machine, *, lr=None, rule=None, epochs=4, batch=2, rng=0, **more):
    inner = getattr(machine, "network", machine)
    lr = lr or (0.5 if isinstance(inner, ResistorNetwork) else 1e3)
    rule = rule or CoupledLearning(0.1)
    settings = dict(rule=rule, optimizer=SGD(lr), cost=COST, epochs=epochs, batch=batch, rng=rng)
    return learn(machine, task(inner), **settings | more)


@pytest.mark.parametrize(
    "rule",
    [
        CoupledLearning(0.2),
        CoupledLearning(0.1, "centred"),
        EquilibriumPropagation(0.1, linearised=True),
        EquilibriumPropagation(0.1, "positive"),
    ],
)
@pytest.mark.parametrize("method", ["compiled", "relax"])
def test_without_faults_it_is_the_network(rule, method, tol):
    network = resistors()
    own, same = train(network, rule=rule), train(Hardware(network), rule=rule, method=method)
    assert same.method == method
    assert_allclose(same.theta["conductance"], own.theta["conductance"], rtol=1e-3 * tol.GRADIENT)
    assert_allclose(same.cost, own.cost, rtol=1e-3 * tol.GRADIENT)


def test_without_faults_a_circuit_is_itself():
    circuit = transistors()
    own, same = train(circuit), train(Hardware(circuit))
    assert own.method == same.method == "compiled"
    assert np.array_equal(same.theta["gate"], own.theta["gate"]) and np.array_equal(same.cost, own.cost)


@pytest.mark.parametrize(
    "machine, rule",
    [
        (resistors, CoupledLearning(0.2)),
        (resistors, CoupledLearning(0.2, "centred")),
        (resistors, EquilibriumPropagation(0.1, linearised=True)),
        (transistors, CoupledLearning(0.2)),
    ],
)
@pytest.mark.parametrize("levels", [None, 64])
def test_compiled_epochs_follow_the_plain_loop(machine, rule, levels):
    inner = machine()
    low, high = (0.05, 4.0) if machine is resistors else (0.9, 8.0)
    faults = EVERYTHING | dict(bounds=(low, high))
    if levels:
        faults |= dict(levels=levels, rounding="stochastic", drift=0.0)
    lab = Hardware(inner, **faults)
    found = {m: train(lab, rule=rule, method=m, epochs=5) for m in ("compiled", "relax")}
    theta = {m: run.theta[lab.parameter] for m, run in found.items()}
    moved = np.abs(theta["relax"] - lab.theta[lab.parameter])
    assert np.sum(moved > 0) > 5
    assert_allclose(theta["compiled"], theta["relax"], atol=1e-6 * moved.max())
    assert_allclose(found["compiled"].cost, found["relax"].cost, rtol=1e-6)


def test_other_optimisers_are_compiled_too(tol):
    lab = Hardware(resistors(), update_noise=1e-3, mismatch=0.02, rng=1)
    for optimizer in (SGD(0.1, momentum=0.5), Adam(0.01)):
        found = [train(lab, optimizer=optimizer, method=m).theta["conductance"] for m in ("compiled", "relax")]
        assert_allclose(found[0], found[1], rtol=1e-3 * tol.GRADIENT)


@pytest.mark.parametrize("machine", [resistors, transistors])
@pytest.mark.parametrize("method", ["compiled", "relax"])
def test_resumes_bit_for_bit_from_a_file(machine, method, tmp_path):
    bounds = (0.05, 4.0) if machine is resistors else (0.9, 8.0)
    lab = Hardware(machine(), **EVERYTHING | dict(bounds=bounds))
    whole = train(lab, epochs=6, method=method)
    half = load(save(tmp_path / "half", train(lab, epochs=3, method=method)), lab)
    rest = train(lab, epochs=3, method=method, resume=half)
    assert np.array_equal(rest.theta[lab.parameter], whole.theta[lab.parameter])
    assert np.array_equal(rest.cost, whole.cost)
    assert isinstance(rest.machine, Hardware)


def test_levels_and_quanta():
    lab = Hardware(resistors(), bounds=(0.25, 2.25), levels=129, rounding="sign", rng=0)
    grid = (train(lab, epochs=20).theta["conductance"] - 0.25) * 64
    assert_allclose(grid, np.rint(grid), atol=1e-9)
    step = train(lab, epochs=1, batch=None, shuffle=False).theta["conductance"] - lab.theta["conductance"]
    assert_allclose(np.abs(step), 1 / 64, atol=1e-12)  # every element by one level, or at a bound
    ohms = np.linspace(4.0, 0.25, 64)
    pots = Hardware(resistors(), levels=1 / ohms, rounding="stochastic")
    g = train(pots, epochs=3).theta["conductance"]
    assert np.all(np.isin(g, 1 / ohms)) and np.any(g != pots.theta["conductance"])
    coarse = Hardware(resistors(), quantum=0.01)
    moved = (train(coarse, lr=5.0).theta["conductance"] - coarse.theta["conductance"]) / 0.01
    assert np.any(moved != 0) and np.allclose(moved, np.rint(moved), atol=1e-9)


def test_stochastic_rounding_is_right_on_average(tol):
    """Changes far below a quantum: the mean of many devices' changes is the change asked for."""
    network = resistors()
    asked = train(network, epochs=1, batch=None).theta["conductance"] - network.conductance
    quantum = 20 * np.abs(asked).max()
    made = [
        train(Hardware(network, quantum=quantum, rounding="stochastic"), epochs=1, batch=None, rng=k).theta[
            "conductance"
        ]
        - network.conductance
        for k in range(150)
    ]
    share = np.abs(asked) / quantum
    error = quantum * np.sqrt(share * (1 - share) / 150) + 1e-30
    assert np.all(np.abs(np.mean(made, 0) - asked) < tol.STATISTICAL * error)


def test_thresholds(tol):
    network = resistors()
    asked = train(network, epochs=1, batch=None).theta["conductance"] - network.conductance
    cut = float(np.median(np.abs(asked)))
    made = train(Hardware(network, threshold=cut), epochs=1, batch=None).theta["conductance"] - network.conductance
    assert_allclose(made, np.where(np.abs(asked) >= cut, asked, 0.0), atol=tol.IDENTITY)


def test_noise_of_updates_and_measurements(tol):
    network, quiet = resistors(), 0.0
    base = train(network, epochs=1, batch=None).theta["conductance"]
    runs = [train(Hardware(network, update_noise=0.02), epochs=1, batch=None, rng=k) for k in range(60)]
    spread = np.array([run.theta["conductance"] for run in runs]) - base
    assert abs(spread.std() / 0.02 - 1) < tol.STATISTICAL / np.sqrt(2 * spread.size)
    # an element sees (d + n)^2 / 2: noise n of variance s^2 in phases of weights 1/eta, -1/eta adds a variance of
    # (2 d^2 s^2 + s^4) / (2 eta^2) a sample where both drops are d, and no mean
    noise, eta, n = 0.05, 0.5, len(task(network)["input"])
    rule = CoupledLearning(eta)
    quiet = train(network, epochs=1, batch=None, rule=rule).theta["conductance"]
    runs = [
        train(Hardware(network, measurement_noise=noise), epochs=1, batch=None, rng=k, rule=rule) for k in range(150)
    ]
    found = (np.array([run.theta["conductance"] for run in runs]) - quiet) / 0.5
    v = network.solve({"input": task(network)["input"]}).x
    y, target = network.read(v, "output"), task(network)["output"]
    held = network.solve({"input": task(network)["input"], "output": y + eta * (target - y)}).x
    ends = np.array([[network.nodes.index(node) for node in edge[:2]] for edge in network.edges])
    drops = [x[:, ends[:, 0]] - x[:, ends[:, 1]] for x in (v, held)]
    variance = sum(np.sum(d**2 * noise**2 + noise**4 / 2, 0) for d in drops) / (n * eta) ** 2
    assert_allclose(found.var(0).mean(), variance.mean(), rtol=tol.STATISTICAL * np.sqrt(2 / found.size))
    assert np.abs(found.mean(0) / np.sqrt(variance / 150)).max() < tol.STATISTICAL


def test_unequal_twins_push_where_the_task_is_done(tol):
    """Where the targets are the free outputs an ideal network rests; twins that differ, or a biased clamp, move on."""
    network = resistors()
    x = task(network)["input"]
    data = {"input": x, "output": network.read(network.solve({"input": x}).x, "output")}
    settings = dict(rule=CoupledLearning(0.1), optimizer=SGD(0.1), cost=COST, batch=None, epochs=1)
    for faults in (
        dict(),
        dict(mismatch=0.02),
        dict(clamp_bias=0.01),
        dict(measurement_offset=0.01),
    ):
        done = learn(Hardware(network, rng=0, **faults), data, **settings)
        moved = np.abs(done.theta["conductance"] - network.conductance).max()
        assert (moved > 1e-4) == bool(faults), faults
    lab = Hardware(network, mismatch=0.02, rng=0)
    ratio = lab.clamped.theta["conductance"] / lab.theta["conductance"] - 1
    assert 0.01 < ratio.std() < 0.03


def test_a_part_of_the_elements_takes_part(tol):
    network = resistors()
    base = train(network, epochs=1, batch=None).theta["conductance"]
    moved = []
    for k in range(60):
        g = train(Hardware(network, active=0.25), epochs=1, batch=None, rng=k).theta["conductance"]
        acts = g != network.conductance
        assert_allclose(g[acts], base[acts], rtol=tol.IDENTITY)
        moved.append(acts.mean())
    error = np.sqrt(0.25 * 0.75 / (60 * base.size))
    assert abs(np.mean(moved) - 0.25) < tol.STATISTICAL * error


def test_drift_and_failures():
    network = resistors()
    still = {"input": [[0.0, 0.0]], "output": [[0.0, 0.0]]}
    settings = dict(rule=CoupledLearning(0.1), optimizer=SGD(0.1), cost=COST, epochs=10)
    leaking = learn(Hardware(network, drift=0.01), still, **settings)
    assert_allclose(leaking.theta["conductance"], network.conductance * 0.99**10)
    planned = [Failure(0, 0, "cut"), Failure(5, 1, "dead"), Failure(5, 2, "cut"), Failure(5, 3, "stuck")]
    lab = Hardware(network, drift=0.01, bounds=(0.1, 4.0), failures=planned)
    assert lab.theta["conductance"][0] < 1e-11
    g = learn(lab, still, **settings).theta["conductance"]
    assert g[0] < 1e-11 and g[1] == 0.1 and g[2] < 1e-11
    assert_allclose(g[3], network.conductance[3] * 0.99**5)
    gone = Hardware(network, failure_rate=0.02, failure="cut", rng=3)
    dead = learn(gone, still, **settings | {"epochs": 30}).theta["conductance"] < 1e-11
    assert 0.2 < dead.mean() < 0.8  # 1 - 0.98^30 = 0.45
    circuit = transistors()
    off = learn(
        Hardware(circuit, failures=[Failure(2, 5, "cut")]), {"input": [[0.1] * 3], "output": [[0.0] * 2]}, **settings
    )
    assert off.machine.network.elements[list(circuit.elements)[5]][0].gate == -1e3
    assert off.machine.solve({"input": [0.1] * 3}).converged


def test_any_machine_and_any_rule():
    """Levels, noise and desynchronised updates around a Boltzmann machine's weights."""
    rbm = RBM(6, 4, rng=0)
    bits = (np.random.default_rng(0).random((20, 6)) < 0.5).astype(float)
    lab = Hardware(rbm, parameter="W", bounds=(-1.0, 1.0), levels=21, rounding="stochastic", active=0.5)
    done = learn(lab, {"v": bits}, rule=ContrastiveDivergence(1), optimizer=SGD(0.2), epochs=5, batch=5, rng=1)
    w = (done.theta["W"] + 1) * 10
    assert_allclose(w, np.rint(w), atol=1e-9)
    assert np.any(done.theta["W"] != lab.theta["W"]) and isinstance(done.machine.network, RBM)
    with pytest.raises(TypeError, match="compares no phases of the twins"):
        learn(
            Hardware(rbm, parameter="W", mismatch=0.1), {"v": bits}, rule=ContrastiveDivergence(1), optimizer=SGD(0.2)
        )


def test_what_can_never_change_is_said():
    with pytest.warns(RuntimeWarning, match="the largest change asked for was .* threshold 1; nothing can be learnt"):
        train(Hardware(resistors(), threshold=1.0), epochs=2)
    with pytest.warns(RuntimeWarning, match="smallest step 1; nothing can be learnt"):
        train(Hardware(resistors(), quantum=1.0), epochs=1, method="relax")


@pytest.mark.parametrize(
    "faults, message",
    [
        ({"levels": 8}, "levels: got 8 without bounds"),
        ({"levels": 1, "bounds": (0.1, 4)}, "levels: got 1, expected an integer of at least 2"),
        ({"levels": [0.1, 4.0, 3.0]}, "expected at least two values, ascending"),
        ({"levels": [0.1, 4.0], "bounds": (0.1, 4)}, "bounds: the levels given have their own ends"),
        ({"bounds": (1.0, 4.0)}, "bounds: elements start between .* outside"),
        ({"bounds": (4.0, 0.1)}, "expected low < high"),
        ({"bounds": (0.1, 4.0), "levels": 40, "quantum": 0.15}, "quantum: levels have their own spacing"),
        ({"rounding": "sign"}, "changes have no quantum"),
        ({"rounding": "up", "quantum": 0.1}, "rounding: got 'up'"),
        ({"measurement_noise": np.nan}, "measurement_noise: got nan"),
        ({"update_noise": -1.0}, "update_noise: got -1.0"),
        ({"clamp_bias": np.nan}, "clamp_bias: 1 of 1 entries are NaN"),
        ({"threshold": -1.0}, "threshold: got -1.0"),
        ({"mismatch": 50.0}, "mismatch: 50.0 makes elements of the clamped twin negative"),
        ({"active": 0.0}, "no element ever learns"),
        ({"drift": 2.0}, "drift: got 2.0"),
        ({"drift": 0.1, "bounds": (0.1, 4), "levels": 9}, "drift: levels are kept by switches"),
        ({"failure_rate": 2.0}, "failure_rate: got 2.0"),
        ({"failures": [Failure(1, 2, "dead")]}, "dead elements fall to the lower bound; give bounds"),
        ({"failures": [Failure(1, 99)]}, "failures: there is no element 99, expected 0 to 31"),
        ({"parameter": "gate"}, "parameter: got 'gate', expected one of"),
    ],
)
def test_bad_parts(faults, message):
    with pytest.raises(ValueError, match=message):
        Hardware(resistors(), rng=0, **faults)


def test_bad_machines_and_tasks():
    with pytest.raises(TypeError, match="expected the network itself"):
        Hardware(Hardware(resistors()))
    with pytest.raises(ValueError, match="kind: got 'broken'"):
        Failure(1, 1, "broken")
    with pytest.raises(ValueError, match="clamp_bias: got 3 numbers, expected one, or 2"):
        train(Hardware(resistors(), clamp_bias=[0.1, 0.2, 0.3]))
    with pytest.raises(ValueError, match="a full nudge reads the outputs that it moves"):
        train(Hardware(resistors(), clamp_bias=0.1), rule=EquilibriumPropagation())
