"""Kinds of coupling, one file each."""

from physlearn.terms.attention import TokenAttention, TokenMemory
from physlearn.terms.bias import Bias
from physlearn.terms.dense import Dense
from physlearn.terms.edges import Edges
from physlearn.terms.lattice import FeltBonds, Lattice, LatticeBonds
from physlearn.terms.memory import Entropy, LogSumExp, Separation, SquaredNorm
from physlearn.terms.mixture import Mixture
from physlearn.terms.oneway import OneWay
from physlearn.terms.pairs import Pairs
from physlearn.terms.parabola import Parabola
from physlearn.terms.potts import PottsBias, PottsPairs
from physlearn.terms.potts_dense import PottsDense

__all__ = [
    "Bias",
    "Dense",
    "Edges",
    "Entropy",
    "FeltBonds",
    "Lattice",
    "LatticeBonds",
    "LogSumExp",
    "Mixture",
    "OneWay",
    "Pairs",
    "Parabola",
    "PottsBias",
    "PottsDense",
    "PottsPairs",
    "Separation",
    "SquaredNorm",
    "TokenAttention",
    "TokenMemory",
]
