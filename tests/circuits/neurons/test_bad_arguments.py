"""Neurons, synapses, inputs and statistics name the argument that is wrong."""

import numpy as np
import pytest
from scipy.sparse import coo_array

from circuits.neurons import (
    LIF,
    STDP,
    Adaptive,
    AdEx,
    Alpha,
    Constant,
    Delta,
    Exponential,
    Gamma,
    Gate,
    HodgkinHuxley,
    Neuron,
    OrnsteinUhlenbeck,
    Piecewise,
    Poisson,
    PoissonSource,
    Population,
    Projection,
    Ramp,
    Rate,
    Record,
    Sine,
    Spikes,
    SpikeSource,
    SpikeTrains,
    SpikingNetwork,
    Step,
    connect,
    fi_curve,
    fixed_points,
    hopf_points,
    jacobian,
    lif_rate,
    mean_field,
    nullclines,
    reduced_slope,
    siegert_cv,
    siegert_rate,
    spike_train_filter,
    state_at,
    traub_miles_gates,
)
from physlearn import integrate

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=20e-3, v_reset=10e-3, refractory=2e-3)
SQUID = HodgkinHuxley.squid()
SPIKES = Spikes([0.1, 0.2, 0.3], [0, 1, 0], n=2, t_stop=1.0)
RULE = connect.fixed_probability(0.1)


def network(**changes):
    populations = {"E": Population(CELL, 3, receptors={"exc": Delta()})}
    return SpikingNetwork(**{"populations": populations, "projections": [Projection("E", "E", RULE, 1e-3)]} | changes)


def run(**changes):
    settings = {"t_span": (0.0, 1e-3), "dt": 1e-4} | changes
    return integrate(network(), settings.pop("t_span"), **settings)


def field(x, current, p, out):
    out[0] = current - x[0]


@pytest.mark.parametrize(
    "call, argument",
    [
        (lambda: AdEx(a="1"), "a"),
        (lambda: AdEx(slope=True), "slope"),
        (lambda: AdEx(v_peak=None), "v_peak"),
        (lambda: AdEx(a=[1e-9, 2e-9], b=[0.0, 0.0, 0.0]), "b"),
        (lambda: LIF(tau={}, v_rest=0.0, v_threshold=1.0, v_reset=0.0), "tau"),
        (lambda: CELL.initial(10**30), "n"),
        (lambda: Rate("linoid", 1e3, "-40", 10e-3), "midpoint"),
        (lambda: Rate(["linoid"], 1e3, -40e-3, 10e-3), "form"),
        (lambda: Gate(lambda v: v, lambda v: v), "alpha"),
        (lambda: SQUID.m.steady(np.inf), "v"),
        (lambda: SQUID.m.time_constant("rest"), "v"),
        (lambda: traub_miles_gates([0.0]), "v_t"),
        (lambda: HodgkinHuxley.traub_miles(area=np.nan), "area"),
        (lambda: SQUID.rest(True), "current"),
        (lambda: SQUID.slope(np.zeros(3), 0.0), "x"),
        (lambda: Adaptive("1e-9"), "tolerance"),
        (lambda: Neuron(field, variables=7), "variables"),
        (lambda: Neuron(field, units=object()), "units"),
        (lambda: Neuron(field, parameters=[1.0]), "parameters"),
        (lambda: Neuron(field, parameters={"a": "x"}), "parameters"),
        (lambda: Neuron(field, refractory="0"), "refractory"),
        (lambda: Neuron(field).slope([0.0], np.inf), "current"),
        (lambda: connect.fixed_probability("0.1"), "p"),
        (lambda: connect.fixed_probability(0.1, self_connections="no"), "self_connections"),
        (lambda: connect.fixed_indegree(10**30), "k"),
        (lambda: connect.fixed_indegree(3, repeated=1), "repeated"),
        (lambda: connect.all_to_all(None), "self_connections"),
        (lambda: connect.distance_dependent(0.5), "probability"),
        (lambda: connect.distance_dependent(lambda: 0.5), "probability"),
        (lambda: connect.from_matrix("matrix"), "matrix"),
        (lambda: connect.from_matrix(coo_array([[np.nan, 1.0]])), "matrix"),
        (lambda: connect.from_matrix([[1.0]], weighted="yes"), "weighted"),
        (lambda: connect.from_graph([(0, 1)]), "graph"),
        (lambda: Constant(3, 1.0), "target"),
        (lambda: Constant("E", True), "current"),
        (lambda: Sine("E", 1.0, frequency="40"), "frequency"),
        (lambda: Step("E", "1", start=0.0), "current"),
        (lambda: Ramp("E", 0.0, 1.0, start=-np.inf, stop=1.0), "start"),
        (lambda: Piecewise("E", [0.0, 1.0], [1 + 1j, 0.0]), "values"),
        (lambda: OrnsteinUhlenbeck("E", 0.0, 1.0, tau=None), "tau"),
        (lambda: Poisson("E", lambda: 5.0, 1.0), "rate"),
        (lambda: Poisson("E", 5.0, 1.0, receptor=3), "receptor"),
        (lambda: PoissonSource([[1.0]]), "rate"),
        (lambda: SpikeSource({"times": 1}, [0]), "times"),
        (lambda: SpikeTrains("E", ["a"], [0], 1.0), "times"),
        (lambda: SpikeTrains({}, [0.1], [0], 1.0), "target"),
        (lambda: Exponential("5 ms"), "tau"),
        (lambda: Exponential(5e-3, reversal=True), "reversal"),
        (lambda: Gamma(np.nan), "tau"),
        (lambda: Alpha(1e-3, normalised=["peak"]), "normalised"),
        (lambda: Alpha(1e-3).response("1 ms"), "t"),
        (lambda: Population(CELL, 10**30), "n"),
        (lambda: Population(CELL, 2, initial={"v": "rest"}), "initial"),
        (lambda: Population(CELL, 2, positions=[["a"], ["b"]]), "positions"),
        (lambda: Projection(1, "E", RULE, 1.0), "source"),
        (lambda: Projection("E", "E", RULE, lambda: 1.0), "weight"),
        (lambda: Projection("E", "E", RULE, 1.0, delay=None), "delay"),
        (lambda: Projection("E", "E", RULE, 1.0, plasticity=STDP), "plasticity"),
        (lambda: Projection("E", "E", RULE, 1.0, name=object()), "name"),
        (lambda: network(seed=-1), "seed"),
        (lambda: network(seed=None), "seed"),
        (lambda: network(projections="E->E"), "projections"),
        (lambda: network(inputs=[Constant]), "inputs"),
        (lambda: network().synapses({}), "name"),
        (lambda: run(dt="1e-4"), "dt"),
        (lambda: run(t_span=1.0), "t_span"),
        (lambda: run(t_span=(0.0, 1e30)), "t_span"),
        (lambda: run(threads=10**30), "threads"),
        (lambda: run(rng=-1), "rng"),
        (lambda: run(sweep={3: [1.0]}), "sweep"),
        (lambda: Record(["v"], every="1 ms"), "every"),
        (lambda: Record(["v"], neurons=["first"]), "neurons"),
        (lambda: Record([1]), "variables"),
        (lambda: Record(spikes="yes"), "spikes"),
        (lambda: Spikes(["a"], [0], n=1, t_stop=1.0), "times"),
        (lambda: Spikes([], [], n=10**30, t_stop=1.0), "n"),
        (lambda: Spikes.from_trains(3, t_stop=1.0), "trains"),
        (lambda: SPIKES.between("0", 1.0), "t_start"),
        (lambda: SPIKES.between(0.0, np.nan), "t_stop"),
        (lambda: SPIKES.select("first"), "neurons"),
        (lambda: SPIKES.select([5]), "neurons"),
        (lambda: SPIKES.cv(min_intervals=1.5), "min_intervals"),
        (lambda: SPIKES.fano("0.1"), "window"),
        (lambda: SPIKES.binned(1e-30), "width"),
        (lambda: SPIKES.population_rate(None), "width"),
        (lambda: spike_train_filter({}, Alpha(1e-3), times=[0.1]), "spikes"),
        (lambda: spike_train_filter([0.1], Alpha, times=[0.1]), "kernel"),
        (lambda: spike_train_filter([0.1], Alpha(1e-3), times=["a"]), "times"),
        (lambda: state_at(None, -65e-3), "model"),
        (lambda: jacobian(SQUID, [0.0, 0.0]), "state"),
        (lambda: fixed_points(CELL, 0.0), "model"),
        (lambda: fixed_points(SQUID, "0"), "current"),
        (lambda: hopf_points(SQUID, v_range=(0.0, 1.0, 2.0)), "v_range"),
        (lambda: nullclines(SQUID, 0.0, [-65e-3], slope=None), "slope"),
        (lambda: reduced_slope(SQUID, -65e-3, "n", 0.0), "n"),
        (lambda: lif_rate(1.0, "cells"), "cells"),
        (lambda: lif_rate(1.0, CELL, dt="1e-4"), "dt"),
        (lambda: siegert_rate(True, 1e-3, CELL), "mean"),
        (lambda: siegert_cv(20e-3, {}, CELL), "deviation"),
        (
            lambda: mean_field(CELL, indegree=[[1, 2]] * 2, weight=[0.1] * 3, external_rate=1.0, external_weight=1.0),
            "weight",
        ),
        (
            lambda: mean_field(CELL, indegree=[[10.0]], weight=[[1e-4]], external_rate=np.nan, external_weight=1e-4),
            "external_rate",
        ),
        (lambda: fi_curve(CELL, "many"), "current"),
        (lambda: fi_curve(CELL, [0.01], duration="1 s"), "duration"),
        (lambda: fi_curve(CELL, [0.01], noise=1.0), "noise"),
    ],
)
def test_the_argument_is_named(call, argument):
    with pytest.raises((ValueError, TypeError), match=rf"(?<![A-Za-z0-9_]){argument}(?![A-Za-z0-9_])"):
        call()


def test_what_means_something_is_still_taken():
    assert len(SPIKES.between(-np.inf, np.inf)) == 3
    assert SPIKES.select([-1]).n == 1 and SPIKES.select(np.array([True, False])).n == 1
    assert Step("E", 1.0, start=-np.inf).start == -np.inf
    assert connect.distance_dependent(lambda d: 0.0 * d, period=[1.0, np.inf]).period[1] == np.inf
    assert connect.fixed_indegree(np.int64(3)).k == 3
