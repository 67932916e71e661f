"""Runs of single neurons: every model and every method, what their spikes tell, and theory beside them."""

import numpy as np

from circuits.neurons import (
    LIF,
    AdEx,
    Alpha,
    Constant,
    DualExponential,
    Exponential,
    Gamma,
    Gate,
    HodgkinHuxley,
    Izhikevich,
    Neuron,
    OrnsteinUhlenbeck,
    Population,
    Rate,
    Record,
    SpikingNetwork,
    fi_curve,
    fixed_points,
    hopf_points,
    jacobian,
    lif_rate,
    mean_field,
    nullclines,
    reduced_slope,
    saddle_nodes,
    siegert_cv,
    siegert_rate,
    spike_train_filter,
    state_at,
)
from physlearn import integrate, relax

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


def driven(model, current, seconds=0.1, *, dt=1e-4, every=5e-3, **more):
    """Some neurons under constant currents, every variable recorded."""
    current = np.asarray(current, dtype=float)
    network = SpikingNetwork({"n": Population(model, len(current))}, inputs=[Constant("n", current)])
    record = {"n": Record(list(model.variables), every=every)}
    return follow(network, seconds, dt, record=record, **more)


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


NAGUMO = Neuron(fitzhugh_nagumo, ("v", "w"), high, parameters={"a": 0.7, "b": 0.8, "tau": 12.5})
LEAKY = Neuron(
    leak, ("v",), over, back, parameters={"tau": 20e-3, "rest": 0.0, "high": 10e-3, "low": 0.0}, refractory=2e-3
)
LIF_CURRENTS, SQUID_CURRENTS = [9e-3, 11e-3, 15e-3, 30e-3], [0.05, 0.1, 0.2]


def statistics():
    network = SpikingNetwork({"n": Population(LIF(**CELL), 10)}, inputs=[OrnsteinUhlenbeck("n", 12e-3, 8e-3, 5e-3)])
    s = integrate(network, (0.0, 0.5), dt=1e-4, rng=3).spikes["n"]
    return [
        s.counts,
        s.rate(),
        s.rates(),
        s.isi(),
        s.cv(),
        s.fano(0.05),
        s.binned(0.01),
        s.population_rate(0.01),
        s.between(0.1, 0.2).times,
        s.select([1, 3]).ids,
        [spike_train_filter(s.trains[0], kernel, times=np.linspace(0, 0.5, 20)) for kernel in KERNELS],
    ]


KERNELS = [Exponential(5e-3), Alpha(5e-3), Gamma(2e-3, order=2), DualExponential(1e-3, 5e-3)]


def theories():
    cells = LIF(**(CELL | {"v_threshold": 20e-3, "v_reset": 10e-3}))
    field = mean_field(
        cells, indegree=[[100, 25]] * 2, weight=[[1e-4, -5e-4]] * 2, external_rate=20e3, external_weight=1e-4
    )
    rate = fi_curve(LIF(**CELL, exact_times=True), [9e-3, 12e-3], duration=0.1)
    return (
        lif_rate([9e-3, 12e-3], LIF(**CELL)),
        siegert_rate(21e-3, 7e-3, cells),
        siegert_cv(21e-3, 7e-3, cells),
        field,
        [rate.current, rate.rate, rate.cv, rate.spikes.times],
    )


def phase_plane():
    squid = HodgkinHuxley.squid()
    v = np.linspace(-0.08, 0.02, 5)
    return (
        fixed_points(squid, 0.1),
        hopf_points(squid),
        jacobian(squid, state_at(squid, squid.rest())),
        nullclines(squid, 0.1, v),
        reduced_slope(squid, v, np.full(5, 0.4), 0.1),
        fixed_points(HodgkinHuxley.traub_miles(), 0.0),
    )


def cells_as_systems():
    cells = [(AdEx(), 0.3e-9, None), (Izhikevich(), 1.0, None), (NAGUMO, 0.3, (-3.0, 3.0))]
    return [
        [
            fixed_points(cell, current, v_range=v_range),
            saddle_nodes(cell, v_range=v_range),
            nullclines(cell, current, cell.initial(1)[0]),
            relax(cell.system(current)),
            integrate(cell.system(current), (0.0, 0.02), times=[0.01, 0.02]),
        ]
        for cell, current, v_range in cells
    ]


def own_gates():
    """A squid with another sodium gate."""
    squid = HodgkinHuxley.squid()
    gate = Gate(Rate("linoid", 1e3, -41e-3, 10e-3), Rate("exponential", 4e3, -65e-3, -18e-3))
    return driven(HodgkinHuxley.squid(m=gate), SQUID_CURRENTS, 0.03, dt=2e-5), squid.steady_current(np.array([-0.06]))


SPREAD = generator(8).uniform(15e-3, 25e-3, 4)
RUNS = {
    "lif": lambda: driven(LIF(**CELL), LIF_CURRENTS),
    "lif, exact times": lambda: driven(LIF(**CELL, exact_times=True), LIF_CURRENTS),
    "lif, each its own": lambda: driven(LIF(**(CELL | {"tau": SPREAD})), LIF_CURRENTS),
    "lif, exponential euler": lambda: driven(LIF(**CELL), LIF_CURRENTS, method="exponential_euler"),
    "adex": lambda: driven(AdEx(), [0.5e-9, 1e-9], 0.05, dt=5e-5),
    "izhikevich": lambda: driven(Izhikevich(), [5.0, 10.0]),
    "izhikevich, kinds": lambda: [
        driven(kind(), [10.0])
        for kind in (
            Izhikevich.intrinsically_bursting,
            Izhikevich.chattering,
            Izhikevich.fast_spiking,
            Izhikevich.low_threshold_spiking,
        )
    ],
    "squid": lambda: driven(HodgkinHuxley.squid(), SQUID_CURRENTS, 0.03, dt=2e-5),
    "traub and miles": lambda: driven(HodgkinHuxley.traub_miles(), [0.2e-9, 0.5e-9], 0.03, dt=2e-5),
    "squid, own gates": own_gates,
    "neuron": lambda: driven(NAGUMO, [0.3, 0.5], 50.0, dt=0.1, every=1.0),
    "neuron, reset": lambda: driven(LEAKY, LIF_CURRENTS),
}
for _method in ("exponential_euler", "strang", "rk4", "adaptive"):
    RUNS[f"squid, {_method}"] = lambda m=_method: driven(HodgkinHuxley.squid(), SQUID_CURRENTS, 0.03, dt=1e-5, method=m)
for _method in ("euler", "exponential_euler", "rk4", "adaptive"):
    RUNS[f"adex, {_method}"] = lambda m=_method: driven(AdEx(), [0.5e-9, 1e-9], 0.05, dt=5e-5, method=m)
    RUNS[f"izhikevich, {_method}"] = lambda m=_method: driven(Izhikevich(), [5.0, 10.0], method=m)
    RUNS[f"neuron, {_method}"] = lambda m=_method: driven(LEAKY, LIF_CURRENTS, method=m)
RUNS |= {
    "cells as systems": cells_as_systems,
    "statistics": statistics,
    "theory": theories,
    "phase plane": phase_plane,
}
