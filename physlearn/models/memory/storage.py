"""Storage rules of `Hopfield`, each a plain function from patterns to couplings.

All take patterns (m, n) of -1 and +1 and return couplings (n, n) with zero diagonal.  Their capacity
for random patterns and n neurons:

    hebb          0.138 n with a few errors, n/(4 ln n) without     Hopfield 1982
    storkey       more than Hebb: ~ n/sqrt(2 ln n) without errors   Storkey 1997
    projection    n linearly independent ones, without errors       Personnaz, Guyon, Dreyfus 1985
    perceptron    up to 2 n, whatever can be held at all            Gardner 1988
    sequence      steps from each pattern to the next               Hopfield 1982, asymmetric: no energy
"""

from __future__ import annotations

import warnings

import numpy as np

from physlearn.checks import array, choice, count, flag, not_negative, number, positive
from physlearn.models.memory.patterns import check_patterns, value_pair
from physlearn.rng import generator
from physlearn.threads import on_one_thread

LARGEST = 1e300  # of a coupling: fields and energies of any network that fits into memory are still numbers


def hebb(patterns):
    """Hebb's rule, W = X^T X/n without the diagonal (Hopfield 1982, eq. 2).

    Examples
    --------
    >>> hebb([[1, 1, -1, -1]])[0]
    array([ 0.  ,  0.25, -0.25, -0.25])
    """
    x = _spins(patterns)
    return hollow(_gram(x) / x.shape[1])


def gradient_flow(patterns, *, time=np.inf, tau=1.0, start=None, variant="stopping"):
    """Hebbian learning in time: the closed form at ``time`` of a linear flow of the couplings.

    "stopping": tau dW/dt = X^T X/m - W, at rest at the patterns' correlations; its rest is n/m times Hebb's
    rule.  "course": tau dW/dt = X^T X/m - 1, a form found in lecture notes that never stops; the couplings
    grow in proportion to time, which has to be stated.  The diagonal stays zero in both.

    Parameters
    ----------
    patterns : (m, n) array
        Samples, which may occur repeatedly.
    time, tau : float
        Time of learning and time constant, in one unit (s); ``time`` may be infinite if stopping.
    start : (n, n) array, optional
        Couplings at time zero; default none.
    variant : {"stopping", "course"}

    Examples
    --------
    >>> gradient_flow([[1, 1]], time=1.0)[0, 1].round(3)  # 1 - 1/e
    np.float64(0.632)
    """
    x = _spins(patterns)
    choice("variant", variant, ("stopping", "course"))
    time = time if isinstance(time, float) and time == np.inf else not_negative("time", time)
    tau = positive("tau", tau)
    if variant == "course" and np.isinf(time):
        raise ValueError("time: the course variant never stops, so its couplings are infinite; state a finite time")
    start = np.zeros((x.shape[1],) * 2) if start is None else check_couplings(start, "start")
    goal = hollow(_gram(x) / len(x))
    return start + goal * (time / tau) if variant == "course" else goal + (start - goal) * np.exp(-time / tau)


@on_one_thread
def projection(patterns):
    """Pseudo-inverse rule: the projector onto the patterns' span, without its diagonal.

    Every pattern is a fixed point exactly, however correlated, as long as they are linearly independent
    (Personnaz, Guyon, Dreyfus 1985; Kanter and Sompolinsky 1987).

    Raises
    ------
    ValueError
        For n patterns or more, and for linearly dependent ones (duplicates, inverses).

    Examples
    --------
    >>> w = projection([[1, 1, 1, 1, -1, -1], [1, 1, 1, -1, 1, -1]])
    >>> np.sign(w @ [1, 1, 1, 1, -1, -1])
    array([ 1.,  1.,  1.,  1., -1., -1.])
    """
    x = _spins(patterns)
    m, n = x.shape
    if m >= n:
        raise ValueError(
            f"patterns: {m} patterns of {n} neurons; the projection rule holds fewer than {n}, since the projector "
            "onto everything is the identity and couples nothing. Store fewer, or use 'perceptron' or DenseMemory"
        )
    spectrum, directions = np.linalg.eigh(x @ x.T)
    dependent = int(np.sum(spectrum < 1e-9 * n))
    if dependent:
        raise ValueError(
            f"patterns: rank {m - dependent} of {m}, expected linearly independent patterns; drop duplicates, "
            "inverses and combinations"
        )
    half = directions.T @ x / np.sqrt(spectrum)[:, None]
    return hollow(half.T @ half)


@on_one_thread
def storkey(patterns, *, start=None):
    """Storkey's local incremental rule, which subtracts the part of each pattern already stored (Storkey 1997, eq. 2).

    Parameters
    ----------
    patterns : (m, n) array
        Learned in order.
    start : (n, n) array, optional
        Couplings to start from.

    Examples
    --------
    >>> bool(np.allclose(storkey([[1, 1, -1, -1]]), hebb([[1, 1, -1, -1]])))
    True
    """
    x = _spins(patterns)
    n = x.shape[1]
    w = np.zeros((n, n)) if start is None else check_couplings(start, "start").copy()
    for xi in x:
        known = np.outer(w @ xi, xi)
        # xi_i xi_j - xi_i h_ji - h_ij xi_j, with h_ij = h_i - w_ij xi_j the field on i without j
        w += (np.outer(xi, xi) - (known + known.T) + 2.0 * w) / n  # the sum in brackets keeps it symmetric to the bit
        np.fill_diagonal(w, 0.0)
    return w


@on_one_thread
def perceptron(patterns, *, margin=0.5, max_epochs=1000, start=None):
    """Symmetric perceptron rule: strengthen each pattern where its field is below ``margin``.

    Parameters
    ----------
    patterns : (m, n) array
    margin : float
        Fields xi_i h_i above which a neuron is left alone; larger margins make larger basins.
    max_epochs : int
        Passes over all patterns.
    start : (n, n) array, optional
        Couplings to start from; default Hebb's.

    Notes
    -----
    Ends with every pattern stable where couplings that do so exist (Gardner, Gutfreund, Yekutieli 1989), and
    warns where it has not ended.

    Examples
    --------
    >>> w = perceptron([[1, 1, 1, 1, -1, -1], [1, 1, 1, -1, 1, -1]])
    >>> np.sign(w @ [1, 1, 1, 1, -1, -1])
    array([ 1.,  1.,  1.,  1., -1., -1.])
    """
    x = _spins(patterns)
    margin, max_epochs = positive("margin", margin), count("max_epochs", max_epochs)
    w = hebb(x) if start is None else check_couplings(start, "start").copy()
    weak = np.zeros_like(x, dtype=bool)
    for _ in range(max_epochs):
        weak = x * (x @ w) <= margin
        if not weak.any():
            return w
        step = _gram(x, weak * x) / x.shape[1]
        w += hollow(0.5 * (step + step.T))
    warnings.warn(
        f"perceptron: {np.sum(weak)} of {weak.size} fields still below the margin {margin} after {max_epochs} epochs; "
        "raise max_epochs, lower the margin or store fewer patterns",
        RuntimeWarning,
        stacklevel=3,
    )
    return w


@on_one_thread
def covariance(patterns, activity=None):
    """Couplings for 0/1 patterns of low activity a: sum (x - a)(x - a)^T/(n a (1 - a)), zero diagonal.

    Source: Tsodyks and Feigelman 1988.  With thresholds of 1/2 - a the fields of a pattern lie at +-1/2.

    Parameters
    ----------
    patterns : (m, n) array of 0 and 1
    activity : float, optional
        a; default the patterns' mean.

    Examples
    --------
    >>> covariance([[1, 0, 0, 0], [0, 0, 1, 0]], activity=0.25)[0].round(3)
    array([ 0.   , -0.167, -0.5  , -0.167])
    """
    x = check_patterns(patterns)
    if value_pair(x, "patterns")[0] != 0:
        raise ValueError("patterns: got -1 and +1, the covariance rule takes 0 and 1; pass (patterns + 1)/2")
    a = float(np.mean(x)) if activity is None else number("activity", activity)
    if not 0 < a < 1:
        raise ValueError(f"activity: got {a}, expected a fraction in (0, 1)")
    return hollow(_gram(x - a) / (x.shape[1] * a * (1.0 - a)))


def sequence(patterns, *, hold=0.0, step=1.0, cyclic=True):
    """Couplings that lead from each pattern to the next: an asymmetric W, a system without an energy.

    W = hold X^T X/n + step sum_mu xi_(mu+1) xi_mu^T/n, zero diagonal (Hopfield 1982).  With ``hold = 0`` a
    synchronous update makes one step; with ``hold > step`` the patterns are stable.

    Parameters
    ----------
    patterns : (m, n) array
        In order, at least two.
    hold, step : float
        Weights of the present and of the next pattern.
    cyclic : bool
        Whether the last leads to the first.

    Examples
    --------
    >>> w = sequence([[1, 1, 1, 1], [1, -1, 1, -1]])
    >>> np.sign(w @ [1, 1, 1, 1])
    array([ 1., -1.,  1., -1.])
    """
    x = _spins(patterns)
    if len(x) < 2:
        raise ValueError("patterns: got 1, expected at least 2 patterns for a sequence")
    hold, step = number("hold", hold), number("step", step)
    follower = np.roll(x, -1, 0) if flag("cyclic", cyclic) else np.concatenate([x[1:], np.zeros_like(x[:1])])
    return hollow((hold * _gram(x) + step * _gram(follower, x)) / x.shape[1])


def dilute(couplings, fraction, *, symmetric=True, rng=None):
    """Cut a random fraction of the connections.

    Parameters
    ----------
    couplings : (n, n) array
    fraction : float
        Fraction cut, in [0, 1).
    symmetric : bool
        Cut both directions of a connection; otherwise each on its own, which leaves no energy (Derrida,
        Gardner and Zippelius 1987).
    rng : int, Generator or None

    Returns
    -------
    (n, n) array
        The remaining couplings divided by 1 - fraction, which keeps the mean field on a neuron.

    Examples
    --------
    >>> w = dilute(hebb([[1, 1, -1, -1]]), 0.5, rng=0)
    >>> bool((w == w.T).all()), set(np.abs(w).ravel().tolist())
    (True, {0.0, 0.5})
    """
    w = check_couplings(couplings)
    if not 0 <= number("fraction", fraction) < 1:
        raise ValueError(f"fraction: got {fraction}, expected a number in [0, 1)")
    kept = generator(rng).random(w.shape) >= fraction
    if flag("symmetric", symmetric):
        kept = np.triu(kept, 1) | np.triu(kept, 1).T
    return np.where(kept, w, 0.0) / (1.0 - fraction)


def check_couplings(couplings, name="couplings"):
    """Couplings as a square read-only copy with zero diagonal, symmetric to the bit if they are so to rounding."""
    w = np.array(array(name, couplings, finite=False))
    if w.ndim != 2 or w.shape[0] != w.shape[1] or w.size == 0:
        raise ValueError(f"{name}: shape {w.shape}, expected (n, n)")
    bad = np.sum(~(np.abs(w) < LARGEST))
    if bad:
        raise ValueError(
            f"{name}: {bad} entries are NaN, infinite or beyond {LARGEST:g}, expected finite couplings with finite sums"
        )
    if np.any(np.diag(w)):
        raise ValueError(
            f"{name}: {np.count_nonzero(np.diag(w))} entries of the diagonal are not zero, but no neuron acts on "
            "itself; set them with np.fill_diagonal(w, 0)"
        )
    if not np.array_equal(w, w.T) and np.max(np.abs(w - w.T)) <= 1e-12 * np.max(np.abs(w)):
        w = (w + w.T) / 2  # as products of matrices come: they mean an energy
    w.flags.writeable = False
    return w


def hollow(matrix):
    """Set the diagonal of a fresh matrix to zero and return it."""
    np.fill_diagonal(matrix, 0.0)
    return matrix


def _gram(x, y=None):
    """x^T y; exact in float32 for -1, 0 and +1, and twice as fast there."""
    y = x if y is None else y
    if len(x) < 2**24 and np.all(np.abs(x) == 1) and np.all((y == 0) | (np.abs(y) == 1)):
        return (x.T.astype(np.float32) @ y.astype(np.float32)).astype(float)
    return x.T @ y


def _spins(patterns):
    x = check_patterns(patterns)
    if value_pair(x, "patterns")[0] == 0:
        raise ValueError("patterns: got 0 and 1, expected -1 and +1; pass 2*x - 1, or store with Hopfield.store")
    return x
