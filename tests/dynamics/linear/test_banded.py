"""The tile skyline solver against dense NumPy, from 1 variable to a 32 x 32 grid."""

import numpy as np
import pytest

from physlearn.dynamics.linear.banded import (
    assemble,
    dot,
    factor,
    layout,
    plan_band,
    scale,
    solve_lower,
    solve_upper,
    worthwhile,
)

RTOL = 1e-12  # times the root of the condition number for solutions


def grid(n, fixed, seed=0):
    """Open n x n grid with some nodes held: ends in elimination order, number of variables, conductances."""
    rng = np.random.default_rng(seed)
    at = np.arange(n * n).reshape(n, n)
    ends = lattice(at)
    return renumber(ends, n * n, rng.permutation(n * n)[:fixed], rng)


def lattice(at):
    """Neighbours in a two-dimensional array of node numbers."""
    pairs = (at[:, :-1], at[:, 1:]), (at[:-1], at[1:])
    return np.concatenate([np.stack([i.ravel(), j.ravel()], 1) for i, j in pairs])


def chords(nodes, edges, fixed, seed=0):
    """A ring with random chords, parallel edges and a loop on one node."""
    rng = np.random.default_rng(seed)
    ring = np.stack([np.arange(nodes), np.roll(np.arange(nodes), -1)], 1)
    ends = np.concatenate([ring, ring[:1], rng.integers(0, nodes, (edges, 2))])
    return renumber(ends, nodes, rng.permutation(nodes)[:fixed], rng)


def renumber(ends, nodes, held, rng):
    free = np.setdiff1d(np.arange(nodes), held)
    variable = np.full(nodes, -1)
    variable[free] = np.arange(free.size)
    ci, cj = variable[ends[:, 0]], variable[ends[:, 1]]
    order, bw = plan_band(ci, cj, free.size)
    assert sorted(order) == list(range(free.size))
    place = np.append(np.argsort(order), -1)
    ci, cj = place[ci], place[cj]
    inner = (ci >= 0) & (cj >= 0)
    assert bw == np.max(np.abs(ci - cj)[inner], initial=0)
    return ci, cj, free.size, rng.uniform(0.5, 1.5, len(ends))


def dense(ci, cj, m, g):
    d = np.zeros((len(g), m + 1))
    np.add.at(d, (np.arange(len(g)), np.where(ci < 0, m, ci)), 1.0)
    np.add.at(d, (np.arange(len(g)), np.where(cj < 0, m, cj)), -1.0)
    return d[:, :m].T @ (g[:, None] * d[:, :m])


def factored(ci, cj, m, g):
    start, spot = layout(ci, cj, m)
    tiles, inverse = np.full(64 * (start[-1] + 1), np.nan), np.empty(8 * (start.size - 1))
    assemble(g, spot, m, start, tiles)
    status = factor(start, tiles, inverse, np.empty(64 * np.max(np.diff(start))))
    return status, start, tiles, inverse


CASES = {
    "one variable": lambda: chords(2, 0, 1),
    "7": lambda: chords(9, 12, 2),
    "8: a whole panel": lambda: chords(10, 14, 2),
    "13: dense": lambda: chords(16, 80, 3),
    "64: dense": lambda: chords(67, 900, 3),
    "100: sparse": lambda: chords(101, 40, 1),
    "grid 6": lambda: grid(6, 1),
    "grid 32": lambda: grid(32, 4),
}


@pytest.mark.parametrize("case", CASES)
def test_solves_equal_dense(case):
    ci, cj, m, g = CASES[case]()
    a = dense(ci, cj, m, g)
    status, start, tiles, inverse = factored(ci, cj, m, g)
    assert status == 0
    rng = np.random.default_rng(1)
    b, w = rng.normal(size=(5, m)), np.zeros((5, inverse.size))
    first = np.array([0, 0, 0, m // 2 // 8, (m - 1) // 8])
    for r in range(5):
        b[r, : 8 * first[r]] = 0.0
    w[:, :m] = b
    solve_lower(start, tiles, w, first, len(w))
    n, u = w.shape[1], w * inverse
    green = [[dot(w, i * n, u, j * n, n) for i in range(5)] for j in range(5)]
    scale(inverse, w)
    solve_upper(start, tiles, w)
    wanted = np.linalg.solve(a, b.T).T
    amplified = RTOL * np.linalg.cond(a) ** 0.5
    np.testing.assert_allclose(w[:, :m], wanted, rtol=0, atol=amplified * np.max(np.abs(wanted)))
    np.testing.assert_allclose(green, b @ wanted.T, rtol=0, atol=amplified * np.max(np.abs(b @ wanted.T)))
    assert not np.any(w[:, m:])


def test_pivots_are_the_cholesky_diagonal():
    ci, cj, m, g = chords(40, 100, 2)
    pivots = np.diag(np.linalg.cholesky(dense(ci, cj, m, g))) ** 2
    np.testing.assert_allclose(1 / factored(ci, cj, m, g)[3][:m], pivots, rtol=RTOL)


@pytest.mark.parametrize("bad", [0.0, -100.0, np.nan, np.inf])
def test_status_names_the_first_bad_pivot(bad):
    """A path 0 - 1 - ... - 19 with one end held and one conductance spoilt: pivots are known by hand."""
    ci, cj, g = np.arange(-1, 19), np.arange(0, 20), np.ones(20)
    g[12] = bad  # between variables 11 and 12, eliminated from the held end
    status = factored(ci, cj, 20, g)[0]
    assert status == (20 if bad == 0.0 else 12)  # cut: the loose piece 12 ... 19 is singular at its last


def test_plan_finds_the_width_of_a_grid():
    rng = np.random.default_rng(3)
    at = rng.permutation(20 * 9).reshape(20, 9)
    ends = lattice(at)
    _, bw = plan_band(ends[:, 0], ends[:, 1], at.size)
    assert bw in (9, 10)
    order, bw = plan_band(np.array([-1]), np.array([0]), 1)
    assert (list(order), bw) == ([0], 0)
    order, _ = plan_band(np.arange(12), np.arange(1, 13), 13, np.array([4, 2]))
    assert list(order[-2:]) == [2, 4]
    assert worthwhile(128**2, 128)
    assert not worthwhile(512**2, 512)
