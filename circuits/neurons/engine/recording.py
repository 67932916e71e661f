"""The record of a run: spikes, sampled variables, and the state from which to continue."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.neurons.engine.state import NetworkState as NetworkState
from circuits.neurons.parameters import fixed
from physlearn.brief import brief
from physlearn.checks import integers, positive, seen, sequence
from physlearn.quantities import take_si


@dataclass(frozen=True)
class Record:
    """Variables and spikes to record of one population, weights of one projection with STDP, or a decoded value.

    Parameters
    ----------
    variables : sequence of str
        Rows of state: variables of the model ("v", "m", ...) and receptors by name (their current or conductance);
        of a projection "w", its weights; of a probe, a projection of low rank or a `Signal` "x", its D numbers.
    every : float, optional
        s between samples, whole steps; every step by default.  Samples fall on multiples of it.
    neurons : sequence of int, optional
        Whose variables and spikes; all by default; of a projection synapses, in the order of `SpikingNetwork.synapses`;
        which of the D numbers.
    spikes : bool or "all"
        Whether to keep spikes: True those of ``neurons``, "all" those of all neurons.

    Examples
    --------
    >>> from circuits.neurons import LIF, Constant, Population, SpikingNetwork
    >>> from physlearn import integrate
    >>> cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0)
    >>> network = SpikingNetwork({"E": Population(cell, 3)}, inputs=[Constant("E", 15e-3)])
    >>> integrate(network, (0.0, 0.1), dt=1e-4, record={"E": Record(neurons=[0, 2])}).spikes["E"]
    Spikes(8 of 2 recorded of 3 neurons, 0 to 0.1 s, 40 Hz)
    """

    variables: Any = ()
    every: float | None = None
    neurons: Any = None
    spikes: bool | str = True

    __repr__ = brief

    def __post_init__(self):
        take_si(self, every="s")
        names = (self.variables,) if isinstance(self.variables, str) else self.variables
        object.__setattr__(self, "variables", sequence("Record: variables", names, str, "names such as ['v']"))
        if self.every is not None:
            positive("Record: every in s", self.every)
        if self.neurons is not None:
            object.__setattr__(self, "neurons", fixed(integers("Record: neurons", self.neurons, ndim=1, low=0)))
        if not isinstance(self.spikes, bool | np.bool_) and self.spikes != "all":
            raise TypeError(f"Record: spikes={seen(self.spikes)}, expected True, False or 'all'")


@dataclass(frozen=True, eq=False)
class Traces:
    """Sampled variables of one population or projection; ``traces["v"]`` is (samples, neurons).

    Parameters
    ----------
    t : (samples,) array
        s.
    neurons : (k,) array of int
        Of a projection, synapses.
    variables, units : tuple of str
    values : (samples, variables, k) array
    """

    t: np.ndarray
    neurons: np.ndarray
    variables: tuple
    units: tuple
    values: np.ndarray

    def __repr__(self):
        return brief(self, t=self.t, neurons=len(self.neurons), **{name: self[name] for name in self.variables})

    def _repr_html_(self):
        return self.to_dataset()._repr_html_()

    @property
    def final(self):
        """The last sample, {variable: (k,)}."""
        return {name: self[name][-1] for name in self.variables}

    def __getitem__(self, variable):
        return self.values[:, self.variables.index(nearest("variable", variable, self.variables))]

    def to_dataset(self):
        """An xarray.Dataset with dimensions time and neuron, units in the attributes."""
        import xarray

        coordinates = {"time": ("time", self.t, {"units": "s"}), "neuron": self.neurons}
        data = {
            name: (("time", "neuron"), self[name], {"units": unit})
            for name, unit in zip(self.variables, self.units, strict=True)
        }
        return xarray.Dataset(data, coordinates)

    to_xarray = to_dataset  # its former name


@dataclass(frozen=True, eq=False)
class Recording:
    """The record of a run.

    Parameters
    ----------
    spikes : dict of str to Spikes
        By population.
    traces : dict of str to Traces
    weights : dict of str to (m,) array
        Weights of plastic projections at the end, by source and then target; of one of low rank what it learns,
        "name.decoders" (sources, D) or "name.encoders" (D, targets).
    final : NetworkState
        The state at the end, which ``x0`` of another run takes; ``state`` is its former name.
    t_start, t_stop, dt : float
        s.
    method : str
        Of each population, and the number of threads: fewer than asked for where more would not help.
    """

    spikes: dict
    traces: dict
    weights: dict
    final: NetworkState
    t_start: float
    t_stop: float
    dt: float
    method: str

    @property
    def state(self):
        """The state at the end: the former name of ``final``."""
        return self.final

    @property
    def t(self):
        """Begin and end of the run, s; samples have times of their own, ``traces["E"].t``."""
        return np.array([self.t_start, self.t_stop])

    def to_dataset(self):
        """Spikes and samples of all populations as one xarray.Dataset.

        "E.spike_time" (s) and "E.spike_neuron" along "E.spike"; "E.v" along "E.time" and "E.neuron"; the last weights
        of a plastic projection "E->I.weight" along "E->I.synapse".
        """
        import xarray

        data, coordinates = {}, {}
        for name, spikes in self.spikes.items():
            along = (f"{name}.spike",)
            data[f"{name}.spike_time"] = (along, spikes.times, {"units": "s"})
            data[f"{name}.spike_neuron"] = (along, spikes.ids)
        for name, traces in self.traces.items():
            time, neuron = f"{name}.time", f"{name}.neuron"
            coordinates |= {time: (time, traces.t, {"units": "s"}), neuron: traces.neurons}
            for variable, unit in zip(traces.variables, traces.units, strict=True):
                data[f"{name}.{variable}"] = ((time, neuron), traces[variable], {"units": unit})
        for name, weights in self.weights.items():
            if weights.ndim == 1:
                data[f"{name}.weight"] = ((f"{name}.synapse",), weights)
            else:  # decoders or encoders
                data[name] = ((f"{name}.row", f"{name}.column"), weights)
        ends = {"t_start": self.t_start, "t_stop": self.t_stop, "dt": self.dt, "method": self.method}
        return xarray.Dataset(data, coordinates, ends)

    def __repr__(self):
        spikes = {name: len(spikes) for name, spikes in self.spikes.items()}
        traces = {name: list(traces.variables) for name, traces in self.traces.items()}
        parts = {"spikes": spikes, "traces": traces, "weights": list(self.weights)}
        span = f"{self.t_start:g} to {self.t_stop:g} s"
        return brief(self, t=span, dt=self.dt, **{k: v for k, v in parts.items() if v}, method=self.method)

    def _repr_html_(self):
        from html import escape

        shown = [f"<pre>{escape(repr(self))}</pre>"]
        for name, traces in self.traces.items():
            shown.append(f"<p>traces[{escape(repr(name))}]</p>{traces._repr_html_()}")
        return "".join(shown)


def nearest(what, name, valid):
    """The name, if valid; else an error that names the nearest."""
    if isinstance(name, str) and name in valid:
        return name
    close = difflib.get_close_matches(str(name), [str(v) for v in valid], 1, 0.0)
    raise ValueError(f"{what}: {name!r} is none of {list(valid)}; did you mean {close[0] if close else None!r}?")


def available_memory():
    """Bytes of memory that are free, or infinity where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return float("inf")
