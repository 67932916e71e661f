"""Checks of single arguments: what they take, and that each refusal begins with the argument's name."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

from physlearn import checks
from physlearn.rng import generator, seed, seed_sequence

NO_NUMBERS = [None, "1", "", b"1", True, np.True_, 1j, [1.0], {}, {1.0}, object(), int, float("nan"), 10**400]


@pytest.mark.parametrize("check", [checks.number, checks.positive, checks.not_negative, checks.count, checks.integer])
@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda v: type(v).__name__)
def test_what_is_no_number(check, value):
    with pytest.raises(ValueError, match=r"^width: (got|which)"):
        check("width", value)


def test_numbers_of_all_makes():
    for value in (2, 2.0, np.float32(2), np.int8(2), Fraction(2), np.array(2.0)):
        assert checks.number("a", value) == checks.positive("a", value) == checks.not_negative("a", value) == 2.0
    for value in (2, np.int8(2), np.uint64(2)):
        assert checks.count("n", value) == checks.integer("n", value) == 2


def test_ranges():
    assert checks.number("a", 1, 0, 1) == 1.0
    for value in (-0.1, 1.1, float("inf"), -float("inf")):
        with pytest.raises(ValueError, match="a: got .*expected a finite number from 0 to 1"):
            checks.number("a", value, 0, 1)
    with pytest.raises(ValueError, match="expected an integer from 0 to 3"):
        checks.integer("k", 4, 0, 3)
    with pytest.raises(ValueError, match="at most 5"):
        checks.count("k", 6, most=5)
    with pytest.raises(ValueError, match=r"reads: got 1e\+30, expected an integer of at most 9.01e\+15"):
        checks.count("reads", 10**30)


def test_counts_that_memory_does_not_hold():
    assert checks.count("chains", 3, each=8) == 3
    with pytest.raises(ValueError, match="chains: got 1000000000000000, which takes 8e.15 bytes; expected at most"):
        checks.count("chains", 10**15, each=8)


NO_ARRAYS = [
    None,
    "text",
    ["a", "b"],
    {"a": 1.0},
    {1.0, 2.0},
    object(),
    [1.0, object()],
    [[1.0], [1.0, 2.0]],
    int,
    True,
]


@pytest.mark.parametrize("check", [checks.array, checks.integers])
@pytest.mark.parametrize("value", [*NO_ARRAYS, [1 + 1j], sparse.eye_array(2)], ids=lambda v: type(v).__name__)
def test_what_is_no_array(check, value):
    with pytest.raises((TypeError, ValueError), match=r"^bias: got"):
        check("bias", value)


def test_arrays_are_not_copied_and_others_become_floats():
    x = np.ones((2, 3))
    assert checks.array("x", x, shape=("batch", 3)) is x
    assert checks.array("x", 2, shape=()) == 2.0
    for value in ([1, 2], (True, False), [Fraction(1, 2)], [10**30], np.float32([1, 2])):
        assert checks.array("x", value).dtype == np.float64
    assert checks.array("x", [1j], dtype=complex).dtype == complex
    assert np.isnan(checks.array("x", [np.nan], finite=False)[0])


def test_arrays_that_do_not_fit():
    with pytest.raises(ValueError, match=r"x: got the shape \(3, 2\), expected \(batch, 3\)"):
        checks.array("x", np.ones((3, 2)), shape=("batch", 3))
    with pytest.raises(ValueError, match=r"x: got an array of shape \(3, 2\), expected one of 1 dim"):
        checks.array("x", np.ones((3, 2)), ndim=1)
    with pytest.raises(ValueError, match="x: 1 of 2 entries are NaN or infinite"):
        checks.array("x", [1.0, np.inf])
    with pytest.raises(ValueError, match="x: got -1 among its entries, expected numbers of at least 0"):
        checks.array("x", [1.0, -1.0], low=0)


def test_whole_numbers():
    with pytest.raises(TypeError, match="index: got .*expected numbers"):
        checks.integers("index", [True, False])  # a mask is no list of indices
    assert checks.integers("index", [0.0, 3.0]).dtype == np.int64
    for value in ([0.5], [np.nan], [np.inf], [-1], [4], [2**62], [10**30]):
        with pytest.raises(ValueError, match="index: got .* among its entries, expected whole numbers from 0 to 3"):
            checks.integers("index", value, low=0, high=3)


def test_words_flags_and_objects():
    assert checks.choice("scale", None, ("log", None)) is None
    for value in ("no", ["log"], {}, None, 1, "", np.ones(3)):
        with pytest.raises(ValueError, match="scale: got .*expected one of 'log', 'linear'"):
            checks.choice("scale", value, ("log", "linear"))
    for value in (None, 0, 1, "yes", [True]):
        with pytest.raises(TypeError, match="exact: got .*expected True or False"):
            checks.flag("exact", value)
    for value in (None, 1, b"v", ["v"]):
        with pytest.raises(TypeError, match="layer: got"):
            checks.text("layer", value)
    with pytest.raises(ValueError, match="layer: got an empty str"):
        checks.text("layer", "")
    for value in (None, "ab", [("a", 1)], 3):
        with pytest.raises(TypeError, match="theta: got"):
            checks.mapping("theta", value)
    with pytest.raises(ValueError, match=r"theta: there is no 'b', expected one of \['a'\]"):
        checks.mapping("theta", {"b": 1}, keys=["a"])
    for value in (None, "ab", {"a": 1}, {1, 2}, 3, np.array(1.0), list):
        with pytest.raises(TypeError, match="terms: got"):
            checks.sequence("terms", value)
    with pytest.raises(TypeError, match="names: got 1 among its entries"):
        checks.sequence("names", ["a", 1], of=str)
    with pytest.raises(TypeError, match="nodes: got the class list, expected some nodes; make one"):
        checks.instance("nodes", list, list, "some nodes")


def test_functions_are_asked_how_many_arguments_they_take():
    assert checks.function("f", np.sin, 1) is np.sin
    assert checks.function("f", lambda x, *, y=1: x, 1)(1) == 1
    for value in (lambda: 0, lambda a, b: 0, lambda x, *, y: 0):
        with pytest.raises(TypeError, match="f: got a function of .*called with 1 argument"):
            checks.function("f", value, 1)
    with pytest.raises(TypeError, match="f: got 3, expected a function"):
        checks.function("f", 3)


def test_messages_stay_short():
    class Angry:
        def __repr__(self):
            raise RuntimeError

    for value in ("x" * 1000, list(range(1000)), np.zeros(1000), Angry(), 10**5000):
        assert len(checks.seen(value)) < 120


def test_seeds():
    assert seed(np.uint64(3)) == 3 and seed(None) is None
    assert generator(5).random() == np.random.default_rng(5).random()
    given = np.random.default_rng(1)
    assert generator(given) is given
    for check in (seed, generator, seed_sequence):
        for value in (-1, np.int64(-3), True, 1.5, "1", [1], object(), np.random):
            with pytest.raises((TypeError, ValueError), match="rng: got .*expected zero or a positive integer"):
                check(value)
