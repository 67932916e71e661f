import numpy as np
import pytest

from physlearn.rng import Chains, seed_sequence, streams

ROOTS = [0, 5, 2**40, 2**200 + 7, np.random.SeedSequence([1, 2, 3]), np.random.SeedSequence([2**50, 0, 7, 8, 9, 10])]
ROOTS += [np.random.SeedSequence(3, spawn_key=(5, 2**33)), np.random.SeedSequence(12345678901234567890).spawn(2)[1]]


@pytest.mark.parametrize("root", ROOTS, ids=str)
@pytest.mark.parametrize("key", [0, 3, 2**35])
def test_streams_are_those_of_numpys_children(root, key):
    root = seed_sequence(root)
    children = [np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, key, chain)) for chain in range(9)]
    expected = [child.generate_state(4, np.uint64) for child in children]
    assert np.array_equal(streams(root, 9, key), expected)


def test_a_column_of_normals_is_the_first_of_each_pair():
    """The polar method makes two numbers at a time; of an odd row the last is thrown away."""
    alone, pair = Chains(streams(1, 3000)), Chains(streams(1, 3000))
    for _ in range(5):
        assert np.array_equal(alone.standard_normal((3000, 1)), pair.standard_normal((3000, 2))[:, :1])
    assert np.array_equal(alone.states, pair.states)
    assert np.array_equal(
        Chains(streams(1, 7)).standard_normal((7, 1)), Chains(streams(1, 3000)).standard_normal((3000, 1))[:7]
    )


def test_normals_are_normal(tol):
    x = Chains(streams(2, 40_000)).standard_normal((40_000, 1))[:, 0]
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(x**power) - moment) < tol.STATISTICAL * np.sqrt(variance / len(x))
