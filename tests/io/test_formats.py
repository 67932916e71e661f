"""Files in and out: rudy graphs, MatrixMarket couplings, dimod models."""

import itertools

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp

from physlearn import Binary, Energy, Readout, Real, Spin
from physlearn.io import from_bqm, maxcut_energy, read_couplings, read_gset, to_bqm
from physlearn.terms import Bias, Dense, Pairs

dimod = pytest.importorskip("dimod")


def spins(n):
    return np.array(list(itertools.product((-1.0, 1.0), repeat=n)))


def write(tmp_path, text):
    path = tmp_path / "graph"
    path.write_text(text)
    return path


def test_gset_is_read_with_and_without_weights(tmp_path):
    pairs, weights, n = read_gset(write(tmp_path, "4 3\n1 2 5\n\n3 4 -2\n1 4\n"))
    assert pairs.tolist() == [[0, 1], [2, 3], [0, 3]] and weights.tolist() == [5.0, -2.0, 1.0] and n == 4


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "empty"),
        ("3\n", r"line 1: '3', expected 'n m'"),
        ("3 x\n", r"line 1: 'x', expected a whole number"),
        ("3 2\n1 2 1\n", r"line 1: promises 2 edges, the file has 1"),
        ("3 2\n1 2 1\n\n1 4 1\n", r"line 4: vertices \[1, 4\], expected 1..3"),
        ("3 99999999999\n1 2 1\n", r"line 1: promises 99999999999 edges, the file has 1"),
        ("0 0\n", r"line 1: 0 vertices, expected at least 1"),
        ("3 1\n0 2 1\n", r"line 2: vertices \[0, 2\]"),
        ("3 1\n2 2 1\n", r"line 2: an edge from vertex 2 to itself"),
        ("3 1\n1 2 heavy\n", r"line 2: '1 2 heavy', expected 'i j w'"),
        ("3 1\n1 2 nan\n", r"line 2: weight nan"),
        ("3 1\n1 2 1 1\n", r"line 2: '1 2 1 1', expected 'i j w'"),
        ("3 2\n1 2 1\n2 1 1\n", r"line 3: the edge \[2, 1\] of line 2 again"),
    ],
)
def test_malformed_gset_lines_are_named(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_gset(write(tmp_path, text))


def test_cut_is_what_the_energy_says_and_the_brute_force_maximum(tmp_path, rng, tol):
    n = 8
    pairs = np.stack(np.triu_indices(n, 1), 1)
    weights = rng.integers(-3, 4, len(pairs)).astype(float)
    lines = [f"{n} {len(pairs)}", *(f"{i + 1} {j + 1} {int(w)}" for (i, j), w in zip(pairs, weights, strict=True))]
    problem = maxcut_energy(write(tmp_path, "\n".join(lines)))
    x = spins(n)
    direct = np.array([sum(w for (i, j), w in zip(pairs, weights, strict=True) if s[i] != s[j]) for s in x])
    assert np.array_equal(problem.cut(x), direct)
    np.testing.assert_allclose(problem.cut(x), (weights.sum() - problem.energy(x)) / 2, atol=tol.IDENTITY)
    assert problem.cut(x[np.argmin(problem.energy(x))]) == direct.max()
    with pytest.raises(ValueError, match="expected spins"):
        problem.cut(np.zeros(n))
    with pytest.raises(ValueError, match="one for each of 28"):
        maxcut_energy(pairs, [1.0])


def test_matrix_market_round_trip_and_asymmetry(tmp_path, rng):
    j = np.triu(rng.normal(size=(5, 5)), 1) * (rng.random((5, 5)) < 0.7)
    symmetric = j + j.T + np.diag([1.0, 0, 0, 0, 2.0])
    for number, matrix in enumerate((symmetric, sp.coo_matrix(symmetric))):
        path = tmp_path / f"{number}.mtx"
        scipy.io.mmwrite(path, matrix)
        pairs, couplings, diagonal = read_couplings(path)
        rebuilt = np.zeros((5, 5))
        rebuilt[pairs[:, 0], pairs[:, 1]] = couplings
        assert np.array_equal(rebuilt, j) and np.array_equal(diagonal, np.diag(symmetric))
    path = tmp_path / "odd.mtx"
    scipy.io.mmwrite(path, sp.coo_matrix(np.array([[0.0, 1.0], [0.5, 0.0]])))
    with pytest.raises(ValueError, match=r"\(1, 2\) and \(2, 1\) are 1 and 0.5.*symmetrise=True"):
        read_couplings(path)
    assert read_couplings(path, symmetrise=True)[1].tolist() == [0.75]


@pytest.mark.parametrize(
    "matrix, message",
    [
        (np.zeros((2, 3)), "square"),
        (np.array([[0, 1j], [1j, 0]]), "complex"),
        (np.array([[0, np.inf], [np.inf, 0]]), "2 entries are NaN or infinite"),
    ],
)
def test_unusable_matrices_are_refused(tmp_path, matrix, message):
    scipy.io.mmwrite(tmp_path / "m.mtx", matrix)
    with pytest.raises(ValueError, match=message):
        read_couplings(tmp_path / "m.mtx")


@pytest.mark.parametrize("vartype, values", [("SPIN", (-1, 1)), ("BINARY", (0, 1))])
def test_dimod_models_have_the_same_energies_both_ways(rng, vartype, values, tol):
    model = dimod.BinaryQuadraticModel(vartype)
    names = ["b", "a", 7, "c", "d"]
    for name in names:
        model.add_linear(name, float(rng.normal()))
    for u, v in itertools.combinations(names, 2):
        model.add_quadratic(u, v, float(rng.normal()))
    model.offset = 1.5
    found = from_bqm(model)
    assert found.variables == names
    x = np.array(list(itertools.product(values, repeat=5)), float)
    theirs = model.energies((x, names))
    np.testing.assert_allclose(found.energy(x) + found.offset, theirs, rtol=tol.IDENTITY, atol=tol.IDENTITY)
    assert model.energy(found.sample(x[3])) == pytest.approx(theirs[3])
    back = to_bqm(found.energy)
    np.testing.assert_allclose(back.energies((x, range(5))) + 1.5, theirs, rtol=tol.IDENTITY, atol=tol.IDENTITY)


def test_qubo_and_dense_energies(rng, tol):
    found = from_bqm({(0, 0): -1.0, (0, 1): 2.0, (1, 1): 0.5})
    x = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert isinstance(found.energy.layers["s"].kind, Binary)
    np.testing.assert_allclose(found.energy(x), [0.0, -1.0, 0.5, 1.5])
    w = rng.normal(size=(4, 4))
    w = w + w.T
    np.fill_diagonal(w, 0.0)
    dense = Energy({"s": (Spin(), 4)}, [Dense(("s", "s")), Bias("s")], {"W": w, "bias": rng.normal(size=4)})
    x = spins(4)
    np.testing.assert_allclose(to_bqm(dense).energies((x, range(4))), dense(x), rtol=tol.IDENTITY, atol=tol.IDENTITY)


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match="expected a dimod.BinaryQuadraticModel"):
        from_bqm([1, 2])
    with pytest.raises(ValueError, match="one layer of Spin or Binary"):
        to_bqm(Energy({"v": (Real(), 2)}, [Pairs("v", [(0, 1)])], {"J": [1.0]}))


def test_a_max_cut_is_its_own():
    edges = np.array([[0, 1], [1, 2]])
    problem = maxcut_energy(edges)
    edges[:] = 0
    assert problem.cut([1, -1, 1]) == 2 and problem.pairs.tolist() == [[0, 1], [1, 2]]
    assert maxcut_energy([], n=3).cut([1, -1, 1]) == 0


def test_a_fixed_energy_is_no_dimod_model():
    energy = Energy(
        {"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]}, {"one": Readout("s", [0])}, {"one": [1.0]}
    )
    with pytest.raises(ValueError, match=r"readouts \['one'\] are fixed.*fix_variables"):
        to_bqm(energy)


def test_arguments_are_named(tmp_path):
    square = [[0, 1], [1, 2], [2, 3], [3, 0]]
    for wrong in ([[0, np.nan]], None, [[0, 1, 2]], [[-1, 2]], {0: 1}, [["a", "b"]]):
        with pytest.raises((TypeError, ValueError), match="^path_or_pairs: got"):
            maxcut_energy(wrong)
    for settings in ({"weights": "heavy"}, {"weights": [1.0, np.nan, 1.0, 1.0]}, {"n": 3}, {"n": 4.5}, {"n": 10**30}):
        (name,) = settings
        with pytest.raises((TypeError, ValueError), match=f"^{name}: "):
            maxcut_energy(square, **settings)
    with pytest.raises(TypeError, match="^symmetrise: got 'yes', expected True or False"):
        read_couplings(tmp_path / "j.mtx", symmetrise="yes")
