"""Notes of a result: which terms ran in plain NumPy for want of an optional form, and what each form would open.

A term needs only its energy, field and gradient.  Where it has no more, the general engines call these; a result then
says so in ``notes``, a tuple of sentences, empty where nothing could be gained.  Terms of the package are as fast as
they get, and are not mentioned.
"""

from __future__ import annotations

from physlearn.dynamics.potential import missing
from physlearn.dynamics.sites.local import kind_code
from physlearn.kernels.jit import OWN

LOCAL = (
    "term {} has no `local`: visited in plain NumPy, one variable at a time, vectorised over chains; add `local` (see "
    "physlearn.Local) for compiled visits"
)
JACOBIAN = (
    "term {} has no `jacobian`: moved to rest by its field in plain NumPy; add `jacobian` for Newton's method, or "
    "`quadratic` if it is a quadratic, for a direct solve"
)
BOUNDED = (
    "term {} has no `curvature`: moved to rest by its field in plain NumPy; add `curvature` if it is a separable "
    "quadratic in each layer, for exact descent within the bounds"
)
FORCES = (
    "term {} has no `curvature`: moved by its field in plain NumPy; add `curvature` if it is a separable quadratic in "
    "each layer, for Gibbs sampling, or `quadratic` if it is a quadratic, for exact draws"
)
PATHS = (
    "term {} has no `potential`: trajectories in plain NumPy, vectorised over chains; add `potential` (see "
    "physlearn.Potential) for compiled ones"
)
STIFF = "term {} has no `jacobian`: slopes of the fields are differences; add `jacobian` for exact ones"
PHASES = (
    "term {} has no `quadratic` with `gradient_moments`: every phase of every batch is relaxed; add both if it is a "
    "quadratic, for phases by columns and moments"
)


def lacking(system, sentence, *forms):
    """The sentence for every class of term from outside the package that lacks one of the forms."""
    names = [
        type(term).__name__
        for term in system.terms
        if type(term).__module__.partition(".")[0] not in OWN and any(getattr(term, f, None) is None for f in forms)
    ]
    return tuple(sentence.format(name) for name in dict.fromkeys(names))


def of_rest(problem, engine):
    """Notes of a relaxation by an engine, by its name in the table of `relax`."""
    if problem.discrete:
        return _of_visits(problem)
    if problem.activated or engine not in ("lbfgs", "fire", "flow"):
        return ()
    if all(bound == infinite for kind, _ in problem.system.layers.values() for bound, infinite in _bounds(kind)):
        return lacking(problem.system, JACOBIAN, "jacobian")
    return lacking(problem.system, BOUNDED, "curvature")


def of_draws(problem, engine):
    """Notes of a sampler, by its engine's name in the table of `sample`."""
    if problem.discrete:
        return _of_visits(problem) if engine == "gibbs" else ()
    if engine not in ("hmc", "mala", "ula") or engine == "hmc" and missing(problem) is None:
        return ()
    paths = lacking(problem.system, PATHS, "potential") if engine == "hmc" else ()
    return lacking(problem.system, FORCES, "curvature") + paths


def of_motion(problem, method):
    """Notes of an integration by a method."""
    return lacking(problem.system, STIFF, "jacobian") if method == "stiff" else ()


def of_phases(problem, engine):
    """Notes of a training whose phases are relaxed by an engine."""
    return lacking(problem.system, PHASES, "quadratic", "gradient_moments") + of_rest(problem, engine)


def _of_visits(problem):
    """One layer of a kind that compiled visits know, where terms lack their form."""
    kinds = [layer.kind for layer in problem.system.layers.values()]
    within = any(len(term.layers) > len(set(term.layers)) for term in problem.system.terms)
    if len(kinds) != 1 or not within or problem.complex or problem.tied or kind_code(kinds[0]) is None:
        return ()
    return lacking(problem.system, LOCAL, "local")


def _bounds(kind):
    return ((getattr(kind, "low", -float("inf")), -float("inf")), (getattr(kind, "high", float("inf")), float("inf")))
