"""Theory of multifarious assembly, measured: writes docs/assembly_theory.png and docs/assembly_theory.md.

Run `python benchmarks/assembly_theory.py` (a few minutes).  Energies in units of T; growth starts from seeds, and the
regions are those of the time scales named, not of equilibrium.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from common import processor_time

from physlearn.dynamics.kinetics import kinetics
from physlearn.models.assembly import Assembly
from physlearn.models.assembly_capacity import capacity_exponent, phase_map, retrieval_curve
from physlearn.models.assembly_order import assembly_order
from physlearn.models.structures import random_structures, store
from physlearn.plot.assembly import plot_assembly_phases, plot_retrieval
from physlearn.terms.lattice import Lattice

DOCS = Path(__file__).resolve().parents[1] / "docs"
LOADS = (0.3, 0.45, 0.6, 0.8, 1.0, 1.3, 1.7)
M = 6  # structures of the phase diagram
CLOCKS = (("heat bath", 3000), ("metropolis", 50_000), ("gillespie", 30 * np.exp(8.0)))


def curves(dimension, sides, **settings):
    """Retrieval against m at the loads k = m^(z/2) N^(1 - z/2)."""
    out = []
    for side in sides:
        n = side**dimension
        counts = np.unique([max(1, round((k * n ** (dimension - 1)) ** (1 / dimension))) for k in LOADS])
        out.append(retrieval_curve(side, counts, dimension=dimension, sweeps=600, trials=12, rng=1, **settings))
    return out


def clocks(bonds, mu, runs=6, side=8, m=2):
    """Share of runs in a closed box that end as the structure of their seed, by clock, (clocks, bonds)."""
    stored, lattice = random_structures(m, (side, side), rng=3), Lattice((side, side), periodic=False)
    low = side // 4
    part = stored[0].patch(*[slice(low, side - low)] * 2)
    shares = np.empty((len(CLOCKS), len(bonds)))
    for place in np.ndindex(shares.shape):
        clock, duration = CLOCKS[place[0]]
        soup = Assembly(side * side, store(stored, bonds[place[1]]), mu, lattice)
        start = soup.place(part, (low, low))
        ends = [
            kinetics(soup, temperature=1.0, t_span=duration, clock=clock, x0=start, rng=k).final for k in range(runs)
        ]
        found = assembly_order(np.stack(ends), stored, lattice)
        shares[place] = np.mean((found.name == "retrieved") & (found.overlap[:, 0] > 0.9))
    return shares


def main():
    start = processor_time()
    bonds, mus = np.linspace(3.0, 13.0, 16), np.linspace(6.0, 13.0, 11)
    shares = phase_map(
        random_structures(M, (20, 20), rng=0), Lattice((30, 30)), bonds, mus, chains=6, sweeps=1000, rng=0
    )
    square = curves(2, (8, 12, 16, 24), bond=12.0, mu=23.0, patch=6)
    cubic = curves(3, (5, 6, 7, 8), bond=9.0, mu=26.0, patch=4)
    steps = np.arange(4.0, 9.01, 0.5)
    regions = clocks(steps, 8.0)

    figure, axes = plt.subplots(2, 2, figsize=(11.5, 7.6), layout="constrained")
    edge = np.array([bonds[0], bonds[-1]])
    lines = [(edge, 2 * edge, r"$\mu = 2\varepsilon$"), (edge, edge + np.log(M), r"$\mu = \varepsilon + T\,\ln m$")]
    plot_assembly_phases(bonds, mus, shares, boundaries=lines, ax=axes[0, 0])
    for curve in square:
        plot_retrieval(curve.counts, curve.mean, curve.error, label=f"N = {curve.n_species}", ax=axes[0, 1])
    axes[0, 1].set(ylabel="patch filled as stored", title="square lattice", xscale="log")
    for found, theory, name, colour in ((square, 1 / 2, "square", "C0"), (cubic, 2 / 3, "cubic", "C1")):
        n, m = np.array([c.n_species for c in found]), np.array([c.capacity for c in found]) - 1
        slope, error = capacity_exponent(found)
        axes[1, 0].loglog(n, m, "o", color=colour, label=f"{name}: exponent {slope:.2f} ± {error:.2f}")
        axes[1, 0].loglog(n, np.exp(np.mean(np.log(m / n**theory))) * n**theory, color=colour, linewidth=1)
    axes[1, 0].set(xlabel="species N", ylabel="capacity - 1", title="lines: 1/2 and 2/3")
    axes[1, 0].legend(frameon=False)
    for axis, ticks in ((axes[0, 1].xaxis, (5, 10, 20, 30)), (axes[1, 0].xaxis, (64, 125, 256, 512))):
        axis.set_ticks(ticks, [str(tick) for tick in ticks])
        axis.set_ticks([], minor=True)
    axes[1, 0].yaxis.set_ticks((10, 20, 40, 60), ["10", "20", "40", "60"])
    axes[1, 0].yaxis.set_ticks([], minor=True)
    for (clock, _), row, style in zip(CLOCKS, regions, ("-", "--", ":"), strict=True):
        axes[1, 1].plot(steps, row, style, marker="o", markersize=4, label=clock)
    axes[1, 1].set(xlabel=r"bond energy, $\varepsilon$ ($T$)", ylabel="share retrieved", title=r"by clock, $\mu = 8 T$")
    axes[1, 1].legend(frameon=False)
    figure.savefig(DOCS / "assembly_theory.png", dpi=120)

    rows = ["# Multifarious assembly: theory and measurement", ""]
    rows += ["Written by `benchmarks/assembly_theory.py`; energies in units of T.  Standard errors after ±.", ""]
    rows += ["![Phases, retrieval, capacity, clocks](assembly_theory.png)", ""]
    rows += ["| lattice | N | capacity m | (m - 1)^(z/2) N^(1 - z/2) |", "|---|---|---|---|"]
    for name, found, d in (("square", square, 2), ("cubic", cubic, 3)):
        for c in found:
            load = (c.capacity - 1) ** d / c.n_species ** (d - 1)
            rows.append(f"| {name} | {c.n_species} | {c.capacity:.1f} | {load:.2f} |")
    rows += ["", "| lattice | measured exponent | (z - 2)/z |", "|---|---|---|"]
    for name, found, theory in (("square", square, "0.500"), ("cubic", cubic, "0.667")):
        slope, error = capacity_exponent(found)
        rows.append(f"| {name} | {slope:.3f} ± {error:.3f} | {theory} |")
    rows += [
        "",
        "Capacity: the number of structures at which half of a patch, grown kink by kink from two held edges (three",
        "",
    ]
    rows[-1:] = ["held faces), is as stored; 12 sets of structures a point, 600 sweeps of the heat bath.", ""]
    rows += [f"| clock (closed box of 8 x 8, m = 2, mu = 8) | {' | '.join(f'{e:g}' for e in steps)} | width |"]
    rows += ["|---" * (len(steps) + 2) + "|"]
    for (clock, duration), row in zip(CLOCKS, regions, strict=True):
        cells = " | ".join(f"{share:.2f}" for share in row)
        rows.append(f"| {clock}, duration {duration:.3g} | {cells} | {row.sum() * (steps[1] - steps[0]):.2f} |")
    rows += [
        "",
        "Shares of 6 runs that end as their seed's structure, by bond energy; the width is their sum times the step.",
    ]
    inside = (mus[:, None] / 2 < bonds) & (bonds < mus[:, None] - np.log(M))
    rows += [
        "",
        "| phase diagram (m = 6, N = 400, 600 sweeps) | retrieved | chimera | liquid | dispersed |",
        "|---|---|---|---|---|",
    ]
    regions_of = (
        ("eps < mu/2", bonds < mus[:, None] / 2),
        ("mu/2 < eps < mu - T ln m", inside),
        ("eps > mu - T ln m", bonds > mus[:, None] - np.log(M)),
    )
    for name, where in regions_of:
        rows.append(f"| {name} | {' | '.join(f'{share:.2f}' for share in shares[where].mean(0))} |")
    (DOCS / "assembly_theory.md").write_text("\n".join(rows) + "\n", encoding="utf-8")
    print("\n".join(rows))
    print(f"\n{processor_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
