"""The theory of associative memory, measured: prints the tables of docs/memory_theory.md and draws its figure.

Run `python benchmarks/memory_theory.py docs` (about 10 minutes of one core); the same figures for one seed.
"""

import sys
from pathlib import Path

import common  # noqa: F401  (one thread, before NumPy loads)
import matplotlib
import numpy as np
from common import table

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from physlearn.models import (
    Hopfield,
    ModernHopfield,
    add_noise,
    capacity_curve,
    critical_load,
    dense_errors,
    extrapolate,
    first_step_error,
    mean_field_overlap,
    phase_diagram,
    random_patterns,
    retrieval_boundary,
)
from physlearn.plot import plot_capacity, plot_phase_diagram

SEED = 20260101
LOADS = np.array([0.05, 0.10, 0.12, 0.13, 0.135, 0.14, 0.145, 0.15, 0.16, 0.18, 0.20, 0.23])


def capacity(ax):
    curves = [capacity_curve(n, LOADS, seeds=20, rng=SEED) for n in (500, 1000, 2000, 4000, 8000)]
    theory = mean_field_overlap(LOADS)
    rows = [
        [
            f"{load:.3f}",
            *(f"{c.mean[k]:.4f} ± {c.error[k]:.4f}" for c in curves),
            f"{theory[k]:.6f}" if theory[k] else "-",
        ]
        for k, load in enumerate(LOADS)
    ]
    sizes = [f"n = {c.n}" for c in curves]
    table("Overlap after recall, Hebb's rule, 20 seeds", rows, ("load", *sizes, "mean field"))
    half = [c.half_load for c in curves]
    limit, error = extrapolate([c.n for c in curves], half, exponent=0.5)
    load, overlap = critical_load()
    row = [*(f"{h:.4f}" for h in half), f"{limit:.4f} ± {error:.4f}", f"{load:.4f} (overlap {overlap:.4f})"]
    table("Load at which half of the patterns are retrieved", [row], (*sizes, "limit, n^-1/2 fit", "mean field"))
    fine = np.linspace(0.03, load, 200)
    plot_capacity(curves, theory=(fine, mean_field_overlap(fine)), ax=ax)
    ax.set_title("overlap against load")


def first_step(ax):
    n, rows = 4000, []
    for load in (0.05, 0.1, 0.135, 0.2, 0.3):
        wrong = []
        for seed in range(4):
            xi = random_patterns(round(load * n), n, rng=[SEED, seed])
            wrong.append(np.mean(xi * Hopfield.store(xi).field(xi) < 0, 1))
        wrong = np.concatenate(wrong)
        rows.append([load, wrong.mean(), wrong.std(ddof=1) / np.sqrt(len(wrong)), float(first_step_error(load))])
    columns = ("load", "measured", "standard error", "erfc(1/sqrt(2 alpha))/2")
    table(
        f"Bits that flip in the first step from a stored pattern, n = {n}",
        [[f"{v:.3g}" for v in r] for r in rows],
        columns,
    )
    data, fine = np.array(rows), np.linspace(0.04, 0.32, 100)
    ax.semilogy(fine, first_step_error(fine), color="black", label="theory")
    ax.errorbar(data[:, 0], data[:, 1], data[:, 2], fmt="o", color="C0", label=f"n = {n}")
    ax.set(xlabel="load (patterns per neuron)", ylabel="fraction of bits", title="first-step errors")
    ax.legend(frameon=False)


def phases(ax):
    loads, temperatures = np.linspace(0.01, 0.19, 13), np.linspace(0.0, 1.2, 13)
    overlaps = phase_diagram(1000, loads, temperatures, seeds=3, sweeps=100, rng=SEED)
    t = np.linspace(0.0, 0.999, 200)
    plot_phase_diagram(loads, temperatures, overlaps, boundary=(retrieval_boundary(t), t), ax=ax)
    ax.set_title("what is left of a pattern, n = 1000")
    rows = []
    for temperature in (0.0, 0.2, 0.4, 0.6):
        row = overlaps[np.argmin(np.abs(temperatures - temperature))]
        rate = 0.5 * (mean_field_overlap(loads[0], temperature) + 0.3)  # halfway down to what spin-glass states keep
        edge = np.interp(-rate, -row, loads)
        rows.append([temperature, f"{edge:.3f}", f"{critical_load(temperature)[0]:.3f}"])
    table(
        "Load at which the overlap falls halfway, n = 1000", rows, ("temperature", "measured", "mean field, n infinite")
    )


def rules(ax):
    n, loads = 200, np.array([0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99])
    rows = {}
    for rule in ("hebb", "storkey", "projection"):
        curve = capacity_curve(n, loads, rule=rule, seeds=6, cues=10, rng=SEED)
        rows[rule] = curve.retrieved.mean(1)
        ax.plot(loads, rows[rule], marker="o", markersize=3, label={"projection": "pseudo-inverse"}.get(rule, rule))
    table(
        f"Patterns retrieved from themselves, n = {n}, by storage rule",
        [[rule, *(f"{v:.2f}" for v in values)] for rule, values in rows.items()],
        ("rule", *(f"{v:g}" for v in loads)),
    )
    ax.set(xlabel="load (patterns per neuron)", ylabel="fraction retrieved", title=f"storage rules, n = {n}")
    ax.legend(frameon=False)


def dense(ax):
    rows = []
    for power, sizes, divisor in ((2, (100, 200, 400, 800), 1), (3, (50, 80, 130, 200), 3), (4, (30, 45, 65, 90), 15)):
        held = []
        for n in sizes:
            counts = np.unique(np.round(np.geomspace(0.1, 0.7, 8) * n ** (power - 1) / divisor).astype(int))
            errors = dense_errors(n, counts, power, trials=40, rng=SEED)
            held.append(np.exp(np.interp(0.02, errors, np.log(counts))))
        slope = np.polyfit(np.log(sizes), np.log(held), 1)[0]
        rows.append(
            [power, ", ".join(f"{n}: {k:.0f}" for n, k in zip(sizes, held, strict=True)), f"{slope:.2f}", power - 1]
        )
        ax.loglog(sizes, held, marker="o", label=f"power {power}: slope {slope:.2f}")
    sizes, held = (10, 14, 18, 22), []
    for n in sizes:
        counts = np.unique(np.round(np.geomspace(2, 2 ** (0.8 * n), 14)).astype(int))
        errors = dense_errors(n, counts, None, trials=40, rng=SEED)
        held.append(np.exp(np.interp(0.02, errors, np.log(counts))))
    rate = np.polyfit(sizes, np.log(held), 1)[0]
    columns = ("power", "patterns at 2 % of bits wrong, by n", "exponent of n", "theory")
    table("Dense memories: patterns held", rows, columns)
    # with a Gaussian crosstalk of variance K cosh(2)^n against a signal e^n, errors stay the same along this exponent
    theory = 2.0 - np.log(np.cosh(2.0)), np.log(2.0) / 2.0
    row = [", ".join(f"{n}: {k:.0f}" for n, k in zip(sizes, held, strict=True)), *(f"{v:.3f}" for v in (rate, *theory))]
    columns = (
        "patterns at 2 % wrong, by n",
        "d ln K/dn",
        "2 - ln cosh 2, crosstalk of Gaussian size",
        "ln(2)/2, no errors at all (Demircigil 2017)",
    )
    table("Exponential memory", [row], columns)
    ax.semilogy(sizes, held, marker="s", color="black", label=f"exponential: e^({rate:.2f} n)")
    ax.set(xlabel="neurons", ylabel="patterns", title="dense memories")
    ax.legend(frameon=False)


def modern(ax):
    d, xi = 32, random_patterns(400, 32, rng=SEED)
    rows = []
    for beta in (0.25, 0.5, 1.0, 2.0):
        found = ModernHopfield(xi, beta).update(add_noise(xi, 0.3, rng=SEED))
        rows.append([beta, f"{np.mean(np.max(np.abs(found - xi), 1) < 0.01):.3f}"])
    table(f"Modern Hopfield network, {len(xi)} patterns in {d} dimensions", rows, ("beta", "recalled in one update"))
    rng = np.random.default_rng(SEED)
    groups = np.repeat(4.0 * np.eye(5, 20), 4, 0) + 0.3 * rng.standard_normal((20, 20))
    groups *= 4.0 / np.linalg.norm(groups, axis=1, keepdims=True)
    betas, shares = np.geomspace(0.01, 20, 25), []
    for beta in betas:
        kind = ModernHopfield(groups, beta).fixed_points(groups)[0]
        shares.append([np.mean(kind == name) for name in ("average", "metastable", "pattern")])
    ax.stackplot(betas, np.transpose(shares), labels=["mean of all", "metastable", "one pattern"], alpha=0.8)
    ax.set(xscale="log", xlabel="beta", ylabel="share of fixed points", ylim=(0, 1), title="20 patterns in 5 groups")
    ax.legend(loc="upper left", framealpha=1.0)


if __name__ == "__main__":
    figure, axes = plt.subplots(2, 3, figsize=(13, 7.5), layout="constrained")
    for part, ax in zip((capacity, first_step, phases, rules, dense, modern), axes.flat, strict=True):
        part(ax)
        sys.stdout.flush()
    if len(sys.argv) > 1:
        figure.savefig(Path(sys.argv[1]) / "memory_theory.png", dpi=110)
