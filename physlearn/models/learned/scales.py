r"""ScaleByScale: a law of fields as a chain of conditional energies, from the coarsest field to the finest.

    p(phi_0) = p(phi_J) prod_(j = J ... 1) p(d_j | phi_j),        phi_(j-1) = Haar's join of phi_j and details d_j

(Marchand, Ozawa, Biroli and Mallat 2022).  Each factor is exp(-U_j) over its norm, with

    U_j = sum_m a_m sum_i phi_i^m + sum_r b_r sum_(i, axis) phi_i phi_(i + r),      phi = phi_(j-1),

of which the part in phi_j alone is without meaning.  For lattice phi^4 the finest factor is of this form exactly, with
the field's own couplings; coarser ones are the renormalised energies, approximately so.  U is linear in (a, b), so that
score matching (Hyvarinen 2005) of the details given the coarse field is one linear system, A w = b,

    A_kl = < grad_d u_k . grad_d u_l >,     b_k = < lap_d u_k >.

Details given the coarse field have short correlations even where the field is critical, so each factor is drawn in a
number of sweeps that does not grow with the lattice, where local moves of the whole field slow down.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, integers, positive
from physlearn.dynamics import sample
from physlearn.energy import Energy, Real
from physlearn.models.learned.haar import join, split
from physlearn.rng import children
from physlearn.terms.fits import DISCRETE, refuse_kinds
from physlearn.threads import on_one_thread


class FieldPotential:
    """U of a field that layers "coarse" and "details" make, or of a layer "field"; see the module.

    Parameters
    ----------
    powers : sequence of int
        m, even.
    reaches : sequence of int
        r, in sites.
    whole : bool
        The field is one layer, "field".

    Examples
    --------
    >>> import numpy as np
    >>> term = FieldPotential((2,), (1,), whole=True)
    >>> term.energy({"field": np.ones((1, 4))}, {"powers": np.ones(1), "reaches": np.array([-0.5])})
    array([2.])
    """

    parameters = ("powers", "reaches")
    rowwise = True

    def __init__(self, powers, reaches, *, whole=False):
        self.powers = tuple(int(m) for m in integers("powers", powers, ndim=1, low=2))
        if not self.powers or any(m % 2 for m in self.powers):
            raise ValueError(f"powers: got {powers!r}, expected even numbers, at least one")
        self.reaches = tuple(int(r) for r in integers("reaches", reaches, ndim=1, low=1))
        self.layers = ("field", "field") if whole else ("details", "details", "coarse", "coarse")

    def __repr__(self):
        return brief(self, powers=self.powers, reaches=self.reaches)

    def check(self, layers, theta):
        """Refuse kinds that are no real numbers, and other numbers of coefficients."""
        for name in dict.fromkeys(self.layers):
            refuse_kinds(self, layers, name, DISCRETE, "a field is of real numbers")
        for name in self.parameters:
            wanted = (len(getattr(self, name)),)
            if np.shape(theta[name]) != wanted:
                raise ValueError(f"theta[{name!r}]: shape {np.shape(theta[name])}, expected {wanted}")

    def _field(self, x):
        return x["field"] if "field" in self.layers else join(x["coarse"], x["details"])

    def parts(self, phi):
        """The sums that the coefficients weigh, (batch, powers + reaches)."""
        found = [phi**m for m in self.powers] + [phi * along(phi, r) for r in self.reaches]
        return np.stack([np.sum(f.reshape(len(phi), -1), 1) for f in found], 1)

    def slopes(self, phi):
        """Their gradients by the field, a list of arrays like it."""
        return [m * phi ** (m - 1) for m in self.powers] + [along(phi, r) + along(phi, -r) for r in self.reaches]

    def energy(self, x, theta):
        """U, (batch,)."""
        phi = self._field(x)
        total = 0.0
        for m, a in zip(self.powers, theta["powers"], strict=True):
            total = total + a * phi**m
        for r, b in zip(self.reaches, theta["reaches"], strict=True):
            total = total + b * phi * along(phi, r)
        return np.sum(np.asarray(total).reshape(len(phi), -1), 1)

    def field(self, x, theta, layer):
        """-dU, by the field, or by its coarse part or its details."""
        phi, total = self._field(x), 0.0
        for weight, slope in zip((*theta["powers"], *theta["reaches"]), self.slopes(phi), strict=True):
            total = total - weight * slope
        if layer == "field":
            return total
        coarse, details = split(total)
        return coarse if layer == "coarse" else details

    def gradient(self, x, theta, weight):
        """The sums, weighted."""
        found = np.asarray(weight) @ self.parts(self._field(x))
        return {"powers": found[: len(self.powers)], "reaches": found[len(self.powers) :]}

    def normal_equations(self, phi, whole):
        """A and b of score matching on fields (n, ...): by their details, or by the whole field."""
        grads = [s if whole else split(s)[1] for s in self.slopes(phi)]
        grads = [g.reshape(len(phi), -1) for g in grads]
        a = np.array([[np.mean(np.sum(g * h, 1)) for h in grads] for g in grads])
        share = 1.0 if whole else 1.0 - 0.5 ** (phi.ndim - 1)  # details among all directions
        b = [share * np.mean(np.sum((m * (m - 1) * phi ** (m - 2)).reshape(len(phi), -1), 1)) for m in self.powers]
        return a, np.array(b + [_bond_laplacian(phi.shape[1:], r, whole) for r in self.reaches])


class ScaleByScale:
    """Conditional energies of details, scale by scale; made from fields by `ScaleByScale.learnt`.

    Attributes
    ----------
    shape : tuple of int
        Of the finest field.
    energies : list of Energy
        From the finest to the coarsest: layers "coarse" and "details"; the last one, of a layer "field".
    curvatures : list of float
        Mean second derivative of each by a direction of its details, which sets the step of a draw.

    Examples
    --------
    The finest energy of a ring of phi^4 has the ring's own couplings:

    >>> import numpy as np
    >>> from physlearn import sample
    >>> from physlearn.models import ScalarField
    >>> ring = ScalarField(16, kappa=0.3, lam=0.5)
    >>> fields = sample(ring, temperature=1.0, n_samples=100, chains=100, method="hmc",
    ...                 target=0.9, rng=0).x.reshape(-1, 16)
    >>> model = ScaleByScale.learnt(fields, levels=2)
    >>> model.energies[0].theta["reaches"].round(1)  # -2 kappa
    array([-0.6])
    >>> abs(float((model.sample(2000, sweeps=40, rng=0) ** 2).mean()) - ring.ring().square) < 0.03
    True
    """

    def __init__(self, shape, energies, curvatures):
        self.shape, self.energies, self.curvatures = tuple(shape), list(energies), list(curvatures)

    def __repr__(self):
        return brief(self, shape=self.shape, levels=len(self.energies) - 1)

    @classmethod
    @on_one_thread
    def learnt(cls, fields, levels, *, powers=(2, 4), reaches=(1,)):
        """The energies of fields, by score matching at every scale.

        Parameters
        ----------
        fields : (n, L) or (n, L, L) array
            Draws; L divisible by 2^levels.
        levels : int
            Number of conditional energies.
        powers, reaches : sequence of int
            Of the potential's monomials and of its bonds.

        Raises
        ------
        ValueError
            Too few or too like fields to tell the coefficients apart.
        """
        phi = array("fields", fields, ndim=(2, 3))
        count("levels", levels)
        if not len(phi) or phi.shape[-1] % 2**levels or phi.ndim == 3 and phi.shape[1] != phi.shape[2]:
            raise ValueError(
                f"fields: got the shape {phi.shape}, expected (n, L) or (n, L, L), L divisible by {2**levels}"
            )
        shape, energies, curvatures = phi.shape[1:], [], []
        for level in range(levels + 1):
            whole = level == levels
            size = phi.shape[-1]
            kept = tuple(r for r in reaches if 2 * r <= size)  # on a short ring farther bonds are nearer ones
            term = FieldPotential(powers, kept, whole=whole)
            a, b = term.normal_equations(phi, whole)
            scale = np.sqrt(np.diag(a))
            if not np.all(scale > 0) or np.linalg.cond(a / scale / scale[:, None]) > 1e12:
                raise ValueError(
                    f"fields: at level {level} they do not tell the {len(b)} coefficients apart; give more fields, "
                    "or fewer powers and reaches"
                )
            w = np.linalg.solve(a, b)
            if w[len(powers) - 1] <= 0:
                raise ValueError(
                    f"powers: at level {level} the highest, {powers[-1]}, has the coefficient "
                    f"{w[len(powers) - 1]:.3g}, so that the energy has no norm; give more fields, or another power"
                )
            theta = {"powers": w[: len(powers)], "reaches": w[len(powers) :]}
            if whole:
                layers: Any = {"field": (Real(), phi.shape[1:])}
            else:
                coarse, details = split(phi)
                layers = {"details": (Real(), details.shape[1:]), "coarse": (Real(), coarse.shape[1:])}
                phi = coarse
            energies.append(Energy(layers, [term], theta))
            curvatures.append(float(w @ b) / next(iter(energies[-1].layers.values())).size)
        return cls(shape, energies, curvatures)

    @on_one_thread
    def sample(self, n, *, sweeps=50, method="mala", step=None, rng=None) -> np.ndarray:
        """Draws of fields, (n, *shape), from the coarsest to the finest.

        Parameters
        ----------
        n : int
        sweeps : int
            Moves of every factor, the same at each scale; ten times as many of the coarsest, which is small.
        method : {"mala", "hmc"}
        step : float, optional
            Of the method; default by the curvature of each factor.
        rng : int, Generator or None
        """
        count("n", n, each=8 * math.prod(self.shape))
        count("sweeps", sweeps, least=2)
        choice("method", method, ("mala", "hmc"))
        if step is not None:
            positive("step", step)
        phi: Any = None
        for energy, curvature, root in reversed(
            list(zip(self.energies, self.curvatures, children(rng, len(self.energies)), strict=True))
        ):
            layer = next(iter(energy.layers))
            size = energy.layers[layer].size
            leap = 0.8 / math.sqrt(curvature) * size ** (-1 / 6 if method == "mala" else -1 / 4)
            start = {name: np.zeros((n, *shape)) for name, (_, shape) in energy.layers.items()}
            drawn = sample(
                energy,
                temperature=1.0,
                chains=n,
                method=method,
                step=step or (leap**2 / 2 if method == "mala" else leap),
                n_samples=1,
                warmup=0,
                thin=sweeps if phi is not None else 10 * sweeps,
                x0=start,
                clamp=None if phi is None else {"coarse": phi.reshape(n, -1)},
                rng=root,
                progress=False,
            ).final[layer]
            phi = drawn if phi is None else join(phi, drawn)
        return phi


def along(phi, r):
    """Sum over the axes of the field moved by r sites, periodic, shaped like it."""
    return sum(np.roll(phi, -r, axis) for axis in range(1, phi.ndim))


def _bond_laplacian(shape, r, whole):
    """Trace of the second derivative of sum phi_i phi_(i + r) over all directions, or over the details."""
    n = math.prod(shape)
    if whole:
        return 2.0 * n * len(shape) if r % shape[0] == 0 else 0.0
    unit = np.eye(n).reshape(n, *shape)
    return float(np.sum(split(unit)[1] * split(along(unit, r) + along(unit, -r))[1]))
