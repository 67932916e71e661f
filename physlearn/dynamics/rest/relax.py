"""relax: fall to an equilibrium, with some variables clamped and some nudged."""

from __future__ import annotations

import logging
import warnings

import numpy as np

from physlearn.checks import choice, count, positive
from physlearn.dynamics.frame import wrapped
from physlearn.dynamics.notes import of_rest
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.rest import blocks, descent, direct, errors, fire, flow, lbfgs, newton, own
from physlearn.dynamics.rest.equilibrium import Equilibrium
from physlearn.errors import ConvergenceError
from physlearn.machine import Machine
from physlearn.progress import Bar
from physlearn.threads import on_one_thread

LOG = logging.getLogger(__name__)
FEW = 3  # items up to which L-BFGS, which takes them one by one, is chosen before FIRE, which takes them all at once

# In the order in which "auto" asks: each engine has `refusal(problem) -> str | None` and
# `solve(problem, tol, max_steps) -> (z, residual, steps, converged, method)`.
ENGINES = {"own": own, "direct": direct, "descent": descent, "newton": newton, "errors": errors, "lbfgs": lbfgs}
ENGINES |= {"flow": flow, "fire": fire}


@on_one_thread
def relax(
    system: Machine,
    x0=None,
    *,
    clamp=None,
    nudge=None,
    method="auto",
    tol=1e-9,
    max_steps=10_000,
    unconverged="warn",
    progress=None,
) -> Equilibrium:
    """Relax a system to an equilibrium (T = 0).

    Parameters
    ----------
    system : Machine, Energy or System
        To relax.
    x0 : array or mapping of str to array, optional
        Where to start, (batch, *shape) or (*shape); default zero, within bounds (spins: -1), or the start that its
        kind tells.  Exact engines ignore it.  A start exactly on an unstable rest (the top of a symmetric well)
        counts as at rest for all engines but "newton": give symmetric energies an asymmetric start.
    clamp : mapping of str to array, optional
        Readout name to values, (batch, k) or (k,).  A readout declared with ``force=True`` takes the
        force conjugate to it (currents) instead.
    nudge : Nudge or sequence of Nudge, optional
        Costs added to the energy.
    method : str
        "auto", or an engine: "own" (circuits bring one), "direct" (quadratic energies; a factorisation or conjugate
        gradients), "descent" (one variable or block at a time; discrete kinds, separable quadratics), "newton" (terms
        with a jacobian), "errors" (networks of predictions), "lbfgs", "flow" (gradient flow; the only one for layers
        with an activation, and for complex states without a jacobian), "fire".
    tol : float
        Largest residual force that counts as rest, relative to the forces that balance (see
        `Equilibrium.converged`), so that units do not matter.
    max_steps : int
        Iterations after which to give up.
    unconverged : {"warn", "raise", "ignore"}
        What to do when the result is not at rest.
    progress : bool, optional
        Whether to show a bar, on a terminal or in a notebook; by default once a second has passed.

    Returns
    -------
    Equilibrium

    Raises
    ------
    ValueError
        Clamps that do not exist, disagree or over-determine; a method that does not fit; an energy
        without a minimum.
    ConvergenceError
        With ``unconverged="raise"``; carries the record of what was reached as ``partial``.

    Examples
    --------
    A voltage divider, 3 V across 1 S and 2 S in series:

    >>> from physlearn import Energy, Readout, Real, relax
    >>> from physlearn.terms import Edges
    >>> divider = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 2.0]},
    ...                  readouts={"rails": Readout("v", [0, 2])})
    >>> relax(divider, clamp={"rails": [3.0, 0.0]}).x
    array([3., 1., 0.])
    """
    choice("unconverged", unconverged, ("warn", "raise", "ignore"))
    choice("method", method, ("auto", *ENGINES))
    tol, max_steps = positive("tol", tol), count("max_steps", max_steps, least=0)
    problem, single = make_problem(system, x0, clamp, nudge)
    found = ""
    if method == "auto":
        # Where layers have an activation the basin may matter, and the physical path is gradient flow.
        engines = {name: engine for name, engine in ENGINES.items() if name != "descent" or not problem.activated}
        found = next((name for name, engine in engines.items() if engine.refusal(problem) is None), "")
        rest = "descent" if problem.discrete and problem.is_energy else "flow"
        method = "fire" if found == "lbfgs" and problem.batch > FEW else found or rest
    reason = None if method == found else ENGINES[method].refusal(problem)
    if reason is not None:
        fits = [name for name, engine in ENGINES.items() if engine.refusal(problem) is None]
        raise ValueError(
            f"method {method!r} does not fit this system: {reason}. What fits: {fits or 'nothing; check the terms'}"
        )
    if LOG.isEnabledFor(logging.DEBUG):
        LOG.debug("relax: engine %r; %s", method, refused(ENGINES, problem))
    with Bar("relax", "step", progress=progress) as problem.bar:
        x, residual, steps, converged, used = _solve(ENGINES[method], problem, tol, max_steps)
    beyond = problem.beyond(x)
    converged = converged and beyond is None
    result = _record(problem, x, residual, steps, converged, used, single, of_rest(problem, method))
    if not converged and unconverged != "ignore":
        worst = float(np.max(np.asarray(residual, dtype=float)))
        message = (
            f"relax: not at rest after {steps} steps of {used}: residual {worst:.3g}, tol {tol:.3g}. "
            "Raise max_steps or tol, or try another method"
        )
        if beyond is not None:
            message = f"relax: the state reached is none of the system: {beyond}; start elsewhere, or integrate"
        if unconverged == "raise":
            raise ConvergenceError(message, result)
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    return result


def refused(engines, problem):
    """Which engines do not take a problem, and why, as one line of a log."""
    reasons = {name: engine.refusal(problem) for name, engine in engines.items()}
    return "; ".join(f"{name} refused: {reason}" for name, reason in reasons.items() if reason) or "none refused"


def _solve(engine, problem, tol, max_steps):
    """Run an engine to a residual of ``tol`` times the forces that balance, whatever their unit."""
    if engine is descent and descent.has_blocks(problem) and (found := blocks.solve(problem, tol, max_steps)):
        return found
    if engine in (own, direct) or problem.discrete:  # these know the size of every force themselves
        z, *rest = engine.solve(problem, tol, max_steps)
        return problem.state(z), *rest
    first = problem.initial()
    with np.errstate(over="ignore", invalid="ignore"):
        pull = np.max(np.abs(problem.force(first)), 1, initial=0.0)
    scale, total = np.maximum(pull, problem.force_scale(first, first, 1.0)), 0
    while True:
        z, residual, steps, converged, used = engine.solve(problem, tol * scale, max_steps - total)
        total, reached = total + steps, problem.force_scale(z, first, np.sqrt(tol))
        short = residual > tol * reached
        if not converged or not short.any() or total >= max_steps:
            return problem.state(z), residual, total, converged and not short.any(), used
        # the start suggested larger forces than are there: continue to a tolerance relative to those
        scale, problem.start = np.where(short, 0.5 * reached, scale), problem.state(z)


def _record(problem, x, residual, steps, converged, method, single, notes):
    x = wrapped(problem.system, x)
    energy = problem.bare_energy(x)
    if single:
        x, energy, residual = {k: v[0] for k, v in x.items()}, energy[0], residual[0]
    plain = next(iter(x.values())) if len(x) == 1 else x
    return Equilibrium(plain, energy, residual, steps, bool(converged), method, notes)
