"""Recall in Hopfield networks: neuron updates per microsecond, beside a plain compiled loop and NumPy.

Run `python benchmarks/hopfield.py`.  Processor time of one core; a neuron update is one look at one neuron, so a
sweep of n neurons counts n; times include what each recall computes first, its local fields.
"""

from functools import partial

import numpy as np
from common import processor_time, seconds, table
from numba import njit

from physlearn.models import DenseMemory, Hopfield, capacity_curve, flip, random_patterns
from physlearn.threads import one_blas_thread

N = 2000


@njit(cache=True)
def plain_loop(w, x, sweeps):
    """A compiled loop as one writes it first: kept fields in float64, fixed order."""
    h = w @ x
    for sweep in range(sweeps):
        changed = False
        for i in range(len(x)):
            new = 1.0 if h[i] >= 0 else -1.0
            if new != x[i]:
                for j in range(len(x)):
                    h[j] += w[j, i] * (new - x[i])
                x[i] = new
                changed = True
        if not changed:
            return sweep + 1
    return sweeps


def numpy_loop(w, x, sweeps):
    for sweep in range(sweeps):
        before = x.copy()
        for i in range(len(x)):
            x[i] = 1.0 if w[i] @ x >= 0 else -1.0
        if np.array_equal(before, x):
            return sweep + 1
    return sweeps


def rate(recall):
    """Neuron updates per us of a function that returns numbers of sweeps."""
    time, sweeps = seconds(recall, 5)
    return f"{N * np.sum(sweeps) / time / 1e6:.3g}"


def each(function, cues):
    return [function(cue) for cue in cues]


def asynchronous():
    rows = []
    for m in (100, 200, 276):
        xi = random_patterns(m, N, rng=m)
        memory, cues = Hopfield.store(xi), flip(xi[:32], 0.1, rng=1)
        one = partial(each, lambda cue, memory=memory: memory.recall(cue, order="fixed").sweeps, cues)
        drawn = partial(each, lambda cue, memory=memory: memory.recall(cue, rng=0).sweeps, cues)
        w = np.ascontiguousarray(memory.couplings)
        plain = partial(each, lambda cue, w=w: plain_loop(w, cue.copy(), 100), cues)
        slow = partial(each, lambda cue, w=w: numpy_loop(w, cue.copy(), 100), cues[:2])
        one(), plain()  # compile
        with one_blas_thread():
            rates = [rate(one), rate(drawn), rate(partial(_sweeps, memory, cues)), rate(plain), rate(slow)]
        rows.append((m, *rates))
    columns = ("patterns", "one cue, fixed order", "one cue, random", "32 cues, random", "plain Numba", "NumPy")
    table(f"Asynchronous recall, n = {N}, 10 % flipped: updates per us", rows, columns)


def _sweeps(memory, cues):
    return memory.recall(cues, rng=0).sweeps


def synchronous():
    rows = []
    for m, rule in ((200, "hebb"), (200, "projection")):
        for flipped in (0.1, 0.3):
            xi = random_patterns(m, N, rng=1)
            memory, cues = Hopfield.store(xi, rule), flip(np.tile(xi, (5, 1)), flipped, rng=2)
            recall = partial(memory.recall, cues, order="synchronous", max_sweeps=1000)
            recall()
            exact = memory._whole.columns.dtype
            w, x = memory.couplings.astype(exact), cues.astype(exact)
            with one_blas_thread():
                product, _ = seconds(partial(np.matmul, x, w), 3)
            time, found = seconds(recall, 3)
            sweeps = int(found.sweeps.max())
            mean = found.sweeps.mean()
            ratios = f"{time / product / sweeps:.2f}", f"{time / product / mean:.2f}"
            rows.append((rule, flipped, sweeps, f"{mean:.2f}", f"{1e3 * product:.0f}", f"{1e3 * time:.0f}", *ratios))
    columns = ("rule", "flipped", "sweeps", "mean sweeps of a cue", "one product (ms)", "recall (ms)")
    table(
        f"Synchronous recall of 1,000 cues to rest, n = {N}, 200 patterns",
        rows,
        (*columns, "products per sweep", "products per mean sweep"),
    )


def dense():
    rows = []
    for n, k, power in ((500, 50, 3), (500, 5000, 3), (500, 5000, None)):
        xi = random_patterns(k, n, rng=1)
        memory, cues = DenseMemory(xi, power), flip(xi[:8], 0.2, rng=2)
        memory.recall(cues, order="fixed")
        time, found = seconds(lambda memory=memory, cues=cues: memory.recall(cues, order="fixed"), 3)
        power = "exp" if power is None else power
        rows.append((n, k, power, f"{1e9 * time / (n * found.sweeps.sum()):.0f}", f"{np.mean(found.x == xi[:8]):.3f}"))
    table("Dense memory with kept overlaps", rows, ("n", "patterns", "power", "ns per update", "overlap right"))


def capacity():
    capacity_curve(100, [0.1], seeds=2, rng=0)
    loads, start = np.linspace(0.10, 0.16, 10), processor_time()
    curve = capacity_curve(8000, loads, seeds=20, rng=0)
    spent = processor_time() - start
    rows = [(f"{a:.4f}", f"{m:.4f}", f"{e:.4f}") for a, m, e in zip(loads, curve.mean, curve.error, strict=True)]
    table(f"Capacity curve, n = 8,000, 20 seeds a load: {spent:.1f} s of one core", rows, ("load", "overlap", "error"))


if __name__ == "__main__":
    asynchronous()
    synchronous()
    dense()
    capacity()
