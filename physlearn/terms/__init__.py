"""Kinds of coupling, one file each."""

from physlearn.terms.bias import Bias
from physlearn.terms.edges import Edges

__all__ = ["Bias", "Edges"]
