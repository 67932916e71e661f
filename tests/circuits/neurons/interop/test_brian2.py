"""The same network here and in Brian2: the same spikes, weights and voltages."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

b2 = pytest.importorskip("brian2")

from circuits.neurons import (  # noqa: E402  # noqa: E402
    LIF,
    STDP,
    AdEx,
    Alpha,
    Constant,
    Delta,
    DualExponential,
    Exponential,
    HodgkinHuxley,
    Izhikevich,
    Neuron,
    Poisson,
    PoissonSource,
    Population,
    Projection,
    Record,
    ShortTermPlasticity,
    Sine,
    SpikeSource,
    SpikingNetwork,
    Step,
    connect,
    from_brian2,  # noqa: E402
    to_brian2,  # noqa: E402
)
from physlearn import integrate  # noqa: E402

DT = 1e-4


def still(x, current, p, out):
    out[0] = 0.0


UNIFORM = {"v": lambda generator, n: generator.uniform(-60e-3, -50e-3, n)}
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def numpy_target():
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


def steps_here(spikes):
    found = np.stack([np.rint(spikes.times / DT).astype(int), spikes.ids])
    return found[:, np.lexsort(found[::-1])]


def steps_there(monitor):
    found = np.stack([np.rint(np.asarray(monitor.t) / DT).astype(int) + 1, np.asarray(monitor.i)])
    return found[:, np.lexsort(found[::-1])]


def both(network, duration, **settings):
    here = integrate(network, (0.0, duration), dt=DT, rng=0, **settings)
    there = to_brian2(network, dt=DT, **{k: v for k, v in settings.items() if k == "method"})
    there.run(duration * b2.second, namespace={})
    return here, there


def recurrent(receptors, weights, refractory, n=100):
    """Three projections, excitatory and inhibitory: no delay, one delay, a delay for each synapse."""
    cells = LIF(tau=20e-3, v_rest=-49e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=refractory)
    first, last = list(receptors)[0], list(receptors)[-1]
    up, down = weights
    pairs = connect.fixed_probability(0.1)

    def delays(i, j, generator):
        return DT * generator.integers(0, 40, len(i))

    projections = [
        Projection("E", "E", pairs, weight=lambda i, j, g: g.uniform(0, 2 * up, len(i)), receptor=first),
        Projection("E", "E", pairs, weight=up, delay=1.5e-3, receptor=first, name="late"),
        Projection("E", "E", pairs, weight=down, delay=delays, receptor=last, name="spread"),
    ]
    return SpikingNetwork({"E": Population(cells, n, receptors=receptors, initial=UNIFORM)}, projections, seed=1)


@pytest.mark.parametrize(
    ("receptors", "weights", "refractory"),
    [
        ({"all": Exponential(5e-3)}, (1e-3, -3e-3), 5e-3),
        pytest.param(
            {"exc": Exponential(5e-3), "inh": Exponential(10e-3)}, (1e-3, -3e-3), 5e-3, marks=pytest.mark.slow
        ),
        pytest.param({"exc": Exponential(5e-3), "inh": Exponential(10e-3)}, (1e-3, -3e-3), 0.0, marks=pytest.mark.slow),
        ({"all": Exponential(20e-3)}, (0.3e-3, -1e-3), 0.0),  # as slow as the membrane
        ({"all": Delta()}, (0.5e-3, -1e-3), 1e-3),
        pytest.param({"all": Delta()}, (0.5e-3, -1e-3), 0.0, marks=pytest.mark.slow),
        ({"exc": Exponential(5e-3, reversal=0.0), "inh": Exponential(5e-3, reversal=-80e-3)}, (1e-2, 5e-2), 2e-3),
        pytest.param(
            {"exc": Alpha(3e-3), "inh": DualExponential(1e-3, 7e-3)}, (1e-3, -2e-3), 2e-3, marks=pytest.mark.slow
        ),
    ],
)
def test_recurrent_networks_spike_identically(receptors, weights, refractory):
    network = recurrent(receptors, weights, refractory)
    here, there = both(network, 0.15)
    for name in network.populations:
        spikes = steps_here(here.spikes[name])
        assert spikes.shape[1] > 40
        assert_array_equal(spikes, steps_there(there[f"{name}_spikes"]))


def test_currents_arrays_of_parameters_and_traces(tol):
    rng = np.random.default_rng(1)
    n = 20
    cells = LIF(
        tau=rng.uniform(10e-3, 30e-3, n),
        v_rest=-70e-3,
        v_threshold=rng.uniform(-55e-3, -50e-3, n),
        v_reset=-65e-3,
        refractory=DT * rng.integers(0, 30, n),
        resistance=50e6,
    )
    inputs = [
        Constant("n", rng.uniform(2e-10, 6e-10, n)),
        Step("n", 2e-10, start=20e-3, stop=50e-3),
        Sine("n", 1e-10, frequency=40.0),
    ]
    network = SpikingNetwork(
        {"n": Population(cells, n, receptors={"s": Exponential(4e-3)})},
        [Projection("n", "n", connect.fixed_probability(0.3), weight=1e-10, delay=1e-3)],
        inputs,
    )
    here = integrate(network, (0.0, 0.1), dt=DT, record={"n": Record(["v", "s"])})
    there = to_brian2(network, dt=DT)
    monitor = b2.StateMonitor(there["n"], ("v", "I_s"), record=True, clock=there["n"].clock, when="end")
    there.add(monitor)
    there.run(0.1 * b2.second, namespace={})
    assert len(here.spikes["n"]) > 20
    assert_array_equal(steps_here(here.spikes["n"]), steps_there(there["n_spikes"]))
    assert_allclose(here.traces["n"]["v"], np.asarray(monitor.v).T, rtol=1e-10)
    assert_allclose(here.traces["n"]["s"], np.asarray(monitor.I_s).T, rtol=1e-10, atol=1e-22)


@pytest.mark.parametrize(
    ("pairing", "dependence"),
    [
        ("all", "additive"),
        pytest.param("nearest", "additive", marks=pytest.mark.slow),
        pytest.param("all", "multiplicative", marks=pytest.mark.slow),
        pytest.param("nearest", "multiplicative", marks=pytest.mark.slow),
    ],
)
def test_stdp_weights(pairing, dependence):
    rng = np.random.default_rng(2)
    n, k = 30, 400
    source = SpikeSource(np.sort(rng.choice(np.arange(1, 2900), k, replace=False)) * DT, rng.integers(0, n, k))
    cells = LIF(tau=10e-3, v_rest=-60e-3, v_threshold=-54e-3, v_reset=-60e-3, refractory=1e-3)
    rule = STDP(20e-3, 15e-3, 2e-4, 2.1e-4, w_max=3e-3, pairing=pairing, dependence=dependence)
    network = SpikingNetwork(
        {"in": Population(source, n), "out": Population(cells, 10, receptors={"exc": Exponential(5e-3)})},
        [
            Projection(
                "in",
                "out",
                connect.fixed_probability(0.7),
                weight=lambda i, j, g: g.uniform(0, 3e-3, len(i)),
                delay=1.2e-3,
                plasticity=rule,
            )
        ],
        [Constant("out", 6.5e-3)],
        seed=3,
    )
    here, there = both(network, 0.3)
    assert_array_equal(steps_here(here.spikes["out"]), steps_there(there["out_spikes"]))
    before, after = network.synapses("in->out")[2], here.weights["in->out"]
    assert np.std(after - before) > 1e-4 and len(here.spikes["out"]) > 50
    assert_allclose(after, np.asarray(there["in_to_out"].w), rtol=1e-10, atol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "bound"), [("exponential_euler", 1e-9), ("rk4", 1e-9)])
@pytest.mark.parametrize("model", [HodgkinHuxley.squid(), HodgkinHuxley.traub_miles(area=1.0)], ids=["squid", "traub"])
def test_hodgkin_huxley_voltages(model, method, bound):
    dt, current = 1e-5, np.array([0.05, 0.1, 0.3])
    network = SpikingNetwork({"axon": Population(model, 3)}, inputs=[Constant("axon", current)])
    here = integrate(network, (0.0, 0.03), dt=dt, method=method, record={"axon": Record(["v", "m", "h", "n"])})
    there = to_brian2(network, dt=dt, method=method)
    names = ("v", "m", "h", "n")
    monitor = b2.StateMonitor(there["axon"], names, record=True, clock=there["axon"].clock, when="end")
    there.add(monitor)
    there.run(0.03 * b2.second, namespace={})
    assert len(here.spikes["axon"]) >= 4 and np.ptp(here.traces["axon"]["v"]) > 0.09
    assert_array_equal(
        np.rint(here.spikes["axon"].times / dt).astype(int),
        np.rint(np.asarray(there["axon_spikes"].t) / dt).astype(int) + 1,
    )
    for name in names:
        assert np.max(np.abs(here.traces["axon"][name] - np.asarray(getattr(monitor, name)).T)) < bound  # V, or 1


def test_reading_back_gives_the_same_run():
    for receptors, weights in (
        ({"exc": Exponential(5e-3), "inh": Exponential(10e-3)}, (1e-3, -3e-3)),
        ({"exc": Alpha(3e-3), "inh": DualExponential(1e-3, 7e-3)}, (1e-3, -2e-3)),
        ({"all": Delta()}, (0.5e-3, -1e-3)),
    ):
        network = recurrent(receptors, weights, 2e-3, n=60)
        back = from_brian2(to_brian2(network, dt=DT), namespace={})
        run, again = (integrate(net, (0.0, 0.3), dt=DT) for net in (network, back))
        for name in network.populations:
            assert len(run.spikes[name]) > 30
            assert_array_equal(run.spikes[name].times, again.spikes[name].times)
            assert_array_equal(run.spikes[name].ids, again.spikes[name].ids)


def cuba(n=200):
    """As a user writes it: benchmark 2 of Brette et al. 2007, smaller."""
    taum, taue, taui = 20 * b2.ms, 5 * b2.ms, 10 * b2.ms
    threshold, v_reset, rest = -50 * b2.mV, -60 * b2.mV, -49 * b2.mV
    cells = b2.NeuronGroup(
        n,
        """dv/dt = (ge + gi - (v - rest))/taum : volt (unless refractory)
           dge/dt = -ge/taue : volt
           dgi/dt = -gi/taui : volt""",
        threshold="v > threshold",
        reset="v = v_reset",
        refractory=5 * b2.ms,
        method="exact",
        dt=DT * b2.second,
        name="cells",
    )
    generator = np.random.default_rng(4)
    cells.v = generator.uniform(-60, -50, n) * b2.mV
    we, wi = 1.62 * b2.mV * 8, -9 * b2.mV * 8
    up, down = (b2.Synapses(cells, cells, on_pre=code, dt=DT * b2.second, name=name)
                for code, name in (("ge += we", "up"), ("gi_post += wi", "down")))  # fmt: skip
    for synapses, low, high in ((up, 0, 160), (down, 160, 200)):
        i, j = np.nonzero(generator.random((high - low, n)) < 0.02)
        synapses.connect(i=i + low, j=j)
    down.delay = generator.integers(0, 30, len(down)) * DT * b2.second
    spikes = b2.SpikeMonitor(cells, name="spikes")
    namespace = dict(taum=taum, taue=taue, taui=taui, threshold=threshold, v_reset=v_reset, rest=rest, we=we, wi=wi)
    return b2.Network(cells, up, down, spikes), namespace


@pytest.mark.slow
def test_a_users_network_is_read():
    net, namespace = cuba()
    network = from_brian2(net, namespace=namespace)
    model = network.populations["cells"].model
    assert model.tau == 20e-3 and model.v_rest == pytest.approx(-49e-3) and model.refractory == pytest.approx(4.9e-3)
    here = integrate(network, (0.0, 0.2), dt=DT).spikes["cells"]
    net.run(0.2 * b2.second, namespace=namespace)
    assert len(here) > 300
    assert_array_equal(steps_here(here), steps_there(net["spikes"]))


def group(equations="dv/dt = -v/(10*ms) : volt", threshold="v > 10*mV", reset="v = 0*mV", **more):
    return b2.NeuronGroup(2, equations, threshold=threshold, reset=reset, name="cells", dt=DT * b2.second, **more)


def synapses(cells, **more):
    return b2.Synapses(cells, cells, name="wires", dt=DT * b2.second, **more)


PUSHED = "dv/dt = (push - v)/(10*ms) : volt\npush : volt"


def with_event(code="v = 1*mV"):
    cells = group(events={"half": "v > 5*mV"})
    if code:
        cells.run_on_event("half", code)
    return cells


def moved(thing, part, when):
    part(thing).when = when
    return thing


def slower(cells):
    return b2.NeuronGroup(
        1, "dv/dt = -v/(10*ms) : volt", threshold="v > 10*mV", reset="v = 0*mV", name="slow", dt=2 * DT * b2.second
    )


def linked(cells):
    other = b2.NeuronGroup(2, "dv/dt = -v/(10*ms) : volt", threshold="v > 10*mV", reset="v = 0*mV", name="other")
    cells.push = b2.linked_var(other, "v")
    return other


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: [group("dv/dt = (v**2 - v)/(10*ms) : 1", "v > 1", "v = 0")], "not linear"),
        (lambda: [group("dv/dt = -v/(10*ms) + 0.1*xi/sqrt(ms) : 1", "v > 1", "v = 0", method="euler")], "xi"),
        (lambda: [group("dv/dt = (I0*sin(t/ms) - v)/(10*ms) : volt\nI0 : volt")], "t"),
        (lambda: [group("dv/dt = (w - v)/(10*ms) : volt\ndw/dt = (v - w)/(50*ms) : volt")], "dw/dt depends on"),
        (lambda: [group(threshold="v > 10*mV and i > 0")], "threshold|v > 10"),
        (lambda: [group(reset="v = 0*mV; v += 1*mV")], "reset"),
        (lambda: [group(refractory=2 * b2.ms)], "unless refractory"),
        (lambda: [b2.PoissonGroup(3, 10 * b2.Hz, name="noise")], "noise: a PoissonGroup"),
        (
            lambda: [cells := group(), synapses(cells, model="dx/dt = -x/ms : 1 (event-driven)", on_pre="x += 1")],
            "plastic",
        ),
        (lambda: [cells := group(), synapses(cells, on_pre="v_post += 1*mV", on_post="v_post += 1*mV")], "on_post"),
        (lambda: [cells := group(), synapses(cells, on_pre="v_post += 0.1*v_pre")], "depends on v_pre"),
        (lambda: [cells := group(), synapses(cells, on_pre="v_post = 1*mV")], "on_pre"),
        (lambda: [cells := group(), synapses(cells, on_pre="v_post += 1*mV; v_post += 2*mV")], "on_pre='1.mV; v_post"),
        (lambda: [cells := group(), cells.run_regularly("v = 0*mV", dt=b2.ms)], "run_regularly.*v = 0"),
        (lambda: [with_event()], "event 'half'"),
        (
            lambda: [cells := with_event(""), synapses(cells, on_pre="v_post += 1*mV", on_event="half")],
            "on_event='half'",
        ),
        (lambda: [cells := group(PUSHED), synapses(cells, model="push_post = 1*mV : volt (summed)")], "push_post"),
        (lambda: [cells := group(PUSHED + " (linked)"), linked(cells)], "linked"),
        (lambda: [group(method="euler")], "cells: method='euler' is not read"),
        (lambda: [group(method="rk4")], "cells: method='rk4' is not read"),
        (lambda: [group(PUSHED.replace("push -", "push*int(t < 20*ms) -"))], "cells: dv/dt.*20.ms"),
        (lambda: [group(PUSHED + "\nlimit = 8*mV : volt", "v > limit")], "cells: 'limit' is an expression"),
        (lambda: [moved(group(), lambda cells: cells.thresholder["spike"], "end")], "thresholder: when='end'"),
        (lambda: [moved(group(), lambda cells: cells.resetter["spike"], "groups")], "resetter: when='groups'"),
        (
            lambda: [cells := group(), moved(synapses(cells, on_pre="v_post += 1*mV"), lambda s: s.pre, "start")],
            "pre: when",
        ),
        (lambda: [cells := group(), slower(cells)], "different dt.*slow"),
        (
            lambda: [cells := group(), b2.PoissonInput(cells, "v", 3, 10 * b2.Hz, "1*mV")],
            "weight '1.mV'",
        ),
        (
            lambda: [cells := group(), b2.PoissonInput(cells, "v", 3, 5e3 * b2.Hz, 1 * b2.mV)],
            "poissoninput.*: each source spikes in 0.5 of",
        ),
        (lambda: [cells := group(), b2.PoissonInput(cells[:1], "v", 3, 5 * b2.Hz, 1 * b2.mV)], "part of a group"),
        (
            lambda: [
                cells := group(),
                b2.PoissonInput(cells, "v", 3, 5 * b2.Hz, 1 * b2.mV, when="start"),
            ],
            "poissoninput.*: when='start'",
        ),
    ],
)
def test_what_is_not_read_is_refused_by_name(build, says):
    with pytest.raises(ValueError, match=says):
        net = b2.Network(build())
        for thing in net.objects:
            if isinstance(thing, b2.Synapses):
                thing.connect()
        from_brian2(net, namespace={})


@pytest.mark.parametrize("model, currents", [(AdEx(), (0.6e-9, 1.2e-9)), (Izhikevich.chattering(), (6.0, 12.0))])
@pytest.mark.parametrize("method", ["rk4", "euler"])
def test_two_variable_neurons_spike_identically(model, currents, method):
    cells = Population(model, 6, receptors={"d": Delta()})
    ring = Projection("n", "n", connect.fixed_probability(0.5), weight=0.5e-3, delay=1e-3)
    network = SpikingNetwork({"n": cells}, [ring], [Constant("n", np.linspace(*currents, 6))])
    here, there = both(network, 0.15, method=method)
    assert len(here.spikes["n"].times) > 30
    assert_array_equal(steps_here(here.spikes["n"]), steps_there(there["n_spikes"]))


def test_poisson_spikes_have_the_same_statistics():
    """Means of a receptor fed by two inputs and a source of Poisson spikes, against Campbell's theorem."""
    n, rates = 400, np.linspace(100.0, 3000.0, 400)
    populations = {
        "s": Population(PoissonSource(200.0), n),
        "n": Population(LIF(20e-3, 0.0, 1e3, 0.0), n, receptors={"e": Exponential(5e-3)}),
    }
    wires = [Projection("s", "n", connect.one_to_one(), weight=0.5)]
    network = SpikingNetwork(populations, wires, [Poisson("n", rates, 1.0), Poisson("n", 1000.0, 2.0)])
    net = to_brian2(network, dt=DT)
    monitor = b2.StateMonitor(net["n"], "I_e", record=True, dt=20e-3 * b2.second)
    net.add(monitor)
    b2.seed(3)
    net.run(0.4 * b2.second, namespace={})
    current = np.asarray(monitor.I_e)[:, 3:]  # 12 time constants after the start, samples 4 of them apart
    chance = -np.expm1(-200.0 * DT) / DT
    mean = (rates + 2.0 * 1000.0 + 0.5 * chance) * DT / -np.expm1(-DT / 5e-3)
    variance = (rates + 4.0 * 1000.0 + 0.25 * chance * (1 - chance * DT)) * DT / -np.expm1(-2 * DT / 5e-3)
    z = (current - mean[:, None]) / np.sqrt(variance)[:, None]
    offset = np.array([abs(z.mean()) * np.sqrt(z.size), abs(z.var() - 1.0) * np.sqrt(z.size / 2)])
    assert np.all(offset < 5.0), offset


@pytest.mark.parametrize(
    ("model", "more", "says"),
    [
        (Neuron(still), {}, "a Neuron of plain functions is not translated"),
        (Izhikevich(refractory=1e-3), {}, "refractory"),
        (AdEx(), {"receptors": {"s": Exponential(5e-3)}}, "only Delta"),
        (LIF(20e-3, 0.0, 1.0, 0.0, exact_times=True), {}, "exact_times"),
        (LIF(20e-3, 0.0, 1.0, 0.0, refractory=1e-3), {"receptors": {"s": Exponential(20e-3)}}, "time constant"),
        (LIF(20e-3, 0.0, 1.0, 0.0), {"receptors": {"s": Alpha(2e-3, reversal=0.0)}}, "Alpha kernel"),
        (HodgkinHuxley.squid(), {}, "'auto' of n has no counterpart"),
    ],
)
def test_what_is_not_translated_is_refused_by_name(model, more, says):
    with pytest.raises(ValueError, match=says):
        to_brian2(SpikingNetwork({"n": Population(model, 2, **more)}), dt=DT)


def test_names_that_would_be_one_in_brian2_are_refused():
    cell = LIF(20e-3, 0.0, 1.0, 0.0)
    with pytest.raises(ValueError, match="'E I' and 'E-I' would both be called E_I"):
        to_brian2(SpikingNetwork({"E I": Population(cell, 1), "E-I": Population(cell, 1)}), dt=DT)
    for names in (("a b", "a-b"), ("x", "injected")):
        receptors = {name: Exponential(1e-3) for name in names}
        with pytest.raises(ValueError, match=f"n: receptors: .* and {names[1]!r} would both"):
            to_brian2(SpikingNetwork({"n": Population(cell, 1, receptors=receptors)}), dt=DT)


def test_numbers_of_numpy_are_numbers():
    receptors = {"e": DualExponential(np.float64(2e-3), np.float64(5e-3))}
    cells = Population(LIF(20e-3, 0.0, 1.0, 0.0), 2, receptors=receptors)
    ring = Projection("n", "n", connect.all_to_all(), weight=0.1)
    network = SpikingNetwork({"n": cells}, [ring], [Poisson("n", 3000.0, np.float64(1.0))])
    net = to_brian2(network, dt=DT)
    drawn = next(thing.abstract_code for thing in net.objects if "poisson" in str(getattr(thing, "abstract_code", "")))
    model = HodgkinHuxley.traub_miles(v_t=np.float64(-55e-3))
    gates = to_brian2(SpikingNetwork({"h": Population(model, 1)}), dt=1e-5, method="exponential_euler")["h"].equations
    for code in (net["n_to_n"].pre.code, drawn, str(gates)):
        assert "float64" not in code


def test_inputs_and_plasticity_that_are_not_translated():
    cells = Population(LIF(20e-3, 0.0, 1.0, 0.0), 2, receptors={"s": Exponential(2e-3)})
    with pytest.raises(ValueError, match="varies in time"):
        to_brian2(SpikingNetwork({"n": cells}, inputs=[Poisson("n", rate=np.exp, weight=1.0)]), dt=DT)
    plastic = Projection(
        "n", "n", connect.all_to_all(), weight=1.0, plasticity=ShortTermPlasticity(0.5, tau_recovery=0.1)
    )
    with pytest.raises(ValueError, match="ShortTermPlasticity"):
        to_brian2(SpikingNetwork({"n": cells}, [plastic]), dt=DT)


def rows_of_three(on_pre, **settings):
    """Three neurons, of which the first two have one target in common."""
    cells = b2.NeuronGroup(
        3,
        "dv/dt = (drive - v)/(10*ms) : 1 (unless refractory)\ndrive : 1\nk : 1",
        threshold="v > 1",
        reset="v = 0",
        method="exact",
        refractory=3 * b2.ms,
    )
    cells.drive, cells.k = [2, 0, 0], [1, 2, 3]
    links = b2.Synapses(cells, cells, "w : 1\ndouble = 2*w : 1", on_pre=on_pre, **settings)
    links.connect(i=[1, 0, 0], j=[2, 2, 1])
    links.w = [6, 4, 3]
    return b2.Network(cells, links), cells, links


@pytest.mark.parametrize(
    ("weight", "expected"), [("w/N_incoming", [3, 2, 3]), ("w/N_outgoing", [1.5, 2, 6]), ("w*k", [6, 12, 18])]
)
def test_variables_of_neurons_in_weights_are_those_of_their_synapses(weight, expected):
    net, _, links = rows_of_three(f"v_post += {weight}")
    sources, targets, weights = from_brian2(net).synapses(links.name)
    assert_array_equal(sources, [0, 0, 1])
    assert_array_equal(targets, [1, 2, 2])
    assert_array_equal(weights, expected)


@pytest.mark.parametrize("weight", ["w*v", "double", "w*lastspike/second"])
def test_weights_that_change_are_refused_by_name(weight):
    net, _, links = rows_of_three(f"v_post += {weight}")
    with pytest.raises(ValueError, match=f"{links.name}: on_pre: .* {weight.split('*')[-1].split('/')[0]}, "):
        from_brian2(net)


def test_what_a_group_carries_inside_and_what_is_switched_off_are_refused():
    net, cells, links = rows_of_three("v_post += w")
    links.active = False
    with pytest.raises(ValueError, match=f"{links.name}: active = False"):
        from_brian2(net)
    links.active, cells.active = True, False
    with pytest.raises(ValueError, match=f"{cells.name}: active = False"):
        from_brian2(net)
    cells.active = True
    cells.run_regularly("v = 0", dt=1 * b2.ms)
    with pytest.raises(ValueError, match=r"run_regularly\('v = 0'\)"):
        from_brian2(net)


def test_a_network_that_has_run_is_read_when_nothing_is_pending():
    net, cells, links = rows_of_three("v_post += 0*w", delay=5 * b2.ms)
    net.run(8 * b2.ms)  # the first neuron spikes at 6.9 ms
    with pytest.raises(ValueError, match=f"{cells.name}: neurons are in their refractory period"):
        from_brian2(net)
    net.run(3 * b2.ms)
    with pytest.raises(ValueError, match=f"{links.name}: spikes are on their way"):
        from_brian2(net)
    net.run(2 * b2.ms)
    assert_array_equal(from_brian2(net).populations[cells.name].initial["v"], cells.v[:])


def test_half_a_step_of_delay_is_a_whole_one_as_in_brian2():
    for delay, steps in ((0.05, 1), (0.14, 1), (0.25, 3), (0.45, 5)):
        net, *_ = rows_of_three("v_post += w", delay=delay * b2.ms)
        assert_allclose(from_brian2(net).projections[0].delay, steps * 1e-4, rtol=1e-12)


def test_hodgkin_huxley_receptors_under_rk4_are_refused_by_name():
    cells = Population(HodgkinHuxley(), 2, receptors={"x": Exponential(5e-3, reversal=0.0)})
    with pytest.raises(ValueError, match="E: receptors of HodgkinHuxley .* method='exponential_euler'"):
        to_brian2(SpikingNetwork({"E": cells}), dt=2e-5, method="rk4")
    assert to_brian2(SpikingNetwork({"E": cells}), dt=2e-5, method="exponential_euler").objects


@pytest.mark.parametrize(
    "order", [("synapses", "groups", "thresholds", "resets"), ("groups", "synapses", "thresholds", "resets")]
)
def test_other_schedules_are_refused(order):
    net = b2.Network(group())
    net.schedule = ["start", *order, "end"]
    with pytest.raises(ValueError, match="net: the schedule"):
        from_brian2(net, namespace={})


def spikes_of_both(net, duration=0.1, namespace=None):
    """Spikes of each group here and in Brian2, from one network."""
    here = integrate(from_brian2(net, namespace=namespace or {}), (0.0, duration), dt=DT, rng=0).spikes
    monitors = [b2.SpikeMonitor(thing) for thing in list(net.objects) if isinstance(thing, b2.NeuronGroup)]
    net.add(*monitors)
    net.run(duration * b2.second, namespace=namespace or {})
    for monitor in monitors:
        assert monitor.num_spikes > 5
        assert_array_equal(steps_here(here[monitor.source.name]), steps_there(monitor))


DRIVEN = """dv/dt = (drive*level - v + ge)/(20*ms) : volt (unless refractory)
dge/dt = -ge/(5*ms) : volt
drive : 1
level : volt (shared)
limit : volt"""


@pytest.mark.parametrize(
    "wires",
    [
        lambda cells: [],
        lambda cells: [dict(on_pre="ge += 3*mV", delay=1 * b2.ms)],
        lambda cells: [
            dict(
                on_pre={"a": "ge_post += 3*mV", "b": "ge -= 1*mV"},
                delay={"a": b2.ms, "b": 2 * b2.ms},
            )
        ],
        lambda cells: [
            dict(model="w : volt", on_pre="ge_post += w", set={"w": "(i + 1)*mV", "delay": "(i + j)*0.35*ms"})
        ],
        lambda cells: [dict(model="w : volt (shared)", on_pre="ge_post -= w", set={"w": "-2*mV"})],
        lambda cells: [
            dict(model="w : volt", on_pre="ge_post += w/N_incoming", set={"w": "9*mV"}, ends=(slice(0, 3), slice(2, 5)))
        ],
        lambda cells: [
            dict(model="w : volt", on_pre="ge_post += w", multisynaptic_index="k", twice=True, set={"w": "(k + 1)*mV"})
        ],
        lambda cells: [dict(on_pre="v_post += 3*mV*int(not_refractory_post)"), dict(on_pre="ge_post += 1*mV")],
    ],
)
def test_networks_of_brian2_spike_here_as_there(wires):
    cells = b2.NeuronGroup(
        5, DRIVEN, threshold="v > limit", reset="v = 1*mV", refractory="4*dt", method="exact", name="cells"
    )
    cells.drive, cells.level, cells.limit = np.linspace(4, 9, 5), 2 * b2.mV, "(9 + 0.2*i)*mV"
    cells.v = "i*mV"
    things = [cells]
    for number, settings in enumerate(wires(cells)):
        given, ends = settings.pop("set", {}), settings.pop("ends", (slice(None), slice(None)))
        twice = settings.pop("twice", False)
        source, target = (cells if end == slice(None) else cells[end] for end in ends)
        things.append(b2.Synapses(source, target, name=f"wires{number}", **settings))
        for _ in range(1 + twice):
            things[-1].connect(condition="i != j")
        for name, value in given.items():
            setattr(things[-1], name, value)
    spikes_of_both(b2.Network(things))


@pytest.mark.parametrize("jump", ["1*mV", "3*mV", "-2*mV", "11*mV"])
def test_jumps_of_v_act_after_the_reset_in_the_schedule_of_to_brian2(jump):
    cells = b2.NeuronGroup(5, DRIVEN, threshold="v > limit", reset="v = 1*mV", method="exact", name="cells")
    cells.drive, cells.level, cells.limit = np.linspace(5, 9, 5), 2 * b2.mV, 10 * b2.mV
    wires = b2.Synapses(cells, cells, on_pre=f"v_post += {jump}", name="wires")
    wires.connect(condition="(i + j) % 3 == 1")
    wires.delay = "(i + 1)*0.3*ms"
    net = b2.Network(cells, wires)
    net.schedule = ["start", "groups", "thresholds", "resets", "synapses", "end"]
    spikes_of_both(net)


def test_jumps_in_refractory_periods_are_told_of(caplog):
    cells = group("dv/dt = -v/(10*ms) : volt (unless refractory)", refractory=2 * b2.ms)
    for code, told in (("v_post += 1*mV", 1), ("v_post += 1*mV*int(not_refractory_post)", 0)):
        caplog.clear()
        wires = synapses(cells, on_pre=code)
        wires.connect()
        from_brian2(b2.Network(cells, wires), namespace={})
        assert sum("moves v in refractory periods" in record.getMessage() for record in caplog.records) == told


@pytest.mark.parametrize("net", [None, "net", b2.Network, [], 3])
def test_anything_but_a_network_is_refused(net):
    with pytest.raises(TypeError, match="^net: got"):
        from_brian2(net)
    with pytest.raises(TypeError, match="^namespace: got"):
        from_brian2(b2.Network(), namespace=[1])
