"""learn: engines agree, runs resume bit for bit, trouble is reported, bad input is refused by name."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from physlearn import (
    SGD,
    Adam,
    ContrastiveHebbian,
    ConvergenceError,
    CoupledLearning,
    CrossEntropy,
    DirectedAging,
    EquilibriumPropagation,
    ExactGradient,
    Margin,
    Readout,
    SquaredError,
    learn,
    load,
    save,
)
from physlearn.models import PredictionGraph
from tests.learning.machines import circulating, lattice, quartic

BOUNDS = {"conductance": (1e-3, 10.0)}
TASK = dict(rule=CoupledLearning(0.1), optimizer=SGD(1.0, bounds=BOUNDS), cost=SquaredError("out"))


def regression(rng, n=30):
    x = rng.uniform(0, 1, (n, 2))
    return {"in": x, "out": x @ np.array([[0.15, 0.25], [0.20, 0.10]])}


def classes(rng, n=30):
    x = rng.uniform(0, 1, (n, 2))
    return {"in": x, "out": np.eye(2)[(x[:, 0] > x[:, 1]).astype(int)]}


@pytest.mark.parametrize("batch", [1, 7, None])
@pytest.mark.parametrize(
    "optimizer",
    [SGD(0.3, bounds=BOUNDS), SGD(0.3, 0.9, bounds=BOUNDS), Adam(lambda e: 0.02 / (1 + e), bounds=BOUNDS)],
)
@pytest.mark.parametrize(
    ("rule", "cost"),
    [
        (CoupledLearning(0.1), SquaredError("out")),
        (CoupledLearning(0.05, "centred"), CrossEntropy("out", 3.0)),
        (EquilibriumPropagation(0.3), SquaredError("out")),
        (EquilibriumPropagation(0.1, "positive"), CrossEntropy("out", 3.0)),
        (EquilibriumPropagation(0.1, linearised=True), Margin("out", 0.2)),
        (ContrastiveHebbian(), SquaredError("out")),
        (DirectedAging(), SquaredError("out")),
        (ExactGradient(), CrossEntropy("out", 3.0)),
    ],
)
def test_engines_follow_one_trajectory(rule, cost, optimizer, batch, rng):
    energy = lattice(rng)
    data = regression(rng) if isinstance(cost, SquaredError) else classes(rng)
    runs = {
        method: learn(
            energy,
            data,
            rule=rule,
            cost=cost,
            optimizer=optimizer,
            epochs=3,
            batch=batch,
            rng=5,
            method=method,
        )
        for method in ("compiled", "moments")
    }
    fast, plain = runs["compiled"], runs["moments"]
    np.testing.assert_allclose(fast.theta["conductance"], plain.theta["conductance"], rtol=1e-9)
    np.testing.assert_allclose(fast.cost, plain.cost, rtol=1e-9)


def test_relaxing_engine_follows_it_too(rng):
    energy, data = lattice(rng), regression(rng, 6)
    slow, fast = (learn(energy, data, **TASK, epochs=2, rng=5, method=m) for m in ("relax", "compiled"))
    np.testing.assert_allclose(slow.theta["conductance"], fast.theta["conductance"], rtol=1e-9)


@pytest.mark.parametrize("method", ["compiled", "moments"])
@pytest.mark.parametrize("optimizer", [SGD(0.5, 0.9, bounds=BOUNDS), Adam(0.01, bounds=BOUNDS)])
def test_resumed_training_equals_the_uninterrupted_one_bit_for_bit(method, optimizer, rng, tmp_path):
    energy, data = lattice(rng), regression(rng)
    task = dict(rule=CoupledLearning(0.1), cost=SquaredError("out"), optimizer=optimizer, method=method, batch=4)
    whole = learn(energy, data, **task, epochs=6, rng=3)
    half = learn(energy, data, **task, epochs=2, rng=3)
    again = learn(energy, data, **task, epochs=4, resume=load(save(tmp_path / "half", half), energy))
    assert again.epochs == whole.epochs == 6
    assert again.theta["conductance"].tobytes() == whole.theta["conductance"].tobytes()
    assert again.cost.tobytes() == whole.cost.tobytes()
    assert again.rng == whole.rng


def test_resuming_does_not_change_the_record_it_started_from(rng):
    energy, data = lattice(rng), regression(rng)
    half = learn(energy, data, **TASK, epochs=2, rng=3)
    before = half.memory["velocity"]["conductance"].copy(), half.theta["conductance"].copy()
    learn(energy, data, **TASK, epochs=2, resume=half)
    np.testing.assert_array_equal(half.memory["velocity"]["conductance"], before[0])
    np.testing.assert_array_equal(half.theta["conductance"], before[1])


def test_resuming_from_a_record_that_a_callback_kept(rng):
    energy, data = lattice(rng), regression(rng)
    task = TASK | dict(optimizer=Adam(0.01, bounds=BOUNDS))
    kept = []
    whole = learn(energy, data, **task, epochs=5, rng=3, callback=kept.append)
    again = learn(energy, data, **task, epochs=3, resume=kept[1])
    assert again.theta["conductance"].tobytes() == whole.theta["conductance"].tobytes()


def test_resuming_takes_the_system_that_is_given(rng):
    energy, data = lattice(rng), regression(rng)
    half = learn(energy, data, **TASK, epochs=1, rng=3)
    elsewhere = replace(energy, fixed={"ground": [0.1]})
    assert learn(elsewhere, data, **TASK, resume=half).system.fixed == {"ground": [0.1]}


def test_resuming_what_does_not_fit_is_refused(rng):
    half = learn(lattice(rng), regression(rng), **TASK, rng=3)
    with pytest.raises(ValueError, match=r"resume: its .* kept .'velocity'.*but Adam .* .'first'"):
        learn(half.system, regression(rng), **(TASK | dict(optimizer=Adam(0.01))), resume=half)
    with pytest.raises(ValueError, match=r"theta\['conductance'\]: shape \(32,\), expected \(50,\)"):
        learn(lattice(rng, n=5), regression(rng), **TASK, resume=half)


SAME_BITS = """
import hashlib
import numpy as np
from circuits import ResistorNetwork, dissipated_power, kirchhoff_index, random_regular_graph, resistance_matrix
from tests.learning.machines import lattice
from physlearn import *
rng = np.random.default_rng(7)
energy = lattice(rng, n=12)
x = rng.uniform(0, 1, (200, 2))
data = {"in": x, "out": x @ np.array([[0.15, 0.25], [0.20, 0.10]])}
for method in ("compiled", "moments"):
    done = learn(energy, data, rule=CoupledLearning(0.1), optimizer=Adam(0.01, bounds={"conductance": (1e-3, 10)}),
                 cost=SquaredError("out"), epochs=2, batch=50, rng=0, method=method)
    print(done.theta["conductance"].tobytes().hex())
graph = random_regular_graph(600, 4, rng=1)
network = ResistorNetwork(graph, conductance=rng.uniform(0.5, 1.5, graph.size()), ground=0, inputs=[5, 9], outputs=[7])
v = network.solve({"input": rng.normal(size=(700, 2))}).x
for found in (v, dissipated_power(network, v), network.energy(v), resistance_matrix(network), kirchhoff_index(network)):
    print(hashlib.sha256(np.asarray(found).tobytes()).hexdigest())
"""


def test_same_bits_with_one_and_two_threads():
    outputs = set()
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, threads)
        done = subprocess.run(
            [sys.executable, "-c", SAME_BITS], env=environment, capture_output=True, text=True, check=True
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1


@pytest.mark.parametrize("method", ["compiled", "moments"])
def test_centred_nudges_too_strong_for_the_energy_are_refused(method, rng):
    rule = EquilibriumPropagation(5.0)
    message = "outweighs the energy's own curvature"
    with pytest.raises((ValueError, ConvergenceError), match=message):
        learn(lattice(rng), classes(rng), **(TASK | {"rule": rule}), rng=0, method=method)


def test_callback_sees_every_epoch_and_can_stop(rng):
    seen = []
    done = learn(
        lattice(rng),
        regression(rng),
        **TASK,
        epochs=9,
        rng=0,
        callback=lambda t: seen.append(t.epochs) or t.epochs == 3,
    )
    assert seen == [1, 2, 3]
    assert done.epochs == len(done.cost) == 3


def test_general_energies_learn(rng):
    energy = quartic(rng)
    x = rng.standard_normal((4, 3))
    data = {"u": x, "out": np.tanh(x[:, :2])}
    rule = EquilibriumPropagation(0.01)
    done = learn(energy, data, rule=rule, optimizer=SGD(0.1), cost=SquaredError("out"), epochs=40, batch=None, rng=0,
                 relax_options={"tol": 1e-10})  # fmt: skip
    assert done.method == "relax"
    assert done.cost[-1] < 0.2 * done.cost[0]


def test_systems_without_an_energy_learn_by_the_exact_gradient_and_by_contrast(rng):
    system = circulating(rng)
    x = rng.standard_normal((4, 3))
    data = {"u": x, "out": np.tanh(x[:, :2])}
    task = dict(cost=SquaredError("out"), optimizer=SGD(0.1), epochs=15, batch=None, relax_options={"tol": 1e-10})
    for rule, left in ((ExactGradient(), 0.4), (EquilibriumPropagation(0.01), 0.5)):
        done = learn(system, data, rule=rule, trainable=["W"], **task)
        assert done.cost[-1] < left * done.cost[0]


def test_trainable_leaves_the_rest(rng):
    energy = quartic(rng)
    data = {"u": rng.standard_normal((2, 3)), "out": rng.standard_normal((2, 2))}
    done = learn(energy, data, rule=EquilibriumPropagation(0.01), optimizer=SGD(0.1), cost=SquaredError("out"),
                 trainable=["W"], rng=0, relax_options={"tol": 1e-10})  # fmt: skip
    assert np.any(done.theta["W"] != energy.theta["W"])
    np.testing.assert_array_equal(done.theta["J"], energy.theta["J"])


@pytest.mark.parametrize("method", ["compiled", "moments"])
def test_divergence_keeps_what_was_reached(method, rng):
    energy, data = lattice(rng), regression(rng)
    with pytest.raises(ConvergenceError, match="last good theta is in `partial`") as caught:
        learn(
            energy,
            data,
            rule=ExactGradient(),
            cost=SquaredError("out"),
            optimizer=SGD(1e4),
            epochs=50,
            rng=0,
            method=method,
        )
    assert np.all(np.isfinite(caught.value.partial.theta["conductance"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: {"in": d["in"]}, "no targets for the cost's readout 'out'"),
        (lambda d: d | {"nowhere": d["in"]}, "there is no readout 'nowhere'"),
        (lambda d: d | {"in": d["in"][:-1]}, "numbers of samples differ"),
        (lambda d: d | {"in": d["in"][:, :1]}, "1 columns, expected 2, the readout's size"),
        (lambda d: d | {"out": d["out"][:, :1]}, "1 columns, expected 2"),
        (lambda d: {name: value[:0] for name, value in d.items()}, "at least one sample"),
        (
            lambda d: d | {"in": np.where(np.arange(60).reshape(30, 2) == 9, np.nan, d["in"])},
            "row 4 holds NaN",
        ),
        (lambda d: d | {"v": np.ones((30, 16))}, "clamped twice"),
    ],
)
def test_bad_data_is_refused(change, message, rng):
    with pytest.raises(ValueError, match=message):
        learn(lattice(rng), change(regression(rng)), **TASK)


def test_classes_instead_of_instances_are_refused(rng):
    with pytest.raises(TypeError, match=r"rule: got the class CoupledLearning, expected an instance"):
        learn(lattice(rng), regression(rng), **(TASK | {"rule": CoupledLearning}))


def test_targets_that_are_no_classes_are_refused(rng):
    with pytest.raises(ValueError, match="row 0 is .* expected probabilities that sum to 1"):
        learn(lattice(rng), regression(rng), **(TASK | {"cost": CrossEntropy("out")}))
    data = regression(rng)
    with pytest.raises(ValueError, match="one output, expected at least two"):
        learn(lattice(rng, outputs=1), data | {"out": data["out"][:, :1]}, **(TASK | {"cost": Margin("out")}))


@pytest.mark.parametrize("method", ["compiled", "moments"])
def test_bounds_may_differ_from_edge_to_edge(method, rng):
    energy = lattice(rng)
    g = energy.theta["conductance"]
    optimizer = SGD(1.0, bounds={"conductance": (0.9 * g, 1.1 * g)})
    done = learn(energy, regression(rng), **(TASK | {"optimizer": optimizer}), epochs=5, rng=0, method=method)
    ratio = done.theta["conductance"] / g
    assert ratio.min() == pytest.approx(0.9)
    assert ratio.max() <= 1.1 + 1e-12


def test_targets_on_inputs_are_refused(rng):
    data = regression(rng)
    with pytest.raises(ValueError, match="output 0 reads only clamped variables"):
        learn(
            lattice(rng),
            {"in": data["in"], "ground": data["out"][:, :1]},
            **(TASK | {"cost": SquaredError("ground")}),
        )


@pytest.mark.parametrize("method", ["compiled", "moments", "relax"])
def test_outputs_that_cannot_be_clamped_independently_are_refused(method, rng):
    """Two nodes and the drop between them: singular up to rounding, which must not become a step."""
    energy, data = lattice(rng), regression(rng)
    a, b = energy.readouts["out"].index
    rows = np.zeros((3, 16))
    rows[[0, 1, 2, 2], [a, b, a, b]] = 1, 1, 1, -1
    energy = replace(energy, readouts={**energy.readouts, "out": Readout("v", rows=rows)})
    data["out"] = rng.uniform(0, 0.4, (30, 3))
    with pytest.raises(ValueError, match="cannot be set independently|clamped twice|over-determined"):
        learn(energy, data, **TASK, rng=0, method=method)


def test_outputs_that_clamps_tie_together_are_refused(rng):
    energy, data = lattice(rng), regression(rng)
    a, b = energy.readouts["out"].index
    row = np.zeros((1, 16))
    row[0, [a, b]] = 1, -1
    drop = {"drop": Readout("v", rows=row), "out": Readout("v", rows=2 * row)}
    energy = replace(energy, readouts={**energy.readouts, **drop})
    with pytest.raises(ValueError, match="output 0 reads only variables that clamps tie together"):
        learn(energy, data | {"drop": np.ones(30), "out": np.ones(30)}, **TASK)


def test_what_is_no_system_or_cost_is_refused(rng):
    class Network:
        energy = lattice(rng)

    with pytest.raises(
        TypeError, match="got a Network, expected a machine.*; it holds an `energy`: pass that, or call it `system`"
    ):
        learn(Network(), regression(rng), **TASK)
    with pytest.raises(TypeError, match="cost: got 'squared', expected a cost such as"):
        learn(lattice(rng), regression(rng), **(TASK | dict(cost="squared")))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(batch=0), "batch: got 0"),
        (dict(epochs=-1), "epochs: got -1"),
        (dict(method="magic"), "method: got 'magic'"),
        (dict(trainable=["resistance"]), "no parameter 'resistance'"),
        (dict(optimizer=SGD(0.1, bounds={"g": (0, 1)})), "no parameter 'g'"),
        (dict(optimizer=SGD(0.1, bounds={"conductance": (5.0, 10.0)})), "outside the optimiser's bounds"),
        (dict(optimizer=SGD(lambda epoch: np.nan)), "lr: got nan at epoch 0"),
    ],
)
def test_bad_settings_are_refused(settings, message, rng):
    with pytest.raises(ValueError, match=message):
        learn(lattice(rng), regression(rng), **(TASK | settings))


def test_bad_rules_and_optimisers_are_refused():
    for make, message in (
        (lambda: CoupledLearning(0.0), "eta: got 0.0"),
        (lambda: CoupledLearning(0.1, "sideways"), "variant: got 'sideways'"),
        (lambda: EquilibriumPropagation(-1.0), "nudge: got -1.0"),
        (lambda: EquilibriumPropagation(0.1, "holomorphic", points=1), "points: got 1"),
        (lambda: SGD(0.1, momentum=1.0), "momentum: got 1.0"),
        (lambda: Adam(0.1, beta2=2.0), "beta2: got 2.0"),
        (lambda: SGD(0.1, bounds={"g": (2.0, 1.0)}), "expected low < high"),
    ):
        with pytest.raises(ValueError, match=message):
            make()


def test_files_of_other_machines_and_versions_are_refused(rng, tmp_path):
    small, large = lattice(rng), lattice(rng, n=5)
    path = save(tmp_path / "t.npz", learn(small, regression(rng), **TASK, rng=0))
    with pytest.raises(ValueError, match="expected .*conductance.*50"):
        load(path, large)
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    with pytest.raises(ValueError, match="holds no physlearn training"):
        load(tmp_path / "other.npz", small)


def test_steps_put_together_are_the_steps_one_by_one():
    """Data made for every step: many steps in one call of the engine, and one a call because a callback looks on."""
    net = PredictionGraph.layered([2, 4, 1], rng=0)

    def batch(rng, step):
        x = rng.standard_normal((5 if step < 60 else 7, 2))
        return {"x": x, "y": x[:, :1] * x[:, 1:]}

    task = dict(rule=ExactGradient(), cost=SquaredError("y"), optimizer=Adam(0.01), epochs=70, rng=3, progress=False)
    many, single = learn(net, batch, **task), learn(net, batch, **task, callback=lambda training: False)
    assert np.array_equal(many.cost, single.cost)
    assert all(np.array_equal(many.theta[name], single.theta[name]) for name in many.theta)
    assert many.rng == single.rng
    with pytest.raises(ValueError, match="step 3"):
        learn(net, lambda rng, step: batch(rng, step) if step < 3 else {"x": np.full((5, 2), np.nan)}, **task)
