"""Graphs in rudy's format (the Gset of Helmberg and Rendl 2000), and Max-Cut on them.

The first line holds the numbers of vertices and edges, each further line an edge: two vertices, counted from
one, and a weight (1 where it is left out).

A cut is the weight of the edges between s = +1 and s = -1,

    cut(s) = sum_ij w_ij (1 - s_i s_j) / 2 = (sum_ij w_ij - E(s)) / 2,      E = -sum_ij J_ij s_i s_j,  J = -w,

so the largest cut is the ground state of E.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, integers, reals
from physlearn.energy import Energy, Spin
from physlearn.files import path_of, read_text
from physlearn.terms import Pairs


class MaxCut(NamedTuple):
    """A Max-Cut problem: the energy to minimise over the layer "s", and its cut."""

    energy: Energy
    pairs: np.ndarray
    weights: np.ndarray

    __repr__ = brief

    def cut(self, x):
        """Weight of the cut edges of spins x, (n,) or (..., n): a number or (...,)."""
        x = reals("x", x, finite=False)
        if x.shape[-1:] != self.energy.layers["s"].shape or not Spin().valid(x):
            raise ValueError(f"x: shape {x.shape}, expected spins (-1 or +1), (..., {self.energy.layers['s'].size})")
        across = x[..., self.pairs[:, 0]] != x[..., self.pairs[:, 1]]
        return np.sum(across * self.weights, -1)


def read_gset(path):
    r"""Read a graph in rudy's format.

    Parameters
    ----------
    path : str or Path
        May be packed (.gz, .bz2).

    Returns
    -------
    pairs : (m, 2) array of int
        Vertices from 0.
    weights : (m,) array
    n : int
        Number of vertices.

    Raises
    ------
    ValueError
        With the number of the line that is malformed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "triangle")
    >>> _ = path.write_text("3 3\n1 2 1\n2 3 1\n1 3 -1\n")
    >>> pairs, weights, n = read_gset(path)
    >>> pairs.tolist(), weights.tolist(), n
    ([[0, 1], [1, 2], [0, 2]], [1.0, 1.0, -1.0], 3)
    """
    path = path_of("path", path)
    lines = [(number, line.split()) for number, line in enumerate(read_text(path).split("\n"), 1) if line.strip()]
    if not lines:
        raise ValueError(f"{path}: empty, expected a line with the numbers of vertices and edges")
    number, head = lines[0]
    n, m = (_count(path, number, word) for word in head) if len(head) == 2 else _refuse(path, number, head, "n m")
    if n == 0:
        raise ValueError(f"{path}, line {number}: 0 vertices, expected at least 1")
    if len(lines) - 1 != m:
        raise ValueError(f"{path}, line {number}: promises {m} edges, the file has {len(lines) - 1}")
    pairs, weights, first = np.empty((m, 2), np.int64), np.empty(m), {}
    for row, (number, words) in enumerate(lines[1:]):
        if len(words) not in (2, 3):
            _refuse(path, number, words, "i j w")
        ends = [_count(path, number, word) for word in words[:2]]
        if not all(1 <= end <= n for end in ends):
            raise ValueError(f"{path}, line {number}: vertices {ends}, expected 1..{n}")
        if ends[0] == ends[1]:
            raise ValueError(f"{path}, line {number}: an edge from vertex {ends[0]} to itself, which no cut can reach")
        key = min(ends), max(ends)
        if key in first:
            raise ValueError(f"{path}, line {number}: the edge {ends} of line {first[key]} again; keep one of them")
        first[key] = number
        pairs[row] = np.array(ends) - 1
        try:
            weights[row] = float(words[2].replace("_", "?")) if len(words) == 3 else 1.0  # `float` takes "1_0" for 10
        except ValueError:
            _refuse(path, number, words, "i j w")
        if not np.isfinite(weights[row]):
            raise ValueError(f"{path}, line {number}: weight {words[2]}, expected a finite number")
    return pairs, weights, n


def maxcut_energy(path_or_pairs, weights=None, n=None) -> MaxCut:
    """Max-Cut as an energy of spins: J = -w.

    Parameters
    ----------
    path_or_pairs : str, Path or (m, 2) array of int
        A file in rudy's format, or the edges.
    weights : (m,) array, optional
        With edges; default all 1.
    n : int, optional
        With edges; default one more than the largest vertex.

    Examples
    --------
    A square can be cut in all four edges:

    >>> import numpy as np
    >>> square = maxcut_energy(np.array([[0, 1], [1, 2], [2, 3], [3, 0]]))
    >>> float(square.cut(np.array([1, -1, 1, -1]))), square.energy(np.array([1.0, -1.0, 1.0, -1.0])).item()
    (4.0, -4.0)
    """
    if isinstance(path_or_pairs, str | Path):
        if weights is not None or n is not None:
            raise ValueError("weights, n: given together with a file, which holds them; leave them out")
        pairs, weights, n = read_gset(path_or_pairs)
    else:
        pairs = integers("path_or_pairs", path_or_pairs, low=0)
        pairs = integers("path_or_pairs", pairs if pairs.size else pairs.reshape(0, 2), shape=("m", 2))
        n = None if n is None else count("n", n, max(1, int(pairs.max(initial=-1)) + 1), each=8)
        weights = np.ones(len(pairs)) if weights is None else np.array(array("weights", weights))
        if weights.shape != (len(pairs),):
            raise ValueError(f"weights: shape {weights.shape}, expected one for each of {len(pairs)} edges")
    term = Pairs("s", pairs, n)
    pairs = np.stack([term.i, term.j], 1)  # of its own, whatever the caller does with theirs
    return MaxCut(Energy({"s": (Spin(), term.n)}, [term], {"J": -weights}), pairs, weights)


def _count(path, number, word):
    if not re.fullmatch(r"\d{1,18}", word, re.ASCII):  # `int` takes "1_0" for 10
        raise ValueError(f"{path}, line {number}: {word!r}, expected a whole number")
    return int(word)


def _refuse(path, number, words, form):
    raise ValueError(f"{path}, line {number}: {' '.join(words)!r}, expected {form!r}")
