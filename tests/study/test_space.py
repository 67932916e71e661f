"""Spaces: which points, in which order, and what is refused."""

import json

import numpy as np
import pytest
from scipy.stats import qmc

from physlearn.study import Space, axis, between, grid, latin_hypercube, points, random, sobol, zipped
from physlearn.study.plans.identity import canonical, plain, spawn_key, stream, task_id


def rows(space):
    return [space[k] for k in range(len(space))]


def test_grid_is_the_product_last_axis_fastest():
    space = grid(a=[1, 2], b=np.array([0.5, 1.5, 2.5]), c="fixed", d=range(2))
    expected = [{"c": "fixed", "a": a, "b": b, "d": d} for a in (1, 2) for b in (0.5, 1.5, 2.5) for d in (0, 1)]
    assert rows(space) == expected
    assert space.shape == (2, 3, 2)
    assert all(type(row["b"]) is float for row in rows(space))  # JSON values, no NumPy scalars


def test_zip_groups_are_one_dimension():
    space = grid(pair=zipped(n=[8, 16], steps=[10, 20]), T=[1.0])
    assert rows(space) == [{"n": 8, "steps": 10, "T": 1.0}, {"n": 16, "steps": 20, "T": 1.0}]


def test_only_fixed_parameters_make_one_point():
    assert rows(grid(a=1, b="x")) == [{"a": 1, "b": "x"}]


def test_explicit_points():
    assert rows(points([{"a": 1, "b": 2.0}, {"a": 4, "b": 0.5}])) == [{"a": 1, "b": 2.0}, {"a": 4, "b": 0.5}]


def test_sobol_and_latin_hypercube_are_scipys():
    space = sobol(16, x=(0.0, 1.0), y=between(1e-2, 1e2, scale="log"), n=between(3, 6, integer=True), model="m")
    unit = qmc.Sobol(3, rng=np.random.default_rng(0)).random(16)
    found = [[r["x"], r["y"], r["n"]] for r in rows(space)]
    expected = np.stack([unit[:, 0], 10 ** (4 * unit[:, 1] - 2), 3 + np.floor(4 * unit[:, 2])], 1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert {r["n"] for r in rows(space)} == {3, 4, 5, 6}
    values = np.array([r["x"] for r in rows(latin_hypercube(10, x=(2.0, 4.0)))])
    assert sorted(np.floor((values - 2) / 0.2).astype(int)) == list(range(10))  # one in each slice


def test_samples_are_reproducible_and_kept_whole():
    a, b, c = random(5, x=(0, 1)), random(5, x=(0, 1)), random(5, x=(0, 1), sample_seed=1)
    assert rows(a) == rows(b) != rows(c)
    kept = json.loads(canonical(sobol(4, x=(0.0, 1.0), k=axis_free()).to_json()))
    assert rows(Space.from_json(kept)) == rows(sobol(4, x=(0.0, 1.0), k=axis_free()))


def axis_free():
    return between(1, 5, integer=True, units="mV")


def test_sobol_counts_that_are_no_power_of_two_are_warned_of():
    with pytest.warns(UserWarning, match="power of 2"):
        sobol(6, x=(0.0, 1.0))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: grid(a=[]), ValueError, "a: empty"),
        (lambda: grid(a=[1, 2, 1]), ValueError, r"a: \[1\] appears twice"),
        (lambda: grid(a=[1, 1.0]), ValueError, r"a: \[1.0\] appears twice"),
        (lambda: grid(a=[0, False]), ValueError, "appears twice"),
        (lambda: grid(a=[2**60, 2**60 + 1, 2**60]), ValueError, "appears twice"),
        (lambda: grid(**{"a/b": [1]}), ValueError, "a/b: '/' separates groups"),
        (lambda: sobol(True, x=(0, 1)), ValueError, "got True points"),
        (lambda: sobol(4, x=(0, 1), sample_seed="x"), ValueError, "sample_seed: got 'x'"),
        (lambda: grid(a=[1], b=zipped(c=[1, 2], d=[1])), ValueError, "c has 2, d has 1"),
        (lambda: grid(b=zipped(a=[1, 2]), a=[3]), ValueError, "a: named twice"),
        (lambda: grid(replicate=[1]), ValueError, "taken by the dataset"),
        (lambda: grid(status=3), ValueError, "a name that the dataset takes"),
        (lambda: grid(a=[1.0, float("nan")]), ValueError, "NaN"),
        (lambda: grid(a=[object()]), TypeError, "a: got a object"),
        (lambda: grid(b=zipped(a=3)), TypeError, "a: got a int, expected a list"),
        (lambda: points([]), ValueError, "points: empty"),
        (lambda: points([{"a": 1}, {"b": 1}]), ValueError, r"row 1 names \['b'\]"),
        (lambda: points([{"a": 1}, {"a": 1}]), ValueError, "appears twice"),
        (lambda: sobol(0, x=(0, 1)), ValueError, "got 0 points"),
        (lambda: sobol(4, x=3), ValueError, "no range to draw from"),
        (lambda: random(4, x=[1, 2, 3]), TypeError, "takes \\(low, high\\)"),
        (lambda: between(2, 1), ValueError, "first below the second"),
        (lambda: between(-1, 1, scale="log"), ValueError, "above zero"),
        (lambda: axis([1], scale="cubic"), ValueError, "scale: got 'cubic'"),
        (lambda: grid(n=between(1.5, 3.5)), TypeError, "n: got a range to draw from, which belongs to sobol"),
        (lambda: grid(n=[between(1, 3), 2]), TypeError, "n: got a range to draw from"),
        (lambda: axis(between(1, 3)), TypeError, "axis: got a range to draw from"),
        (lambda: points([{"n": between(1, 3)}]), TypeError, "n: got a range to draw from"),
        (lambda: grid(p=zipped(a=zipped(b=[1, 2]))), TypeError, "a: got a zip group as a value"),
        (lambda: points([{"a": 1}], units={"b": "V"}), ValueError, r"units: got some of \['b'\]"),
        (lambda: between("a", "b"), TypeError, "got 'a' to 'b', expected two numbers"),
        (lambda: sobol(4, x=(-1e308, 1e308)), ValueError, "appears twice"),
        (lambda: between(True, 5), TypeError, "got True to 5, expected two numbers"),
        (lambda: between(0.5, 9.5, integer=True), ValueError, "0.5 to 9.5, expected whole numbers"),
        (lambda: between(1, 9, integer="no"), TypeError, "integer: got 'no'"),
        (lambda: grid(a=["\udcff"]), ValueError, r"a: got '\\udcff', expected text without"),
        (lambda: grid(a=[{"x\0": 1}]), ValueError, "a: got 'x.x00', expected text without"),
        (lambda: grid(**{"a\udcff": [1]}), ValueError, r"space: got 'a\\udcff', expected text without"),
    ],
)
def test_what_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("draw", [sobol, random, latin_hypercube])
def test_points_of_whole_numbers_that_are_drawn_twice_are_kept_once(draw):
    few = rows(draw(16, n=between(8, 10, integer=True), m=between(1.0, 2.0, integer=True)))
    assert 3 < len(few) == len({(row["n"], row["m"]) for row in few}) <= 6
    assert all(type(value) is int for row in few for value in row.values())
    many = rows(draw(64, n=between(8, 64, integer=True), x=(0.0, 1.0)))
    assert len(many) == 64
    if draw is sobol:
        assert many[:32] == rows(draw(32, n=between(8, 64, integer=True), x=(0.0, 1.0)))


def test_a_space_stays_as_it_is():
    space = grid(c=[[1, 2], [3]], d={"e": [0]})
    space[0]["c"].append(5)
    space[0]["d"]["e"].append(5)
    assert space[0] == {"c": [1, 2], "d": {"e": [0]}}


def test_identity_knows_values_not_spellings():
    a, b = {"x": np.float64(0.1), "n": np.int64(3)}, {"n": 3, "x": 0.1}
    assert canonical(plain(a, "a")) == canonical(plain(b, "b"))
    assert canonical(plain(-0.0, "x")) == canonical(0.0)
    ids = {
        task_id(path, version, params, replicate)
        for path in ("m:f", "m:g")
        for version in ("1", "2")
        for params in ('{"a":1}', '{"a":1.0}')
        for replicate in (0, 1)
    }
    assert len(ids) == 16


def test_streams_follow_from_the_identity():
    one, two = (task_id("m:f", "1", "{}", replicate) for replicate in (0, 1))
    draws = {stream(s, spawn_key(i, r, False)).random() for s in (0, 1) for r, i in enumerate((one, two))}
    assert len(draws) == 4
    words = tuple(int(one[k : k + 8], 16) for k in range(0, 64, 8))
    assert (
        stream(5, spawn_key(one, 0, False)).random()
        == np.random.default_rng(np.random.SeedSequence(5, spawn_key=words)).random()
    )
    assert spawn_key(one, 3, True) == (3,)  # common random numbers
