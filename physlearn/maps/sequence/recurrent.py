r"""A recurrent layer: a state carried along a sequence, s_t = f(x_t, s_(t-1)), and its reverse through time.

    forward    a_t = x_t W + b, all steps in one product;  s_t = cell(a_t, s_(t-1))
    reverse    ds_t = dy_t + ds_(t+1) . d cell/ds,  dW = sum_t x_t^T da_t: backpropagation through time (Werbos 1990)

Parents are the sequence x, (steps, features); with ``masked`` a mask, (steps,), at least 1/2 where there is an entry;
with ``started`` the state before the first step.  Where the mask hides a step the state is carried over it unchanged,
so that the last state of a padded sequence is that of the sequence.  The value is the state at every step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, flag, not_negative, text
from physlearn.maps.map import Map


class Recurrent(Map):
    """What recurrent layers have in common: parents, parameters, and the sweeps over time.

    A cell gives ``gates`` (blocks of W, U and b), ``_open``, ``_step``, ``_close``, ``_undo`` and ``_weights``: what it
    needs for a sequence, one step forwards, the slopes of all steps at once, one step backwards, and the gradients.

    Parameters
    ----------
    units : int
        Of the state.
    name : str
        Of the parameters: name + ".W", (features, gates units); ".U", (units, gates units); ".b", (gates units,).
    masked : bool
        There is a parent more, the mask.
    started : bool
        There is a parent more, the last: the state before the first step, which is zero otherwise.
    reverse : bool
        From the last step to the first.
    scale : float
        W starts normal with standard deviation scale / sqrt(features); U orthogonal, block by block (Saxe et al. 2014).

    Examples
    --------
    >>> from physlearn.maps import GRU
    >>> GRU(5).shape([(7, 3)])
    (7, 5)
    """

    gates = 1
    parts = 1  # arrays of ``units`` in the state

    def __init__(self, units, name="recurrent", *, masked=False, started=False, reverse=False, scale=1.0):
        self.units = count("units", units)
        self.name = text("name", name, "the parameters' name")
        self.masked, self.started = flag("masked", masked), flag("started", started)
        self.reverse, self.scale = flag("reverse", reverse), not_negative("scale", scale)
        self.W, self.U, self.b = (f"{name}.{letter}" for letter in "WUb")
        self.parameters: tuple[str, ...] = (self.W, self.U, self.b)

    def __repr__(self):
        return brief(self, units=self.units, name=self.name)

    @property
    def size(self):
        """Numbers in the state."""
        return self.parts * self.units

    def shape(self, shapes):
        """(steps, units); refuses parents that are no sequence, mask or state."""
        wanted = ["a sequence", *["a mask"] * self.masked, *["a first state"] * self.started]
        if len(shapes) != len(wanted):
            raise ValueError(
                f"{type(self).__name__}: got {len(shapes)} parents, expected {len(wanted)}: {', '.join(wanted)}"
            )
        steps, _ = sequence_of(self, shapes[0])
        if self.masked and tuple(shapes[1]) != (steps,):
            raise ValueError(f"{type(self).__name__}: a mask of shape {tuple(shapes[1])}, expected {(steps,)}")
        if self.started and tuple(shapes[-1]) != (self.size,):
            raise ValueError(f"{type(self).__name__}: a first state of shape {tuple(shapes[-1])}, expected {self.size}")
        return steps, self.units

    def start(self, shapes, rng):
        """W normal, U orthogonal, b zero."""
        self.shape(shapes)
        features, wide = shapes[0][1], self.gates * self.units
        count(f"theta[{self.W!r}], theta[{self.U!r}], their entries", (features + self.units) * wide, each=8)
        blocks = [orthogonal(self.units, rng) for _ in range(self.gates)]
        w = rng.standard_normal((features, wide)) * (self.scale / math.sqrt(features))
        return {self.W: w, self.U: np.concatenate(blocks, 1), self.b: np.zeros(wide)}

    def forward(self, parents, theta):
        """The state at every step; the tape is what the sweep backwards needs."""
        x, keep, first = self._parents(parents)
        steps, items, _ = x.shape
        a = x.reshape(steps * items, -1) @ theta[self.W]
        a += theta[self.b]
        a = a.reshape(steps, items, -1)
        states = np.empty((steps + 1, items, self.size), a.dtype)
        states[0] = 0 if first is None else first
        work = self._open(a, theta)
        for t in range(steps):
            self._step(t, a[t], states[t], states[t + 1], work)
            if keep is not None:
                np.copyto(states[t + 1], states[t], where=~keep[t])
        return self._out(states[1:, :, : self.units]), (x, keep, states, work)

    def pullback(self, tape, cotangent, theta):
        """Backpropagation through time: cotangents of the parents, and the gradients."""
        da, first, gradient = self._sweep(tape, cotangent, theta)
        return self._cotangents(tape, da, first, theta), gradient

    def back(self, tape, cotangent, theta):
        """The parents' cotangents."""
        da, first, _ = self._sweep(tape, cotangent, theta, gradients=False)
        return self._cotangents(tape, da, first, theta)

    def slope(self, tape, cotangent, theta):
        """The gradients."""
        return self._sweep(tape, cotangent, theta)[2]

    def adjoints(self, tape, cotangent, theta):
        """Derivatives by the state at every step, all later steps included, (batch, steps, units).

        Their norms over time say whether gradients vanish or explode (Bengio, Simard and Frasconi 1994).
        """
        states = tape[2]
        kept = np.empty((len(states) - 1, states.shape[1], self.units), states.dtype)
        self._sweep(tape, cotangent, theta, gradients=False, adjoints=kept)
        return self._out(kept)

    def _parents(self, parents):
        """The sequence (steps, batch, features), which entries there are, and the first state."""
        x = np.ascontiguousarray(self._in(parents[0]))
        keep = np.ascontiguousarray(self._in(present(parents[1]))[:, :, None]) if self.masked else None
        return x, keep, parents[-1] if self.started else None

    def _in(self, x):
        """(batch, steps, ...) as (steps, batch, ...), in the layer's own direction."""
        return x.swapaxes(0, 1)[::-1] if self.reverse else x.swapaxes(0, 1)

    def _out(self, x):
        """Back again."""
        return (x[::-1] if self.reverse else x).swapaxes(0, 1)

    def _sweep(self, tape, cotangent, theta, gradients=True, adjoints: Any = None):
        """Derivatives by a, by the first state, and by the parameters."""
        x, keep, states, work = tape
        steps, items, _ = x.shape
        c = np.ascontiguousarray(self._in(cotangent))
        slopes = self._close(states, work)
        ds = np.zeros((items, self.size), states.dtype)
        da = np.empty((steps, items, self.gates * self.units), states.dtype)
        for t in range(steps - 1, -1, -1):
            ds[:, : self.units] += c[t]
            if adjoints is not None:
                adjoints[t] = ds[:, : self.units]
            if keep is None:
                ds = self._undo(t, ds, da[t], slopes, work)
            else:
                held = np.where(keep[t], 0, ds)
                ds = self._undo(t, np.where(keep[t], ds, 0), da[t], slopes, work)
                ds = ds + held
        found = {}
        if gradients:
            flat = da.reshape(steps * items, -1)
            found = {self.W: x.reshape(steps * items, -1).T @ flat, self.b: np.ones(len(flat), flat.dtype) @ flat}
            found |= self._weights(states[:-1].reshape(steps * items, -1), flat, slopes, work)
        return da, ds, found

    def _cotangents(self, tape, da, first, theta):
        """Of the sequence, the mask (which nothing depends on smoothly) and the first state."""
        steps, items, features = tape[0].shape
        dx = (da.reshape(steps * items, -1) @ theta[self.W].T).reshape(steps, items, features)
        found: list[Any] = [self._out(dx)]
        if self.masked:
            found.append(np.zeros((items, steps), dx.dtype))
        if self.started:
            found.append(first)
        return tuple(found)

    def _open(self, a, theta) -> Any:
        """What all steps share, of a, (steps, batch, gates units)."""
        raise NotImplementedError

    def _step(self, t, a, old, new, work):
        """Write the new state; ``a`` may be used up."""
        raise NotImplementedError

    def _close(self, states, work) -> Any:
        """Slopes of all steps at once."""
        raise NotImplementedError

    def _undo(self, t, ds, da, slopes, work) -> Any:
        """Write da of a step; return the derivative by the state before it."""
        raise NotImplementedError

    def _weights(self, old, da, slopes, work) -> dict[str, np.ndarray]:
        """Gradients of what multiplies the states, (steps batch, units) before each step."""
        return {self.U: old.T @ da}


def sequence_of(map, shape):
    """(steps, features) of a parent's shape; ValueError where it is none."""
    if len(shape) != 2:
        raise ValueError(
            f"{type(map).__name__}: got a parent of shape {tuple(shape)}, expected a sequence, (steps, features); "
            "use Reshape"
        )
    return tuple(shape)


def present(mask, name="mask"):
    """Which entries there are, (batch, entries) of bool; ValueError where an item has none.

    >>> present(np.array([[1.0, 0.0]]))
    array([[ True, False]])
    """
    found = mask >= 0.5
    empty = np.flatnonzero(~found.any(1))
    if empty.size:
        raise ValueError(
            f"{name}: item {empty[0]} hides all of its {found.shape[1]} entries, expected at least one of 1/2 or more; "
            "leave empty sequences out"
        )
    return found


def orthogonal(n, rng):
    """A random orthogonal matrix, uniformly distributed."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.where(np.diag(r) < 0, -1.0, 1.0)


def logistic(x):
    """1/(1 + exp(-x)) in place, overflowing for no x."""
    x *= 0.5
    np.tanh(x, out=x)
    x += 1
    x *= 0.5
    return x
