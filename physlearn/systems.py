"""Systems as arguments: what every verb asks of them, and their energies term by term."""

from __future__ import annotations

import numpy as np

from physlearn.energy import Energy
from physlearn.machine import Machine, system_of
from physlearn.threads import on_one_thread


def variables(system):
    """Number of variables of all layers together; a system without any is refused, since nothing could move."""
    found = sum(layer.size for layer in system.layers.values())
    if not found:
        raise ValueError(f"layers: {list(system.layers)} have no variables, so that the empty state is the only one")
    return found


def energy_of(machine, what_then, name="energy") -> Energy:
    """The Energy that a verb moves: the argument itself, or the one that a machine holds.

    A System is refused; ``what_then`` ends the message.
    """
    system = system_of(machine, name)
    if not isinstance(system, Energy):
        raise TypeError(f"{name}: a System has no energy{what_then}")
    return system


@on_one_thread
def energy_terms(energy: Machine, x) -> dict[str, np.ndarray]:
    """Share of every term in the energy, (batch,) each, so that the sum can be audited.

    Terms of the same class are numbered in order; a layer with an activation has a share of its own.

    Parameters
    ----------
    energy : Machine or Energy
    x : array or mapping of str to array
        State, (batch, *shape) or (*shape); complex where the terms take it.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real, energy_terms
    >>> from physlearn.terms import Bias, Edges
    >>> loaded = Energy({"v": (Real(), 2)}, [Edges("v", [(0, 1)]), Bias("v")],
    ...                 {"conductance": [2.0], "bias": [0.0, 1.0]})
    >>> {name: float(share[0]) for name, share in energy_terms(loaded, np.array([0.0, 3.0])).items()}
    {'0 Edges': 9.0, '1 Bias': -3.0}
    """
    energy = energy_of(energy, " to share out; look at its fields")
    energy.check_terms()
    return energy.shares(energy.state(x))
