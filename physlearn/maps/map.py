"""A map: a differentiable function of parents and parameters, with its reverse.

    forward(parents, theta) -> (value, tape)
    pullback(tape, cotangent, theta) -> (cotangents of the parents, {name: gradient})

``parents`` is a tuple of arrays, (batch, *shape) each; the value is (batch, *shape) again, one item a row and no item
seen by another.  The tape is whatever the pullback needs.  With c the cotangent of the value y, the pullback returns
c . dy/dx for every parent x, and c . dy/dtheta, summed over the batch, for every parameter of theta that the map reads.
A map without parents has a value of one item, (1, *shape), which stands for every item.

That is all a map needs.  Optional:

    parameters               names in theta that it reads
    shape(shapes)            shape of the value of parents of these shapes; refuses shapes that do not fit
    start(shapes, rng)       {name: array}, its first parameters
    back(tape, cotangent, theta)   the parents' cotangents alone, where the gradients cost extra
    slope(tape, cotangent, theta)  the gradients alone
    holomorphic = True       forward takes complex parents, and is analytic in them
    affine = True            the value is linear in the parents, but for a constant: ``back`` is the same for all
    logdet(parents, theta)   log |det dy/dx|, (batch,), of an invertible map of one parent
    inverse(value, theta)    the parents, a tuple, of a value
    with_logdet(parents, theta) -> (value, logdet, tape), and pull_both(tape, cotangent, by_logdet, theta), the pullback
                             of c . y + l . logdet with l (batch,) or None: what a flow learns by
    reversed()               the map from value to parent, of the same parameters
    fixed(parents, theta, rng) -> (map, {name: array})   the map to use throughout one batch of a training (masks drawn,
                             statistics taken), and new values of parameters that are measured and not learnt
    measured                 names of those
    across_batch = True      ``fixed`` looks at the whole batch
    returning                names of parameters by which the parents' cotangents come back, where they are others than
                             those of ``forward``: these cotangents are no gradient

`check_map` audits all of them.
"""

from __future__ import annotations

from physlearn.brief import brief

# No pullback can be inherited without both halves, so a map of a user's own does not need this class.


class Map:
    """Base of the maps here: a pullback made of its halves; no parameters unless a class has some.

    Examples
    --------
    >>> import numpy as np
    >>> class Square(Map):
    ...     def forward(self, parents, theta):
    ...         return parents[0] ** 2, parents[0]
    ...     def back(self, tape, cotangent, theta):
    ...         return (2 * tape * cotangent,)
    >>> value, tape = Square().forward((np.array([[3.0]]),), {})
    >>> Square().pullback(tape, np.ones((1, 1)), {})
    ((array([[6.]]),), {})
    """

    parameters: tuple = ()
    __repr__ = brief

    def pullback(self, tape, cotangent, theta):
        """Cotangents of the parents, and the gradients of the parameters."""
        return self.back(tape, cotangent, theta), self.slope(tape, cotangent, theta)

    def back(self, tape, cotangent, theta):
        """Cotangents of the parents."""
        if type(self).pullback is Map.pullback:
            raise TypeError(f"map: {type(self).__name__} has neither `pullback` nor `back`, expected one of them")
        return self.pullback(tape, cotangent, theta)[0]

    def slope(self, tape, cotangent, theta):
        """Gradients of the parameters; none, unless the map has its own ``pullback``."""
        return {} if type(self).pullback is Map.pullback else self.pullback(tape, cotangent, theta)[1]


def back(map, tape, cotangent, theta):
    """Cotangents of the parents, by the map's own ``back`` where it has one.

    >>> class Twice:
    ...     def pullback(self, tape, cotangent, theta):
    ...         return (2 * cotangent,), {}
    >>> back(Twice(), None, 1.0, {}), slope(Twice(), None, 1.0, {})
    ((2.0,), {})
    """
    return map.back(tape, cotangent, theta) if hasattr(map, "back") else map.pullback(tape, cotangent, theta)[0]


def slope(map, tape, cotangent, theta):
    """Gradients of the parameters, by the map's own ``slope`` where it has one."""
    return map.slope(tape, cotangent, theta) if hasattr(map, "slope") else map.pullback(tape, cotangent, theta)[1]


def one_parent(map, shapes):
    """The shape of the only parent; ValueError where there are more or none."""
    if len(shapes) != 1:
        raise ValueError(
            f"{type(map).__name__}: got {len(shapes)} parents, expected one; join them by Concatenate or Sum"
        )
    return tuple(shapes[0])
