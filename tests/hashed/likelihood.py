"""Runs of `learn` whose phases are drawn: contrastive divergence, Boltzmann learning, denoising score matching."""

import numpy as np

from physlearn import (
    SGD,
    Adam,
    Binary,
    BoltzmannLearning,
    ContrastiveDivergence,
    DenoisingScoreMatching,
    Energy,
    PersistentContrastiveDivergence,
    Readout,
    Real,
    Spin,
    learn,
)
from physlearn.models import RBM, BoltzmannMachine
from physlearn.terms import Bias, Dense, Edges, Mixture, Parabola


def generator(seed=0):
    return np.random.default_rng(seed)


def pictures(n=8, kind="binary", samples=20, share=0.3):
    v = (generator(6).random((samples, n)) < share).astype(float)
    return {"v": v if kind == "binary" else 2.0 * v - 1.0}


def machine_learns(rule, kind="binary", optimizer=None, *, n=8, hidden=5, batch=5, share=0.3, **more):
    machine = RBM(n, hidden, kind, hidden=kind, scale=0.3, rng=7)
    chosen = SGD(0.1, momentum=0.5) if optimizer is None else optimizer
    return learn(
        machine.energy,
        pictures(n, kind, share=share),
        rule=rule,
        optimizer=chosen,
        epochs=2,
        batch=batch,
        rng=8,
        **more,
    )


def real_machine_learns(rule):
    machine = RBM(6, 4, "gaussian", scale=0.3, rng=7)
    data = {"v": generator(9).normal(size=(12, 6))}
    return learn(machine.energy, data, rule=rule, optimizer=SGD(0.01), epochs=2, batch=4, rng=8)


def potts_machine_learns():
    machine = RBM(6, 4, "potts", q=3, scale=0.3, rng=7)
    data = {"v": generator(9).integers(3, size=(12, 6))}
    return learn(machine.energy, data, rule=ContrastiveDivergence(), optimizer=SGD(0.05), epochs=2, batch=4, rng=8)


def boltzmann(rule, kind="binary", connectivity="full", hidden=2):
    machine = BoltzmannMachine(5, hidden, connectivity, kind=kind, scale=0.3, rng=7)
    return learn(machine.energy, pictures(5, kind), rule=rule, optimizer=SGD(0.2), epochs=2, batch=10, rng=8)


def conditional():
    """Outputs given inputs: the inputs stay clamped while the machine dreams."""
    machine = BoltzmannMachine(5, 2, scale=0.3, rng=7).energy
    readouts = {"in": Readout("s", [0, 1]), "out": Readout("s", [2, 3, 4])}
    machine = Energy({"s": (Binary(), 7)}, machine.terms, machine.theta, readouts)
    v = pictures(5)["v"]
    data = {"in": v[:, :2], "out": v[:, 2:]}
    rules = [BoltzmannLearning(given=("in",)), ContrastiveDivergence(given=("in",))]
    return [learn(machine, data, rule=rule, optimizer=SGD(0.1), epochs=1, batch=10, rng=8) for rule in rules]


def score(machine, data):
    return learn(machine, data, rule=DenoisingScoreMatching(0.4), optimizer=SGD(0.02), epochs=3, batch=16, rng=9)


def spring_score():
    spring = Energy(
        {"x": (Real(), 3)},
        [Edges("x", [(0, 1), (1, 2)]), Parabola("x")],
        {"conductance": [1.0, 2.0], "stiffness": [0.5, 1.0, 0.7]},
        {"all": Readout("x", [0, 1, 2])},
    )
    return score(spring, {"all": generator(10).normal(size=(64, 3))})


def mixture_score():
    theta = {"logits": np.zeros(2), "means": np.array([[-1.0, 0.0], [1.0, 0.5]]), "precisions": np.array([1.0, 2.0])}
    machine = Energy({"x": (Real(), 2)}, [Mixture("x")], theta, {"all": Readout("x", [0, 1])})
    return score(machine, {"all": generator(11).normal(size=(64, 2))})


def spins_in_two_layers():
    """The weights stand the other way round, and one layer has no bias."""
    rng = generator(12)
    theta = {"W": 0.3 * rng.normal(size=(5, 8)), "c": np.zeros(5)}
    layers = {"v": (Spin(), 8), "h": (Spin(), 5)}
    machine = Energy(layers, [Dense(("h", "v")), Bias("h", "c")], theta, {"v": Readout("v", np.arange(8))})
    rule = ContrastiveDivergence(k=2, temperature=1.5)
    return learn(machine, pictures(8, "spin"), rule=rule, optimizer=Adam(0.02), epochs=2, batch=5, rng=8)


PCD = PersistentContrastiveDivergence
RUNS = {
    "contrastive divergence": lambda: machine_learns(ContrastiveDivergence()),
    "contrastive divergence, adam": lambda: machine_learns(ContrastiveDivergence(k=2), optimizer=Adam(0.02)),
    "contrastive divergence, spins": lambda: machine_learns(ContrastiveDivergence(k=3), "spin"),
    "contrastive divergence, single": lambda: machine_learns(ContrastiveDivergence(precision="single")),
    "contrastive divergence, single, adam": lambda: machine_learns(
        ContrastiveDivergence(precision="single"), optimizer=Adam(0.02)
    ),
    "contrastive divergence, sparse": lambda: machine_learns(ContrastiveDivergence(), n=32, hidden=32, share=0.1),
    "contrastive divergence, filled": lambda: machine_learns(ContrastiveDivergence(), n=32, hidden=32, share=0.9),
    "contrastive divergence, decay": lambda: machine_learns(
        ContrastiveDivergence(), optimizer=SGD(0.1, decay={"W": 0.01}, bounds={"W": (-0.8, 0.5)})
    ),
    "contrastive divergence, sampled": lambda: machine_learns(ContrastiveDivergence(), method="sample"),
    "contrastive divergence, other way round": spins_in_two_layers,
    "contrastive divergence, real": lambda: real_machine_learns(ContrastiveDivergence()),
    "contrastive divergence, potts": potts_machine_learns,
    "persistent": lambda: machine_learns(PCD(chains=16)),
    "persistent, spins, adam": lambda: machine_learns(PCD(k=2, chains=10), "spin", Adam(0.02)),
    "persistent, single": lambda: machine_learns(PCD(chains=16, precision="single")),
    "persistent, sampled": lambda: machine_learns(PCD(chains=16), method="sample"),
    "persistent, tempered": lambda: machine_learns(PCD(chains=8, hotter=(1.5, 2.5))),
    "persistent, real": lambda: real_machine_learns(PCD(chains=8)),
    "boltzmann, exact": lambda: boltzmann(BoltzmannLearning()),
    "boltzmann, exact, spins": lambda: boltzmann(BoltzmannLearning(temperature=1.5), "spin"),
    "boltzmann, sampled": lambda: boltzmann(BoltzmannLearning(exact=False, chains=10, warmup=5, draws=3)),
    "boltzmann, visible": lambda: boltzmann(BoltzmannLearning(), hidden=0),
    "boltzmann, persistent": lambda: boltzmann(PCD(chains=10)),
    "boltzmann, divergence": lambda: boltzmann(ContrastiveDivergence(), "spin"),
    "boltzmann, restricted, exact": lambda: machine_learns(BoltzmannLearning(exact=True)),
    "boltzmann, conditional": conditional,
    "score": spring_score,
    "score, mixture": mixture_score,
}
