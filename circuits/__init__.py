"""Machines made of wires: resistor networks on any graph, exactly solved, and their SPICE twins.

Importing this package loads nothing else; names load when first used.
"""

import importlib

_HOME = {
    "circuits.resistor": ("ResistorNetwork",),
    "circuits.hopfield": ("amplifier_network", "amplifier_outputs"),
    "circuits.lattices": (
        "complete_graph",
        "erdos_renyi_graph",
        "layered_graph",
        "random_geometric_graph",
        "random_regular_graph",
        "square_lattice",
    ),
    "circuits.observables": (
        "dissipated_power",
        "edge_currents",
        "energy_per_inference",
        "source_currents",
    ),
    "circuits.resistance": ("effective_resistance", "kirchhoff_index", "resistance_matrix"),
    "circuits.hessian": ("cost_hessian", "laplacian", "response", "settling_time", "soft_modes"),
    "circuits.spice": ("run_ngspice", "spice_names", "to_spice"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module 'circuits' has no attribute {name!r}")


def __dir__():
    return __all__
