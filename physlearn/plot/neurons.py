"""Membranes and spikes: voltage with gates, f-I curves, rasters.  Arrays in SI; drawn in mV and ms."""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, count, instance, mapping, positive, seen
from physlearn.plot._axes import COLORS, axes_or_new, caption, legend_beside, line_of, numbers_of, open_frame


def plot_membrane(time, voltage=None, *, gates=None, current=None, unit=None, ax=None):
    """Membrane voltage against time, with gates in a strip below and the injected current in one more.

    Parameters
    ----------
    time : (k,) array, or Traces
        Seconds.  Traces of a recording (``recording.traces["E"]``) bring the voltage "v"; of a single neuron also the
        gates among their variables.
    voltage : (k,) or (k, n) array
        Volts; one line for each neuron.
    gates : mapping of str to (k,) array, optional
        Such as ``{"m": m, "h": h, "n": n}``, between 0 and 1.
    current : (k,) array, optional
        Drawn without conversion.
    unit : str, optional
        Unit of the current, for its label: "A", or "A/m²" for a membrane per area.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes of the voltage.

    Examples
    --------
    >>> ax = plot_membrane([0.0, 1e-3], [-65e-3, -60e-3], gates={"m": [0.05, 0.1]})
    >>> ax.get_ylabel(), [strip.get_ylabel() for strip in ax.figure.axes[1:]]
    ('V (mV)', ['gates'])
    """
    if hasattr(time, "variables"):
        traces, time = time, time.t
        voltage = traces["v"] if voltage is None else voltage
        if gates is None and len(traces.neurons) == 1:
            free = zip(traces.variables, traces.units, strict=True)
            gates = {name: traces[name][:, 0] for name, unit in free if unit in ("", "1") and name != "v"} or None
    elif voltage is None:
        raise TypeError("voltage: missing, expected an array like time; Traces bring their own")
    time, voltage = numbers_of("time", time), array("voltage", voltage)
    if voltage.ndim not in (1, 2) or len(voltage) != len(time):
        raise ValueError(f"voltage: shape {voltage.shape}, expected ({len(time)},) or ({len(time)}, n) like time")
    if gates is not None:
        mapping("gates", gates, expected="a mapping of names to (k,) arrays")
        gates = {name: numbers_of(f"gates[{name!r}]", gate, len(time)) for name, gate in gates.items()}
    current = None if current is None else numbers_of("current", current, len(time))
    caption("unit", unit)
    ax = axes_or_new(ax, (5.0, 3.4 if gates is None and current is None else 4.6))
    ax.plot(1e3 * time, 1e3 * voltage, color=COLORS[0] if voltage.ndim == 1 else None, linewidth=1.4)
    ax.set(ylabel="V (mV)", xlim=(1e3 * time[0], 1e3 * time[-1]))
    open_frame(ax)
    strips = _strips(ax, [0.45] * (gates is not None) + [0.18] * (current is not None))
    if gates is not None:
        for color, (name, gate) in zip(COLORS[1:] * 8, gates.items(), strict=False):
            strips[0].plot(1e3 * time, gate, color=color, linewidth=1.3, label=name)
        strips[0].set(ylabel="gates", ylim=(-0.03, 1.03))
        strips[0].legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5), handlelength=1.2)
    if current is not None:
        strips[-1].plot(1e3 * time, current, color="0.3", linewidth=1.2)
        strips[-1].set_ylabel("I" if unit is None else f"I ({unit})")
    [ax, *strips][-1].set_xlabel("time (ms)")
    return ax


def plot_fi(current, rate=None, *, error=None, theory=None, label="simulated", unit="A", ax=None):
    """Firing rate against current: points, and lines of theory.

    Parameters
    ----------
    current, rate : (k,) array
        In ``unit``, and Hz; or one TuningCurve.
    error : (k,) array, optional
        Standard errors of the rates, Hz.
    theory : mapping of str to (current, rate), optional
        Lines for comparison, such as ``{"exact": (i, lif_rate(i, cells))}``.
    label : str
        Label of the points.
    unit : str
        Unit of the currents.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = plot_fi([1.0, 2.0], [0.0, 30.0], theory={"exact": ([1.0, 2.0], [0.0, 31.0])}, unit="nA")
    >>> ax.get_xlabel(), [line.get_label() for line in ax.lines]
    ('current (nA)', ['exact', 'simulated'])
    """
    if hasattr(current, "rate"):
        current, rate = current.current, current.rate
    current = numbers_of("current", current)
    rate = numbers_of("rate", rate)
    if len(rate) != len(current):
        raise ValueError(f"rate: shape {rate.shape}, expected {current.shape}, one for each current")
    error = None if error is None else array("error", error, shape=rate.shape, low=0.0)
    theory = {} if theory is None else mapping("theory", theory, expected="a mapping of names to (current, rate)")
    theory = {name: line_of(f"theory[{name!r}]", line) for name, line in theory.items()}
    for name, text in (("label", label), ("unit", unit)):
        instance(name, text, str, "text to show")
    ax = axes_or_new(ax, (5.0, 3.4))
    for shade, style, (name, line) in zip(
        ("0.1", "0.55", "0.3") * 4, ("-", "-", "--") * 4, theory.items(), strict=False
    ):
        ax.plot(*line, color=shade, linestyle=style, linewidth=1.3, label=name, zorder=1)
    color = COLORS[sum(bool(line.get_marker() in ("o",)) for line in ax.lines) % len(COLORS)]
    if error is None:
        ax.plot(current, rate, "o", color=color, markersize=4, label=label)
    else:
        ax.errorbar(current, rate, error, fmt="o", color=color, markersize=4, elinewidth=1.0, label=label)
    ax.set(xlabel=f"current ({unit})", ylabel="rate (Hz)")
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    legend_beside(ax)
    open_frame(ax)
    return ax


def plot_raster(spikes, *, width=None, neurons=100, ax=None):
    """A dot for each spike, populations stacked, with the rate of each population in a strip below.

    Parameters
    ----------
    spikes : Recording, Spikes, or mapping of str to Spikes
        Anything with ``times``, ``ids``, ``n``, ``t_start``, ``t_stop`` and ``population_rate``.
    width : float, optional
        Bin of the population rate, s; without it the strip is left out.
    neurons : int
        Number of neurons drawn of each population, the first ones: more than a few hundred rows blur into grey.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes of the dots.

    Examples
    --------
    >>> from circuits.neurons import Spikes
    >>> ax = plot_raster({"E": Spikes([0.1, 0.2], [0, 1], n=2, t_stop=0.5)}, width=0.1)
    >>> [t.get_text() for t in ax.get_yticklabels()], ax.figure.axes[1].get_ylabel()
    (['E'], 'rate (Hz)')
    """
    spikes = getattr(spikes, "spikes", spikes)  # of a recording
    named = spikes if hasattr(spikes, "items") else {"": spikes}
    if not named:
        raise ValueError("spikes: an empty mapping, expected at least one population")
    for record in named.values():
        if isinstance(record, type) or not all(hasattr(record, name) for name in ("times", "ids", "n", "t_stop")):
            raise TypeError(f"spikes: got {seen(record)}, expected Spikes, a mapping of them, or a Recording")
    neurons, width = count("neurons", neurons), None if width is None else positive("width", width)
    ax = axes_or_new(ax, (6.0, 3.2 if width is None else 4.4))
    open_frame(ax)
    strip = None if width is None else _strips(ax, [0.35])[0]
    bottom, middles = 0, []
    rows = sum(min(record.n, neurons) for record in named.values())
    for color, (name, record) in zip(COLORS * len(named), named.items(), strict=False):
        shown, chosen = min(record.n, neurons), record.ids < neurons
        size = np.clip(600.0 / rows, 1.2, 12.0)
        ax.scatter(
            record.times[chosen],
            bottom + record.ids[chosen],
            s=size,
            color=color,
            marker="|" if rows < 60 else ".",
            linewidths=0.6,
        )
        middles.append(bottom + (shown - 1) / 2)
        bottom += shown
        if strip is not None:
            t, rate = record.population_rate(width)
            strip.fill_between(t, rate, step="mid", color=color, alpha=0.25, linewidth=0)
            strip.plot(t, rate, drawstyle="steps-mid", color=color, linewidth=1.0, label=name)
    ends = {"xlim": (min(s.t_start for s in named.values()), max(s.t_stop for s in named.values()))}
    ax.set(ylim=(-0.5, bottom - 0.5), **ends)
    for color, text in zip(COLORS * len(named), ax.set_yticks(middles, list(named)), strict=False):
        text.label1.set_color(color)
    ax.tick_params(axis="y", length=0)
    ax.set_ylabel("neuron")
    if strip is not None:
        strip.set(ylabel="rate (Hz)", ylim=(0, None), **ends)
    (ax if strip is None else strip).set_xlabel("time (s)")
    return ax


def _strips(ax, heights):
    """Divide the place of the axes into itself and strips below that share its time; heights relative to the axes."""
    if not heights:
        return []
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError("ax: it is in no grid that could be divided, expected axes from plt.subplots")
    grid = place.subgridspec(1 + len(heights), 1, height_ratios=[1.0, *heights], hspace=0.05)
    ax.set_subplotspec(grid[0])
    strips = [ax.figure.add_subplot(grid[1 + k], sharex=ax) for k in range(len(heights))]
    for axes, last in zip([ax, *strips], [*strips, None], strict=True):
        open_frame(axes)
        axes.tick_params(labelbottom=last is None)
    return strips
