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

from physlearn import Adam, BoltzmannLearning, learn
from physlearn.dynamics import kinetics
from physlearn.models import (
    Assembly,
    assembly_order,
    block_energy,
    capacity_exponent,
    critical_size,
    grow_seeds,
    growth_free_energy,
    nucleation_barrier,
    phase_map,
    random_structures,
    retrieval_curve,
    store,
)
from physlearn.models.assembly.growth import growing_site, growth_examples
from physlearn.plot import plot_assembly_phases, plot_retrieval
from physlearn.terms import Lattice

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


def learned(structures, bond, mu):
    """Bonds after wake and sleep at kinks with neighbours west and north, from Hebb's; as the patches grow."""
    side = len(structures[0].codes)
    soup = Assembly(side**2, store(structures, bond, periodic=True), mu, Lattice((side, side)))
    data = growth_examples(structures, periodic=True, kinks=[(2, 1)])
    optimizer = Adam(0.3, bounds={"bonds": (-1.5 * bond, 0.0)})
    rule = BoltzmannLearning(exact=True, given=("around",))
    settings = dict(epochs=40, batch=None, trainable=["bonds"], rng=0)
    return soup.with_theta(learn(growing_site(soup), data, rule=rule, optimizer=optimizer, **settings).theta).J


def taught(side=7, counts=(3, 4, 5, 6, 8, 10, 12), bond=12.0, mu=23.0):
    """Retrieval of the same sets of structures with Hebb's bonds and with learned ones."""
    settings = dict(bond=bond, mu=mu, patch=side, sweeps=600, trials=12, rng=1)
    return [retrieval_curve(side, counts, rule=rule, **settings) for rule in (None, lambda s: learned(s, bond, mu))]


def outgrown(bond=7.0, mu=11.0, side=20):
    """Mean overlap of seeds with their structure, soon and in the end, in the middle of the theory's window."""
    stored, lattice = random_structures(M, (side, side), rng=0), Lattice((side + 4, side + 4))
    runs = [grow_seeds(stored, lattice, bond=bond, mu=mu, sweeps=n, chains=4, rng=1) for n in (30, 1000)]
    return [run.overlap[np.arange(4), np.arange(4)].mean() for run in runs]


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
    hebb, wise = taught()
    bond, mu = 5.0, 8.0
    (whole,) = random_structures(1, (10, 10), rng=1)
    soup = Assembly(100, store([whole], bond), mu, Lattice((10, 10), periodic=False))
    nucleus = growth_free_energy(soup, whole, temperature=1.0, largest=36, sweeps=4000, chains=16, rng=0)

    figure, axes = plt.subplots(2, 3, figsize=(17, 7.6), layout="constrained")
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
    for curve, name in ((hebb, "Hebb"), (wise, "learned at growing sites")):
        plot_retrieval(curve.counts, curve.mean, curve.error, label=name, ax=axes[0, 2])
    axes[0, 2].set(ylabel="patch filled as stored", title=f"learning, N = {hebb.n_species}")
    sizes = np.linspace(0, 6, 200)
    axes[1, 2].plot(sizes**2, block_energy(sizes, bond, mu), color="black", linewidth=1, label="square blocks")
    axes[1, 2].errorbar(nucleus.size, nucleus.free_energy, nucleus.error, fmt="o", ms=3, label="all shapes, umbrella")
    axes[1, 2].set(
        xlabel="molecules in place", ylabel=r"free energy ($T$)", title=r"nucleus, $\varepsilon = 5T, \mu = 8T$"
    )
    axes[1, 2].legend(frameon=False)
    figure.savefig(DOCS / "assembly_theory.png", dpi=120)

    rows = ["# Multifarious assembly: theory and measurement", ""]
    rows += ["Written by `benchmarks/assembly_theory.py`; energies in units of T.  Standard errors after ±.", ""]
    rows += ["![Phases, retrieval, learning, capacity, clocks, nucleus](assembly_theory.png)", ""]
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
        "| phase diagram (m = 6, N = 400, 1000 sweeps) | retrieved | chimera | liquid | dispersed |",
        "|---|---|---|---|---|",
    ]
    regions_of = (
        ("eps < mu/2", bonds < mus[:, None] / 2),
        ("mu/2 < eps < mu - T ln m", inside),
        ("eps > mu - T ln m", bonds > mus[:, None] - np.log(M)),
    )
    for name, where in regions_of:
        rows.append(f"| {name} | {' | '.join(f'{share:.2f}' for share in shares[where].mean(0))} |")
    early, late = outgrown()
    rows += [
        "",
        "Between the lines seeds become their structure, but where there is room beside it others add to it within",
        "the run, which counts as chimera: at eps = 7, mu = 11 the mean overlap of four seeds with their structure is",
        f"{early:.2f} after 30 sweeps and {late:.2f} after 1000.  In a box of the structure's own shape (the table by",
        "clock) it stays alone.",
    ]
    gain = (wise.overlaps - hebb.overlaps).mean(1)
    spread = (wise.overlaps - hebb.overlaps).std(1, ddof=1) / np.sqrt(hebb.overlaps.shape[1])
    rows += ["", f"| N = {hebb.n_species}, structures | {' | '.join(str(m) for m in hebb.counts)} | capacity |"]
    rows += ["|---" * (len(hebb.counts) + 2) + "|"]
    for curve, name in ((hebb, "Hebb"), (wise, "learned")):
        cells = " | ".join(f"{a:.2f} ± {e:.2f}" for a, e in zip(curve.mean, curve.error, strict=True))
        rows.append(f"| {name} | {cells} | {curve.capacity:.1f} |")
    cells = " | ".join(f"{a:.2f} ± {e:.2f}" for a, e in zip(gain, spread, strict=True))
    rows += [
        f"| gain, same structures | {cells} | |",
        "",
        "Learned: 40 steps of the wake-sleep contrast at growing sites (`physlearn.models.assembly.growth`), "
        "Hebb's bonds made",
        "unequal; patches as above, 12 sets of structures a point.",
        "",
        f"Nucleus at eps = 5, mu = 8: block formula l* = {critical_size(bond, mu):.2f}, barrier "
        f"{nucleation_barrier(bond, mu):.2f}; umbrella sampling of all shapes: {nucleus.critical} molecules, "
        f"{nucleus.barrier:.2f} ± {nucleus.error[nucleus.critical]:.2f}.",
    ]
    (DOCS / "assembly_theory.md").write_text("\n".join(rows) + "\n", encoding="utf-8")
    print("\n".join(rows))
    print(f"\n{processor_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
