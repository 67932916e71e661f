"""Rules, optimisers and costs of one's own train as the library's do: no class of theirs is known to `learn`."""

from dataclasses import dataclass

import numpy as np
import pytest

from physlearn import (
    SGD,
    ContrastiveDivergence,
    ContrastiveHebbian,
    CoupledLearning,
    EquilibriumPropagation,
    ExactGradient,
    SquaredError,
    check_gradient,
    learn,
    learning,
    load,
    save,
)
from physlearn.learning import ContrastRule, Cost, Optimizer, PhaseRule
from physlearn.models import RBM
from tests.learning.machines import circulating, lattice, quartic


def data_of(rng, n=8):
    x = rng.uniform(0, 1, (n, 2))
    return {"in": x, "out": x @ np.array([[0.15, 0.25], [0.20, 0.10]])}


BOUNDS = {"conductance": (1e-3, 10.0)}
PLAIN = dict(optimizer=SGD(0.5, bounds=BOUNDS), cost=SquaredError("out"), epochs=3, batch=2, rng=5)


@dataclass(frozen=True)
class Coupled:
    """Coupled learning, centred, by pairs of numbers."""

    eta: float = 0.1
    mode = "clamp"
    limit = "metric"
    vanishing = "eta"

    @property
    def phases(self):
        return [(0.5 / self.eta, self.eta), (-0.5 / self.eta, -self.eta)]


class Backwards:
    """The library's exact gradient, as a contrast of one's own, with a record of what it was given."""

    def contrast(self, system, task):
        inner = ExactGradient().contrast(system, task)

        def step(system, memory, pick):
            memory["seen"]["samples"][pick] += 1
            memory["seen"]["steps"] += 1
            assert memory["steps"] == memory["seen"]["steps"] - 1
            return inner(system, memory, pick)

        return step

    def start(self, system, task, generator):
        return {"seen": {"samples": np.zeros(len(task.target)), "steps": np.zeros(1)}}

    def monitor(self, system, task):
        return "largest conductance", lambda system: float(np.max(system.theta["conductance"]))


def test_the_library_has_the_protocols():
    for rule in (CoupledLearning(), EquilibriumPropagation(), ContrastiveHebbian(), ExactGradient(), Coupled()):
        assert isinstance(rule, PhaseRule)
    for rule in (
        ContrastiveDivergence(),
        learning.BoltzmannLearning(),
        learning.DenoisingScoreMatching(0.1),
        Backwards(),
    ):
        assert isinstance(rule, ContrastRule) and not isinstance(rule, PhaseRule)
    assert isinstance(SGD(), Optimizer) and isinstance(learning.Adam(), Optimizer)
    for cost in (SquaredError("out"), learning.CrossEntropy("out"), learning.Margin("out")):
        assert isinstance(cost, Cost)


@pytest.mark.parametrize("method", ["compiled", "moments", "relax"])
def test_phases_of_ones_own_take_every_engine(method, rng):
    energy, data = lattice(rng), data_of(rng)
    own, known = (
        learn(energy, data, rule=r, method=method, **PLAIN) for r in (Coupled(), CoupledLearning(0.1, "centred"))
    )
    assert own.method == method
    assert own.theta["conductance"].tobytes() == known.theta["conductance"].tobytes()
    assert own.cost.tobytes() == known.cost.tobytes()


def test_a_rule_of_ones_own_is_audited(rng):
    energy, data = lattice(rng), data_of(rng)
    own, known = (
        check_gradient(energy, data, rule, [0.1, 0.05], cost=SquaredError("out"))
        for rule in (Coupled(), CoupledLearning(0.1, "centred"))
    )
    assert own.error.tobytes() == known.error.tobytes() and own.limit == "metric"
    with pytest.raises(TypeError, match="rule: got ContrastiveHebbian.*`vanishing`"):
        check_gradient(energy, data, ContrastiveHebbian(), [0.1], cost=SquaredError("out"))


@pytest.mark.parametrize("machine", [lattice, quartic, circulating])
def test_a_contrast_of_ones_own_trains_any_system(machine, rng):
    system = machine(rng)
    data = data_of(rng) if machine is lattice else {"u": rng.normal(size=(8, 3)), "out": rng.normal(size=(8, 2))}
    task = PLAIN | dict(optimizer=SGD(0.01))
    rule = Backwards()
    if machine is not lattice:
        rule.monitor = lambda system, task: ("", None)
    own, known = (
        learn(system, data, rule=rule, **task),
        learn(system, data, rule=ExactGradient(), method="relax", **task),
    )
    assert own.method == "contrast" and known.method == "relax"
    for name, value in known.theta.items():
        assert own.theta[name].tobytes() == value.tobytes()
    assert own.memory["seen"]["samples"].tolist() == [3.0] * 8 and own.memory["steps"] == 12
    if machine is lattice:
        assert own.monitor[-1] == own.theta["conductance"].max() and own.monitor_name == "largest conductance"


def test_what_a_rule_keeps_resumes_bit_for_bit(rng, tmp_path):
    energy, data = lattice(rng), data_of(rng)
    task = PLAIN | dict(rule=Backwards())
    whole = learn(energy, data, **task | dict(epochs=4))
    half = learn(energy, data, **task | dict(epochs=1))
    again = learn(energy, data, **task | dict(epochs=3), resume=load(save(tmp_path / "half", half), energy))
    assert again.theta["conductance"].tobytes() == whole.theta["conductance"].tobytes()
    assert again.memory["seen"]["samples"].tolist() == whole.memory["seen"]["samples"].tolist()
    assert half.memory["seen"]["steps"] == 4


class Quartic:
    """A cost without a hessian."""

    readout = "out"

    def value(self, y, target):
        return np.sum((y - target) ** 4, 1) / 4

    def gradient(self, y, target):
        return (y - target) ** 3


def test_a_cost_of_ones_own(rng):
    energy, data = lattice(rng), data_of(rng)
    task = PLAIN | dict(cost=Quartic())
    for rule in (ExactGradient(), CoupledLearning(), EquilibriumPropagation(linearised=True)):
        done = learn(energy, data, rule=rule, **task)
        assert done.method == "moments" and done.cost[-1] < done.cost[0]
    full = learn(energy, data, rule=EquilibriumPropagation(0.01), **task)
    exact = learn(energy, data, rule=ExactGradient(), **task)
    assert full.method == "relax"  # a full nudge by columns needs the hessian
    np.testing.assert_allclose(full.theta["conductance"], exact.theta["conductance"], rtol=1e-4)
    with pytest.raises(ValueError, match="method 'moments' does not fit: Quartic has no `hessian`"):
        learn(energy, data, rule=EquilibriumPropagation(0.01), method="moments", **task)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (dict(rule=object()), "rule: got .*, expected a rule such as"),
        (dict(rule=Backwards), "rule: got the class Backwards, expected an instance"),
        (
            dict(method="sample"),
            "method 'sample' does not fit: the rule brings its own contrast. What fits: .'contrast'",
        ),
        (dict(method="dream"), "method: got 'dream'"),
        (dict(cost=None), "cost: got None, but Backwards takes a cost"),
    ],
)
def test_wrong_rules_are_refused(change, said, rng):
    with pytest.raises((TypeError, ValueError), match=said):
        learn(lattice(rng), data_of(rng), **PLAIN | dict(rule=Backwards()) | change)


def test_two_that_keep_the_same_name_are_refused(rng):
    class Clashing(Backwards):
        def start(self, system, task, generator):
            return {"velocity": {"x": np.zeros(1)}}

    with pytest.raises(ValueError, match=r"both keep \['velocity'\]"):
        learn(lattice(rng), data_of(rng), rule=Clashing(), **PLAIN)

    class Pickled(Backwards):
        def start(self, system, task, generator):
            return {"seen": {"samples": [1, 2]}}

    with pytest.raises(
        TypeError, match=r"memory\['seen'\]\['samples'\]: list, expected a number.* so that it can be saved"
    ):
        learn(lattice(rng), data_of(rng), rule=Pickled(), **PLAIN)


def test_a_rule_without_a_cost_trains_an_rbm_with_the_drawn_phases_of_the_library(rng):
    class Lasting:
        takes_cost = False

        def start(self, system, task, generator):
            return ContrastiveDivergence().start(system, task, generator)

        def contrast(self, system, task):
            return ContrastiveDivergence().contrast(system, task)

    machine, data = RBM(4, 3, rng=0), {"v": rng.integers(0, 2, (10, 4)).astype(float)}
    task = dict(optimizer=SGD(0.1), epochs=3, rng=1)
    own = learn(machine, data, rule=Lasting(), **task)
    known = learn(machine, data, rule=ContrastiveDivergence(), method="sample", **task)
    assert own.theta["W"].tobytes() == known.theta["W"].tobytes()
    assert own.machine.theta["W"].tobytes() == own.theta["W"].tobytes()
