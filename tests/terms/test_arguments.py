"""Terms refuse names, pairs and numbers that are none, by the argument's name."""

import numpy as np
import pytest

from physlearn.terms import (
    Bias,
    Dense,
    Edges,
    Entropy,
    FeltBonds,
    Lattice,
    LogSumExp,
    Mixture,
    OneWay,
    Pairs,
    Parabola,
    PottsBias,
    PottsDense,
    PottsPairs,
    Separation,
    SquaredNorm,
    TokenAttention,
    TokenMemory,
)

SITES = Lattice((1, 2), periodic=False).neighbours
ON_ONE_LAYER = {
    "Bias": lambda layer: Bias(layer),
    "Edges": lambda layer: Edges(layer, [(0, 1)]),
    "Entropy": lambda layer: Entropy(layer),
    "FeltBonds": lambda layer: FeltBonds(layer, SITES, 3, [(0, 1, 2)]),
    "LogSumExp": lambda layer: LogSumExp(layer),
    "Mixture": lambda layer: Mixture(layer),
    "OneWay": lambda layer: OneWay(layer),
    "Pairs": lambda layer: Pairs(layer, [(0, 1)]),
    "Parabola": lambda layer: Parabola(layer),
    "PottsBias": lambda layer: PottsBias(layer),
    "PottsPairs": lambda layer: PottsPairs(layer, [(0, 1)], q=3),
    "Separation": lambda layer: Separation(layer, 2),
    "SquaredNorm": lambda layer: SquaredNorm(layer),
    "TokenAttention": lambda layer: TokenAttention(layer, 1.0),
    "TokenMemory": lambda layer: TokenMemory(layer),
}


@pytest.mark.parametrize("term", ON_ONE_LAYER)
@pytest.mark.parametrize("layer", [None, 3, "", ("v", "h"), {"v": 1}])
def test_a_layer_is_a_name(term, layer):
    with pytest.raises((TypeError, ValueError), match="^layer: got .*expected"):
        ON_ONE_LAYER[term](layer)


@pytest.mark.parametrize("term", [Bias, OneWay, Parabola, PottsBias, TokenMemory])
def test_a_parameter_is_a_name(term):
    with pytest.raises(TypeError, match="^parameter: got array"):
        term("v", np.ones(2))  # the values themselves, which belong in theta


@pytest.mark.parametrize("term", [Dense, PottsDense])
@pytest.mark.parametrize("layers", [None, 7, "v", ("v", 1), ("v",), {"v", "h"}])
def test_two_layers_are_two_names(term, layers):
    with pytest.raises((TypeError, ValueError), match="^layers: got"):
        term(layers)


@pytest.mark.parametrize("term", [Pairs, Edges])
@pytest.mark.parametrize(
    "pairs", [None, "ab", [(0, 1), (2,)], [(0, 1 + 1j)], [(0.5, 1.2)], [(0, np.nan)], [(-1, 0)], [[0, 1, 2]]]
)
def test_pairs_are_indices(term, pairs):
    with pytest.raises((TypeError, ValueError), match="^pairs: "):
        term("v", pairs)


@pytest.mark.parametrize("n", [-1, 1.5, True, "3", 10**30])
def test_numbers_of_variables_are_counts(n):
    with pytest.raises(ValueError, match="^n: got"):
        Pairs("s", [(0, 1)], n)
    with pytest.raises(ValueError, match="^nodes: got"):
        Edges("v", [(0, 1)], nodes=n)


def test_too_few_variables_name_both():
    with pytest.raises(ValueError, match="pairs: indices from 0 to 5, expected 0..2, n being 3"):
        Pairs("s", [(0, 5)], 3)


@pytest.mark.parametrize("q", [1, 2.5, True, None, 10**30])
def test_numbers_of_codes_are_counts(q):
    with pytest.raises(ValueError, match="^q: got"):
        PottsPairs("s", [(0, 1)], q=q)
    with pytest.raises(ValueError, match="^q: got"):
        FeltBonds("s", SITES, q, [(0, 1, 1)])


def test_bonds_and_neighbours_are_whole_numbers_in_range():
    with pytest.raises(ValueError, match=r"^neighbours: got 7 among its entries"):
        FeltBonds("s", np.where(SITES < 0, -1, 7), 3, [(0, 1, 2)])
    with pytest.raises(TypeError, match="^bonds: got"):
        FeltBonds("s", SITES, 3, "east")
    with pytest.raises(ValueError, match=r"^bonds: .*expected \(m, 3\)"):
        FeltBonds("s", SITES, 3, [(0, 1)])
    assert FeltBonds("s", SITES, 3, []).bonds.shape == (0, 3)


@pytest.mark.parametrize("kind", ["hexagonal", None, ["square"], {}])
def test_lattices_have_names(kind):
    with pytest.raises(ValueError, match="^kind: got .*'square', 'triangular', 'cubic'"):
        Lattice((2, 2), kind)


def test_lattices_fit_into_memory():
    with pytest.raises(ValueError, match="^shape: .*memory"):
        Lattice((10**7, 10**7))


@pytest.mark.parametrize("power", [1, 2.5, True, 10**30, None])
def test_powers_are_whole_numbers(power):
    with pytest.raises(ValueError, match="^power: got"):
        Separation("s", power)


def test_rectified_is_a_flag():
    with pytest.raises(TypeError, match="^rectified: got 'yes', expected True or False"):
        Separation("s", 2, rectified="yes")
