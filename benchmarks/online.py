"""Online coupled learning, one sample a step, against loops as they are usually written.

Task: two outputs y = [.15 .20; .25 .10] x on a 4x4 periodic lattice (16 nodes, 32 edges) and on a
32x32 grid; eta 0.1.  Every implementation takes the same steps from the same start; the largest
difference of the final conductances is printed.  Usage: python benchmarks/online.py
"""

from common import grid_pairs, processor_time, table  # isort: skip (sets thread counts first)

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from physlearn import SGD, CoupledLearning, Energy, Readout, Real, SquaredError, learn
from physlearn.terms import Edges

ETA, BOUNDS = 0.1, (1e-3, 10.0)


def problem(pairs, nodes):
    rng = np.random.default_rng(1)
    place = rng.permutation(nodes)
    x = rng.uniform(0, 1, (300, 2))
    y = x @ np.array([[0.15, 0.25], [0.20, 0.10]])
    start = rng.uniform(0.5, 1.5, len(pairs))
    return place[:2], place[2], place[3:5], x, y, start


def ours(pairs, nodes, lr, epochs):
    inputs, ground, outputs, x, y, start = problem(pairs, nodes)
    readouts = {"in": Readout("v", inputs), "out": Readout("v", outputs), "ground": Readout("v", [ground])}
    energy = Energy(
        {"v": (Real(), nodes)},
        [Edges("v", pairs, nodes)],
        {"conductance": start},
        readouts,
        {"ground": [0.0]},
    )

    def train(epochs):
        return learn(
            energy,
            {"in": x, "out": y},
            rule=CoupledLearning(ETA),
            optimizer=SGD(lr, bounds={"conductance": BOUNDS}),
            cost=SquaredError("out"),
            epochs=epochs,
            shuffle=False,
        )

    train(1)  # compile or load
    times = []
    for _ in range(5):
        began = processor_time()
        result = train(epochs)
        times.append(processor_time() - began)
    return epochs * len(x) / np.median(times), result.theta["conductance"]


def script(pairs, nodes, lr, steps, kind):
    """The usual script: build the matrix, solve free, solve clamped, update."""
    inputs, ground, outputs, x, y, g = problem(pairs, nodes)
    d = np.zeros((len(pairs), nodes))
    d[np.arange(len(pairs)), pairs[:, 0]], d[np.arange(len(pairs)), pairs[:, 1]] = 1, -1
    fixed = np.append(inputs, ground)
    free = np.setdiff1d(np.arange(nodes), fixed)
    inner, held = np.setdiff1d(free, outputs), np.append(fixed, outputs)
    if kind != "dense":
        d = sp.csr_matrix(d)
    if kind == "cholmod":  # what a careful script prepares: the pattern, and where every edge goes in it
        from sksparse.cholmod import analyze

        inside = d[:, free]
        block = (inside.T @ inside).tocsc()
        block.sort_indices()
        rows, columns = block.indices, np.repeat(np.arange(len(free)), np.diff(block.indptr))
        weights = inside[:, rows].multiply(inside[:, columns]).T.tocsr()  # block.data = weights @ g
        load = sp.csr_matrix(-inside.T)
        where, e = np.searchsorted(free, outputs), np.zeros((len(free), len(outputs)))
        e[where, np.arange(len(outputs))] = 1
        block.data = weights @ g
        factor = analyze(block)
    began = processor_time()
    for step in range(steps):
        s = step % len(x)
        v = np.zeros(nodes)
        v[fixed] = np.append(x[s], 0.0)
        if kind == "dense":
            a = d.T @ (g[:, None] * d)
            v[free] = np.linalg.solve(a[np.ix_(free, free)], -a[np.ix_(free, fixed)] @ v[fixed])
            w = v.copy()
            w[outputs] += ETA * (y[s] - v[outputs])
            w[inner] = np.linalg.solve(a[np.ix_(inner, inner)], -a[np.ix_(inner, held)] @ w[held])
        elif kind == "spsolve":
            a = (d.T @ sp.diags(g) @ d).tocsr()
            v[free] = spsolve(a[free][:, free].tocsc(), -a[free][:, fixed] @ v[fixed])
            w = v.copy()
            w[outputs] += ETA * (y[s] - v[outputs])
            w[inner] = spsolve(a[inner][:, inner].tocsc(), -a[inner][:, held] @ w[held])
        else:
            block.data = weights @ g
            factor.cholesky_inplace(block)
            z = factor(np.column_stack([load @ (g * (d @ v)), e]))
            v[free] = z[:, 0]
            w = v.copy()
            w[free] += z[:, 1:] @ np.linalg.solve(z[where, 1:], ETA * (y[s] - v[outputs]))
        change = (v[pairs[:, 0]] - v[pairs[:, 1]]) ** 2 - (w[pairs[:, 0]] - w[pairs[:, 1]]) ** 2
        g = np.clip(g + lr / (2 * ETA) * change, *BOUNDS)
    return steps / (processor_time() - began), g


def main():
    for title, pairs, nodes, lr, epochs, kinds in (
        (
            "16 nodes, 32 edges (4x4 periodic)",
            grid_pairs(4, True),
            16,
            1.0,
            1000,
            {"dense": 6000, "spsolve": 600},
        ),
        ("32x32 grid, 1,984 edges", grid_pairs(32), 1024, 4.0, 10, {"spsolve": 300, "cholmod": 900}),
    ):
        rate, _ = ours(pairs, nodes, lr, epochs)
        rows = [("physlearn `learn`", f"{rate:,.0f}", "1", "")]
        for kind, steps in kinds.items():
            try:
                other, g = script(pairs, nodes, lr, steps, kind)
            except ImportError:
                rows.append((f"{kind} script", "not installed", "", ""))
                continue
            _, same = ours(pairs, nodes, lr, steps // 300)
            rows.append(
                (
                    f"{kind} script",
                    f"{other:,.0f}",
                    f"{rate / other:,.1f} x slower",
                    f"{np.max(np.abs(same - g)):.1e}",
                )
            )
        table(
            f"Online coupled learning, {title}",
            rows,
            ("implementation", "steps per processor second", "ratio", "largest difference of g, S"),
        )


if __name__ == "__main__":
    main()
