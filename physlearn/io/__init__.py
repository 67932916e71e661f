"""Formats that are not circuits: Gset/rudy graphs, MatrixMarket couplings, dimod models."""

from physlearn.io.bqm import BQMEnergy, from_bqm, to_bqm
from physlearn.io.gset import MaxCut, maxcut_energy, read_gset
from physlearn.io.matrixmarket import read_couplings

__all__ = ["BQMEnergy", "MaxCut", "from_bqm", "maxcut_energy", "read_couplings", "read_gset", "to_bqm"]
