"""The table of functions against Energy, System and network of neurons in docs/ARCHITECTURE.md, cell by cell."""

import re
from pathlib import Path

import numpy as np
import pytest

import physlearn as pl
from circuits.neurons import LIF, Constant, Delta, Population, SpikingNetwork
from physlearn import Energy, Readout, Real, SquaredError, System
from physlearn.learning import EquilibriumPropagation, ExactGradient
from physlearn.models import Assembly
from physlearn.terms import Edges, Lattice, Pairs, Parabola

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "ARCHITECTURE.md"
TEXT = ARCHITECTURE.read_text(encoding="utf-8").split("**Who takes what.**")[1]
TABLE = {row[0]: row[1:] for row in re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|$", TEXT, re.M)}


TURN = np.array([[1.0, 2.0], [-2.0, 1.0]])


class Rotor:
    layers = ("x", "x")

    def field(self, x, theta, layer):
        return (theta["c"] - x["x"]) @ TURN.T

    def response(self, x, theta, weight):
        return {"c": -weight @ x["x"] @ TURN}

    def jacobian(self, x, theta):
        return -TURN


SPRING = Energy({"x": (Real(), 3)}, [Edges("x", [(0, 1), (1, 2)])], {"conductance": [1.0, 2.0]},
                {"ends": Readout("x", [0, 2]), "y": Readout("x", [1])})  # fmt: skip
WELL = Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": np.ones(2)})
RING = Energy({"s": (pl.Spin(), 4)}, [Pairs("s", [(0, 1), (1, 2), (2, 3), (3, 0)])], {"J": np.ones(4)})
ROTOR = System({"x": (Real(), 2)}, [Rotor()], {"c": [1.0, 0.5]},
               {"y": Readout("x", [1]), "push": Readout("x", [0], force=True)})  # fmt: skip
CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0)
NETWORK = SpikingNetwork({"E": Population(CELL, 2, receptors={"in": Delta()})}, inputs=[Constant("E", 15e-3)])
MIXTURE, DRIVEN = (
    Assembly(2, 0.3 * np.ones((2 if reciprocal else 4, 2, 2)), 0.5, Lattice((2, 2)), reciprocal).system
    for reciprocal in (True, False)
)


def learnt(machine):
    inputs = {"ends": [[1.0, 0.0]]} if machine is SPRING else {"push": [[0.1]]}
    data = {**inputs, "y": [[0.4]]}
    return pl.learn(machine, data, rule=ExactGradient(), optimizer=pl.SGD(0.1), cost=SquaredError("y"), epochs=2)


def checked(machine):
    inputs = {"ends": [[1.0, 0.0]]} if machine is SPRING else {"push": [[0.1]]}
    data = {**inputs, "y": [[0.4]]}
    return pl.check_gradient(machine, data, EquilibriumPropagation(0.1), [1e-2, 1e-3], cost=SquaredError("y"))


def moved(machine):
    return pl.integrate(machine, (0.0, 0.01), **({"dt": 1e-3} if machine is NETWORK else {}))


CALLS = {  # the call, and the Energy and System that it is tried with
    "relax": (lambda m: pl.relax(m, clamp={"ends": [1.0, 0.0]} if m is SPRING else {}), SPRING, ROTOR),
    "sample": (lambda m: pl.sample(m, temperature=1.0, n_samples=2), RING, ROTOR),
    "integrate": (moved, SPRING, ROTOR),
    "learn": (learnt, SPRING, ROTOR),
    "anneal": (lambda m: pl.anneal(m, [1.0, 0.5], reads=2), RING, ROTOR),
    "greedy": (lambda m: pl.greedy(m, reads=2), RING, ROTOR),
    "tempering": (lambda m: pl.tempering(m, temperatures=[1.0, 2.0], n_samples=2), RING, ROTOR),
    "population_annealing": (lambda m: pl.population_annealing(m, temperatures=[2.0, 1.0], population=99), RING, ROTOR),
    "annealed_importance": (lambda m: pl.annealed_importance(m, temperature=1.0, steps=9, chains=9), RING, ROTOR),
    "variational": (lambda m: pl.variational(m, temperature=1.0, rng=0), WELL, ROTOR),
    "enumerate_states": (lambda m: pl.enumerate_states(m, temperature=1.0), RING, ROTOR),
    "kinetics": (lambda m: pl.kinetics(m, temperature=1.0, t_span=1.0, rng=0), MIXTURE, DRIVEN),
    "energy_terms": (lambda m: pl.energy_terms(m, np.zeros(3)), SPRING, ROTOR),
    "check_energy": (pl.check_energy, SPRING, ROTOR),
    "check_gradient": (checked, SPRING, ROTOR),
}


@pytest.mark.parametrize("name", CALLS)
def test_cells_of_the_table(name):
    call, energy, system = CALLS[name]
    for machine, cell in zip((energy, system, NETWORK), TABLE[name], strict=True):
        if not cell.startswith("refuses"):
            assert call(machine) is not None
            continue
        with pytest.raises(TypeError) as error:
            call(machine)
        message = str(error.value)
        kind = "a System has no energy" if machine is not NETWORK else "a SpikingNetwork has no sum of fields"
        assert kind in message and re.match(r"(energy|system): ", message)
        if machine is NETWORK:
            assert "`integrate`" in message
        else:
            assert any(word in message for word in ("integrate", "relax", "fields", "expected an Energy"))


def test_no_function_is_missing():
    assert set(TABLE) == set(CALLS)


def test_settings_of_another_kind_of_machine():
    for machine, settings, message in (
        (
            NETWORK,
            {"dt": 1e-3, "temperature": 1.0},
            "temperature: .* no such setting for a SpikingNetwork",
        ),
        (NETWORK, {}, "dt: missing, a SpikingNetwork needs it"),
        (ROTOR, {"record": "spikes"}, "record: integrate takes no such setting for a system of layers"),
    ):
        with pytest.raises(TypeError, match=message):
            pl.integrate(machine, (0.0, 1e-2), **settings)
