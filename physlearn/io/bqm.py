"""dimod's binary quadratic models (extra `ising`), to and from energies of spins or 0/1 variables.

dimod minimises sum h_i s_i + sum J_ij s_i s_j + offset: signs are the other way round here, where
E = -sum b_i s_i - sum J_ij s_i s_j has no constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, number, seen
from physlearn.energy import Binary, Energy, Spin
from physlearn.kinds import two_values
from physlearn.machine import Machine
from physlearn.systems import energy_of
from physlearn.terms import Bias, Dense, Pairs


class BQMEnergy(NamedTuple):
    """A dimod model as an energy over the layer "s": dimod's energy is ``energy(x) + offset``."""

    energy: Energy
    offset: float
    variables: list

    __repr__ = brief

    def sample(self, x):
        """A state (n,) as dimod's dict of variable to value.

        Examples
        --------
        >>> import numpy as np
        >>> from_bqm({("a", "a"): -1.0, ("a", "b"): 2.0}).sample(np.array([1.0, 0.0]))
        {'a': 1, 'b': 0}
        """
        x, kind = array("x", x, shape=(len(self.variables),)), self.energy.layers["s"].kind
        if not kind.valid(x):
            raise ValueError(f"x: some values are not of the kind {kind}")
        return {v: int(value) for v, value in zip(self.variables, x, strict=True)}


def from_bqm(model: Any) -> BQMEnergy:
    """Make an energy of a dimod model.

    Parameters
    ----------
    model : dimod.BinaryQuadraticModel, or mapping of (u, v) to float
        A mapping is a QUBO, x^T Q x of 0/1 variables: (u, u) is the linear part, and (u, v) and (v, u) add up.

    Returns
    -------
    BQMEnergy
        `Spin` for dimod's SPIN, `Binary` for BINARY; variables in the model's order.

    Raises
    ------
    ImportError
        Without dimod: ``pip install "physlearn-sim[ising]"``.
    TypeError, ValueError
        Another object; biases that are NaN or infinite.

    Examples
    --------
    >>> import numpy as np
    >>> found = from_bqm({("a", "a"): -1.0, ("a", "b"): 2.0})
    >>> found.energy(np.array([1.0, 0.0])).item(), found.variables
    (-1.0, ['a', 'b'])
    """
    dimod = dimod_module()
    if isinstance(model, Mapping):
        for pair, value in model.items():
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise ValueError(f"model: got the key {seen(pair)}, expected a pair (u, v) of variables")
            number(f"model[{pair!r}]", value)
        model = dimod.BinaryQuadraticModel.from_qubo(model)
    if isinstance(model, type) or not hasattr(model, "vartype") or not hasattr(model, "to_numpy_vectors"):
        raise TypeError(f"model: got {type(model).__name__}, expected a dimod.BinaryQuadraticModel or a QUBO dict")
    variables = list(model.variables)
    vectors: Any = model.to_numpy_vectors(variable_order=variables)
    linear, (i, j, quadratic), offset = vectors
    kind = Spin() if model.vartype is dimod.SPIN else Binary()
    pairs = np.stack([i, j], 1).astype(np.int64).reshape(-1, 2)
    if not (np.all(np.isfinite(linear)) and np.all(np.isfinite(quadratic)) and np.isfinite(offset)):
        raise ValueError("model: some biases are NaN or infinite, expected finite numbers")
    theta = {"bias": -np.asarray(linear, dtype=float), "J": -np.asarray(quadratic, dtype=float)}
    n = len(variables)
    energy = Energy({"s": (kind, n)}, [Pairs("s", pairs, n), Bias("s")], theta)
    return BQMEnergy(energy, float(offset), variables)


def to_bqm(energy: Machine) -> Any:
    """Make a dimod model of an energy of Pairs, Dense and Bias on one layer of spins or 0/1 variables.

    Variables are numbered from 0; couplings that are zero are left out.  An energy with fixed readouts is refused.

    Parameters
    ----------
    energy : Machine or Energy

    Returns
    -------
    dimod.BinaryQuadraticModel

    Examples
    --------
    >>> from physlearn.models import Ising
    >>> to_bqm(Ising.from_pairs([(0, 1)], 2.0)).quadratic
    {(1, 0): -2.0}
    """
    dimod = dimod_module()
    energy = energy_of(energy, ", and a dimod model is one")
    energy.check_terms()
    if energy.fixed:
        raise ValueError(
            f"energy: its readouts {list(energy.fixed)} are fixed, and a dimod model has no clamps; convert it without "
            "and then call fix_variables on the model"
        )
    kinds = {(-1.0, 1.0): "SPIN", (0.0, 1.0): "BINARY"}
    layer = next(iter(energy.layers.values()))
    other = [type(t).__name__ for t in energy.terms if not isinstance(t, Pairs | Dense | Bias)]
    if len(energy.layers) != 1 or two_values(layer.kind) not in kinds or other:
        raise ValueError(
            f"energy: layers {dict(energy.layers)}, terms {[type(t).__name__ for t in energy.terms]}; expected one "
            "layer of Spin or Binary with Pairs, Dense and Bias"
        )
    values: Any = two_values(layer.kind)
    model = dimod.BinaryQuadraticModel(kinds[values])
    model.add_linear_from((v, 0.0) for v in range(layer.size))
    for term in energy.terms:
        value = energy.theta[term.parameter]
        if isinstance(term, Bias):
            model.add_linear_from(enumerate((-np.broadcast_to(value, layer.shape)).ravel().tolist()))
            continue
        i, j = (term.i, term.j) if isinstance(term, Pairs) else np.triu_indices(layer.size, 1)
        j_ij = value if isinstance(term, Pairs) else 0.5 * (value + value.T)[i, j]
        used = np.flatnonzero(j_ij)
        model.add_quadratic_from(zip(i[used].tolist(), j[used].tolist(), (-j_ij[used]).tolist(), strict=True))
    return model


def dimod_module() -> Any:
    """The package dimod, or an ImportError that says how to install it."""
    try:
        import dimod
    except ImportError as error:
        raise ImportError('dimod is missing: pip install "physlearn-sim[ising]"') from error
    return dimod
