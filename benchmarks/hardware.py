"""Coupled learning in imperfect hardware against the ideal network: processor seconds of one thread, in one run.

16 nodes and 32 elements, steps of one sample; each fault alone and all of them, least of interleaved runs.

    python benchmarks/hardware.py
"""

from common import table  # isort: skip (sets thread counts first)

import time

import numpy as np

from circuits import Circuit, Hardware, ResistorNetwork, TransistorEdge, square_lattice
from physlearn import SGD, CoupledLearning, SquaredError, learn

RUNS, SAMPLES = 25, 200


def resistors(rng):
    graph = square_lattice(4, 4, periodic=True)
    return ResistorNetwork(graph, conductance=rng.uniform(0.5, 2.0, 32), ground=0, inputs=[5, 10, 7], outputs=[3, 12])


def transistors(rng):
    graph = square_lattice(4, 4, periodic=True)
    for u, v in graph.edges:
        graph.edges[u, v]["element"] = TransistorEdge(float(rng.uniform(1.5, 4.0)))
    return Circuit(graph, ground=0, inputs=[14, 7, 10], outputs=[9, 2])


def measure(make, bounds, lr, epochs):
    rng = np.random.default_rng(0)
    network = make(rng)
    data = {"input": rng.uniform(0, 0.9, (SAMPLES, 3)), "output": rng.uniform(0, 0.3, (SAMPLES, 2))}
    everything = dict(bounds=bounds, levels=128, rounding="stochastic", threshold=1e-9, update_noise=1e-4)
    everything |= dict(measurement_noise=1e-3, measurement_offset=1e-4, clamp_bias=1e-4, active=0.5)
    faults = {
        "none": {},
        "128 levels": dict(bounds=bounds, levels=128, rounding="sign"),
        "desynchronised": dict(active=0.5),
        "noise of updates": dict(update_noise=1e-4),
        "noise of measurements": dict(measurement_noise=1e-3),
        "bias, offsets": dict(clamp_bias=0.01, measurement_offset=1e-4),
        "drift, failures": dict(drift=1e-6, failure_rate=1e-7),
        "unequal twins": dict(mismatch=0.01),
        "all but unequal twins": everything,
        "all": everything | dict(mismatch=0.01),
    }
    machines = {"ideal network": network} | {name: Hardware(network, rng=0, **parts) for name, parts in faults.items()}
    settings = dict(rule=CoupledLearning(0.1), optimizer=SGD(lr), cost=SquaredError("output"), batch=1, rng=0)
    least = dict.fromkeys(machines, np.inf)
    for run in range(RUNS + 1):
        for name, machine in machines.items():
            start = time.process_time()
            done = learn(machine, data, epochs=epochs, **settings)
            assert done.method == "compiled"
            least[name] = min(least[name], time.process_time() - start if run else np.inf)
    ideal = least["ideal network"]
    return [(name, f"{t / epochs / SAMPLES * 1e6:.2f}", f"{t / ideal:.2f}") for name, t in least.items()]


if __name__ == "__main__":
    for title, settings in (
        ("resistors", (resistors, (0.05, 4.0), 0.01, 25)),
        ("transistors", (transistors, (0.9, 8.0), 10.0, 4)),
    ):
        table(title, measure(*settings), ("fault", "microseconds a step", "of the ideal"))
