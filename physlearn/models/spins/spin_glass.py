"""Ising models, spin glasses and Potts models on any graph.

    Ising:  E = -sum_(ij) J_ij s_i s_j - sum_i h_i s_i      s = -1, +1
    Potts:  E = -sum_(ij) J_ij delta(s_i, s_j)              s = 0 .. q - 1

Each pair is counted once; temperatures are energies (k_B = 1).  Positive J favours equal neighbours.  Random
J of both signs frustrate them: a spin glass (Edwards and Anderson 1975; Sherrington and Kirkpatrick 1975).

Critical points to check against: square Ising T = 2/ln(1 + sqrt 2) (Onsager 1944), triangular 4/ln 3,
square Potts 1/ln(1 + sqrt q); Sherrington-Kirkpatrick T = 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.checks import array, choice, count, flag, number, seen
from physlearn.energy import Potts, Spin
from physlearn.models.spins.on_graph import OnGraph, pair_term, with_field
from physlearn.models.spins.pairs import cubic_pairs, square_pairs
from physlearn.rng import generator
from physlearn.terms.bias import Bias
from physlearn.terms.dense import Dense
from physlearn.terms.pairs import Pairs
from physlearn.terms.potts import PottsPairs
from physlearn.terms.potts_bias import PottsBias


class Ising(OnGraph):
    """Spins on any graph: an `Energy` of one layer "s" with couplings "J" and, where given, fields "bias".

    Built by `square`, `cubic`, `triangular`, `random_regular`, `from_pairs`, `from_graph`, `from_matrix`; each
    takes ``J`` (one value, or one per pair) and ``field`` (h: one value, or one per spin).

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import sample
    >>> model = Ising.square(4)
    >>> float(model(np.ones((4, 4))))
    -32.0
    >>> drawn = sample(model, temperature=2.0, n_samples=500, chains=64, rng=1)
    >>> bool(abs(drawn.energy.mean() / 16 - -1.755380) < 0.02)  # exact: enumerate_states
    True
    """

    @classmethod
    def from_pairs(cls, pairs, J: Any = 1.0, *, shape=None, field=None):
        """Couplings on any pairs of spins.

        Parameters
        ----------
        pairs : (m, 2) array of int
            Flat indices; parallel couplings add.
        J : float or (m,) array
            Couplings, energy.
        shape : int or tuple, optional
            Of the layer; default a line long enough for the largest index.
        field : float or array, optional
            h, one value or shaped like the layer.

        Raises
        ------
        ValueError
            For a spin coupled to itself, indices out of range, couplings that are not finite or not one per pair.

        Examples
        --------
        >>> float(Ising.from_pairs([(0, 1), (1, 2)], [1.0, -1.0], field=0.5)([1, 1, -1]))
        -2.5
        """
        term, shape, theta = pair_term(Pairs, pairs, J, shape)
        return cls({"s": (Spin(), shape)}, *with_field([term], theta, field, shape, Bias))

    @classmethod
    def from_matrix(cls, matrix: Any, *, field=None, symmetrise=False):
        """Couplings from a symmetric matrix: a dense array stays dense, scipy.sparse becomes pairs.

        Parameters
        ----------
        matrix : (n, n) array or scipy.sparse matrix
            J, with J_ij = J_ji standing for one coupling, and a zero diagonal.
        field : float or (n,) array, optional
            h.
        symmetrise : bool
            Take (J + J^T)/2 of a matrix that is not symmetric, which has the same energy if sum_ij J_ij s_i s_j/2
            is meant; else it is refused.

        Raises
        ------
        ValueError
            A matrix that is complex, not square, not symmetric, or with a diagonal.

        Examples
        --------
        >>> float(Ising.from_matrix([[0.0, 2.0], [2.0, 0.0]])([1, -1]))
        2.0
        """
        import scipy.sparse as sp

        sparse = sp.issparse(matrix)
        if getattr(getattr(matrix, "dtype", None), "kind", "f") == "c":
            raise ValueError("matrix: complex, expected real couplings; an energy is a real number: pass matrix.real")
        matrix = sp.csr_matrix(matrix, dtype=float) if sparse else array("matrix", matrix, finite=False)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
            raise ValueError(f"matrix: shape {matrix.shape}, expected (n, n)")
        entries = matrix.data if sparse else matrix
        if not np.all(np.isfinite(entries)):
            raise ValueError(f"matrix: {np.sum(~np.isfinite(entries))} entries are NaN or infinite, expected finite")
        if flag("symmetrise", symmetrise):
            matrix = (matrix + matrix.T) / 2.0
        gap: Any = abs(matrix - matrix.T)
        if gap.max() > 0:
            i, j = np.unravel_index(int(gap.argmax()), matrix.shape)
            raise ValueError(
                f"matrix: not symmetric, J[{i}, {j}] = {matrix[i, j]} but J[{j}, {i}] = {matrix[j, i]}; an energy has "
                "symmetric couplings: pass symmetrise=True for (J + J^T)/2, or use a System"
            )
        diagonal = matrix.diagonal()
        if np.any(diagonal):
            k = int(np.flatnonzero(diagonal)[0])
            raise ValueError(
                f"matrix: J[{k}, {k}] = {diagonal[k]}, expected a zero diagonal; s^2 = 1, so it only shifts the energy"
            )
        if sparse:
            upper = sp.triu(matrix, 1).tocoo()
            return cls.from_pairs(np.stack([upper.row, upper.col], 1), upper.data, shape=matrix.shape[0], field=field)
        shape = (len(matrix),)
        return cls({"s": (Spin(), shape)}, *with_field([Dense(("s", "s"), "J")], {"J": matrix}, field, shape, Bias))


class SpinGlass(Ising):
    """Ising spins with random couplings; `Ising`'s constructors, and three of its own.

    Examples
    --------
    >>> glass = SpinGlass.edwards_anderson((4, 4, 4), rng=0)
    >>> glass.couplings.shape, set(glass.couplings.tolist()) == {-1.0, 1.0}
    ((192,), True)
    >>> SpinGlass.sherrington_kirkpatrick(100, rng=0).theta["J"].shape
    (100, 100)
    """

    @classmethod
    def sherrington_kirkpatrick(cls, n, *, field=None, rng=None):
        """All n spins coupled, J normal of variance 1/n (Sherrington and Kirkpatrick 1975); freezes below T = 1."""
        n = count("n", n)
        count("n", n, each=16 * n)
        upper = np.triu(generator(rng).normal(0.0, n**-0.5, (n, n)), 1)
        return cls.from_matrix(upper + upper.T, field=field)

    @classmethod
    def edwards_anderson(cls, size, *, disorder="bimodal", p=0.5, periodic=True, field=None, rng=None):
        """Nearest neighbours on a square or cubic lattice (Edwards and Anderson 1975).

        Parameters
        ----------
        size : (int, int) or (int, int, int)
            Of the lattice.
        disorder : {"bimodal", "gaussian"}
            J = +1 with probability p, else -1; or standard normal.
        p : float
            Probability of a positive coupling ("bimodal").
        periodic : bool or one for each direction
        field : float or array, optional
        rng : int, Generator or None
            Draws the couplings.
        """
        if not isinstance(size, list | tuple | np.ndarray) or len(size) not in (2, 3):
            raise ValueError(f"size: got {seen(size)}, expected (rows, columns) or (planes, rows, columns)")
        lattice = square_pairs if len(size) == 2 else cubic_pairs
        pairs = lattice(size, periodic=periodic)
        couplings = _disorder(len(pairs), disorder, p, rng)
        return cls.from_pairs(pairs, couplings, shape=tuple(size), field=field)

    @classmethod
    def on_random_regular(cls, n, degree, *, disorder="bimodal", p=0.5, field=None, rng=None):
        """A glass on a random regular graph; arguments as for `edwards_anderson`.

        Examples
        --------
        >>> SpinGlass.on_random_regular(10, 3, rng=0).couplings.shape
        (15,)
        """
        rng = generator(rng)
        model = cls.random_regular(n, degree, rng=rng, field=field)
        return model.with_theta({"J": _disorder(len(model.pairs), disorder, p, rng)})


class PottsModel(OnGraph):
    """Potts variables on any graph: an `Energy` of one layer "s" with couplings "J" and, where given, "bias".

    Built like `Ising`; every constructor takes ``q``, the number of codes, and ``field``, weights (*shape, q).

    Examples
    --------
    >>> import numpy as np
    >>> model = PottsModel.square(3, q=3)
    >>> float(model(np.zeros((3, 3), int)))
    -18.0
    """

    @classmethod
    def from_pairs(cls, pairs, J: Any = 1.0, *, shape=None, q=3, field=None):
        """Couplings on any pairs of variables; see `Ising.from_pairs`.

        J may also be a matrix J[s_i, s_j] for all pairs, (q, q), or one for each, (m, q, q): see `PottsPairs`.

        Examples
        --------
        Codes that like to differ by one, round a ring of three:

        >>> model = PottsModel.from_pairs([(0, 1), (1, 2), (2, 0)], np.roll(np.eye(3), 1, axis=1), q=3)
        >>> float(model(np.array([0, 1, 2])))
        -3.0
        """
        q = count("q", q, least=2)
        matrices = array("J", J)
        matrices = matrices if matrices.ndim > 1 and matrices.shape[-2:] == (q, q) else None
        given = J if matrices is None else 0.0
        term, shape, theta = pair_term(lambda *args: PottsPairs(args[0], args[1], q, args[2]), pairs, given, shape)
        if matrices is not None:
            theta = {"J": matrices}
        weights = (*shape, q)
        return cls({"s": (Potts(q), shape)}, *with_field([term], theta, field, weights, PottsBias))


def _disorder(m, disorder, p, rng):
    """m random couplings."""
    rng = generator(rng)
    p = number("p", p, 0, 1)
    if choice("disorder", disorder, ("bimodal", "gaussian")) == "gaussian":
        return rng.normal(size=m)
    return np.where(rng.random(m) < p, 1.0, -1.0)
