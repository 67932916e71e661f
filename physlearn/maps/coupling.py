r"""Affine couplings: invertible maps whose determinant is a product (Dinh, Sohl-Dickstein and Bengio 2017).

    y_a = x_a,      y_b = x_b exp(s) + t,      (s, t) = net(x_a),      log |det dy/dx| = sum s

The entries a are kept, all others b are moved; s = limit tanh(raw/limit), so that no net can overflow.  The way back,
x_b = (y_b - t) exp(-s), needs no inverse of the net, and costs the same: it is the same map ``reversed``.
"""

from __future__ import annotations

import math

import numpy as np

from physlearn.brief import brief
from physlearn.checks import integers, positive
from physlearn.maps.compose import check_is_map, shape_after
from physlearn.maps.map import Map, one_parent


class AffineCoupling(Map):
    """Scale and shift some entries by functions of the others; see the module.

    Parameters
    ----------
    kept : sequence of int
        Which entries of the flattened parent are kept, at least one; and at least one is not.
    net : map
        From (entries kept,) to (2 * entries moved,): all raw scales, then all shifts.
    limit : float
        Largest |s|.
    reverse : bool
        Go the way back instead.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.maps import Affine
    >>> coupling = AffineCoupling([0], Affine(2, "W", "b"))
    >>> theta = {"W": np.array([[0.0, 3.0]]), "b": np.array([0.0, 1.0])}
    >>> value, _ = coupling.forward((np.array([[1.0, 2.0]]),), theta)
    >>> value, coupling.inverse(value, theta)[0]
    (array([[1., 6.]]), array([[1., 2.]]))
    """

    def __init__(self, kept, net, *, limit=2.0, reverse=False):
        self.kept = tuple(int(k) for k in np.unique(integers("kept", kept, ndim=1, low=0)))
        if not self.kept:
            raise ValueError("kept: got no entries, expected at least one that the others can depend on")
        self.net, self.limit, self.reverse = check_is_map("net", net), positive("limit", limit), bool(reverse)
        self.parameters = tuple(getattr(net, "parameters", ()))
        self._places = {}

    def __repr__(self):
        return brief(self, kept=self.kept, net=self.net, reverse=self.reverse)

    def reversed(self):
        """The same coupling the other way, with the same parameters."""
        return AffineCoupling(self.kept, self.net, limit=self.limit, reverse=not self.reverse)

    def shape(self, shapes):
        """The parent's, of at least two entries."""
        own = one_parent(self, shapes)
        n = math.prod(own)
        if n < 2:
            raise ValueError(
                f"AffineCoupling: a parent of {n} entry, expected at least 2: an entry is moved by what others are; "
                "draw one variable by its own quantiles, or add a second one of noise"
            )
        if self.kept[-1] >= n:
            raise ValueError(f"kept: got entry {self.kept[-1]}, expected entries below {n}, those of a parent {own}")
        if len(self.kept) == n:
            raise ValueError(f"kept: got all {n} entries, expected at least one that is moved")
        inner = ((len(self.kept),),)
        try:
            made = shape_after(self.net, inner)
        except ValueError as error:
            raise ValueError(f"net: it does not take {len(self.kept)} entries: {error}") from None
        if hasattr(self.net, "shape") and made != (2 * (n - len(self.kept)),):
            raise ValueError(
                f"net: gives the shape {made} from {len(self.kept)} entries, expected ({2 * (n - len(self.kept))},), a "
                "scale and a shift for each entry that is moved"
            )
        return own

    def start(self, shapes, rng):
        """The net's."""
        self.shape(shapes)
        return self.net.start(((len(self.kept),),), rng) if hasattr(self.net, "start") else {}

    def forward(self, parents, theta):
        """The value; the tape serves `pullback` and `pull_both`."""
        value, _, tape = self.with_logdet(parents, theta)
        return value, tape

    def with_logdet(self, parents, theta):
        """Value, log |det dy/dx| (batch,) and tape."""
        (x,) = parents
        flat = x.reshape(len(x), -1)
        kept, moved = self._split(flat.shape[1])
        out, inner = self.net.forward((np.ascontiguousarray(flat[:, kept]),), theta)
        m = out.shape[1] // 2
        u = np.tanh(out[:, :m] * out.dtype.type(1 / self.limit))
        s = u * out.dtype.type(-self.limit if self.reverse else self.limit)
        grown, y = np.exp(s), flat.copy()
        before = flat[:, moved]
        after = (before - out[:, m:]) * grown if self.reverse else before * grown + out[:, m:]
        y[:, moved] = after
        return y.reshape(x.shape), s.sum(1), (inner, u, grown, after if self.reverse else before)

    def pull_both(self, tape, cotangent, by_logdet, theta):
        """Parent's cotangent and gradients of c . y + l . logdet, with l (batch,) or None for zero."""
        inner, u, grown, kept_value = tape
        c = cotangent.reshape(len(cotangent), -1)
        kept, moved = self._split(c.shape[1])
        pulled = c[:, moved] * grown
        both = np.empty((len(c), 2 * u.shape[1]), c.dtype)
        m = u.shape[1]
        slope = c[:, moved] * kept_value if self.reverse else pulled * kept_value
        if by_logdet is not None:
            slope += by_logdet[:, None]
        np.multiply(slope, 1 - u * u, out=both[:, :m])
        if self.reverse:
            np.negative(both[:, :m], out=both[:, :m])
            np.negative(pulled, out=both[:, m:])
        else:
            both[:, m:] = c[:, moved]
        (by_kept,), gradient = self.net.pullback(inner, both, theta)
        back = np.empty_like(c)
        back[:, kept] = c[:, kept] + by_kept
        back[:, moved] = pulled
        return (back.reshape(cotangent.shape),), gradient

    def pullback(self, tape, cotangent, theta):
        """Of the value alone."""
        return self.pull_both(tape, cotangent, None, theta)

    def logdet(self, parents, theta):
        """Sum of s."""
        return self.with_logdet(parents, theta)[1]

    def inverse(self, value, theta):
        """The parent of a value, exactly."""
        return (self.reversed().forward((value,), theta)[0],)

    def _split(self, n):
        """Kept and moved columns of n, as slices where they are evenly spaced."""
        if n not in self._places:
            moved = [k for k in range(n) if k not in set(self.kept)]
            self._places[n] = _columns(self.kept), _columns(moved)
        return self._places[n]


def _columns(index):
    steps = set(np.diff(index).tolist())
    if len(steps) > 1:
        return np.array(index)
    step = steps.pop() if steps else 1
    return slice(index[0], index[-1] + 1, step)
