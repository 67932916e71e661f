"""Associative memories of any number of layers (Krotov 2021, "Hierarchical Associative Memory").

    E = sum_a (x_a.g_a - L_a(x_a)) - sum_a g_a W_a g_(a+1),    g_a = dL_a/dx_a
    tau_a dx_a/dt = W_(a-1)^T g_(a-1) + W_a g_(a+1) - x_a

Every layer has a kind of `physlearn.lagrangians` and is coupled to its neighbours both ways by one matrix.  Two layers
with a `Softmax` hidden one are a modern Hopfield network, with a `Relu` one a rectified dense memory of power 2.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, seen, sequence
from physlearn.energy import Energy
from physlearn.terms.bias import Bias
from physlearn.terms.dense import Dense


def layered_memory(kinds, weights, *, bias=None) -> Energy:
    """Build the energy of a stack of layers "x0", "x1", ...

    Parameters
    ----------
    kinds : sequence of kinds
        From `physlearn.lagrangians`, one for each layer.
    weights : sequence of (n_a, n_(a+1)) arrays
        Between each layer and the next: one fewer; ``W0``, ``W1``, ... in theta.
    bias : (n_0,) array, optional
        A constant field on the first layer; ``bias`` in theta.

    Returns
    -------
    Energy
        For `relax` (by its flow), `integrate` and `learn`.

    Raises
    ------
    ValueError
        Matrices that do not chain, kinds without a Lagrangian.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import relax
    >>> from physlearn.lagrangians import Identity, Softmax
    >>> memory = layered_memory([Identity(), Softmax(beta=20.0)], [np.eye(3)])
    >>> relax(memory, {"x0": [0.9, 0.1, 0.0], "x1": [0.9, 0.1, 0.0]}).x["x0"].round(3)
    array([1., 0., 0.])
    """
    kinds, weights = sequence("kinds", kinds), sequence("weights", weights, expected="a sequence of matrices")
    weights = [np.array(array(f"weights[{k}]", w)) for k, w in enumerate(weights)]
    if len(kinds) < 2 or len(weights) != len(kinds) - 1:
        raise ValueError(
            f"weights: got {len(weights)} for {len(kinds)} kinds, expected one between each two of at least 2"
        )
    for number, kind in enumerate(kinds):
        if isinstance(kind, type) or not (hasattr(kind, "activation") and hasattr(kind, "lagrangian")):
            raise ValueError(f"kinds[{number}]: {seen(kind)} has no Lagrangian; take one of physlearn.lagrangians")
    for number, w in enumerate(weights):
        if w.ndim != 2 or w.size == 0 or number and w.shape[0] != weights[number - 1].shape[1]:
            shapes = [w.shape for w in weights]
            raise ValueError(f"weights: shapes {shapes} do not chain, expected (n_0, n_1), (n_1, n_2), ..., none empty")
    sizes = [weights[0].shape[0], *(w.shape[1] for w in weights)]
    layers = {f"x{a}": (kind, n) for a, (kind, n) in enumerate(zip(kinds, sizes, strict=True))}
    terms: list = [Dense((f"x{a}", f"x{a + 1}"), f"W{a}") for a in range(len(weights))]
    theta = {f"W{a}": w for a, w in enumerate(weights)}
    if bias is not None:
        terms.append(Bias("x0"))
        theta["bias"] = array("bias", bias)
        if theta["bias"].shape not in ((), (sizes[0],)):
            raise ValueError(f"bias: shape {theta['bias'].shape}, expected ({sizes[0]},)")
    return Energy(layers, terms, theta)
