"""Couplings, thresholds and values of a Hopfield network that stores patterns by one of the rules of `storage`."""

from __future__ import annotations

import numpy as np

from physlearn.checks import choice
from physlearn.energy import Binary, Spin
from physlearn.kinds import two_values
from physlearn.models.memory import storage
from physlearn.models.memory.patterns import check_patterns, refuse_duplicates, value_pair
from physlearn.models.memory.retrieval import whole_numbers

VALUES = ((-1.0, 1.0), (0.0, 1.0))  # of neurons
RULES = {
    "hebb": storage.hebb,
    "flow": storage.gradient_flow,
    "projection": storage.projection,
    "storkey": storage.storkey,
    "perceptron": storage.perceptron,
    "covariance": storage.covariance,
    "sequence": storage.sequence,
}


def wire(patterns, rule, kind, settings):
    """(couplings, bias or None, kind, low-rank factor or None); arguments as of `Hopfield.store`."""
    patterns = check_patterns(patterns)
    choice("rule", rule, RULES)
    if kind is not None and two_values(kind) not in VALUES:
        raise TypeError(f"kind: got {kind!r}, expected Spin() or Binary()")
    if rule != "flow":
        refuse_duplicates(patterns)
    low, _ = value_pair(patterns, "patterns")
    if kind is not None and two_values(kind) == (0.0, 1.0) and np.all(patterns == 1):
        low = 0.0  # ones alone are values of both kinds
    kind = (Spin() if low < 0 else Binary()) if kind is None else kind
    if two_values(kind) != (low, 1.0):
        raise ValueError(f"kind: got {kind}, but the patterns' values are {low:g} and 1; convert them or drop kind")
    if rule == "covariance":
        w = storage.covariance(patterns, **settings)
        a = settings.get("activity")
        a = float(np.mean(patterns)) if a is None else a
        return w, np.full(len(w), a - 0.5), kind, None
    spins = patterns if low < 0 else 2.0 * patterns - 1.0
    w = RULES[rule](spins, **settings)
    if low == 0:
        # summed as whole numbers, so that the biases tie where the fields of the spins do
        whole = whole_numbers(w)
        return 4.0 * w, -2.0 * whole.unit * whole.columns.sum(0, dtype=float), kind, None
    low_rank = rule == "hebb" and 4 * len(spins) < len(w) and spins.size < 2**24
    return w, None, kind, np.ascontiguousarray(spins, dtype=np.float32) if low_rank else None
