"""Transfer matrices of Ising strips: exact energies of systems too large to enumerate.

For a strip of width L, T = D^(1/2) W D^(1/2) with D the Boltzmann factor of a row and W, a product of one
2 x 2 matrix per spin, that of the bonds between two rows.  An endless strip has log Z = log lambda_max per
row, a torus of length M has Z = trace T^M (Kramers and Wannier 1941).  That power is a product of matrices without
a negative entry: the sum over eigenvalues loses all digits where they cancel, in frustrated tori at low temperature.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, flag, integer, number, positive
from physlearn.threads import on_one_thread

WIDEST, WIDEST_FINITE = 20, 11  # vectors of 2^20; dense matrices of 2^11


class Strip(NamedTuple):
    """Per spin: ``log_z``, ``free_energy`` -T log_z and ``energy``."""

    log_z: float
    free_energy: float
    energy: float

    __repr__ = brief


@on_one_thread
def transfer_matrix(width, length=None, *, temperature, coupling=1.0, field=0.0, periodic=True) -> Strip:
    """Ising strip on the square lattice, E = -J sum s s' - h sum s, by its transfer matrix.

    Parameters
    ----------
    width : int
        Spins across, at most 20 (11 where a length is given).
    length : int, optional
        Spins along, around a ring, at least 2; default infinite.
    temperature : float
        Positive (k_B = 1).
    coupling : float or (float, float)
        J, or J across and J along.
    field : float
        h.
    periodic : bool
        Whether the strip is a ring across, too.  A ring of two, either way, has two bonds between its spins.

    Returns
    -------
    Strip
        Per spin.

    Notes
    -----
    Kramers and Wannier, Phys. Rev. 60, 252 (1941); the energy from first-order perturbation of the eigenvalues.

    Examples
    --------
    >>> f"{transfer_matrix(4, 4, temperature=2.0).energy:.6f}"  # equal to enumeration of the 4 x 4 torus
    '-1.755380'
    """
    widest = WIDEST if length is None else WIDEST_FINITE
    integer("width", width, 1, widest)
    if length is not None:
        count("length", length, least=2)
    temperature, field = positive("temperature", temperature), number("field", field)
    flag("periodic", periodic)
    numbers = array("coupling", coupling)
    if numbers.shape not in ((), (2,)):
        raise ValueError(f"coupling: got {coupling!r}, expected J, or J across and J along")
    across, along = np.broadcast_to(numbers, (2,))
    matrix = _Rows(width, across, along, field, 1.0 / temperature, periodic)
    if length is None:
        value, vector = matrix.largest()
        log_z, slope = math.log(value) / width, vector @ matrix.slope(vector[:, None])[:, 0] / value / width
    else:
        whole, slopes = matrix(np.eye(1 << width)), matrix.slope(np.eye(1 << width))
        rest, log_scale, error = _power(whole, length - 1)
        trace = np.sum(rest * whole)  # symmetric
        if not trace > 1e14 * error * np.sum(whole):
            raise ValueError(
                f"temperature: got {temperature!r}, so low that weights which decide underflow; raise it, or find the "
                "ground state by enumerate_states or anneal"
            )
        log_z = (math.log(trace) + log_scale) / length / width
        slope = np.sum(rest * slopes) / trace / width
    log_z += matrix.shift / width
    energy = -slope - matrix.shift / width * temperature
    return Strip(float(log_z), float(-temperature * log_z), float(energy))


def _power(matrix, exponent):
    """Power of a nonnegative matrix: scaled to a largest entry of 1, the log of the scale, a bound on underflow."""
    tiny = np.finfo(float).tiny
    out, log_out, lost_out = np.eye(len(matrix)), 0.0, 0.0
    square, log_square, lost_square = matrix, 0.0, tiny

    def product(a, b, lost):
        c = a @ b
        top = c.max()
        return (c / top, math.log(top), (len(c) * (lost + tiny)) / top) if top > 0 else (c, 0.0, 1.0)

    while exponent:
        if exponent % 2:
            out, by, lost_out = product(out, square, lost_out * square.max() + lost_square * out.max())
            log_out += log_square + by
        exponent //= 2
        if exponent:
            square, by, lost_square = product(square, square, 2.0 * lost_square * square.max())
            log_square = 2.0 * log_square + by
    return out, log_out, lost_out


class _Rows:
    """The transfer matrix, applied to columns; exp(shift) is taken out of it against overflow."""

    def __init__(self, width, across, along, field, beta, periodic):
        bits = (np.arange(1 << width)[:, None] >> np.arange(width)) & 1
        spins = 2.0 * bits - 1.0
        bonds = spins[:, 1:] * spins[:, :-1]
        inside = across * bonds.sum(1) + field * spins.sum(1)
        if periodic and width > 1:
            inside += across * spins[:, 0] * spins[:, -1]
        self.width, self.shift = width, beta * (inside.max() + width * abs(along))
        self.row = inside - inside.max()
        self.half = np.exp(0.5 * beta * self.row)
        gap = along * np.array([[1.0, -1.0], [-1.0, 1.0]]) - abs(along)
        self.bond, self.bond_slope = np.exp(beta * gap), gap * np.exp(beta * gap)

    def __call__(self, v):
        return self.half[:, None] * self._between(self.half[:, None] * v)

    def slope(self, v):
        """The derivative by beta, applied to columns."""
        inner = self.half[:, None] * v
        outer = 0.5 * self.row[:, None] * self._between(inner) + self._between(0.5 * self.row[:, None] * inner)
        for k in range(self.width):
            outer = outer + self._between(inner, k)
        return self.half[:, None] * outer

    def largest(self):
        """Largest eigenvalue in size and its vector, which is positive (Perron and Frobenius)."""
        if self.width < 5:
            values, vectors = np.linalg.eigh(self(np.eye(1 << self.width)))
            return values[-1], vectors[:, -1]
        from scipy.sparse import linalg

        n = 1 << self.width
        solver: Any = linalg
        operator = solver.LinearOperator((n, n), matvec=lambda v: self(v.reshape(-1, 1))[:, 0], dtype=np.float64)
        value, vector = solver.eigsh(operator, k=1, which="LA", v0=self.half, tol=1e-15)
        return value[0], vector[:, 0]

    def _between(self, v, derived=-1):
        """W, or its part by the derivative of one factor, applied to columns."""
        out = v
        for k in range(self.width):
            factor = self.bond_slope if k == derived else self.bond
            out = np.einsum("ab,xbyc->xayc", factor, out.reshape(-1, 2, 1 << k, v.shape[1])).reshape(v.shape)
        return out
