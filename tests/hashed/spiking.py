"""Runs of spiking networks: every synapse, source, rule of plasticity and of connectivity."""

import tempfile
from pathlib import Path

import networkx as nx
import numpy as np

from circuits.neurons import (
    LIF,
    NMDA,
    PES,
    STDP,
    Alpha,
    ClosedLoop,
    Constant,
    Delta,
    DualExponential,
    EscapeLIF,
    Exponential,
    Gamma,
    HodgkinHuxley,
    Neuron,
    OrnsteinUhlenbeck,
    Piecewise,
    Poisson,
    PoissonSource,
    Population,
    Projection,
    Ramp,
    Record,
    ShortTermPlasticity,
    Signal,
    Sine,
    SpikeSource,
    SpikeTrains,
    SpikingNetwork,
    Step,
    Voja,
    connect,
    read_stream,
)
from physlearn import integrate

CELL = {"tau": 20e-3, "v_rest": 0.0, "v_threshold": 10e-3, "v_reset": 0.0, "refractory": 2e-3}


def generator(seed=0):
    return np.random.default_rng(seed)


def summary(out, *names):
    """What a recording holds, without its state."""
    return {
        "spikes": {name: [s.times, s.ids] for name, s in out.spikes.items()},
        "traces": {name: [t.t, t.values] for name, t in out.traces.items()},
        "weights": out.weights,
    }


def follow(network, seconds, dt=1e-4, **more):
    return summary(integrate(network, (0.0, seconds), dt=dt, **more))


def leak(x, current, p, out):
    out[0] = (p[1] - x[0] + current) / p[0]


def over(x, p):
    return x[0] >= p[2]


def back(x, p):
    x[0] = p[3]


LEAKY = Neuron(
    leak, ("v",), over, back, parameters={"tau": 20e-3, "rest": 0.0, "high": 10e-3, "low": 0.0}, refractory=2e-3
)


def listening(receptor, weight, model=None, n=20, seconds=0.05, delay=1.5e-3, method="auto"):
    """One receptor of a population that hears trains of spikes, and itself."""
    rng = generator(1)
    receptors = {"r": receptor}
    trains = SpikeTrains(
        "n", times=np.sort(rng.choice(np.arange(1, 400), 60)) * 1e-4, ids=rng.integers(n, size=60), weight=weight
    )
    network = SpikingNetwork(
        {"n": Population(model or LIF(**CELL), n, receptors=receptors)},
        [Projection("n", "n", connect.fixed_probability(0.2), weight=weight, delay=delay)],
        [trains, Constant("n", 9e-3)],
        seed=2,
    )
    return follow(network, seconds, record={"n": Record(["v", "r"], every=1e-3)}, method=method)


def balanced(
    model=None, *, reversal=False, seconds=0.05, n=80, weight=0.3e-3, plasticity=None, delay=1.5e-3, rng=3, **more
):
    """Excitatory and inhibitory neurons under Poisson spikes and noise."""
    up, down = ({"reversal": 60e-3}, {"reversal": -10e-3}) if reversal else ({}, {})
    receptors = {"exc": Exponential(5e-3, **up), "inh": Exponential(10e-3, **down)}
    cells = model or LIF(**CELL)
    populations = {name: Population(cells, k, receptors=receptors) for name, k in (("E", n), ("I", n // 4))}
    sign = 1.0 if reversal else -1.0
    w = 0.02 if reversal else 1e-3
    projections = [
        Projection("E", "I", connect.fixed_probability(0.1), weight=w, delay=delay, receptor="exc"),
        Projection("I", "E", connect.fixed_indegree(5), weight=sign * 3 * w, delay=1e-3, receptor="inh"),
        Projection(
            "E", "E", connect.fixed_probability(0.1), weight=w, delay=delay, receptor="exc", plasticity=plasticity
        ),
    ]
    inputs = [Poisson(name, 6000.0, weight=w, receptor="exc") for name in populations]
    network = SpikingNetwork(populations, projections, inputs, seed=4)
    record = {"E": Record(["v"], every=5e-3), "I": "spikes"}
    return follow(network, seconds, rng=rng, record=record, **more)


def rules(connectivity, *, targets=None, sources=30, **more):
    """What a rule of connectivity draws, and what its network does."""
    n = targets or sources
    positions = {name: generator(k).random((size, 2)) for k, (name, size) in enumerate((("s", sources), ("t", n)))}
    populations = {
        "s": Population(PoissonSource(200.0), sources, positions=positions["s"]),
        "t": Population(LIF(**CELL), n, receptors={"d": Delta()}, positions=positions["t"]),
    }
    settings = {"weight": 2e-3, "delay": 1e-3} | more
    network = SpikingNetwork(populations, [Projection("s", "t", connectivity, **settings)], seed=5)
    return network.synapses("s->t"), follow(network, 0.05, rng=3)


def wide(**more):
    """Targets of more than 65536 neurons, or parts of a population in threads."""
    n = 70_000
    populations = {"s": Population(PoissonSource(400.0), 4), "t": Population(LIF(**CELL), n, receptors={"d": Delta()})}
    projection = Projection("s", "t", connect.fixed_probability(0.02), weight=more.pop("weight", 11e-3), delay=1e-3)
    return follow(SpikingNetwork(populations, [projection], seed=5), 0.01, rng=3, **more)


def plastic(pairing="all", dependence="additive"):
    rule = STDP(15e-3, 25e-3, 0.02, 0.015, w_max=1.0, pairing=pairing, dependence=dependence)
    rng = generator(6)
    made = []
    for n in (6, 4):
        steps = [np.sort(rng.choice(np.arange(1, 900), 30, replace=False)) for _ in range(n)]
        made.append(SpikeSource(np.concatenate(steps) * 1e-4, np.repeat(np.arange(n), 30)))
    populations = {"s": Population(made[0], 6), "t": Population(made[1], 4, receptors={"r": Exponential(5e-3)})}
    projection = Projection("s", "t", connect.all_to_all(), weight=0.4, delay=1.3e-3, plasticity=rule)
    record = {"s->t": Record(["w"], every=1e-2)}
    return follow(SpikingNetwork(populations, [projection]), 0.1, record=record)


def released(facilitation):
    rule = ShortTermPlasticity(0.3, tau_recovery=100e-3, tau_facilitation=facilitation)
    times = np.array([10, 30, 50, 70, 90, 500, 510]) * 1e-4
    source = Population(SpikeSource(times, np.zeros(7, int)), 1)
    target = Population(LIF(**CELL), 1, receptors={"r": Exponential(5e-3)})
    projection = Projection("s", "t", connect.one_to_one(), weight=2e-3, delay=1e-3, plasticity=rule)
    return follow(SpikingNetwork({"s": source, "t": target}, [projection]), 0.06, record={"t": Record(["r"])})


def inputs(given, receptors=None):
    network = SpikingNetwork({"n": Population(LIF(**CELL), 30, receptors=receptors or {"d": Delta()})}, inputs=[given])
    return follow(network, 0.05, rng=7, record={"n": Record(["v"], every=5e-3)})


def continued():
    """Two halves of a run, by the state between them."""
    rule = STDP(15e-3, 25e-3, 1e-5, 1e-5, w_max=1e-3)
    receptors = {"r": Exponential(5e-3)}
    network = SpikingNetwork(
        {"n": Population(LIF(**CELL), 40, receptors=receptors)},
        [Projection("n", "n", connect.fixed_probability(0.2), weight=5e-4, delay=2e-3, plasticity=rule)],
        [OrnsteinUhlenbeck("n", mean=12e-3, sigma=4e-3, tau=5e-3)],
        seed=2,
    )
    half = integrate(network, (0.0, 0.03), dt=1e-4, rng=3)
    return summary(half), summary(integrate(network, (0.03, 0.06), dt=1e-4, state=half.state))


def swept(threads=1):
    network = SpikingNetwork(
        {"E": Population(LIF(**CELL), 40, receptors={"d": Delta()})},
        [Projection("E", "E", connect.fixed_probability(0.1), weight=0.5e-3, delay=1e-3)],
        [Poisson("E", 9000.0, 0.1e-3), Constant("E", 4e-3)],
        seed=2,
    )
    sweep = {"E.tau": [15e-3, 20e-3], "E->E.weight": [0.1e-3, -0.5e-3], "input 0.rate": [8000.0, 12000.0]}
    return [summary(out) for out in integrate(network, (0.0, 0.05), dt=1e-4, rng=3, sweep=sweep, threads=threads)]


def streamed():
    network = SpikingNetwork({"n": Population(LIF(**CELL), 10)}, inputs=[OrnsteinUhlenbeck("n", 12e-3, 4e-3, 5e-3)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        integrate(network, (0.0, 0.05), dt=1e-4, rng=3, stream=path, record={"n": Record(["v"], every=1e-3)})
        spikes, traces = read_stream(path)
        return [np.array(spikes["n"].times), np.array(spikes["n"].ids), np.array(traces["n"].values)]


def coded(plasticity=None, kernel=None):
    """A projection of low rank onto itself, a probe, a signal."""
    rng = generator(8)
    decoders, encoders = 2e-3 * rng.standard_normal((50, 3)), rng.standard_normal((3, 50))
    cells = LIF(
        tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, refractory=2e-3, exact_times=plasticity is not None
    )
    area = kernel or Exponential(5e-3, normalised="area")
    network = SpikingNetwork(
        {"a": Population(cells, 50)},
        [
            Projection(
                "a",
                "a",
                connect.low_rank(decoders, encoders),
                delay=1e-3,
                receptor=area,
                plasticity=plasticity,
                name="loop",
            ),
            Projection("a", None, connect.low_rank(decoders), receptor=area, name="seen"),
        ],
        [Constant("a", np.linspace(1.1, 2.0, 50)), Signal("a", lambda t: t[:, None] * [1.0, -1.0, 2.0], encoders)],
    )
    return follow(
        network, 0.1, dt=1e-3, record={"a": "spikes", "seen": Record(["x"]), "loop": Record(["x"], every=5e-3)}
    )


def sliced():
    populations = {"s": Population(PoissonSource(200.0), 30)}
    populations["t"] = Population(LIF(**CELL), 20, receptors={"n": NMDA(reversal=60e-3, slope=20e-3)})
    rule = connect.where(lambda i, j: 0.5 * (i > j))
    network = SpikingNetwork(populations, [Projection("s[10:]", "t[::2]", rule, weight=0.05, delay=1e-3)])
    return follow(network, 0.05, rng=3, record={"t": Record(["v"], every=5e-3)})


def late_plasticity():
    rule = STDP(15e-3, 25e-3, 0.02, 0.015, w_max=1.0)
    delay = lambda s, t, g: 1e-4 * (1 + (s + 2 * t) % 5)  # noqa: E731
    populations = {"s": Population(PoissonSource(100.0), 9), "t": Population(LIF(**CELL), 4, receptors={"d": Delta()})}
    projection = Projection("s", "t", connect.all_to_all(), weight=0.4, delay=delay, plasticity=rule)
    return follow(SpikingNetwork(populations, [projection]), 0.1, rng=2)


def looped():
    network = SpikingNetwork(
        {"a": Population(LIF(**CELL), 3)}, inputs=[Signal("a", [15e-3], np.ones((1, 3)), name="u")]
    )
    loop = ClosedLoop(lambda t, seen: {"u": [15e-3 + 1e-3 * seen["a"].sum()]}, every=5e-3)
    return follow(network, 0.1, closed_loop=loop)


RUNS = {
    "low rank": coded,
    "low rank, gamma": lambda: coded(kernel=Gamma(3e-3, 2)),
    "low rank, PES": lambda: coded(PES(1e-3, {"seen": 1.0, "loop": -0.5})),
    "low rank, Voja": lambda: coded(Voja(0.01)),
    "slices, where, NMDA": sliced,
    "STDP with a delay per synapse": late_plasticity,
    "closed loop": looped,
    "escape noise": lambda: balanced(EscapeLIF(20e-3, 0.0, 10e-3, 2e-3, 50.0, 0.0, refractory=2e-3)),
}
SYNAPSES = {
    "delta": (lambda **r: Delta(), 1e-3),
    "exponential": (lambda **r: Exponential(5e-3, **r), 2e-3),
    "alpha": (lambda **r: Alpha(3e-3, **r), 2e-3),
    "dual exponential": (lambda **r: DualExponential(1e-3, 5e-3, **r), 2e-3),
    "gamma": (lambda **r: Gamma(2e-3, order=2, **r), 2e-3),
    "exponential, area": (lambda **r: Exponential(5e-3, normalised="area", **r), 1.2e-5),
}
for _name, (_receptor, _weight) in SYNAPSES.items():
    RUNS[f"synapse, {_name}"] = lambda r=_receptor, w=_weight: listening(r(), w)
    RUNS[f"synapse, {_name}, exact times"] = lambda r=_receptor, w=_weight: listening(
        r(), w, LIF(**CELL, exact_times=True)
    )
    if _name not in ("delta", "exponential, area"):
        RUNS[f"synapse, {_name}, conductance"] = lambda r=_receptor: listening(r(reversal=60e-3), 0.02)
        RUNS[f"synapse, {_name}, user's neuron"] = lambda r=_receptor, w=_weight: listening(r(), w, LEAKY)
RUNS |= {
    "balanced": balanced,
    "balanced, conductances": lambda: balanced(reversal=True),
    "balanced, user's neuron": lambda: balanced(LEAKY),
    "balanced, threads": lambda: balanced(threads=2),
    "balanced, depression": lambda: balanced(plasticity=ShortTermPlasticity(0.5, tau_recovery=0.1)),
    "balanced, plastic": lambda: balanced(plasticity=STDP(20e-3, 20e-3, 1e-5, 1e-5, w_max=2e-3)),
    "balanced, delays": lambda: balanced(
        delay=lambda sources, targets, rng: rng.uniform(1e-3, 3e-3, len(sources)).round(4)
    ),
    "squid with synapses": lambda: listening(
        Exponential(5e-3, reversal=0.0), 1.0, HodgkinHuxley.squid(), 5, 0.02, method="auto"
    ),
    "connected, probability": lambda: rules(connect.fixed_probability(0.2), targets=40),
    "connected, indegree": lambda: rules(connect.fixed_indegree(4), targets=40),
    "connected, indegree, repeated": lambda: rules(connect.fixed_indegree(4, repeated=True), targets=40),
    "connected, one to one": lambda: rules(connect.one_to_one()),
    "connected, all": lambda: rules(connect.all_to_all(), targets=40),
    "connected, distance": lambda: rules(connect.distance_dependent(lambda d: 0.5 * np.exp(-d / 0.2)), targets=40),
    "connected, matrix": lambda: rules(connect.from_matrix(1e-3 * generator(9).random((30, 30))), weight=None),
    "connected, graph": lambda: rules(connect.from_graph(nx.cycle_graph(30))),
    "own weights": lambda: rules(
        connect.fixed_probability(0.2),
        targets=40,
        weight=lambda sources, targets, rng: rng.normal(2e-3, 5e-4, len(sources)),
    ),
    "own delays": lambda: rules(
        connect.fixed_probability(0.2),
        targets=40,
        delay=lambda sources, targets, rng: rng.integers(5, 30, len(sources)) * 1e-4,
    ),
    "wide": wide,
    "wide, own weights": lambda: wide(weight=lambda sources, targets, rng: rng.uniform(5e-3, 12e-3, len(sources))),
    "wide, threads": lambda: wide(threads=2),
    "plastic": plastic,
    "plastic, nearest": lambda: plastic("nearest"),
    "plastic, multiplicative": lambda: plastic(dependence="multiplicative"),
    "depression": lambda: released(0.0),
    "facilitation": lambda: released(50e-3),
    "input, poisson": lambda: inputs(Poisson("n", 8000.0, 0.2e-3)),
    "input, poisson, each its own": lambda: inputs(Poisson("n", generator(9).uniform(100.0, 9000.0, 30), 0.5e-3)),
    "input, poisson, in time": lambda: inputs(Poisson("n", lambda t: 8000.0 * (1 + np.sin(200 * t)), 0.2e-3)),
    "input, poisson, rare": lambda: inputs(Poisson("n", 0.9, 11e-3)),
    "input, step": lambda: inputs(Step("n", 15e-3, start=0.01, stop=0.04)),
    "input, ramp": lambda: inputs(Ramp("n", 0.0, 30e-3, start=0.0, stop=0.05)),
    "input, sine": lambda: inputs(Sine("n", 25e-3, frequency=40.0, phase=0.3)),
    "input, piecewise": lambda: inputs(Piecewise("n", [0.0, 0.02], [15e-3, 30e-3])),
    "input, noise": lambda: inputs(OrnsteinUhlenbeck("n", mean=9e-3, sigma=5e-3, tau=5e-3)),
    "continued": continued,
    "swept": swept,
    "swept, threads": lambda: swept(2),
    "streamed": streamed,
}
