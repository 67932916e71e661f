"""Linear solves: a full batch on a 128x128 grid, one solve on 512x512, resistance on a random graph.

Usage: python benchmarks/linear.py [--without-cholmod]
"""

import sys

if "--without-cholmod" in sys.argv:
    sys.modules["sksparse"] = None  # as if it were not installed

from common import grid_pairs, processor_time, seconds, table  # isort: skip (sets thread counts first)

import networkx as nx
import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from physlearn import SGD, CoupledLearning, Energy, Readout, Real, SquaredError, learn, relax
from physlearn.terms import Edges


def laplacian(pairs, g, nodes):
    i, j = pairs.T
    rows, cols = np.concatenate([i, j, i, j]), np.concatenate([i, j, j, i])
    return sp.csc_matrix((np.concatenate([g, g, -g, -g]), (rows, cols)), (nodes, nodes))


def full_batch():
    n, samples, outputs = 128, 1000, 10
    pairs, rng = grid_pairs(n), np.random.default_rng(0)
    place = rng.permutation(n * n)
    readouts = {
        "in": Readout("v", place[:3]),
        "ground": Readout("v", place[3:4]),
        "out": Readout("v", place[4 : 4 + outputs]),
    }
    energy = Energy(
        {"v": (Real(), n * n)},
        [Edges("v", pairs, n * n)],
        {"conductance": rng.uniform(0.5, 1.5, len(pairs))},
        readouts,
        {"ground": [0.0]},
    )
    x = rng.uniform(0, 1, (samples, 3))
    data = {"in": x, "out": x @ rng.uniform(0, 0.3, (3, outputs))}
    settings = dict(
        rule=CoupledLearning(0.1),
        cost=SquaredError("out"),
        optimizer=SGD(1.0, bounds={"conductance": (1e-3, 10.0)}),
        batch=None,
    )
    learn(energy, data, epochs=1, **settings)
    steps = 10
    took, result = seconds(lambda: learn(energy, data, epochs=steps, **settings), 3)

    def usual(count):  # two sparse solves a sample, as scripts do
        a = laplacian(pairs, energy.theta["conductance"], n * n).tocsr()
        fixed, out = place[:4], place[4 : 4 + outputs]
        free, inner = (
            np.setdiff1d(np.arange(n * n), fixed),
            np.setdiff1d(np.arange(n * n), np.append(fixed, out)),
        )
        began = processor_time()
        for s in range(count):
            v = np.zeros(n * n)
            v[place[:3]] = x[s]
            v[free] = spsolve(a[free][:, free].tocsc(), -(a[free][:, fixed] @ v[fixed]))
            w = v.copy()
            w[out] += 0.1 * (data["out"][s] - v[out])
            held = np.append(fixed, out)
            w[inner] = spsolve(a[inner][:, inner].tocsc(), -(a[inner][:, held] @ w[held]))
        return (processor_time() - began) / count * samples

    script = usual(3)
    rows = [
        (f"physlearn `learn` ({result.method}, {solver(energy)})", f"{1e3 * took / steps:.1f} ms", "1"),
        (
            "spsolve twice a sample (3 samples timed, scaled to 1,000)",
            f"{script:.0f} s",
            f"{script / (took / steps):,.0f} x slower",
        ),
    ]
    table("Full batch of 1,000 samples, 128x128 grid, 3 inputs, 10 outputs: one step", rows)


def solver(energy):
    return energy.plans[("quadratic", ("ground", "in"))].solver.name


def one_solve():
    n, rng = 512, np.random.default_rng(0)
    pairs = grid_pairs(n)
    term = Edges("v", pairs, n * n)
    readouts = {"rails": Readout("v", [0, n * n - 1])}
    draws = [rng.uniform(0.5, 1.5, len(pairs)) for _ in range(6)]
    base = Energy({"v": (Real(), n * n)}, [term], {"conductance": draws[0]}, readouts)
    results = {}
    relax(base, clamp={"rails": [1.0, 0.0]})  # symbolic work, once per graph

    def ours(g):
        return relax(base.with_theta({"conductance": g}), clamp={"rails": [1.0, 0.0]})

    free = np.arange(1, n * n - 1)

    def system(g):
        a = laplacian(pairs, g, n * n)
        return a[free][:, free], -a[free][:, [0]].toarray()[:, 0]

    calls = {
        f"physlearn `relax` ({base.plans[('quadratic', ('rails',))].solver.name})": ours,
        "scipy spsolve, assembly included": lambda g: spsolve(*system(g)),
    }
    try:
        from sksparse.cholmod import analyze

        block, load = system(draws[0])
        factor = analyze(block)

        def cholmod(prepared):
            factor.cholesky_inplace(prepared)
            return factor(load)

        calls["CHOLMOD alone: matrix given, symbolic work reused"] = cholmod
    except ImportError:
        pass
    times = {name: [] for name in calls}
    for g in draws[1:]:  # in turn, so that a busy moment of the machine hits all
        for name, call in calls.items():
            given = system(g)[0] if name.startswith("CHOLMOD") else g
            began = processor_time()
            results[name] = call(given)
            times[name].append(processor_time() - began)
    took = {name: float(np.median(t)) for name, t in times.items()}
    own = next(iter(took.values()))
    rows = [(name, f"{t:.3f} s", f"{t / own:.2f}") for name, t in took.items()]
    table("One solve, 512x512 grid, new conductances", rows)
    x, peer = list(results.values())[:2]
    print(f"\nlargest difference to spsolve: {np.max(np.abs(x.x[free] - peer)):.1e} V")


def resistance():
    from circuits import ResistorNetwork, effective_resistance

    graph = nx.random_regular_graph(4, 100_000, seed=0)
    network = ResistorNetwork(graph, conductance=1.0)
    edge = next(iter(graph.edges))
    took, _ = seconds(lambda: effective_resistance(network, edge), 5)
    _, r = seconds(lambda: effective_resistance(network, edge), 1)
    table(
        "Effective resistance across an edge, random 4-regular graph, 100,000 nodes",
        [("physlearn (conjugate gradients)", f"{took:.3f} s", f"R = {r:.4f} ohm, 0.500 on average")],
    )


if __name__ == "__main__":
    full_batch()
    one_solve()
    resistance()
