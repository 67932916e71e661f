"""One picture per function, ``plot_x(data, *, ax=None) -> Axes``; nothing is shown, no setting changed.

Functions take plain arrays and mappings, draw on ``ax`` or on a new figure and return the axes, which
Matplotlib's own methods then adjust.
"""

import importlib

_HOME = {
    "physlearn.plot.assembly": ("animate_assembly", "plot_assembly", "plot_assembly_phases", "plot_retrieval"),
    "physlearn.plot.confusion": ("plot_confusion",),
    "physlearn.plot.curves": ("plot_learning_curve",),
    "physlearn.plot.memory": (
        "plot_attention",
        "plot_capacity",
        "plot_landscape",
        "plot_overlaps",
        "plot_patterns",
        "plot_phase_diagram",
    ),
    "physlearn.plot.network": ("plot_network",),
    "physlearn.plot.study": ("plot_bands", "plot_heat_map", "plot_refined"),
    "physlearn.plot.neurons": ("plot_fi", "plot_membrane", "plot_phase_plane", "plot_raster"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module 'physlearn.plot' has no attribute {name!r}")


def __dir__():
    return __all__
