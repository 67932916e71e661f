"""check_gradient: a rule's contrast against the exact gradient, as its nudge goes to zero."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from physlearn.checks import array, mapping, seen
from physlearn.learning.data import RELAX_OPTIONS, Assignment, check_data, check_nouns
from physlearn.learning.engines.adjoint import contrast_by_adjoint, exact_contrast
from physlearn.learning.engines.choice import step_of
from physlearn.learning.rules.contrastive import ExactGradient
from physlearn.machine import Machine, system_of
from physlearn.threads import on_one_thread


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """Convergence of a rule's contrast to its limit as the nudge goes to zero.

    Attributes
    ----------
    nudges : (m,) array
        Nudges (or eta) used.
    error : (m,) array
        |contrast - limit| / |limit|, over all parameters.
    cosine : (m,) array
        Cosine of the angle between the contrast and the limit.
    cosine_to_cost : (m,) array
        The same to the cost's gradient, which for coupled learning is not the limit.
    slope : float
        Order of the error in the nudge: least squares of log error on log nudge; NaN for a single nudge and
        where every error is rounding (an exact rule).
    limit : str
        "gradient" (of the cost) or "metric" (gradient of d.W.d/2, W = S^-1 held fixed).
    """

    nudges: np.ndarray
    error: np.ndarray
    cosine: np.ndarray
    cosine_to_cost: np.ndarray
    slope: float
    limit: str

    def __repr__(self):
        lines = [
            f"limit: {self.limit}; error ~ nudge^{self.slope:.2f}",
            "   nudge      error   1 - cosine   cosine to cost",
        ]
        rows = zip(self.nudges, self.error, self.cosine, self.cosine_to_cost, strict=True)
        table = [f"{n:8.1e}  {e:9.2e}  {1 - c:11.2e}  {g:15.6f}" for n, e, c, g in rows]
        if len(table) > 7:
            table[4:-2] = [f"  ({len(table) - 6} more)"]
        return "\n".join(lines + table)


@on_one_thread
def check_gradient(system: Machine, data, rule, nudges, *, cost, relax_options=None) -> GradientCheck:
    """Measure angle and error of a rule against the adjoint gradient as the nudge goes to zero.

    Parameters
    ----------
    system : Machine, Energy or System
    data : mapping of str to (n, k) array
        As for `learn`; all samples form one batch.
    rule : CoupledLearning, EquilibriumPropagation or a dataclass with ``vanishing`` and ``limit``
        The parameter that ``vanishing`` names, eta or nudge, is replaced by each of ``nudges``; ``limit`` is "gradient"
        or "metric".
    nudges : (m,) array of float
        Positive.
    cost : cost
    relax_options : mapping, optional
        Passed to `relax`; choose a tol well below the smallest nudge.

    Returns
    -------
    GradientCheck

    Examples
    --------
    >>> from physlearn import Energy, EquilibriumPropagation, Readout, Real, SquaredError, check_gradient
    >>> from physlearn.terms import Edges
    >>> divider = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 3.0]},
    ...                  {"in": Readout("v", [0, 2]), "out": Readout("v", [1])})
    >>> data = {"in": [[1.0, 0.0]], "out": [[0.5]]}
    >>> check = check_gradient(divider, data, EquilibriumPropagation(), [0.1, 0.05, 0.025],
    ...                        cost=SquaredError("out"))
    >>> print(f"{check.slope:.1f}")
    2.0
    """
    parameter = getattr(rule, "vanishing", None)
    if parameter is None or isinstance(rule, type):
        raise TypeError(
            f"rule: got {seen(rule)}, expected CoupledLearning, EquilibriumPropagation or another rule whose "
            "`vanishing` names the parameter that goes to zero"
        )
    x = array("nudges", nudges, ndim=1, low=np.finfo(float).tiny)
    if not x.size:
        raise ValueError("nudges: got none, expected at least one positive number")
    check_nouns(cost=cost)
    if relax_options is not None:
        mapping("relax_options", relax_options, RELAX_OPTIONS, "a mapping of settings of `relax`")
    system = system_of(system)
    inputs, target = check_data(system, data, cost)
    options = {"unconverged": "raise", "tol": 1e-12} | dict(relax_options or {})

    task = system, inputs, target, ExactGradient(), cost, options
    of_cost = _flat(exact_contrast(*task).gradient)
    limit = _flat(contrast_by_adjoint(*task, metric=True).gradient) if rule.limit == "metric" else of_cost
    found = []
    for nudge in x:
        at = replace(rule, **{parameter: float(nudge)})
        step = step_of(system, Assignment(inputs, target, at, None, cost, len(target), list(system.theta), options))
        found.append(_flat(step(system, {"steps": 0}, np.arange(len(target)))[1]))
    error = np.array([np.linalg.norm(g - limit) / np.linalg.norm(limit) for g in found])
    slope = np.nan if len(x) < 2 or np.all(error < 1e-10) else float(np.polyfit(np.log(x), np.log(error), 1)[0])
    cosine = np.array([_cosine(g, limit) for g in found])
    return GradientCheck(x, error, cosine, np.array([_cosine(g, of_cost) for g in found]), slope, rule.limit)


def _flat(gradient):
    return np.concatenate([np.ravel(gradient[name]) for name in sorted(gradient)])


def _cosine(a, b):
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
