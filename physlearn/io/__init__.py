"""Formats that are not circuits: Gset/rudy graphs, MatrixMarket couplings, dimod models, IDX images."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
