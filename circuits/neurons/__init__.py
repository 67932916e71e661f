"""Membranes and spikes: point neurons, synapses and networks of them, on an integer time grid.

The conventions of time are stated once, in `circuits.neurons.network`.  Importing this package loads nothing
else; names load when first used.
"""

import importlib

_HOME = {
    "circuits.neurons.lif": ("LIF",),
    "circuits.neurons.adex": ("AdEx",),
    "circuits.neurons.izhikevich": ("Izhikevich",),
    "circuits.neurons.hodgkin_huxley": ("HodgkinHuxley",),
    "circuits.neurons.neuron": ("Neuron",),
    "circuits.neurons.sources": ("PoissonSource", "SpikeSource"),
    "circuits.neurons.receptors": ("Alpha", "Delta", "DualExponential", "Exponential", "Gamma"),
    "circuits.neurons.population": ("Population",),
    "circuits.neurons.projection": ("Projection",),
    "circuits.neurons.plasticity": ("STDP", "ShortTermPlasticity"),
    "circuits.neurons.currents": ("Constant", "Piecewise", "Ramp", "Sine", "Step"),
    "circuits.neurons.noise": ("OrnsteinUhlenbeck",),
    "circuits.neurons.trains": ("Poisson", "SpikeTrains"),
    "circuits.neurons.network": ("SpikingNetwork",),
    "circuits.neurons.recording": ("Record", "Recording"),
    "circuits.neurons.stream": ("read_stream",),
    "circuits.neurons.spikes": ("Spikes",),
    "circuits.neurons.filter": ("spike_train_filter",),
    "circuits.neurons.theory": ("MeanField", "lif_rate", "mean_field", "siegert_cv", "siegert_rate"),
    "circuits.neurons.tuning": ("TuningCurve", "fi_curve"),
    "circuits.neurons.channels": ("Gate", "Rate", "squid_gates", "traub_miles_gates"),
    "circuits.neurons.methods": ("Adaptive",),
    "circuits.neurons.phase_plane": (
        "FixedPoint",
        "HopfPoint",
        "fixed_points",
        "hopf_points",
        "jacobian",
        "nullclines",
        "reduced_slope",
        "state_at",
    ),
    "circuits.interop.brian2": ("to_brian2",),
    "circuits.interop.from_brian2": ("from_brian2",),
    "circuits.interop.nir": ("from_nir", "to_nir"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted([*_MODULE_OF, "connect"])


def __getattr__(name):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(_MODULE_OF[name]), name)
    if name == "connect":
        return importlib.import_module("circuits.neurons.connect")
    raise AttributeError(f"module 'circuits.neurons' has no attribute {name!r}")


def __dir__():
    return __all__
