"""Maps made of maps: chains; and maps that join parents or rearrange one."""

from __future__ import annotations

import math

import numpy as np

from physlearn.brief import brief
from physlearn.checks import seen, sequence
from physlearn.maps.affine import shape_of
from physlearn.maps.map import Map, back, one_parent, slope


class Chain(Map):
    """Maps one after another; the first takes the parents, every other the value of the one before.

    Parameters
    ----------
    *maps : maps
        At least one.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.maps import Affine, Chain, Tanh
    >>> layer = Chain(Affine(2, "W", None), Tanh())
    >>> layer.forward((np.zeros((1, 3)),), {"W": np.ones((3, 2))})[0]
    array([[0., 0.]])
    """

    def __init__(self, *maps):
        self.maps = maps_of("maps", maps)
        self.parameters = tuple(dict.fromkeys(name for m in self.maps for name in getattr(m, "parameters", ())))
        self.measured = tuple(dict.fromkeys(name for m in self.maps for name in getattr(m, "measured", ())))
        self.holomorphic = all(getattr(m, "holomorphic", False) for m in self.maps)
        self.affine = all(getattr(m, "affine", False) for m in self.maps)
        self.returning = tuple(name for m in self.maps for name in getattr(m, "returning", ()))
        self.across_batch = any(getattr(m, "across_batch", False) for m in self.maps)
        if any(hasattr(m, "fixed") for m in self.maps):
            self.fixed = self._fixed
        if all(hasattr(m, "logdet") for m in self.maps):
            self.logdet = self._logdet
        if all(hasattr(m, "inverse") for m in self.maps):
            self.inverse = self._inverse
        if all(hasattr(m, "with_logdet") and hasattr(m, "pull_both") for m in self.maps):
            self.with_logdet, self.pull_both = self._with_logdet, self._pull_both
        if all(hasattr(m, "reversed") for m in self.maps):
            self.reversed = self._reversed

    def __repr__(self):
        return f"Chain({', '.join(map(repr, self.maps))})"

    def shape(self, shapes):
        """The last map's shape; a map that does not fit the one before is refused, both named."""
        for before, m in zip((None, *self.maps), self.maps, strict=False):
            try:
                shapes = (shape_after(m, shapes),)
            except ValueError as error:
                after = "" if before is None else f", after {before!r}"
                raise ValueError(f"{error} (in {m!r}{after})") from None
        return shapes[0]

    def start(self, shapes, rng):
        """First parameters of every map; the first one to read a name starts it."""
        found = {}
        self.shape(shapes)  # refuses maps that do not fit each other
        for m in self.maps:
            new = m.start(shapes, rng) if hasattr(m, "start") else {}
            found = new | found
            shapes = (shape_after(m, shapes),)
        return found

    def forward(self, parents, theta):
        """The last value; the tape is the list of all tapes."""
        tapes = []
        for m in self.maps:
            value, tape = m.forward(parents, theta)
            tapes.append(tape)
            parents = (value,)
        return value, tapes

    def pullback(self, tape, cotangent, theta):
        """From the last map to the first."""
        gradient = {}
        for m, t in zip(reversed(self.maps), reversed(tape), strict=True):
            found, new = m.pullback(t, cotangent, theta)
            add(gradient, new)
            cotangent = found[0] if m is not self.maps[0] else None
        return found, gradient

    def back(self, tape, cotangent, theta):
        """From the last map to the first, without the gradients."""
        for m, t in zip(reversed(self.maps[1:]), reversed(tape[1:]), strict=True):
            (cotangent,) = back(m, t, cotangent, theta)
        return back(self.maps[0], tape[0], cotangent, theta)

    def slope(self, tape, cotangent, theta):
        """The gradients, without the parents' cotangents."""
        gradient = {}
        for k in range(len(self.maps) - 1, 0, -1):
            m = self.maps[k]
            if any(getattr(b, "parameters", True) for b in self.maps[:k]):
                (cotangent,), new = m.pullback(tape[k], cotangent, theta)
            else:
                new = slope(m, tape[k], cotangent, theta)
                return add(gradient, new)
            add(gradient, new)
        return add(gradient, slope(self.maps[0], tape[0], cotangent, theta))

    def _fixed(self, parents, theta, rng):
        """The chain of the maps as they are throughout one batch, and what they measured."""
        maps, measured = [], {}
        for m in self.maps:
            if hasattr(m, "fixed"):
                m, new = m.fixed(parents, theta, rng)
                measured |= new
            maps.append(m)
            parents = (m.forward(parents, theta)[0],)
        return Chain(*maps), measured

    def _logdet(self, parents, theta):
        """Sum of the maps'."""
        total = 0.0
        for m in self.maps:
            total = total + m.logdet(parents, theta)
            parents = (m.forward(parents, theta)[0],)
        return total

    def _with_logdet(self, parents, theta):
        """Value, logarithm of the determinant and tape, in one pass."""
        tapes, total = [], 0.0
        for m in self.maps:
            value, logdet, tape = m.with_logdet(parents, theta)
            tapes.append(tape)
            total, parents = total + logdet, (value,)
        return value, total, tapes

    def _pull_both(self, tape, cotangent, by_logdet, theta):
        """From the last map to the first, the logarithm of the determinant weighing in each."""
        gradient = {}
        for m, t in zip(reversed(self.maps), reversed(tape), strict=True):
            (cotangent,), new = m.pull_both(t, cotangent, by_logdet, theta)
            add(gradient, new)
        return (cotangent,), gradient

    def _reversed(self):
        """The chain of the reversed maps, last first."""
        return Chain(*(m.reversed() for m in reversed(self.maps)))

    def _inverse(self, value, theta):
        """From the last map to the first."""
        for m in reversed(self.maps):
            (value,) = m.inverse(value, theta)
        return (value,)


class Sum(Map):
    """The sum of its parents, which have one shape.

    Examples
    --------
    >>> import numpy as np
    >>> Sum().forward((np.array([[1.0]]), np.array([[2.0]])), {})[0]
    array([[3.]])
    """

    holomorphic = True

    def __repr__(self):
        return "Sum()"

    def shape(self, shapes):
        """The parents' common shape."""
        if not shapes or len(set(shapes)) > 1:
            raise ValueError(f"Sum: got parents of shapes {list(shapes)}, expected at least one, all of one shape")
        return tuple(shapes[0])

    def forward(self, parents, theta):
        """The sum; the tape is the number of parents."""
        value = parents[0]
        for x in parents[1:]:
            value = value + x
        return value, len(parents)

    def back(self, tape, cotangent, theta):
        """c to each parent."""
        return (cotangent,) * tape


class Concatenate(Map):
    """Its parents side by side, each flattened.

    Examples
    --------
    >>> import numpy as np
    >>> Concatenate().forward((np.array([[1.0]]), np.array([[2.0, 3.0]])), {})[0]
    array([[1., 2., 3.]])
    """

    holomorphic = True

    def __repr__(self):
        return "Concatenate()"

    def shape(self, shapes):
        """As many entries as all parents have."""
        if not shapes:
            raise ValueError("Concatenate: got no parents, expected at least one")
        return (sum(math.prod(s) for s in shapes),)

    def forward(self, parents, theta):
        """All entries in the parents' order; the tape is the parents' shapes."""
        return np.concatenate([x.reshape(len(x), -1) for x in parents], 1), [x.shape for x in parents]

    def back(self, tape, cotangent, theta):
        """Each parent's part of c."""
        ends = np.cumsum([0, *(math.prod(s[1:]) for s in tape)])
        return tuple(cotangent[:, a:b].reshape(s) for a, b, s in zip(ends, ends[1:], tape, strict=False))


class Reshape(Map):
    """Its parent in another shape of as many entries.

    Parameters
    ----------
    units : int or tuple of int

    Examples
    --------
    >>> import numpy as np
    >>> Reshape((2, 2)).forward((np.arange(4.0)[None],), {})[0]
    array([[[0., 1.],
            [2., 3.]]])
    """

    holomorphic = True
    affine = True

    def __init__(self, units):
        self.units = shape_of("units", units)

    def __repr__(self):
        return brief(self, units=self.units)

    def shape(self, shapes):
        """The units."""
        own = one_parent(self, shapes)
        if math.prod(own) != math.prod(self.units):
            raise ValueError(
                f"Reshape: a parent of shape {own} has {math.prod(own)} entries, {self.units} another number"
            )
        return self.units

    def forward(self, parents, theta):
        """The parent, reshaped; the tape is its shape."""
        return parents[0].reshape(len(parents[0]), *self.units), parents[0].shape

    def back(self, tape, cotangent, theta):
        """c, reshaped."""
        return (cotangent.reshape(tape),)

    def logdet(self, parents, theta):
        """Zero."""
        return np.zeros(len(parents[0]))


def shape_after(map, shapes):
    """Shape of the value of parents of these shapes, by the map's ``shape``; the parent's own where it has none."""
    return tuple(map.shape(shapes)) if hasattr(map, "shape") else one_parent(map, shapes)


def maps_of(name, values):
    """A tuple of at least one map."""
    found = sequence(name, values, expected="maps")
    if not found:
        raise ValueError(f"{name}: got none, expected at least one map")
    for m in found:
        check_is_map(name, m)
    return found


def check_is_map(name, value):
    """Refuse what has no forward and pullback, such as a map's class or a name."""
    if isinstance(value, type) or not (callable(getattr(value, "forward", None)) and hasattr(value, "pullback")):
        raise TypeError(f"{name}: got {seen(value)}, expected a map such as Affine(10) or Tanh()")
    return value


def add(total, new):
    """Add gradients to a total by name; return it."""
    for name, value in new.items():
        total[name] = total[name] + value if name in total else value
    return total
