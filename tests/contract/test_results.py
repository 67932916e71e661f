"""One set of names for results: t, final, to_dataset; x0 takes a final state of any verb that moves the variables."""

import numpy as np
import pytest

import physlearn as pl
from circuits.neurons import (
    LIF,
    AdEx,
    Constant,
    Exponential,
    OrnsteinUhlenbeck,
    Population,
    Projection,
    Record,
    SpikingNetwork,
    connect,
    fi_curve,
)
from physlearn import Energy, Readout, Real, Spin, SquaredError
from physlearn.learning import ExactGradient
from physlearn.models import Assembly
from physlearn.terms import Edges, Lattice, Pairs, Parabola

pytest.importorskip("xarray")

RING = Energy({"s": (Spin(), 4)}, [Pairs("s", [(0, 1), (1, 2), (2, 3), (3, 0)])], {"J": np.ones(4)})
FORCES = {"k": np.full(3, 2.0), "l": np.ones(2)}
WELLS = Energy({"x": (Real(), 3), "y": (Real(), 2)}, [Parabola("x", "k"), Parabola("y", "l")], FORCES)
CHAIN = Energy({"x": (Real(), 3)}, [Edges("x", [(0, 1), (1, 2)])], {"conductance": [1.0, 2.0]},
               {"ends": Readout("x", [0, 2]), "y": Readout("x", [1])})  # fmt: skip
SOUP = Assembly(2, 0.3 * np.ones((2, 2, 2)), 0.5, Lattice((2, 2)))
CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3)


def network():
    cells = Population(CELL, 20, receptors={"e": Exponential(5e-3)})
    wires = [Projection("E", "E", connect.fixed_probability(0.2), weight=1e-3, delay=1e-3)]
    inputs = [Constant("E", 12e-3), OrnsteinUhlenbeck("E", 0.0, 3e-3, 5e-3)]
    return SpikingNetwork({"E": cells}, wires, inputs, seed=2)


def test_relaxations():
    x0 = {"x": np.ones((4, 3)), "y": np.zeros((4, 2))}
    rest = pl.relax(WELLS, x0)
    assert rest.final is rest.x
    data = rest.to_dataset()
    assert data["x"].dims == ("item", "x_dim_0") and data["energy"].shape == data["residual"].shape == (4,)
    assert pl.relax(CHAIN, clamp={"ends": [1.0, 0.0]}).to_dataset()["x"].values == pytest.approx([1, 1 / 3, 0])
    assert data.attrs["converged"] == 1 and "Equilibrium" in repr(rest)


def test_flows_and_rests_continue_each_other():
    run = pl.integrate(WELLS, (0.0, 0.1), x0={"x": [1.0, 2.0, 3.0], "y": [1.0, 1.0]})
    on = pl.integrate(WELLS, (0.1, 0.2), x0=run.final)
    assert on.final["x"] == pytest.approx(np.array([1, 2, 3]) * np.exp(-0.4), rel=1e-5)
    drawn = pl.sample(WELLS, temperature=1.0, n_samples=3, chains=2, x0=run.final, rng=0)
    for final in (run.final, drawn.final, pl.relax(WELLS, run.final).final):
        assert pl.relax(WELLS, final).converged
        assert pl.integrate(WELLS, (0.0, 0.1), x0=final).t[-1] == 0.1


def test_discrete_results():
    drawn = pl.sample(RING, temperature=1.0, n_samples=5, chains=3, rng=0)
    cooled = pl.anneal(RING, [2.0, 0.5], reads=3, x0=drawn.final, rng=0)
    assert np.array_equal(cooled.final, cooled.states)
    data = cooled.to_dataset()
    assert data["x"].dims == ("read", "x_dim_0") and data["temperature"].shape == (2,) and data["energy"].shape == (3,)
    again = pl.greedy(RING, reads=3, x0=cooled.final, rng=0)
    assert np.all(again.energies <= cooled.energies) and "read" in again.to_dataset().dims
    assert pl.sample(RING, temperature=1.0, n_samples=1, chains=3, x0=again.final, rng=0).energy.shape == (3, 1)
    annealed = pl.population_annealing(RING, temperatures=[4.0, 2.0, 1.0], population=200, rng=0)
    data = annealed.to_dataset()
    assert data["log_z"].dims == data["free_energy"].dims == ("temperature",) and data["x"].dims[0] == "member"
    assert np.array_equal(annealed.final, annealed.states)


def test_tempering_continues_from_its_own_end():
    """Every replica goes on at its own temperature: at temperatures of nothing the states stay."""
    settings = {"temperatures": [1e-6, 2e-6, 3e-6], "chains": 2, "n_samples": 1, "warmup": 0, "sweeps": 1}
    start = np.where(np.random.default_rng(0).random((3, 2, 1)) < 0.5, -1.0, 1.0) * np.ones(4)
    end = pl.tempering(RING, x0=start, rng=0, **settings)
    assert np.array_equal(end.final["s"].sum(-1) ** 2, np.full((3, 2), 16.0))
    assert sorted(end.final["s"][:, 0, 0]) == sorted(start[:, 0, 0])  # aligned states only change places
    more = pl.tempering(RING, x0=end.final, rng=1, **settings)
    assert sorted(more.final["s"][:, 1, 0]) == sorted(start[:, 1, 0])
    assert end.to_dataset()["energy"].dims == ("temperature", "chain", "draw")


def test_kinetics():
    run = pl.kinetics(SOUP, temperature=1.0, t_span=5.0, record=4, rng=0)
    data = run.to_dataset()
    assert data["x"].dims[0] == data["energy"].dims[0] == "time" and data.time.attrs["units"] == run.unit
    drawn = pl.sample(SOUP, temperature=1.0, n_samples=1, chains=1, rng=0)
    for final in (run.final, drawn.final):
        on = pl.kinetics(SOUP, temperature=1.0, t_span=1.0, x0=final, rng=0)
        assert np.array_equal(on.x[0], np.reshape(final["s"] if isinstance(final, dict) else final, (2, 2)))


def test_trainings():
    data = {"ends": [[1.0, 0.0]], "y": [[0.4]]}
    settings = {"rule": ExactGradient(), "optimizer": pl.SGD(0.1), "cost": SquaredError("y")}
    trained = pl.learn(CHAIN, data, epochs=3, **settings)
    table = trained.to_dataset()
    assert table["cost"].dims == ("epoch",) and table.epoch.values.tolist() == trained.t.tolist() == [1, 2, 3]
    more = pl.learn(CHAIN, data, epochs=2, resume=trained, **settings)
    assert more.t[-1] == more.epochs and len(more.t) == len(more.cost)


def test_networks_of_neurons_continue_from_a_final_state():
    whole = pl.integrate(network(), (0.0, 0.1), dt=1e-4, rng=3)
    record = {"E": Record(["v", "e"], every=1e-2, neurons=[3, 5], spikes="all")}
    first = pl.integrate(network(), (0.0, 0.04), dt=1e-4, rng=3, record=record)
    second = pl.integrate(network(), (0.04, 0.1), dt=1e-4, x0=first.final)
    times = np.concatenate([first.spikes["E"].times, second.spikes["E"].times])
    assert np.array_equal(times, whole.spikes["E"].times) and len(times) > 10
    old = pl.integrate(network(), (0.04, 0.1), dt=1e-4, state=first.state)
    assert np.array_equal(old.spikes["E"].times, second.spikes["E"].times) and first.state is first.final
    assert first.t.tolist() == [0.0, 0.04]
    data = first.to_dataset()
    assert data["E.v"].dims == ("E.time", "E.neuron") and data["E.neuron"].values.tolist() == [3, 5]
    assert np.array_equal(data["E.spike_time"], first.spikes["E"].times) and data["E.v"].attrs["units"] == "V"
    traces = first.traces["E"]
    assert np.array_equal(traces.final["v"], traces["v"][-1])
    assert traces.to_dataset().equals(traces.to_xarray()) and traces.to_dataset()["v"].dims == ("time", "neuron")
    assert first.spikes["E"].to_dataset()["neuron"].shape == (len(first.spikes["E"]),)
    both = pl.integrate(network(), (0.0, 0.02), dt=1e-4, rng=3, sweep={"E.tau": [20e-3, 30e-3]})
    on = pl.integrate(network(), (0.02, 0.03), dt=1e-4, sweep={"E.tau": [20e-3, 30e-3]}, x0=[run.final for run in both])
    assert [run.t_stop for run in on] == pytest.approx([0.03, 0.03])


def test_tuning_curves_and_cells():
    curve = fi_curve(CELL, [9e-3, 15e-3], duration=0.2)
    assert curve.to_dataset()["rate"].sel(current=15e-3) == curve.rate[1]
    cell = AdEx()
    run = pl.integrate(cell.system(0.3e-9), (0.0, 0.5))
    assert pl.relax(cell.system(0.3e-9), run.final).converged and run.to_dataset()["x"].dims == ("time", "x_dim_0")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"x0": "end"}, TypeError, "x0: got a str, expected the `final` state of a Recording"),
        ({"state": 3}, TypeError, "state: got a int"),
        ({"sweep": {"E.tau": [20e-3, 30e-3]}, "x0": "end"}, ValueError, "x0: got .* expected a list of 2"),
    ],
)
def test_wrong_states_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        pl.integrate(network(), (0.0, 0.1), dt=1e-4, **settings)


def test_two_states_or_one_of_another_time_are_refused():
    end = pl.integrate(network(), (0.0, 0.01), dt=1e-4).final
    with pytest.raises(ValueError, match="x0, state: got both"):
        pl.integrate(network(), (0.01, 0.02), dt=1e-4, x0=end, state=end)
    with pytest.raises(ValueError, match="x0: it is of t = 0.01 s"):
        pl.integrate(network(), (0.02, 0.03), dt=1e-4, x0=end)
