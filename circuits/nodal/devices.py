"""Devices of one sort as a term of a system: laws of drops, evaluated together by compiled code."""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.kernels.cfuncs import compiled
from physlearn.kernels.laws import LAW, evaluate


class Devices:
    """Nonlinear currents, each from the row ``out`` to the row ``into`` of the unknowns.

    Parameters
    ----------
    sort : type
        Element whose ``law``, ``seen``, ``cocontent`` and ``learns`` all of them have.
    names : sequence of str
    layers : tuple of str
        The circuit's layers, concatenated.
    sizes : tuple of int
    rows : (m, 2) array of int
        Rows that a current leaves and enters; -1 for none.
    drops : (m, k, 2) array of int
        Unknowns whose differences control it; ground, which is zero, stands for none.
    numbers : (m, q) array
        The laws' numbers; columns that learn are overwritten from theta.
    junctions : (m, 3) array, optional
        n V_T, critical voltage and bias of each.
    labels : sequence of str
        Names of the nodes.
    """

    def __init__(self, sort, names, layers, sizes, rows, drops, numbers, junctions, labels):
        self.sort, self.names, self.sizes, self.labels = sort, tuple(names), sizes, tuple(labels)
        self.layers = layers if len(layers) > 1 else (layers[0], layers[0])
        self.rows, self.plus, self.minus = rows, drops[..., 0], drops[..., 1]
        self.numbers, self.junctions, self.n = numbers, junctions, sum(sizes)
        self.learns = dict(sort.learns)
        self.parameters = tuple(self.learns)
        self._address, self._collect, self._pattern = 0, None, None

    def __repr__(self):
        return brief(self, sort=self.sort.__name__, devices=len(self.names), layers=self.layers)

    def check(self, layers, theta):
        """Refuse parameters of another shape."""
        for name in self.learns:
            if theta[name].shape != (len(self.names),):
                raise ValueError(f"theta[{name!r}]: shape {theta[name].shape}, expected ({len(self.names)},)")

    def given(self, theta):
        """The laws' numbers under theta, (m, q)."""
        if not self.learns:
            return self.numbers
        numbers = self.numbers.copy()
        for name, column in self.learns.items():
            numbers[:, column] = theta[name]
        return numbers

    def controls(self, flat):
        """Drops (batch, m, k) of unknowns (batch, n)."""
        return flat[:, self.plus] - flat[:, self.minus]

    def linearise(self, u, numbers):
        """Currents (batch, m) and their derivatives (batch, m, k) at drops u (batch, m, k)."""
        u = np.ascontiguousarray(u)
        value, slope = np.empty(u.shape[:2]), np.empty(u.shape)
        evaluate(self.address, u, numbers, value, slope)
        return value, slope

    @property
    def address(self):
        """Address of the compiled law."""
        if not self._address:
            self._address = compiled(self.sort.law, LAW, "law").address
        return self._address

    def gather(self, value):
        """Field (batch, n) of currents (batch, m)."""
        if self._collect is None:
            import scipy.sparse as sp

            m = np.arange(len(self.names))
            kept = [self.rows[:, side] >= 0 for side in (0, 1)]
            rows = np.concatenate([self.rows[k, side] for side, k in enumerate(kept)])
            columns = np.concatenate([m[k] for k in kept])
            signs = np.concatenate([np.full(k.sum(), sign) for sign, k in zip((-1.0, 1.0), kept, strict=True)])
            self._collect = sp.csr_matrix((signs, (rows, columns)), (self.n, len(m)))
        return (self._collect @ value.T).T

    @property
    def pattern(self):
        """Entries of the jacobian: rows, columns, place among the slopes (m * k), sign."""
        if self._pattern is None:
            m, k = self.plus.shape
            slot = np.arange(m * k).reshape(m, k)
            parts = []
            for side, outward in ((0, -1.0), (1, 1.0)):
                row = np.broadcast_to(self.rows[:, side, None], (m, k))
                for column, sign in ((self.plus, outward), (self.minus, -outward)):
                    parts.append((row.ravel(), column.ravel(), slot.ravel(), np.full(m * k, sign)))
            rows, columns, slots, signs = (np.concatenate(part) for part in zip(*parts, strict=True))
            kept = rows >= 0
            self._pattern = rows[kept], columns[kept], slots[kept], signs[kept]
        return self._pattern

    def field(self, x, theta, layer):
        """Currents into every row of one layer, (batch, size)."""
        order = dict.fromkeys(self.layers)
        flat = np.concatenate([x[name] for name in order], 1)
        value, _ = self.linearise(self.controls(flat), self.given(theta))
        start = 0
        for name, size in zip(order, self.sizes, strict=True):
            if name == layer:
                break
            start += size
        return np.ascontiguousarray(self.gather(value)[:, start : start + size])

    def jacobian(self, x, theta):
        """Derivative of the field at one state, sparse (n, n)."""
        import scipy.sparse as sp

        flat = np.concatenate([x[name] for name in dict.fromkeys(self.layers)], 1)
        _, slope = self.linearise(self.controls(flat), self.given(theta))
        rows, columns, slots, signs = self.pattern
        return sp.csr_matrix((signs * slope[0].ravel()[slots], (rows, columns)), (self.n, self.n))

    def response(self, x, theta, weight):
        """What each learning degree of freedom sees, summed over the batch with weights."""
        if not self.learns:
            return {}
        flat = np.concatenate([x[name] for name in dict.fromkeys(self.layers)], 1)
        u = np.ascontiguousarray(self.controls(flat))
        seen, unused = np.empty(u.shape[:2]), np.empty(u.shape)
        evaluate(compiled(self.sort.seen, LAW, "seen").address, u, self.given(theta), seen, unused)
        return {name: weight @ seen for name in self.learns}


class ConvexDevices(Devices):
    """Devices whose current is the gradient of a co-content: a term of an `Energy`."""

    def energy(self, x, theta):
        """Sum of the co-contents, (batch,) watts."""
        flat = np.concatenate([x[name] for name in dict.fromkeys(self.layers)], 1)
        return np.sum(self.sort.cocontent(self.controls(flat), self.given(theta)), 1)

    def gradient(self, x, theta, weight):
        """`response`."""
        return self.response(x, theta, weight)
