"""Machines, one file each.  Importing this package loads nothing else; names load when first used."""

import importlib

_HOME = {
    "physlearn.models.assembly": ("Assembly",),
    "physlearn.models.assembly_capacity": (
        "RetrievalCurve",
        "accidental_candidates",
        "capacity_exponent",
        "grow_seeds",
        "phase_map",
        "retrieval_curve",
    ),
    "physlearn.models.assembly_order": ("AssemblyOrder", "assembly_order", "site_labels", "time_to_assembly"),
    "physlearn.models.boltzmann": ("BoltzmannMachine",),
    "physlearn.models.capacity": (
        "CapacityCurve",
        "basin_size",
        "capacity_curve",
        "dense_errors",
        "extrapolate",
        "phase_diagram",
    ),
    "physlearn.models.continuous_hopfield": ("ContinuousHopfield", "FixedPoints"),
    "physlearn.models.deep_belief": ("DeepBelief", "stack"),
    "physlearn.models.dense_memory": ("DenseMemory",),
    "physlearn.models.energy_transformer": ("EnergyTransformer",),
    "physlearn.models.hopfield": ("Hopfield",),
    "physlearn.models.landscape": ("Plane", "energy_plane"),
    "physlearn.models.lattices": ("cubic_pairs", "square_pairs", "triangular_pairs"),
    "physlearn.models.layered_memory": ("layered_memory",),
    "physlearn.models.linkers": ("linked",),
    "physlearn.models.mean_field": (
        "critical_load",
        "first_step_error",
        "mean_field_overlap",
        "retrieval_boundary",
    ),
    "physlearn.models.modern_hopfield": (
        "ModernHopfield",
        "Probabilities",
        "attention",
        "causal_mask",
        "multi_head_attention",
        "positional_encoding",
    ),
    "physlearn.models.nucleation": (
        "GrowthProfile",
        "block_energy",
        "critical_size",
        "growth_free_energy",
        "nucleation_barrier",
        "patch_barrier",
    ),
    "physlearn.models.observables": (
        "binder",
        "correlation_length",
        "frustrated_plaquettes",
        "link_overlap",
        "magnetisation",
        "order_parameter",
        "replica_overlap",
        "specific_heat",
        "susceptibility",
    ),
    "physlearn.models.patterns": (
        "add_noise",
        "correlated_patterns",
        "digits",
        "erase",
        "flip",
        "from_images",
        "letters",
        "overlap",
        "overlap_matrix",
        "random_patterns",
    ),
    "physlearn.models.rbm": ("RBM", "LogLikelihood"),
    "physlearn.models.recognition": ("Recognition", "concentration_pattern", "recognise"),
    "physlearn.models.registration": ("Registration", "registration"),
    "physlearn.models.retrieval": ("Recall",),
    "physlearn.models.spin_glass": ("Ising", "PottsModel", "SpinGlass"),
    "physlearn.models.spurious": ("StateKind", "classify_states", "survey"),
    "physlearn.models.storage": (
        "covariance",
        "dilute",
        "gradient_flow",
        "hebb",
        "perceptron",
        "projection",
        "sequence",
        "storkey",
    ),
    "physlearn.models.structures": ("Promiscuity", "Structure", "promiscuity", "random_structures", "store"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module 'physlearn.models' has no attribute {name!r}")


def __dir__():
    return __all__
