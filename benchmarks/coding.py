"""Population codes beside Nengo: a channel, integrator, oscillator, Lorenz attractor, PES, and decoders.

Processor time of a step of 1 ms, the decoded value of the last ensemble recorded, spikes not; the time to build is
counted apart.  Nengo's NumPy simulator runs in the same process, interleaved, where it is installed
(``pip install --no-deps nengo``); decoders run in a process each, for their peak memory.

    python benchmarks/coding.py [workload ...]
"""

import argparse
import subprocess
import sys
import time

import common  # first: it sets thread counts before NumPy is imported
import numpy as np

from circuits.neurons import (
    PES,
    Connection,
    Ensemble,
    PopulationCode,
    Record,
    communication_channel,
    decoders,
    lorenz,
    oscillator,
)
from physlearn import integrate

try:
    import nengo

    nengo.rc.set("decoder_cache", "enabled", "False")
    nengo.rc.set("progress", "progress_bar", "False")
except ImportError:
    nengo = None

DT = 1e-3


def wave(d):
    """A sine for each dimension, within the ball."""
    phase, size = np.arange(d), 0.6 / np.sqrt(d)
    return lambda t: size * np.sin(2 * np.pi * np.asarray(t)[..., None] + phase)


def pulses(t):
    """Input of the integrator: up by 0.5, and down again."""
    t = np.asarray(t)
    return np.where((t >= 0.2) & (t < 0.7), 1.0, np.where((t >= 2.0) & (t < 2.5), -1.0, 0.0))[..., None]


def ours():
    """{workload: (duration, build a network and the name of its probe)}."""

    def channel(n, d):
        return communication_channel(n, d, rng=1).network({"a": wave(d)}), "b.decoded"

    def integrators():
        ensembles = {name: Ensemble(500, 1, rng=k) for k, name in enumerate("ax")}
        both = [Connection("a", "x", lambda x: 0.1 * x, tau=0.1), Connection("x", "x", tau=0.1)]
        return PopulationCode(ensembles, both).network({"a": pulses}), "x.decoded"

    def turning():
        kick = {"x.input": lambda t: np.multiply.outer(np.where(np.asarray(t) < 0.1, 10.0, 0.0), [1.0, 0.0])}
        return oscillator(500, 1.0, rng=1).network(kick), "x.decoded"

    def learning():
        ensembles = {name: Ensemble(500, 2, rng=k) for k, name in enumerate(("a", "b", "error"))}
        ways = [Connection("a", "b", lambda x: 0.0 * x, tau=5e-3), Connection("b", "error", tau=5e-3)]
        rule = {"a->b": PES(1e-4, "error.decoded")}
        u = wave(2)
        given = {"a": u, "error": lambda t: -u(t)}
        return PopulationCode(ensembles, ways).network(given, plasticity=rule), "b.decoded"

    return {
        "channel, 2 x 500, D = 1": (1.0, lambda: channel(500, 1)),
        "integrator, 2 x 500": (5.0, integrators),
        "oscillator, 500, D = 2": (5.0, turning),
        "Lorenz, 2,000, D = 3": (5.0, lambda: (lorenz(2000, rng=1).network(), "x.decoded")),
        "PES, 3 x 500, D = 2": (5.0, learning),
        "channel, 2 x 5,000, D = 64": (1.0, lambda: channel(5000, 64)),
    }


def theirs():
    """{workload: build a Nengo network and its probe}."""

    def channel(n, d):
        u = nengo.Node(wave(d))
        a, b = nengo.Ensemble(n, d), nengo.Ensemble(n, d)
        nengo.Connection(u, a, synapse=None)
        nengo.Connection(a, b, synapse=5e-3)
        return b

    def integrators():
        u = nengo.Node(pulses)
        a, b = nengo.Ensemble(500, 1), nengo.Ensemble(500, 1)
        nengo.Connection(u, a, synapse=None)
        nengo.Connection(a, b, transform=0.1, synapse=0.1)
        nengo.Connection(b, b, synapse=0.1)
        return b

    def turning():
        u = nengo.Node(lambda t: [1, 0] if t < 0.1 else [0, 0])
        a = nengo.Ensemble(500, 2)
        nengo.Connection(u, a)
        turn = 0.2 * np.pi
        nengo.Connection(a, a, transform=[[1, -turn], [turn, 1]], synapse=0.1)
        return a

    def attractor():
        def flow(x):
            slope = [10 * (x[1] - x[0]), -x[0] * x[2] - x[1], x[0] * x[1] - 8 / 3 * (x[2] + 28)]
            return [x[k] + 0.1 * slope[k] for k in range(3)]

        a = nengo.Ensemble(2000, 3, radius=60)
        nengo.Connection(a, a, function=flow, synapse=0.1)
        return a

    def learning():
        u = nengo.Node(wave(2))
        a, b, error = nengo.Ensemble(500, 2), nengo.Ensemble(500, 2), nengo.Ensemble(500, 2)
        nengo.Connection(u, a, synapse=None)
        taught = nengo.Connection(a, b, function=lambda x: [0.0, 0.0], learning_rule_type=nengo.PES(1e-4), synapse=5e-3)
        nengo.Connection(b, error, synapse=5e-3)
        nengo.Connection(u, error, transform=-1, synapse=None)
        nengo.Connection(error, taught.learning_rule)
        return b

    builders = [lambda: channel(500, 1), integrators, turning, attractor, learning, lambda: channel(5000, 64)]
    return dict(zip(ours(), builders, strict=True))


def simulator(build):
    """Seconds to build a Nengo simulator, and the simulator."""
    start = time.process_time()
    with nengo.Network(seed=1) as net:
        nengo.Probe(build(), synapse=0.02)
    made = nengo.Simulator(net, progress_bar=False)
    return time.process_time() - start, made


def row(name, repeats=3):
    """Microseconds of a step, seconds to build; the least of interleaved turns."""
    duration, make = ours()[name]
    make()  # compiles
    start = time.process_time()
    network, probe = make()
    built, record = time.process_time() - start, {probe: Record(["x"])}
    integrate(network, (0.0, 0.05), dt=DT, record=record)
    peer_built, peer = simulator(theirs()[name]) if nengo else (np.nan, None)
    if peer:
        peer.run(0.05)
    found = []
    for _ in range(repeats):
        start = time.process_time()
        integrate(network, (0.0, duration), dt=DT, record=record)
        middle = time.process_time()
        if peer:
            peer.run(duration)
        found.append((middle - start, time.process_time() - middle if peer else np.nan))
    us, them = np.min(found, axis=0) * 1e6 * DT / duration
    return (
        f"{name}, {duration:g} s",
        f"{us:.1f} us",
        f"{them:.0f} us",
        f"{them / us:.1f}",
        f"{built:.2f} s",
        f"{peer_built:.2f} s",
    )


def solve(who, n, d):
    """Seconds to build and decode one ensemble, and what this process took at most, MiB."""
    if who == "physlearn":
        decoders(Ensemble(20, d, rng=1))  # loads SciPy and BLAS
        start = time.process_time()
        found = decoders(Ensemble(n, d, rng=1))
        spent, error = time.process_time() - start, float(np.sqrt(np.mean(found.distortion**2)))
    else:
        start = time.process_time()
        with nengo.Network(seed=1) as net:
            a = nengo.Ensemble(n, d)
            link = nengo.Connection(a, nengo.Node(size_in=d))
        made = nengo.Simulator(net, progress_bar=False)
        spent = time.process_time() - start
        x = np.random.default_rng(2).standard_normal((4000, d))
        x *= (np.random.default_rng(3).random((4000, 1)) ** (1 / d)) / np.linalg.norm(x, axis=1, keepdims=True)
        _, rates = nengo.utils.ensemble.tuning_curves(a, made, inputs=x)
        error = float(np.sqrt(np.mean((rates @ made.data[link].weights.T - x) ** 2)))
        made.close()
    with open("/proc/self/status") as status:  # ru_maxrss begins with what the parent had when it forked
        most = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(spent, error, most / 1024)


def solvers(n, d):
    """A row: time, error, peak memory of both."""
    found = []
    for who in ("physlearn", "nengo") if nengo else ("physlearn",):
        command = [sys.executable, __file__, "--solve", who, str(n), str(d)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append([float(word) for word in done.stdout.split()])
    us, them = found[0], found[1] if nengo else [np.nan] * 3
    return (
        f"{n:,} neurons, D = {d}", f"{us[0]:.3f} s", f"{them[0]:.2f} s", f"{them[0] / us[0]:.0f}",
        f"{us[2]:.0f} / {them[2]:.0f} MiB", f"{us[1]:.2e} / {them[1]:.2e}",
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", help="words of the workloads to run; default all")
    parser.add_argument("--solve", nargs=3, metavar=("WHO", "N", "D"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.solve:
        solve(given.solve[0], int(given.solve[1]), int(given.solve[2]))
        return
    chosen = [name for name in ours() if not given.workloads or any(word in name for word in given.workloads)]
    if chosen:
        columns = ("workload", "physlearn, a step", "Nengo", "ratio", "build", "Nengo's build")
        common.table("Population codes in spikes, steps of 1 ms", [row(name) for name in chosen], columns)
    if not given.workloads or "decoders" in given.workloads:
        columns = ("decoders", "physlearn", "Nengo", "ratio", "peak memory", "rms distortion")
        rows = [solvers(n, d) for n, d in ((8000, 1), (2000, 1), (2000, 2), (2000, 4))]
        common.table("Ensemble and decoders, a process each", rows, columns)


if __name__ == "__main__":
    main()
