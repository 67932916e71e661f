"""Bars show where somebody looks, after a second, and change nothing."""

import contextlib
import io
import sys

import numpy as np
import pytest

import physlearn as pl
from circuits import neurons as cn
from physlearn import greedy, progress
from physlearn.models import RBM, Assembly, Structure, store
from physlearn.terms import Lattice, Pairs, Parabola


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self):
        return True


@contextlib.contextmanager
def stderr_is(screen):
    """Within, since pytest puts its own stderr between fixtures and tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", screen)
        yield screen


CHAIN = pl.Energy({"s": (pl.Spin(), 8)}, [Pairs("s", [(k, k + 1) for k in range(7)])], {"J": np.ones(7)})
SPRING = pl.Energy({"x": (pl.Real(), 2)}, [Parabola("x")], {"stiffness": [1.0, 2.0]})
CELLS = cn.Population(cn.LIF(tau=20e-3, v_rest=-70e-3, v_threshold=-50e-3, v_reset=-60e-3), 5)
NETWORK = cn.SpikingNetwork({"E": CELLS}, inputs=[cn.OrnsteinUhlenbeck("E", 25e-3, 5e-3, 10e-3)])
SOUP = Assembly(4, store([Structure([[1, 2], [3, 4]])], 6.0), 8.0, Lattice((6, 6)))
DATA = np.repeat([[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]], 10, axis=0)
MACHINE = RBM(3, 2, rng=0)


def trained(**more):
    rule = pl.ContrastiveDivergence()
    done = pl.learn(MACHINE.energy, {"v": DATA}, rule=rule, optimizer=pl.SGD(0.1), epochs=4, rng=0, **more)
    return [*done.theta.values(), done.cost, done.monitor]


VERBS = {
    "relax": lambda **k: [pl.relax(SPRING, np.ones(2), method="fire", **k).x],
    "greedy": lambda **k: [greedy(CHAIN, reads=3, rng=0, **k).energies],
    "sample": lambda **k: [pl.sample(CHAIN, temperature=1.0, n_samples=9, rng=0, **k).x],
    "anneal": lambda **k: [pl.anneal(CHAIN, reads=3, sweeps=2500, rng=0, **k).states],
    "tempering": lambda **k: [pl.tempering(CHAIN, temperatures=[1.0, 2.0], n_samples=9, rng=0, **k).x],
    "population_annealing": lambda **k: [
        pl.population_annealing(CHAIN, temperatures=[4.0, 2.0, 1.0], population=200, rng=0, **k).states
    ],
    "annealed_importance": lambda **k: list(
        pl.annealed_importance(CHAIN, temperature=1.0, steps=20, chains=9, rng=0, **k)
    ),
    "enumerate_states": lambda **k: [pl.enumerate_states(CHAIN, temperature=1.0, **k).probability],
    "kinetics": lambda **k: [pl.kinetics(SOUP, temperature=1.0, t_span=9.0, record=3, rng=0, **k).x],
    "integrate": lambda **k: [pl.integrate(SPRING, (0.0, 1.0), x0=np.ones(2), **k).x],
    "integrate, steps": lambda **k: [pl.integrate(SPRING, (0.0, 1.0), x0=np.ones(2), dt=0.1, **k).x],
    "integrate, network": lambda **k: [pl.integrate(NETWORK, (0.0, 0.2), dt=1e-4, rng=0, **k).spikes["E"].times],
    "integrate, sweep": lambda **k: [
        run.spikes["E"].times
        for run in pl.integrate(NETWORK, (0.0, 0.2), dt=1e-4, rng=0, sweep={"E.tau": [0.01, 0.02]}, **k)
    ],
    "learn": trained,
}


@pytest.mark.parametrize("name", VERBS)
def test_a_bar_shows_on_a_terminal_and_changes_no_bit(name):
    with stderr_is(Terminal()) as screen:
        quiet = VERBS[name](progress=False)
        assert screen.getvalue() == ""
        shown = VERBS[name](progress=True)
    verb = {"greedy": "relax"}.get(name, name.partition(",")[0])
    if name != "greedy":  # whose engine for spins is one kernel
        assert f"{verb}: " in screen.getvalue() and "it/s" not in screen.getvalue()  # units are named
    for a, b in zip(quiet, shown, strict=True):
        assert np.array_equal(a, b, equal_nan=True)
    with pytest.raises(TypeError, match="progress: got 3"):
        VERBS[name](progress=3)


def test_quick_calls_print_nothing():
    with stderr_is(Terminal()) as screen:
        VERBS["sample"]()
    assert screen.getvalue() == "" and progress.DELAY >= 0.5


def test_slow_calls_print_without_being_asked(monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    with stderr_is(Terminal()) as screen:
        trained()
    assert "learn: 100%" in screen.getvalue() and "log pseudo-likelihood=" in screen.getvalue()


def test_nothing_is_printed_in_pipes():
    with stderr_is(io.StringIO()) as pipe:
        VERBS["sample"](progress=True)
    assert pipe.getvalue() == ""


def test_bars_are_silent_within_another():
    with stderr_is(Terminal()) as screen, progress.silenced():
        VERBS["sample"](progress=True)
    assert screen.getvalue() == ""


def test_a_bar_closes_when_the_verb_fails():
    def broken(x):
        raise RuntimeError("no")

    with stderr_is(Terminal()) as screen, pytest.raises(RuntimeError):
        pl.sample(CHAIN, temperature=1.0, n_samples=9, observe={"it": broken}, progress=True)
    assert screen.getvalue().endswith("\n")


def test_discrete_clocks_do_not_depend_on_how_they_are_cut():
    whole = pl.kinetics(SOUP, temperature=1.0, t_span=40.0, clock="metropolis", record=1, rng=0)
    parts = pl.kinetics(SOUP, temperature=1.0, t_span=40.0, clock="metropolis", record=40, rng=0)
    assert np.array_equal(whole.final, parts.final)
