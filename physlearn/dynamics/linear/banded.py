"""Compiled direct solves of sparse positive definite systems ordered to keep nonzeros near the diagonal.

A = L D L^T without pivoting, which is stable for every positive definite A (Golub & Van Loan, Matrix
Computations, section 4.1). One kernel serves a dense 13 x 13 network and a banded 16,000 x 16,000 grid.

**Storage: a skyline of 8 x 8 tiles.** Variables are cut into panels of 8 columns. Panel K stores the tiles of
rows K, K+1, ... down to the last that fills in, one after the other in one flat array `tiles`; `start[K]` is
the number of its first, diagonal, tile. Within a tile a column is contiguous: entry (i, j), i >= j, is at

    64 (start[j // 8] + i // 8 - j // 8) + 8 (j % 8) + i % 8.

The last panel is padded with at least one variable that couples to nothing: index m serves as a grounded end.
`factor` leaves -L there, so that every inner operation is a plain multiply-add; a diagonal tile holds its
triangle twice, columns below and rows above the diagonal, for the two directions of solving.

The inner operations work on one tile column, eight values in one register (see `lanes`).
"""

# pyright: reportCallIssue=false
# (intrinsics are called without their typing context)

import numpy as np

from physlearn.kernels.jit import kernel
from physlearn.kernels.lanes import fma, lane, load, put, splat, store, total

# Factoring an n x n grid costs ~ n^4 / 4 multiply-adds here and ~ 10 n^3 in SuperLU at a tenth of the rate.
# Measured, ms (SuperLU: order known, permc_spec="NATURAL", SymmetricMode; 0.7 GiB of tiles at 512):
#   n            32     128     256     512
#   here       0.04     5.3      79    1120
#   SuperLU     0.8      22     166     920
BAND_LIMIT = 2e10  # m bw^2; a grid of n = 376


@kernel
def layout(ci, cj, m):
    """Tile skyline of a matrix with the pattern of a graph.

    Parameters
    ----------
    ci, cj : (E,) int64
        Ends of each edge in elimination order, -1 where an end is no variable.
    m : int
        Number of variables.

    Returns
    -------
    start : (panels + 1,) int64
        First tile of each panel; `start[-1]` tiles in all, `8 * panels` rows with padding.
    spot : (E, 3) int64
        Where an edge adds to the flat tiles: (ci, ci), (cj, cj) and (ci, cj). A missing end goes to the
        padding variable m, as do both of a loop; a missing coupling to the spare tile behind the last.
    """
    panels = m // 8 + 1
    start = np.zeros(panels + 1, np.int64)
    spot = np.empty((ci.size, 3), np.int64)
    for e in range(ci.size):
        if ci[e] >= 0 and cj[e] >= 0:
            panel = min(ci[e], cj[e]) // 8
            start[panel + 1] = max(start[panel + 1], max(ci[e], cj[e]) // 8)
    last = 0
    for panel in range(panels):  # elimination fills every later panel as far down as the deepest before it
        last = max(last, start[panel + 1], panel)
        start[panel + 1] = start[panel] + last - panel + 1
    for e in range(ci.size):
        i = ci[e] if ci[e] >= 0 and ci[e] != cj[e] else m
        j = cj[e] if cj[e] >= 0 and ci[e] != cj[e] else m
        spot[e, 0] = 64 * start[i // 8] + 9 * (i % 8)
        spot[e, 1] = 64 * start[j // 8] + 9 * (j % 8)
        row, column = max(i, j), min(i, j)
        tile = start[column // 8] + row // 8 - column // 8
        spot[e, 2] = 64 * tile + 8 * (column % 8) + row % 8 if row < m else 64 * start[-1]
    return start, spot


@kernel
def assemble(g, spot, m, start, tiles):
    """Write A = sum_e g_e d_e d_e^T, d_e = +1, -1 at an edge's ends, into `tiles`, (64 (start[-1] + 1),)."""
    tiles[:] = 0.0
    for e in range(g.size):
        tiles[spot[e, 0]] += g[e]
        tiles[spot[e, 1]] += g[e]
        tiles[spot[e, 2]] -= g[e]
    last = start.size - 2
    for i in range(m - 8 * last, 8):
        tiles[64 * start[last] + 9 * i] = 1.0


@kernel
def factor(start, tiles, inverse, panel):
    """Factor in place: A = L D L^T.

    Parameters
    ----------
    start, tiles
        The skyline, see the module's text.
    inverse : (8 * panels,) float64
        Written: 1 / D.
    panel : (64 * most tiles in a panel,) float64
        Scratch: the panel under elimination, not yet divided by D.

    Returns
    -------
    int
        0, or 1 + index of the first pivot that is not positive and finite.
    """
    for k in range(start.size - 1):
        diagonal = 64 * start[k]
        below = start[k + 1] - start[k] - 1
        for c in range(8):
            pivot_column = load(tiles, diagonal + 8 * c)
            pivot = lane(pivot_column, c)
            if not 0.0 < pivot < np.inf:
                return 8 * k + c + 1
            inverse[8 * k + c] = 1.0 / pivot
            for j in range(c + 1, 8):
                f = -lane(pivot_column, j) * inverse[8 * k + c]
                column = fma(splat(f), pivot_column, load(tiles, diagonal + 8 * j))
                store(tiles, diagonal + 8 * j, column)
                panel[8 * c + j] = f
        for c in range(8):
            for j in range(c + 1, 8):
                tiles[diagonal + 8 * c + j] = panel[8 * c + j]
                tiles[diagonal + 8 * j + c] = panel[8 * c + j]
        for i in range(1, below + 1):
            for c in range(8):
                column = load(tiles, diagonal + 64 * i + 8 * c)
                for b in range(c):
                    column = fma(splat(panel[8 * b + c]), load(panel, 64 * i + 8 * b), column)
                store(panel, 64 * i + 8 * c, column)
            for c in range(8):
                scaled = fma(splat(-inverse[8 * k + c]), load(panel, 64 * i + 8 * c), splat(0.0))
                store(tiles, diagonal + 64 * i + 8 * c, scaled)
        for j in range(1, below + 1):
            for i in range(j, below + 1):
                target = 64 * (start[k + j] + i - j)
                _update(tiles, target, tiles, diagonal + 64 * j, panel, 64 * i)
    return 0


@kernel
def _update(out, target, left, a, right, b):
    """tile(out) += tile(right) tile(left)^T, four columns at a time: each column loaded serves four."""
    for c in range(0, 8, 4):
        o = target + 8 * c
        x0, x1, x2, x3 = load(out, o), load(out, o + 8), load(out, o + 16), load(out, o + 24)
        for p in range(8):
            column = load(right, b + 8 * p)
            x0 = fma(splat(left[a + 8 * p + c]), column, x0)
            x1 = fma(splat(left[a + 8 * p + c + 1]), column, x1)
            x2 = fma(splat(left[a + 8 * p + c + 2]), column, x2)
            x3 = fma(splat(left[a + 8 * p + c + 3]), column, x3)
        store(out, o, x0)
        store(out, o + 8, x1)
        store(out, o + 16, x2)
        store(out, o + 24, x3)


@kernel
def solve_lower(start, tiles, w, first, count):
    """Replace the first `count` rows of w by L^-1 w.

    Parameters
    ----------
    w : (n, 8 * panels) float64
        Right-hand sides, zero in the padding.
    first : (n,) int64
        Panel of each one's first nonzero: the panels before it are skipped.
    count : int
        Rows to solve for.
    """
    width = w.shape[1]
    for k in range(start.size - 1):
        diagonal = 64 * start[k]
        below = start[k + 1] - start[k]
        for r in range(count):
            if first[r] > k:
                continue
            o = r * width + 8 * k
            x = load(w, o)
            done = x
            for c in range(8):  # the rows above the diagonal spoil lanes < c of x, which `done` has saved
                done = put(done, lane(x, c), c)
                x = fma(splat(lane(x, c)), load(tiles, diagonal + 8 * c), x)
            store(w, o, done)
            for i in range(1, below):
                x = load(w, o + 8 * i)
                for c in range(8):
                    x = fma(splat(lane(done, c)), load(tiles, diagonal + 64 * i + 8 * c), x)
                store(w, o + 8 * i, x)


@kernel
def solve_upper(start, tiles, w):
    """Replace the rows of w, (n, 8 * panels) float64, by L^-T w."""
    width = w.shape[1]
    for k in range(start.size - 2, -1, -1):
        diagonal = 64 * start[k]
        below = start[k + 1] - start[k]
        for r in range(w.shape[0]):
            o = r * width + 8 * k
            x = load(w, o)
            for c in range(8):
                s = splat(0.0)
                for i in range(1, below):
                    s = fma(load(w, o + 8 * i), load(tiles, diagonal + 64 * i + 8 * c), s)
                x = put(x, lane(x, c) + total(s), c)
            done = x
            for c in range(7, -1, -1):
                done = put(done, lane(x, c), c)
                x = fma(splat(lane(x, c)), load(tiles, diagonal + 8 * c), x)
            store(w, o, done)


@kernel
def scale(inverse, w):
    """Replace the rows of w, (n, 8 * panels) float64, by D^-1 w."""
    for r in range(w.shape[0]):
        for k in range(0, inverse.size, 8):
            store(w, r * w.shape[1] + k, fma(load(inverse, k), load(w, r * w.shape[1] + k), splat(0.0)))


@kernel
def dot(x, a, y, b, n):
    """Sum of x.flat[a + i] * y.flat[b + i] over i < n, n a multiple of 8."""
    s = splat(0.0)
    for k in range(0, n, 8):
        s = fma(load(x, a + k), load(y, b + k), s)
    return total(s)


def plan_band(ci, cj, m, outputs=()):
    """Elimination order of a graph's variables: reverse Cuthill-McKee, or for two panels the outputs last.

    Outputs last spare their right-hand sides the first panels. On lattices that makes a learning step 2 %
    faster with 13 variables, where the fill is the same; but 5 % slower with 22, and ten times with 253.

    Parameters
    ----------
    ci, cj : (E,) int64
        Variable at each end of an edge, -1 where there is none.
    m : int
        Number of variables.
    outputs : array of int, optional
        Variables that are read out.

    Returns
    -------
    order : (m,) int64
        Variable at each place.
    bw : int
        Bandwidth in that order.
    """
    inner = (ci >= 0) & (cj >= 0)
    i, j = ci[inner], cj[inner]
    if m <= 16:
        order = np.append(np.setdiff1d(np.arange(m), outputs), np.unique(outputs)).astype(np.int64)
    else:
        # here: together they take a tenth of a second, for which neurons do not wait
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import reverse_cuthill_mckee

        entries = np.ones(2 * i.size, np.int8), (np.append(i, j), np.append(j, i))
        order = reverse_cuthill_mckee(coo_array(entries, shape=(m, m)).tocsr(), True).astype(np.int64)
    place = np.argsort(order)
    return order, int(np.max(np.abs(place[i] - place[j]), initial=0))


def worthwhile(m, bw):
    """Whether this factorisation of m variables with bandwidth bw beats a general sparse one."""
    return m * bw**2 <= BAND_LIMIT
