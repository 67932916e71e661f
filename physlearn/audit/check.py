"""check_energy: audit a system's fields, gradients and optional forms against differences of its energy.

Everything that the engines assume of a term is checked here, for each term and for the whole sum: the field is -dE/dx
or says the energies of the levels, the gradient is dE/dtheta, each optional form is the same function computed a faster
way, and batch items do not see each other; and of a discrete kind: in a field it does what the levels' energies say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physlearn.audit.basics import BASICS
from physlearn.audit.forms import FORMS
from physlearn.audit.layers import kinds, turns
from physlearn.audit.measure import Check, Part, Scene, slope
from physlearn.checks import count, positive
from physlearn.energy import Energy
from physlearn.kinds import is_continuous
from physlearn.levels import levels_of
from physlearn.machine import Machine, system_of
from physlearn.rng import generator
from physlearn.systems import variables


@dataclass(frozen=True)
class Audit:
    """Result of `check_energy`: ``checks``, each with part, form, where, error and tolerance; ``print`` shows them."""

    checks: tuple[Check, ...]

    def __repr__(self):
        worst = max(self.checks, key=lambda c: c.error / c.tolerance if c.tolerance else 0.0, default=None)
        nearest = "" if worst is None else f"; nearest its tolerance: {worst.part}, {worst.form}, {worst.error:.1e}"
        return f"Audit({len(self.checks)} checks passed{nearest}; print it for all)"

    def __str__(self):
        head = ("term", "form", "worst error", "tolerance", "worst at")
        rows = [(c.part, c.form, f"{c.error:.1e}", f"{c.tolerance:.1e}", c.where) for c in self.checks]
        widths = [max(len(row[k]) for row in [head, *rows]) for k in range(5)]
        lines = [
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
        ]
        return "\n".join([*lines, f"{len(rows)} checks passed"])


def check_energy(system: Machine, x=None, *, rng=0, batch=3, coordinates=50, rtol=1e-6) -> Audit:
    """Audit a system: every term's and the sum's fields, gradients and optional forms.

    Parameters
    ----------
    system : Machine, Energy or System
        Of a System only the forms that need no energy are checked.
    x : array or mapping of str to array, optional
        The state to test at, (batch, *shape) or (*shape); default random.  Real variables are moved
        off their bounds by a hundred difference steps.
    rng : int, Generator or None
        Picks the state and, where there are many, the coordinates.
    batch : int
        Number of random states.
    coordinates : int
        Most variables of a layer and entries of a parameter that are tested one by one; a random
        direction through all of them is tested besides.
    rtol : float
        Largest error, relative to the largest entry of the tested array; rounding is allowed for.

    Returns
    -------
    Audit
        A table of all checks.

    Raises
    ------
    ValueError
        When a check fails; names the term, the form, the worst coordinate, the value there and the expected one.

    Notes
    -----
    An energy with kinks fails where a difference straddles one: pass an ``x`` away from them.

    Examples
    --------
    >>> from physlearn import Energy, Real, check_energy
    >>> from physlearn.terms import Edges
    >>> divider = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 2.0]})
    >>> report = check_energy(divider)
    >>> {check.form for check in report.checks} >= {"field", "gradient", "quadratic", "jacobian"}
    True
    """
    system = system_of(system)
    variables(system)
    count("batch", batch)
    count("coordinates", coordinates)
    scene = _scene(system, x, generator(rng), batch, coordinates, positive("rtol", rtol))
    parts = [_term_part(system, number, term) for number, term in enumerate(system.terms)]
    checks: list[Check] = list(kinds(scene))
    for part in [*parts, _sum_part(system, parts)]:
        at = scene.shown if part.term is not None else scene.x
        forms = (*BASICS, ("period", turns), *(FORMS if part.term is not None else ()))
        for form, check in forms:
            try:
                checks.extend(check(scene, part, at))
            except Exception as error:
                raise ValueError(
                    f"check_energy: term {part.name!r}, form {form!r}: {type(error).__name__}: {error}"
                ) from error
            if form == "shapes" and not checks[-1].ok:
                break  # the other checks would only stumble over it
    failed = [c for c in checks if not c.ok]
    failed = [c for c in failed if c.part != "sum"] or failed  # the sum only repeats a wrong term
    if failed:
        lines = [
            f"term {c.part!r}, form {c.form!r}: worst at {c.where}: got {c.got}, expected {c.expected} "
            f"(error {c.error:.3g}, tolerance {c.tolerance:.3g})"
            for c in failed
        ]
        raise ValueError("\n".join([f"check_energy: {len(failed)} of {len(checks)} checks failed", *lines]))
    return Audit(tuple(checks))


def _scene(system, x, rng, batch, coordinates, rtol):
    x = system.random_state(batch, rng) if x is None else system.state(x)
    x, step = dict(x), {}
    for name, (kind, _) in system.layers.items():
        if is_continuous(kind):
            low, high = getattr(kind, "low", -np.inf), getattr(kind, "high", np.inf)
            size = float(np.max(np.abs(x[name]), initial=0.0)) or 1.0
            step[name] = min(1e-3 * size, (high - low) / 100.0)
            # far enough from a bound for differences of an energy that is singular there
            margin = min(100.0 * step[name], (high - low) / 4.0)
            x[name] = np.clip(x[name], low + margin, high - margin)
    return Scene(system, x, system.shown(x), step, rng, coordinates, rtol)


def _term_part(system, number, term):
    def field(x, theta, layer):  # as engines see it
        return levels_of(system, term, x, layer) if system.layers[layer].by_level else term.field(x, theta, layer)

    gradient = getattr(term, "gradient", getattr(term, "response", None))
    return Part(
        f"{number} {type(term).__name__}",
        tuple(dict.fromkeys(term.layers)),
        getattr(term, "energy", None),
        field,
        gradient,
        lambda x, layer, v: v,
        term,
    )


def _sum_part(system, parts):
    def having(theta):
        if theta is system.theta:
            return system
        moved = system.with_theta(theta)
        moved.numbers["checked"] = True  # half a step, such as one entry of a symmetric matrix, need not fit
        return moved

    def energy(x, theta):
        return sum(having(theta).shares(x).values())

    def lift(x, layer, v):
        kind = system.layers[layer].kind
        if not hasattr(kind, "activation"):
            return v
        return slope(lambda h: kind.activation(x[layer] + h * v), 1e-3)

    def gradient(x, theta, weight):
        return having(theta).response(x, weight)

    is_energy = isinstance(system, Energy)
    responds = all(hasattr(p.term, "response") or hasattr(p.term, "gradient") for p in parts)
    return Part(
        "sum",
        tuple(system.layers),
        energy if is_energy else None,
        lambda x, theta, layer: having(theta).force(x, layer),
        gradient if responds else None,
        lift,
    )
