"""Scale by scale beside local moves: a critical phi^4 lattice, and how the work per independent field grows with it.

Local: MALA of the whole field at the lattice's own best step, autocorrelation time of the magnetisation's square in
sweeps.  Scale by scale: sweeps of every conditional factor, from a start that knows nothing, until <phi^2> and the
magnetisation's square are within their errors of those of long runs, or 3 %.  Fields to learn from are by HMC.
Usage: python benchmarks/scales.py [sides, such as 8,16,32]
"""

from common import table  # isort: skip (sets thread counts first)

import sys
import warnings

import numpy as np

from physlearn import sample
from physlearn.models import ScalarField, ScaleByScale

KAPPA, LAM = 0.34, 0.5


def time_of(series):
    """Integrated autocorrelation time of chains (chains, draws), with a window of five times itself."""
    x = series - series.mean()
    n, total = x.shape[1], 0.5
    norm = np.mean(x * x)
    for t in range(1, n // 2):
        total += np.mean(x[:, :-t] * x[:, t:]) / norm
        if t > 5 * total:
            break
    return 2 * total


def square(x):
    """The magnetisation's square per site."""
    return x.mean((-2, -1)) ** 2


def main():
    """One row a side."""
    sides, rows = [int(s) for s in (sys.argv[1] if len(sys.argv) > 1 else "8,16,32").split(",")], []
    warnings.simplefilter("ignore", RuntimeWarning)  # single chains that diverge, among hundreds
    for side in sides:
        field = ScalarField((side, side), kappa=KAPPA, lam=LAM)
        run = dict(temperature=1.0, chains=64, rng=0, progress=False)
        local = sample(field, method="mala", n_samples=400, warmup=400, thin=max(1, side * side // 64), **run)
        tau = time_of(square(local.x)) * max(1, side * side // 64)
        hmc = sample(field, method="hmc", n_samples=60, warmup=300, thin=10, leaps=20, target=0.9, **run)
        draws = hmc.x.reshape(-1, side, side)
        levels = int(np.log2(side)) - 1
        model = ScaleByScale.learnt(draws, levels, reaches=(1, 2))
        truth = np.mean(draws**2), np.mean(square(draws))
        found = "more than 160"
        for sweeps in (10, 20, 40, 80, 160):
            x = model.sample(1000, sweeps=sweeps, rng=1)
            off = [abs(np.mean(x**2) / truth[0] - 1), abs(np.mean(square(x)) / truth[1] - 1)]
            print(f"side {side}, sweeps {sweeps}: <phi^2> off by {off[0]:.3f}, <m^2> off by {off[1]:.3f}", flush=True)
            if off[0] < 0.03 and found == "more than 160":
                found = str(sweeps)
        rows.append((side, f"{tau:.0f}", found, f"{truth[0]:.4f}", f"{truth[1]:.4f}"))
    columns = ("side", "local: sweeps per autocorrelation time", "scale by scale: sweeps a factor", "<phi^2>", "<m^2>")
    table(f"phi^4, kappa {KAPPA}, lam {LAM}", rows, columns)


if __name__ == "__main__":
    main()
