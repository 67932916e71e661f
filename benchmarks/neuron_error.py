"""Error against step: rate and spike times of every neuron model and method, against a converged solution.

Writes the table docs/neuron_error.md and the picture docs/neuron_error.png.  The converged solution is SciPy's DOP853
at a relative tolerance of 1e-11, from spike to spike, on each model's equations.  Five neurons of each model start at
rest under five constant currents.  Spikes are stamped at the end of their step, and models with a reset are reset
there, so that their errors contain the grid's; those without a reset are also read between the grid points.
"""

import sys
from pathlib import Path

import common  # noqa: F401  first: it sets thread counts before NumPy is imported
import numpy as np

import physlearn
from circuits.neurons import (
    LIF,
    AdEx,
    Constant,
    HodgkinHuxley,
    Izhikevich,
    Neuron,
    Population,
    Record,
    SpikingNetwork,
)

STEPS = (1e-3, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5, 1e-5, 5e-6)  # s; FitzHugh-Nagumo takes 1000 times as much
SECONDS, SPIKES = 0.4, 10  # spikes compared: the first ten


def fitzhugh_nagumo(x, current, p, out):
    out[0] = x[0] - x[0] ** 3 / 3.0 - x[1] + current
    out[1] = (x[0] + 0.7 - 0.8 * x[1]) / 12.5


def up(x, p):
    return x[0] >= 1.0


def adex_slope(model, x, current):
    rise = model.slope * np.exp((x[0] - model.v_threshold) / model.slope)
    dv = (model.g_leak * (model.e_leak - x[0] + rise) - x[1] + current) / model.capacitance
    return [dv, (model.a * (x[0] - model.e_leak) - x[1]) / model.tau_w]


def adex_reset(model, x):
    return [model.v_reset, x[1] + model.b]


def izhikevich_slope(model, x, current):
    return [4e4 * x[0] ** 2 + 5e3 * x[0] + 140.0 - x[1] + current, model.a * (model.b * x[0] - x[1])]


def izhikevich_reset(model, x):
    return [model.c, x[1] + model.d]


def lif_slope(model, x, current):
    return [(model.v_rest - x[0] + current) / model.tau]


def lif_reset(model, x):
    return [model.v_reset]


_CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3)
_EXACT = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3, exact_times=True)
_NAGUMO = Neuron(fitzhugh_nagumo, ("v", "w"), up, rest={"v": -1.1994, "w": -0.6243})
_VOLTS = (12e-3, 15e-3, 20e-3, 30e-3, 40e-3)
_BOTH = ("euler", "exponential_euler", "rk4", "adaptive")
_GATED = ("exponential_euler", "strang", "rk4", "adaptive")
# name: model, currents, methods, slope, crossing seen by SciPy (V), reset (or None), seconds per unit of time
MODELS = {
    "LIF": (_CELL, _VOLTS, ("exact", "exponential_euler"), lif_slope, 10e-3, lif_reset, 1.0),
    "LIF, exact times": (_EXACT, _VOLTS, ("exact",), lif_slope, 10e-3, lif_reset, 1.0),
    # the paper's cell needs 0.65 nA; from -20 mV to the peak it takes 3 ns
    "AdEx": (AdEx(), (1.0e-9, 1.2e-9, 1.5e-9, 2e-9, 2.5e-9), _BOTH, adex_slope, -20e-3, adex_reset, 1.0),
    "Izhikevich": (Izhikevich(), (10.0, 12.0, 15.0, 18.0, 20.0), _BOTH, izhikevich_slope, 30e-3, izhikevich_reset, 1.0),
    "Hodgkin-Huxley, squid": (HodgkinHuxley.squid(), (0.08, 0.1, 0.15, 0.2, 0.3), _GATED, None, 0.0, None, 1.0),
    "Hodgkin-Huxley, Traub-Miles": (
        HodgkinHuxley.traub_miles(area=1.0, v_t=-58e-3), (0.02, 0.03, 0.05, 0.08, 0.1), _GATED, None, -20e-3, None, 1.0,
    ),
    "FitzHugh-Nagumo (time in its own unit)": (_NAGUMO, (0.4, 0.5, 0.6, 0.7, 0.8), _BOTH, None, 1.0, None, 1e3),
}  # fmt: skip


def converged(model, slope, crossing, reset, current, seconds):
    """Spike times by SciPy, from spike to spike."""
    from scipy.integrate import solve_ivp

    def right(t, x):
        return model.slope(x, current) if slope is None else slope(model, x, current)

    def event(t, x):
        return x[0] - crossing

    event.direction, event.terminal = 1.0, reset is not None
    scales = {"LIF": [1.0], "AdEx": [1.0, 1e-9], "Izhikevich": [1.0, 1e3]}.get(type(model).__name__, 1.0)
    settings = dict(method="DOP853", rtol=1e-11, atol=1e-13 * np.asarray(scales), events=event)
    t, x, times = 0.0, model.initial(1)[:, 0], []
    while t < seconds and len(times) < SPIKES:
        with np.errstate(all="ignore"):  # trial steps that the solver rejects
            found = solve_ivp(right, (t, seconds), x, **settings)
        times += found.t_events[0].tolist()
        if reset is None:
            break
        t = found.t[-1] + (getattr(model, "refractory", 0.0) if found.status == 1 else 0.0)
        x = reset(model, found.y[:, -1])
    return np.array(times[:SPIKES])


def between(v, dt, crossing):
    """Upward crossings by a cubic through the two samples on each side."""
    times = []
    for k in np.flatnonzero((v[:-1] < crossing) & (v[1:] >= crossing)):
        if not 1 <= k < len(v) - 2:
            continue
        cubic = np.polynomial.Polynomial.fit([-1.0, 0.0, 1.0, 2.0], v[k - 1 : k + 3] - crossing, 3)
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if cubic(middle) < 0.0 else (low, middle)
        times.append(dt * (k + low))
    return np.array(times)


def errors(times, right):
    """Largest relative error of the rate, and largest error of a spike time, over the neurons."""
    rate, late = 0.0, 0.0
    for got, exact in zip(times, right, strict=True):
        if len(got) < len(exact):
            return None
        got = got[: len(exact)]
        rate = max(rate, abs((exact[-1] - exact[0]) / (got[-1] - got[0]) - 1.0))
        late = max(late, np.abs(got - exact).max())
    return rate, late


def measure(name, method, dt, right):
    """Errors of stamps, and between the grid points where nothing is reset; or a word."""
    model, currents, _, _, crossing, reset, unit = MODELS[name]
    inputs = [Constant("n", np.array(currents))]
    network = SpikingNetwork({"n": Population(model, len(currents))}, inputs=inputs)
    steps = round(SECONDS * unit / dt)
    try:
        record = {"n": "spikes" if reset else Record(("v",))}
        run = physlearn.integrate(network, (0.0, steps * dt), dt=dt, method=method, record=record)
    except physlearn.dynamics.time.trajectory.DivergenceError:
        return "diverges"
    except ValueError:
        return "refused"
    spikes = run.spikes["n"]
    stamps = errors([spikes.times[spikes.ids == k] for k in range(len(currents))], right)
    if stamps is None:
        return "loses spikes"
    if reset:
        return *stamps, None
    start = model.initial(len(currents))[0]
    v = np.vstack([start, run.traces["n"]["v"]])
    found = [between(v[:, k], dt, crossing) for k in range(len(currents))]
    return *stamps, errors(found, right)[1]


def main():
    folder = Path(__file__).resolve().parents[1] / "docs"
    table, curves = [], {}
    for name, (model, currents, methods, slope, crossing, reset, unit) in MODELS.items():
        right = [converged(model, slope, crossing, reset, current, SECONDS * unit) for current in currents]
        print(name, [len(times) for times in right], file=sys.stderr)
        for method in methods:
            row = {dt * unit: measure(name, method, dt * unit, right) for dt in STEPS}
            curves[name, method] = {dt: value for dt, value in row.items() if not isinstance(value, str)}
            table.append((name, method, unit, row))
    write(folder / "neuron_error.md", table)
    draw(folder / "neuron_error.png", curves)


def shown(value, unit):
    if isinstance(value, str):
        return value
    rate, late, inside = value
    times = f"{1e3 * late / unit:.1e}" + ("" if inside is None else f" ({1e3 * inside / unit:.1e})")
    return f"{100 * rate:.1e} / {times}"


def write(path, table):
    head = [f"{1e3 * dt:g}" for dt in STEPS]
    lines = ["# Error against step", "", __doc__.split("docs/neuron_error.png.", 1)[1].strip(), ""]
    lines += [
        "Each cell: largest relative error of the rate (%) / largest error of the first ten spike times (ms; in",
        "brackets, read between the grid points).  The step is in ms; for FitzHugh-Nagumo, milliseconds stand for its",
        "own unit of time.  `refused`: the step is longer than the shortest time constant and the method explicit.",
        "`diverges`: reported as such by the run.", "", f"| model | method | {' | '.join(head)} |",
        f"|---|---|{'---|' * len(head)}",
    ]  # fmt: skip
    for name, method, unit, row in table:
        cells = [shown(value, unit) for value in row.values()]
        lines.append(f"| {name} | {method} | {' | '.join(cells)} |")
    lines += [
        "",
        "![Errors against the step](neuron_error.png)",
        "",
        "Made by `python benchmarks/neuron_error.py`.",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def draw(path, curves):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(name for name, _ in curves))
    colours = dict(zip(("exact", "euler", "exponential_euler", "strang", "rk4", "adaptive"),
                       ("#000000", "#999999", "#d95f02", "#1b9e77", "#7570b3", "#e7298a"), strict=True))  # fmt: skip
    figure, axes = pyplot.subplots(
        2, len(names), figsize=(2.7 * len(names), 5.6), sharex="col", sharey="row", layout="constrained"
    )
    for column, name in enumerate(names):
        unit = MODELS[name][-1]
        for (model, method), values in curves.items():
            if model != name or not values:
                continue
            x = [1e3 * dt / unit for dt in values]
            style = dict(
                color=colours[method],
                marker="o",
                markersize=5 if method == "rk4" else 3,
                linewidth=2.6 if method == "rk4" else 1.2,
            )
            axes[0, column].loglog(x, [100 * max(value[0], 1e-14) for value in values.values()], label=method, **style)
            axes[1, column].loglog(x, [1e3 * max(value[1], 1e-15) / unit for value in values.values()], **style)
            inside = [value[2] for value in values.values()]
            if inside[0] is not None:
                style |= dict(linestyle="--", marker="")
                axes[1, column].loglog(x, [1e3 * value / unit for value in inside], **style)
        axes[0, column].set_title(name.replace(", ", ",\n").replace(" (", "\n("), fontsize=9)
        axes[1, column].set_xlabel("step (ms)")
        grid = np.array([5e-3, 1.0])
        axes[1, column].loglog(grid, grid, color="0.8", zorder=0, linewidth=3)
        axes[0, column].legend(fontsize=6.5, frameon=False, loc="lower right")
        for row in (0, 1):
            axes[row, column].grid(True, alpha=0.25)
    axes[0, 0].set_ylabel("error of the rate (%)")
    axes[1, 0].set_ylabel("error of a spike time (ms)")
    figure.supxlabel("solid: stamps on the grid; dashed: read between the grid points; grey: one step", fontsize=9)
    axes[0, 0].set_ylim(1e-10, 1e2)
    axes[1, 0].set_ylim(1e-9, 1e2)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
