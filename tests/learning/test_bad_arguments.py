"""Learning refuses what is no rule, optimiser, cost, data or file, by the argument's name."""

from pathlib import Path

import numpy as np
import pytest

from physlearn import (
    SGD,
    Adam,
    CoupledLearning,
    Energy,
    EquilibriumPropagation,
    Readout,
    Real,
    SquaredError,
    check_gradient,
    learn,
    load,
    save,
)
from physlearn.learning import (
    BoltzmannLearning,
    ContrastiveDivergence,
    CrossEntropy,
    DenoisingScoreMatching,
    Margin,
    PersistentContrastiveDivergence,
    learn_by_diffusion,
    sharpen,
)
from physlearn.learning.optimizers import rate
from physlearn.learning.rules.molecular import Coincidence, Diffusion, reaction_diffusion
from physlearn.models.assembly.growth import growing_site, growth_examples
from physlearn.terms import Edges

DIVIDER = Energy(
    {"v": (Real(), 3)},
    [Edges("v", [(0, 1), (1, 2)])],
    {"conductance": [1.0, 3.0]},
    {"in": Readout("v", [0, 2]), "out": Readout("v", [1])},
)
DATA = {"in": [[1.0, 0.0]], "out": [[0.5]]}
ONE, Y = {"g": np.array([1.0])}, np.array([[1.0, 2.0]])


def train(system=DIVIDER, data=DATA, **given):
    """Two epochs of coupled learning."""
    settings = {"rule": CoupledLearning(), "optimizer": SGD(0.5), "cost": SquaredError("out"), "epochs": 2, "rng": 0}
    return learn(system, data, **settings | given)


BAD = [
    (lambda: train("divider"), "system: got a str"),
    (lambda: train(data=[[1.0]]), "data: got"),
    (lambda: train(data=DATA | {"in": "high"}), r"data\['in'\]: got 'high'"),
    (lambda: train(data=DATA | {"in": [[1j, 0.0]]}), r"data\['in'\]: got"),
    (lambda: train(rule=None), "rule: got None, expected a rule such as CoupledLearning"),
    (lambda: train(rule="coupled"), "rule: got 'coupled', expected a rule such as CoupledLearning"),
    (lambda: train(rule=CoupledLearning), r"rule: got the class CoupledLearning.*CoupledLearning\(...\)"),
    (lambda: train(rule=SquaredError("out")), "rule: got SquaredError"),
    (lambda: train(optimizer="adam"), r"optimizer: got 'adam', expected an optimiser such as SGD\(0.1\) or Adam"),
    (lambda: train(optimizer=None), "optimizer: got None"),
    (lambda: train(optimizer=Adam), r"optimizer: got the class Adam.*Adam\(...\)"),
    (lambda: train(optimizer=0.1), "optimizer: got 0.1"),
    (lambda: train(cost=Readout("v")), "cost: got Readout"),
    (lambda: train(epochs=10**30), r"epochs: got 1e\+30"),
    (lambda: train(epochs="2"), "epochs: got '2'"),
    (lambda: train(batch=True), "batch: got True"),
    (lambda: train(shuffle="yes"), "shuffle: got 'yes'"),
    (lambda: train(method={"auto"}), "method: got"),
    (lambda: train(trainable="conductance"), "trainable: got 'conductance'"),
    (lambda: train(trainable=[1]), "trainable: got 1 among"),
    (lambda: train(rng=-1), "rng: got -1"),
    (lambda: train(callback=lambda: True), "callback: got a function of"),
    (lambda: train(resume={"epochs": 1}), "resume: got"),
    (lambda: train(relax_options=[1e-9]), "relax_options: got"),
    (lambda: train(relax_options={"tolerance": 1e-9}), "relax_options: there is no 'tolerance'"),
    (lambda: check_gradient(DIVIDER, DATA, EquilibriumPropagation(), ["a"], cost=SquaredError("out")), "nudges: got"),
    (lambda: check_gradient(DIVIDER, DATA, EquilibriumPropagation(), [0.0], cost=SquaredError("out")), "nudges: got"),
    (lambda: check_gradient(DIVIDER, DATA, EquilibriumPropagation(), [0.1], cost=None), "cost: got None"),
    (lambda: SGD("fast"), "lr: got 'fast'"),
    (lambda: SGD(np.inf), "lr: got inf"),
    (lambda: SGD(lambda: 0.1), "lr: got a function of"),
    (lambda: SGD(momentum=None), "momentum: got None"),
    (lambda: SGD(momentum=1.0), "momentum: got 1.0, expected 0 <= momentum < 1"),
    (lambda: SGD(bounds=(0.01, 10.0)), r"bounds: got a tuple, expected a mapping of parameters' names"),
    (lambda: SGD(bounds={"g": 0.01}), r"bounds\['g'\]: got 0.01, expected \(low, high\)"),
    (lambda: SGD(bounds={"g": ("a", "b")}), r"bounds\['g'\]: got 'a'"),
    (lambda: SGD(bounds={"g": (1.0,)}), r"bounds\['g'\]: got 1 entries"),
    (lambda: SGD(decay="slow"), "decay: got 'slow'"),
    (lambda: SGD(decay={"g": np.nan}), "decay: got nan"),
    (lambda: Adam(beta1="high"), "beta1: got 'high'"),
    (lambda: Adam(beta2=1.0), "beta2: got 1.0"),
    (lambda: Adam(epsilon=-1.0), "epsilon: got -1.0"),
    (lambda: Adam().start(["g"]), "theta: got"),
    (lambda: Adam().step(ONE, [1.0], Adam().start(ONE), 0.1), "gradient: got"),
    (lambda: Adam().step(ONE, {"h": 1.0}, Adam().start(ONE), 0.1), "gradient: there is no parameter 'h'"),
    (lambda: Adam().step(ONE, ONE, SGD().start(ONE), 0.1), "memory: holds no 'first'"),
    (lambda: SGD().step(ONE, ONE, {"velocity": dict(ONE)}, 0.1), "memory: its 'steps' is no integer"),
    (lambda: SGD().step(ONE, ONE, SGD().start(ONE), "0.1"), "lr: got '0.1'"),
    (lambda: SquaredError(["out"]), r"readout: got \['out'\]"),
    (lambda: SquaredError("out").value("1", Y), "y: got '1'"),
    (lambda: SquaredError("out").gradient(Y, None), "target: got None"),
    (lambda: SquaredError("out").value(Y, Y[:, :1].tolist()), r"target: shape \(1, 1\) does not fit"),
    (lambda: CrossEntropy("out", gain=np.nan), "gain: got nan"),
    (lambda: CrossEntropy("out").value(Y, {}), "target: got {}"),
    (lambda: CrossEntropy("out").check("labels"), "target: got 'labels'"),
    (lambda: Margin(None), "readout: got None"),
    (lambda: Margin("out", margin="wide"), "margin: got 'wide'"),
    (lambda: Margin("out").gradient(["a", "b"], Y), "y: got"),
    (lambda: CoupledLearning(variant={}), "variant: got {}"),
    (lambda: EquilibriumPropagation(linearised="yes"), "linearised: got 'yes'"),
    (lambda: EquilibriumPropagation(points="4"), "points: got '4'"),
    (lambda: EquilibriumPropagation(variant=None), "variant: got None"),
    (lambda: BoltzmannLearning(exact="yes"), "exact: got 'yes'"),
    (lambda: BoltzmannLearning(given="input"), "given: got 'input'"),
    (lambda: ContrastiveDivergence(precision=[]), "precision: got"),
    (lambda: ContrastiveDivergence(given=3), "given: got 3"),
    (lambda: PersistentContrastiveDivergence(hotter=("warm",)), "hotter: got"),
    (lambda: DenoisingScoreMatching("wide"), "sigma: got 'wide'"),
    (lambda: save(train(), "run"), r"path: got Training.*expected a path"),
    (lambda: save("run", 3), "training: got .*expected what `learn` returned, or a machine"),
    (lambda: save(3, train()), "path: got 3"),
    (lambda: load(DIVIDER, "run"), "path: got"),
    (lambda: load("run", "divider"), "system: got a str"),
    (lambda: sharpen("J", 1), "J: got 'J'"),
    (lambda: learn_by_diffusion(3, 2, duration=1.0), "structures: got 3"),
    (lambda: learn_by_diffusion([[[[[1, 2]]]]], 2, duration=1.0), r"structures\[0\]: 4 axes"),
    (lambda: learn_by_diffusion([[["a"]]], 2, duration=1.0), r"structures\[0\]: got"),
    (lambda: learn_by_diffusion([[[1, 2]]], 2, duration=1.0, directional="yes"), "directional: got 'yes'"),
    (lambda: learn_by_diffusion([[[1, 2]]], 2, duration=1.0, diffusion=[1.0] * 3), "diffusion: shape"),
    (lambda: reaction_diffusion(2, (4,), rate="fast"), "rate: got 'fast'"),
    (lambda: reaction_diffusion(2, "line"), "grid: got 'line'"),
    (lambda: reaction_diffusion(2, (10**9, 10**9)), "n_species: got 2, which takes"),
    (lambda: Diffusion("C", spacing="wide"), "spacing: got 'wide'"),
    (lambda: Coincidence("C", 3), "couplings: got 3"),
    (lambda: growing_site("soup"), "assembly: got 'soup'"),
    (lambda: growth_examples([[[1]]], kind=["square"]), "kind: got"),
    (lambda: growth_examples([[[1]]], kinks=[("west",)]), "kinks: got"),
    (lambda: growth_examples([[[1]]], periodic=1), "periodic: got 1"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_bad_arguments_are_named(call, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((TypeError, ValueError), match="^" + message):
        call()
    assert not list(Path(tmp_path).iterdir())


def test_costs_of_lists_equal_those_of_arrays():
    target = np.eye(2)[:1]
    for cost in (SquaredError("out"), CrossEntropy("out"), Margin("out")):
        for what in ("value", "gradient", "hessian"):
            of = getattr(cost, what)
            np.testing.assert_array_equal(of(Y, target), of(Y.tolist(), target.tolist()))


OUT_OF_DOMAIN = {
    "SGD lr": lambda: SGD(lr=-1.0),
    "SGD momentum": lambda: SGD(momentum=-0.1),
    "SGD momentum 1": lambda: SGD(momentum=1.0),
    "SGD decay": lambda: SGD(decay=-1e-3),
    "SGD decay of one": lambda: SGD(decay={"J": -1e-3}),
    "Adam lr": lambda: Adam(lr=-1e-3),
    "Adam epsilon": lambda: Adam(epsilon=-1.0),
    "Adam beta1": lambda: Adam(beta1=-0.5),
    "Adam beta2": lambda: Adam(beta2=1.0),
    "CrossEntropy gain": lambda: CrossEntropy("out", gain=-1.0),
    "CrossEntropy gain 0": lambda: CrossEntropy("out", gain=0.0),
    "Margin margin": lambda: Margin("out", margin=-1.0),
    "CoupledLearning eta": lambda: CoupledLearning(eta=-0.1),
    "EquilibriumPropagation nudge": lambda: EquilibriumPropagation(nudge=-0.1),
    "ContrastiveDivergence k": lambda: ContrastiveDivergence(k=1.0),
    "ContrastiveDivergence temperature": lambda: ContrastiveDivergence(temperature=-1.0),
}


@pytest.mark.parametrize("name", OUT_OF_DOMAIN)
def test_numbers_out_of_their_domain_are_refused(name):
    with pytest.raises(ValueError, match=rf"^{name.split()[1]}\b"):
        OUT_OF_DOMAIN[name]()


def test_learning_rates_of_a_schedule_are_refused_where_they_are_negative():
    theta = {"g": np.array([1.0])}
    for optimizer in (SGD(), Adam()):
        with pytest.raises(ValueError, match="lr: got -0.1"):
            optimizer.step(theta, theta, optimizer.start(theta), lr=-0.1)
    with pytest.raises(ValueError, match="lr: got -1 at epoch 3"):
        rate(SGD(lr=lambda epoch: 2 - epoch), 3)
