"""Differentiable maps from parents to a value: what the nodes of a graph compute; see `physlearn.maps.map`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
