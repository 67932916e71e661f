"""Verbs refuse what is no setting, by the argument's name."""

import numpy as np
import pytest

from physlearn import SGD, Energy, Mean, Nudge, Real, Spin, SquaredError, enumerate_states, integrate, relax, sample
from physlearn.dynamics import (
    anneal,
    annealed_importance,
    greedy,
    kinetics,
    ladder,
    population_annealing,
    tempering,
    transfer_matrix,
)
from physlearn.models import Assembly
from physlearn.terms import Bias, Lattice, Pairs, Parabola

PAIR = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
SPRING = Energy({"x": (Real(), 1)}, [Parabola("x")], {"stiffness": [2.0]})
EMPTY = Energy({"s": (Spin(), 0)}, [Bias("s")], {"bias": np.zeros(0)})


def soup(**given):
    """Kinetics of an empty lattice."""
    assembly = Assembly(2, np.zeros((2, 2)), 1.0, Lattice((3, 3)))
    return kinetics(assembly, **{"temperature": 1.0, "t_span": 1.0, "rng": 0} | given)


def drawn(energy=PAIR, **given):
    """A short run of `sample`."""
    return sample(energy, **{"temperature": 1.0, "n_samples": 2, "chains": 2, "warmup": 0, "rng": 0} | given)


BAD = [
    (lambda: drawn("spins"), "energy: got a str"),
    (lambda: drawn(n_samples=10**30), r"n_samples: got 1e\+30"),
    (lambda: drawn(n_samples=10**14), "n_samples: got 100000000000000, which takes"),
    (lambda: drawn(chains=10**14, n_samples=1), "chains: got 100000000000000, which takes"),
    (lambda: drawn(method=["gibbs"]), r"method: got \['gibbs'\]"),
    (lambda: drawn(method=None), "method: got None"),
    (lambda: drawn(rng=-1), "rng: got -1"),
    (lambda: drawn(rng=True), "rng: got True"),
    (lambda: drawn(temperature={1.0}), "temperature: got"),
    (lambda: drawn(temperature="1"), "temperature: got"),
    (lambda: drawn(observe={"m": lambda: 0.0}), r"observe\['m'\]: got a function of"),
    (lambda: drawn(observe={1: np.sum}), "observe: got 1"),
    (lambda: drawn(clamp={"s": "up"}), r"clamp\['s'\]: got 'up'"),
    (lambda: drawn(clamp={"s": [1.0, None]}), r"clamp\['s'\]: got"),
    (lambda: drawn(x0={"s": [1, 1], "t": [1]}), "x0: there is no 't'"),
    (lambda: drawn(EMPTY), r"layers: \['s'\] have no variables"),
    (lambda: drawn(method="heatbath", order={}), "order: got {}"),
    (lambda: drawn(method="heatbath", threads=10**30), "threads: got"),
    (lambda: drawn(SPRING, method="hmc", leaps="3"), "leaps: got '3'"),
    (lambda: drawn(SPRING, method="hmc", target="high"), "target: got 'high'"),
    (lambda: drawn(SPRING, method="hmc", jitter=None), "jitter: got None"),
    (lambda: drawn(SPRING, method="hmc", step="small"), "step: got 'small'"),
    (lambda: Mean(lambda: 0.0), "of: got a function of"),
    (lambda: Mean("energy"), "of: got 'energy'"),
    (lambda: anneal(5), "energy: got a int"),
    (lambda: anneal(PAIR, {1.0, 2.0}), "schedule: got"),
    (lambda: anneal(PAIR, ["hot", "cold"]), "schedule: got"),
    (lambda: anneal(PAIR, sweeps=10**30), "sweeps: got"),
    (lambda: anneal(PAIR, sweeps=10**15), "sweeps: got 1000000000000000, which takes"),
    (lambda: anneal(PAIR, reads=10**30), "reads: got"),
    (lambda: anneal(EMPTY), r"layers: \['s'\] have no variables"),
    (lambda: anneal(PAIR, hot="warm"), "hot: got 'warm'"),
    (lambda: greedy([PAIR]), "energy: got a list"),
    (lambda: greedy(EMPTY), r"layers: \['s'\] have no variables"),
    (lambda: relax(EMPTY), r"layers: \['s'\] have no variables"),
    (lambda: enumerate_states(EMPTY, temperature=1.0), r"layers: \['s'\] have no variables"),
    (lambda: greedy(PAIR, reads=10**15), "reads: got"),
    (lambda: tempering(None, temperatures=[1.0, 2.0], n_samples=1), "energy: got a NoneType"),
    (lambda: tempering(PAIR, temperatures={1.0, 2.0}, n_samples=1), "temperatures: shape"),
    (lambda: tempering(PAIR, temperatures=[1.0, np.nan], n_samples=1), "temperatures: got"),
    (lambda: tempering(PAIR, temperatures=[1.0, 2.0], n_samples=1, clamp={"s"}), "clamp: got"),
    (lambda: tempering(PAIR, temperatures=[1.0, 2.0], n_samples=1, rng=0, warmup=0).at("cold"), "k: got 'cold'"),
    (lambda: tempering(PAIR, temperatures=[1.0, 2.0], n_samples=1, rng=0, warmup=0).at(2), "k: got 2"),
    (lambda: ladder(1.0, 2.0, 10**30), "n: got"),
    (lambda: population_annealing(1, temperatures=[2.0, 1.0]), "energy: got a int"),
    (lambda: population_annealing(PAIR, temperatures="hot"), "temperatures: got 'hot'"),
    (lambda: population_annealing(PAIR, temperatures=[2.0, -1.0]), "temperatures: got"),
    (lambda: population_annealing(PAIR, temperatures=[2.0, 1.0], population=10**15), "population: got"),
    (lambda: annealed_importance({}, temperature=1.0), "energy: got a dict"),
    (lambda: annealed_importance(PAIR, temperature=1.0, steps=10**15), "steps: got"),
    (lambda: enumerate_states("spins", temperature=1.0), "energy: got a str"),
    (lambda: enumerate_states(PAIR, temperature=1.0).correlations("s", ["s"]), r"b: got \['s'\]"),
    (lambda: enumerate_states(PAIR, temperature=1.0).states(4), "index: got 4"),
    (lambda: enumerate_states(PAIR, temperature=1.0).mean("s"), "observable: got 's'"),
    (lambda: transfer_matrix(3, temperature=1.0, coupling="J"), "coupling: got 'J'"),
    (lambda: transfer_matrix(3, temperature=1.0, field=[0.0]), "field: got"),
    (lambda: transfer_matrix(3, temperature=1.0, periodic="yes"), "periodic: got 'yes'"),
    (lambda: relax(SPRING, method={"flow"}), "method: got"),
    (lambda: relax(SPRING, unconverged=[]), r"unconverged: got \[\]"),
    (lambda: relax(SPRING, nudge={"x": 1.0}), "nudge: got"),
    (lambda: relax(SPRING, nudge=SquaredError("x")), "nudge: got"),
    (lambda: Nudge(SGD(), [1.0], 0.1), "cost: got"),
    (lambda: Nudge(SquaredError, [1.0], 0.1), "cost: got the class"),
    (lambda: Nudge(SquaredError("x"), "up", 0.1), "target: got 'up'"),
    (lambda: Nudge(SquaredError("x"), [1.0], [0.1, 0.2]), "strength: got"),
    (lambda: integrate(SPRING, {0.0, 1.0}), "t_span: got"),
    (lambda: integrate(SPRING, (0.0, "1")), "t_span: got '1'"),
    (lambda: integrate(SPRING, (0.0, 1.0), method=[]), "method: got"),
    (lambda: integrate(SPRING, (0.0, 1.0), times="all"), "times: got 'all'"),
    (lambda: soup(t_span="long"), "t_span: got"),
    (lambda: soup(conserved=None), "conserved: got None"),
    (lambda: soup(record=True), "record: got True"),
    (lambda: soup(observe={"n"}), "observe: got"),
    (lambda: soup(observe={"n": lambda: 0}), r"observe\['n'\]: got a function of"),
    (lambda: soup(clock=["gillespie"]), "clock: got"),
    (lambda: soup(x0="empty"), "x0: got 'empty'"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_bad_arguments_are_named(call, message):
    with pytest.raises((TypeError, ValueError), match="^" + message):
        call()


def test_time_to_solution_takes_numbers():
    found = anneal(PAIR, [1.0], reads=1, rng=0)
    for name, given in (("target", {"target": None}), ("confidence", {"target": 0.0, "confidence": "sure"})):
        with pytest.raises(ValueError, match=f"{name}: got"):
            found.time_to_solution(**given)
