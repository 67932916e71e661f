"""Negative nudges that outweigh a circuit: states that Newton's method finds there are no rests.

With A = -dF/dz of the circuit itself and -strength C'' = B >= 0 of a nudge of the outputs y = R z, the nudged circuit
is stiff in every direction while A - R^T B R has no eigenvalue below zero.  As the nudge grows from nothing, the first
one gets there where S B has the eigenvalue 1, S = R A^-1 R^T; so all real ones below 1 is the condition, exactly so
where A is symmetric.
"""

from __future__ import annotations

import numpy as np

from circuits.nodal.linsolve import solve_all


def refuse_unbound(search, z, items):
    """Refuse nudges that have unbound any of the items, which are at rest at z (batch, m)."""
    plan, system = search.plan, search.problem.system
    bending = [(n, rows) for n, rows in search.nudged if n.at is None and np.isreal(n.strength) and n.strength < 0]
    if not bending or not plan.m or not items.size:
        return
    x = search.state(z[items], items, 1.0)
    _, slopes, _ = search.parts(x, items, 1.0)
    data = search.jacobian(x, slopes, items)[0]
    state, start = {}, 0
    for name, layer in system.layers.items():
        state[name], start = x[:, start : start + layer.size], start + layer.size
    for nudge, rows in bending:
        rows = rows.toarray()
        y = system.readouts[nudge.cost.readout].read(state)
        target = np.broadcast_to(np.atleast_2d(nudge.target), (len(z), y.shape[1]))[items]
        bend = -nudge.strength * nudge.cost.hessian(y, target)
        moved = [solve_all(plan, data, None, -np.tile(row, (len(items), 1))) for row in rows]  # A^-1 R^T, (k, batch, m)
        green = np.einsum("om,kbm->bok", rows, np.array(moved))
        share = green @ bend
        share = np.linalg.eigvals(share[np.isfinite(share).all((1, 2))])
        worst = np.max(np.where(np.abs(share.imag) < 1e-9 * np.abs(share), share.real, -np.inf), initial=0.0)
        if worst >= 1.0:
            raise ValueError(
                f"nudge: strength {nudge.strength:g} of {type(nudge.cost).__name__} on {nudge.cost.readout!r} is "
                f"{worst:.3g} times what the circuit's own conductances bear: the outputs run away from their targets, "
                "and there is no rest; weaken it, or linearise it"
            )
