"""Sums, means and maxima over entries, whatever their order: of sets, of nodes, of sequences."""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import choice, flag
from physlearn.maps.map import Map
from physlearn.maps.sequence.entries import entries_of
from physlearn.maps.sequence.recurrent import present


class Pool(Map):
    """Sum, mean or maximum over the first axis, whatever the order of its entries (Zaheer et al. 2017, deep sets).

    Parameters
    ----------
    by : {"sum", "mean", "max"}
        Of equal maxima the first counts.
    masked : bool
        There is a second parent, a mask: (entries,), at least 1/2 where there is an entry.

    Examples
    --------
    >>> import numpy as np
    >>> x, mask = np.array([[[1.0], [2.0], [9.0]]]), np.array([[1.0, 1.0, 0.0]])
    >>> Pool("mean", masked=True).forward((x, mask), {})[0]
    array([[1.5]])
    """

    def __init__(self, by="sum", *, masked=False):
        self.by, self.masked = choice("by", by, ("sum", "mean", "max")), flag("masked", masked)
        self.affine = by != "max" and not masked

    def __repr__(self):
        return brief(self, by=self.by, masked=self.masked)

    def shape(self, shapes):
        """Of one entry."""
        if len(shapes) != 1 + self.masked:
            raise ValueError(
                f"Pool: got {len(shapes)} parents, expected {1 + self.masked}: entries, and a mask or none"
            )
        n, *entry = entries_of(self, shapes[:1])
        if self.masked and tuple(shapes[1]) != (n,):
            raise ValueError(f"Pool: a mask of shape {tuple(shapes[1])}, expected {(n,)}")
        return tuple(entry)

    def forward(self, parents, theta):
        """The pooled entries; the tape says how each takes part."""
        x = parents[0]
        keep = None
        if self.masked:
            keep = present(parents[1]).reshape(*x.shape[:2], *(1,) * (x.ndim - 2))
        if self.by == "max":
            place = (x if keep is None else np.where(keep, x, -np.inf)).argmax(1)[:, None]
            return np.take_along_axis(x, place, 1)[:, 0], (x.shape, place)
        share = None if keep is None else keep.astype(x.dtype)
        if self.by == "mean":
            share = x.dtype.type(1 / x.shape[1]) if share is None else share / share.sum(1, keepdims=True)
        return (x if share is None else x * share).sum(1), (x.shape, share)

    def back(self, tape, cotangent, theta):
        """Each entry's share of c."""
        shape, share = tape
        c = cotangent[:, None]
        if self.by == "max":
            found = np.zeros(shape, cotangent.dtype)
            np.put_along_axis(found, share, c, 1)
        else:
            found = np.broadcast_to(c if share is None else c * share, shape).copy()
        return (found, np.zeros(shape[:2], found.dtype)) if self.masked else (found,)
