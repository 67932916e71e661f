"""Runs of population codes: ensembles, decoders, the standard codes, networks that spike down an energy."""

import numpy as np

from circuits.neurons import (
    BalancedNetwork,
    Ensemble,
    WinnerTakeAll,
    WinnerTakeAllSTDP,
    communication_channel,
    controlled_integrator,
    decoders,
    integrator,
    legendre_memory,
    lorenz,
    oscillator,
)
from physlearn import SGD, ContrastiveHebbian, SquaredError, integrate, learn, relax


def sine(t):
    return 0.5 + 0.4 * np.sin(2 * np.pi * t)


def solved(n, dimensions, **more):
    ensemble = Ensemble(n, dimensions, rng=1)
    found = decoders(ensemble, {"x": None, "square": lambda x: (x * x).sum(1)}, **more)
    return {"tuning": ensemble.tuning(np.full((2, dimensions), 0.3)), "found": found}


def flowing(code, x0, **more):
    run = integrate(code, (0.0, 0.3), x0=x0, dt=1e-3, **more)
    return {"theta": code.theta, "end": run.final}


def taught():
    code = communication_channel(20, 1, tau=0.01, rng=2).with_theta({"a->b.decoders": np.zeros((20, 1))})
    x = np.linspace(-1, 1, 10)[:, None]
    task = dict(rule=ContrastiveHebbian(), cost=SquaredError("b"), optimizer=SGD(1e-6), epochs=5, batch=2, rng=0)
    return learn(code, {"a": x, "b": x**2}, **task)


def won():
    bits = np.random.default_rng(0).integers(0, 2, (40, 4))
    start = WinnerTakeAll.random(2, 4, rng=1)
    task = dict(rule=WinnerTakeAllSTDP(), optimizer=SGD(0.05, bounds={"W": (-5.0, 0.0)}), epochs=3, rng=0)
    return learn(start, {"y": start.lines(bits)}, **task)


def balanced(dimensions, signal):
    run = integrate(BalancedNetwork.spread(30, dimensions, rng=1), (0.0, 0.3), dt=1e-3, signal=signal, rng=1)
    return {"times": run.spikes.times, "ids": run.spikes.ids, "estimate": run.estimate, "r": run.final}


RUNS = {
    "decoders, line": lambda: solved(60, 1),
    "decoders, line, dual": lambda: solved(300, 1),
    "decoders, disc": lambda: solved(60, 2),
    "decoders, ball": lambda: solved(60, 3),
    "decoders, six dimensions": lambda: solved(60, 6, points=512),
    "channel": lambda: relax(communication_channel(60, 2, rng=1), clamp={"a": [0.3, 0.4]}),
    "integrator": lambda: flowing(integrator(60, rng=1), [0.5]),
    "integrator, rest": lambda: relax(integrator(60, rng=1), [0.5]),
    "integrator, controlled": lambda: flowing(controlled_integrator(60, rng=1), [0.5, 1.0], clamp={"control": [0.5]}),
    "oscillator": lambda: flowing(oscillator(60, rng=1), [1.0, 0.0]),
    "lorenz": lambda: flowing(lorenz(60, rng=1), [5.0, 5.0, -5.0]),
    "legendre memory": lambda: flowing(legendre_memory(20, rng=1), np.zeros(6), clamp={"u": [1.0]}),
    "taught": taught,
    "winner takes all": won,
    "balanced": lambda: balanced(1, sine),
    "balanced, plane": lambda: balanced(2, lambda t: np.column_stack([np.cos(3 * t), np.sin(3 * t)])),
}
