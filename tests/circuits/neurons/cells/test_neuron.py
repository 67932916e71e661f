"""A user's neuron: FitzHugh-Nagumo against SciPy, a hand-written LIF against ours, the squid as plain functions, the
cache.
"""

import subprocess
import sys

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    Adaptive,
    Constant,
    Delta,
    HodgkinHuxley,
    Neuron,
    Population,
    Projection,
    Record,
    SpikingNetwork,
    connect,
)
from circuits.neurons.cells import hodgkin_huxley_steps as squid_steps
from physlearn import DivergenceError, integrate


def fitzhugh_nagumo(x, current, p, out):
    out[0] = x[0] - x[0] ** 3 / 3.0 - x[1] + current
    out[1] = (x[0] + p[0] - p[1] * x[1]) / p[2]


def high(x, p):
    return x[0] >= 1.0


def leak(x, current, p, out):
    out[0] = (p[1] - x[0] + current) / p[0]


def over(x, p):
    return x[0] >= p[2]


def back(x, p):
    x[0] = p[3]


def explode(x, current, p, out):
    out[0] = x[0] * x[0] + current


NAGUMO = Neuron(fitzhugh_nagumo, ("v", "w"), high, parameters={"a": 0.7, "b": 0.8, "tau": 12.5})


def run(model, current, seconds, *, dt, method="auto", record="spikes"):
    network = SpikingNetwork({"n": Population(model, np.size(current))}, inputs=[Constant("n", current)])
    return integrate(network, (0.0, seconds), dt=dt, method=method, record={"n": record})


def test_parameters_of_a_population_in_parts_reach_their_neurons():
    """A population that is cut by its synapses gives the same as neurons alone."""
    n = 6144
    taus = np.linspace(10e-3, 30e-3, n)
    cell = Neuron(leak, ("v",), over, back, parameters={"tau": taus, "rest": 0.0, "high": 10e-3, "low": 0.0},
                  rest={"v": np.linspace(0.0, 5e-3, n)})  # fmt: skip
    populations = {"s": Population(NAGUMO, 2), "n": Population(cell, n, receptors={"d": Delta()})}
    cut = SpikingNetwork(populations, [Projection("s", "n", connect.all_to_all(), weight=1e-3)],
                         [Constant("n", 15e-3)])  # fmt: skip
    assert len(cut.bounds["n"]) > 2
    whole = SpikingNetwork({"n": Population(cell, n)}, inputs=[Constant("n", 15e-3)])
    one, other = (
        integrate(network, (0.0, 0.05), dt=1e-3, record={"n": "spikes"}).spikes["n"] for network in (cut, whole)
    )
    assert len(one.times) > n
    assert np.array_equal(one.times, other.times) and np.array_equal(one.ids, other.ids)


def solved(seconds, current=0.5):
    from scipy.integrate import solve_ivp

    def crossing(t, x):
        return x[0] - 1.0

    crossing.direction = 1
    found = solve_ivp(
        lambda t, x: [x[0] - x[0] ** 3 / 3 - x[1] + current, (x[0] + 0.7 - 0.8 * x[1]) / 12.5],
        (0, seconds), [0.0, 0.0], method="DOP853", rtol=1e-12, atol=1e-12, events=crossing,
    )  # fmt: skip
    return found.y[:, -1], found.t_events[0]


def final(method, dt, seconds=50.0):
    trace = run(NAGUMO, 0.5, seconds, dt=dt, method=method, record=Record(["v", "w"], every=seconds)).traces["n"]
    return np.array([trace["v"][-1, 0], trace["w"][-1, 0]])


@pytest.mark.parametrize("method, order", [("euler", 1), ("exponential_euler", 1), ("rk4", 4)])
def test_order_of_fitzhugh_nagumo(method, order, tol):
    exact, _ = solved(50.0)
    steps = (0.1, 0.05) if order == 4 else (0.01, 0.005)
    errors = [np.abs(final(method, dt) - exact).max() for dt in steps]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=tol.ORDER_ODE)


def test_adaptive_follows_its_tolerance():
    exact, _ = solved(50.0)
    errors = [np.abs(final(Adaptive(tolerance), 5.0) - exact).max() for tolerance in (1e-4, 1e-6, 1e-8, 1e-10)]
    assert all(b < 0.1 * a for a, b in zip(errors[:-1], errors[1:], strict=True)) and errors[-1] < 1e-8


def test_one_spike_for_each_upward_crossing():
    _, exact = solved(200.0)
    times = run(NAGUMO, 0.5, 200.0, dt=0.02).spikes["n"].times
    assert len(times) == len(exact) > 3
    assert np.all((times >= exact - 1e-6) & (times <= exact + 0.02 + 1e-6))


def test_a_leaky_neuron_of_plain_functions_is_the_built_in_one():
    numbers = {"tau": 20e-3, "rest": -70e-3, "threshold": -50e-3, "reset": -60e-3}
    cell = Neuron(leak, ("v",), over, back, parameters=numbers, rest={"v": -70e-3}, refractory=2e-3, scales=[1e-3])
    built = LIF(tau=20e-3, v_rest=-70e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=2e-3)
    current = np.linspace(0.0, 0.06, 20)
    right = run(built, current, 0.3, dt=1e-4).spikes["n"]
    for method in ("exponential_euler", "rk4", "adaptive"):  # exact or nearly so for a linear field
        spikes = run(cell, current, 0.3, dt=1e-4, method=method).spikes["n"]
        if method == "adaptive":  # it waits at threshold within the step, which does not move a spike of the grid
            assert np.array_equal(spikes.ids, right.ids)
        assert np.array_equal(spikes.times, right.times) and np.array_equal(spikes.ids, right.ids)


def test_diagonal_exponential_euler_of_the_squid_is_its_own(tol):
    """The squid is linear in each variable by itself, so the generic method is the special one, to the differences."""
    squid = HodgkinHuxley.squid()
    program = squid.program(1, 1e-5, (), Adaptive())
    parameters = dict(enumerate(program.floats[-50:]))
    cell = Neuron(
        squid_steps.field, squid.variables, squid_steps.above, parameters=parameters,
        rest=dict(zip(squid.variables, squid.initial(1)[:, 0], strict=True)), scales=[1e-2, 1e-2, 1e-2, 1e-2],
    )  # fmt: skip
    ends = []
    for model in (squid, cell):
        record = Record(["v"], every=5e-3)
        ends.append(run(model, 0.1, 5e-3, dt=1e-5, method="exponential_euler", record=record).traces["n"]["v"][-1, 0])
    assert ends[0] == pytest.approx(ends[1], rel=1e-6)


def test_parameters_per_neuron():
    taus = np.array([8.0, 12.5])
    cell = Neuron(fitzhugh_nagumo, ("v", "w"), high, parameters={"a": 0.7, "b": 0.8, "tau": taus})
    spikes = run(cell, np.full(2, 0.5), 100.0, dt=0.05).spikes["n"]
    assert np.array_equal(spikes.times[spikes.ids == 1], run(NAGUMO, 0.5, 100.0, dt=0.05).spikes["n"].times)
    assert not np.array_equal(spikes.times[spikes.ids == 0], spikes.times[spikes.ids == 1])


@pytest.mark.parametrize("method", ["euler", "rk4", "adaptive"])
def test_divergence_is_reported(method):
    with pytest.raises(DivergenceError, match="neuron 0 of population 'n' diverged in the step to t = [12]"):
        run(Neuron(explode, ("v",)), 1.0, 20.0, dt=0.1 if method != "euler" else 0.05, method=method)


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from mine import field, threshold
from circuits.neurons import Constant, Neuron, Population, SpikingNetwork
from physlearn import integrate
from physlearn.kernels.cfuncs import FIELD, compiled
network = SpikingNetwork({"n": Population(Neuron(field, ("v", "w"), threshold), 1)}, inputs=[Constant("n", 0.5)])
run = integrate(network, (0.0, 100.0), dt=0.1)
hits = compiled(field, FIELD, "field", "and read x and p by number").cache_hits
print(len(run.spikes["n"].times), hits)
"""


def test_a_second_process_compiles_nothing(tmp_path):
    source = "def field(x, current, p, out):\n    out[0] = x[0] - x[0] ** 3 / 3 - x[1] + current\n"
    source += "    out[1] = (x[0] + 0.7 - 0.8 * x[1]) / 12.5\n\n\ndef threshold(x, p):\n    return x[0] > 1.0\n"
    (tmp_path / "mine.py").write_text(source)

    def hits():
        command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    first, second = hits(), hits()
    assert first[0] == second[0] == "3" and (int(first[1]), int(second[1])) == (0, 1)


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: Neuron(leak, "v"), TypeError, "variables"),
        (lambda: Neuron(leak, ("v", "v")), ValueError, "variables"),
        (lambda: Neuron(over, ("v",)), TypeError, "field takes 2 arguments"),
        (lambda: Neuron(None, ("v",)), TypeError, "field=None"),
        (lambda: Neuron(leak, ("v",), reset=back), ValueError, "reset without a threshold"),
        (lambda: Neuron(leak, ("v",), rest={"u": 0.0}), ValueError, "rest: 'u'"),
        (lambda: Neuron(leak, ("v",), parameters={"tau": np.nan}), ValueError, "tau"),
        (lambda: Neuron(leak, ("v",), scales=[0.0]), ValueError, "scales"),
        (lambda: Neuron(leak, ("v",), refractory=-1.0), ValueError, "refractory"),
        (lambda: run(Neuron(leak, ("v",)), 0.0, 1.0, dt=0.1, method="exact"), ValueError, "method"),
        (lambda: run(Neuron(uncompilable, ("v",)), 0.0, 1.0, dt=0.1), TypeError, "field: Numba cannot compile"),
        (lambda: Neuron(lazy, ("v",)).slope([0.0], 0.0), ValueError, "must write every number"),
    ],
)
def test_bad_input_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def uncompilable(x, current, p, out):
    out[0] = {"v": object()}


def lazy(x, current, p, out):
    pass
