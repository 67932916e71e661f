"""Nested cells: brackets, boundaries, the same points in any order, labels that never move."""

import numpy as np
import pytest

from physlearn.study.plans.refine import refine


def explore(axes, f, *, tolerance=0.5, levels=4, at_once=None, rng=None, **more):
    """Evaluate until nothing is asked for; ``at_once`` takes so many of what is asked for, drawn at random."""
    known = np.empty((0, len(axes)))
    while len(new := refine(axes, known, f(known), tolerance=tolerance, levels=levels, **more)):
        if at_once:
            new = new[rng.permutation(len(new))[:at_once]]
        known = np.concatenate([known, new])
    return known


def as_set(points):
    return set(map(tuple, points.tolist()))


def disc(p):
    return (np.hypot(p[:, 0], p[:, 1]) < 0.63).astype(float)


SQUARE = {"load": np.linspace(0, 1, 5), "temperature": np.linspace(0, 1, 4)}


def test_the_first_points_are_the_grid():
    found = refine(SQUARE, [], [], tolerance=0.1, levels=3)
    assert as_set(found) == {(a, b) for a in SQUARE["load"] for b in SQUARE["temperature"]}


@pytest.mark.parametrize("far", [np.inf, -np.inf])
def test_infinity_differs_from_every_number_but_not_from_itself(far):
    found = np.sort(explore({"x": [0.0, 1.0, 2.0, 3.0]}, lambda p: np.where(p[:, 0] > 1.3, far, 1.0), levels=5)[:, 0])
    k = np.searchsorted(found, 1.3)
    assert found[k] - found[k - 1] == 1 / 2**5 and len(found) == 4 + 5
    both = explore({"x": [0.0, 1.0]}, lambda p: np.where(p[:, 0] > 0.3, far, -far), levels=2)
    assert len(both) == 4


@pytest.mark.parametrize("threshold", [0.1, 1.7, 3.999])
def test_a_step_is_bracketed_by_halving(threshold):
    found = np.sort(explore({"x": [0.0, 1.0, 4.0]}, lambda p: (p[:, 0] > threshold).astype(float), levels=6)[:, 0])
    k = np.searchsorted(found, threshold)
    base = 1.0 if threshold < 1 else 3.0
    assert found[k] - found[k - 1] == base / 2**6
    assert len(found) == 3 + 6  # bisection: one point a level


def test_a_boundary_is_followed_to_the_finest_cell():
    found = explore(SQUARE, disc, levels=4)
    inside, outside = found[disc(found) == 1], found[disc(found) == 0]
    angle = np.linspace(0, np.pi / 2, 200)
    arc = 0.63 * np.stack([np.cos(angle), np.sin(angle)], 1)
    diagonal = np.hypot(1 / 4, 1 / 3) / 2**4
    for side in (inside, outside):
        assert np.linalg.norm(arc[:, None] - side, axis=2).min(1).max() < diagonal
    assert len(found) < 0.15 * (4 * 16 + 1) * (3 * 16 + 1)  # far fewer than the grid that is as fine


def test_the_order_of_work_does_not_matter(rng):
    at_once = as_set(explore(SQUARE, disc, levels=3))
    assert as_set(explore(SQUARE, disc, levels=3, at_once=3, rng=rng)) == at_once


def test_points_keep_their_labels_when_more_levels_are_asked_for():
    coarse, fine = explore(SQUARE, disc, levels=2), explore(SQUARE, disc, levels=5)
    assert as_set(coarse) < as_set(fine)
    assert len(as_set(fine)) == len(fine)
    again = refine(SQUARE, fine, disc(fine), tolerance=0.5, levels=2)  # deeper points than asked for do no harm
    assert again.shape == (0, 2)


def test_a_point_on_a_neighbours_face_splits_a_cell():
    def tongue(p):
        bait = (p[:, 0] == 2) & (p[:, 1] == 0)  # makes the right cell split, which finds the tongue
        return ((np.abs(p[:, 1] - 0.5) < 0.2) & (p[:, 0] > 0.3) | bait).astype(float)

    found = as_set(explore({"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0]}, tongue, levels=2))
    assert (0.25, 0.5) in found


def test_logarithmic_and_falling_axes():
    found = explore({"eta": [1.0, 1e-2, 1e-4]}, lambda p: (p[:, 0] > 3e-4).astype(float), levels=2, log=["eta"])
    np.testing.assert_allclose(np.sort(found[:, 0]), [1e-4, 10**-3.5, 1e-3, 1e-2, 1.0], rtol=1e-12)
    negative = explore({"v": [-1.0, -100.0]}, lambda p: (p[:, 0] < -50).astype(float), levels=1, log=["v"])
    assert as_set(negative) == {(-1.0,), (-10.0,), (-100.0,)}


def test_failed_points_decide_nothing_and_are_not_asked_for_again():
    found = explore({"x": [0.0, 1.0, 2.0]}, lambda p: np.where(p[:, 0] == 1, np.nan, p[:, 0]), tolerance=0.1, levels=3)
    assert as_set(found) == {(0.0,), (1.0,), (2.0,)}


def test_three_axes():
    axes = {name: [0.0, 0.5, 1.0] for name in "abc"}
    found = explore(axes, lambda p: (np.linalg.norm(p, axis=1) < 0.8).astype(float), levels=3)
    radius = np.linalg.norm(found, axis=1)
    assert np.abs(radius[np.lexsort((np.abs(radius - 0.8),))][:100] - 0.8).max() < 1 / 16
    assert len(found) < 0.5 * 17**3


@pytest.mark.parametrize(
    ("axes", "points", "more", "said"),
    [
        ({}, [], {}, "expected one to three"),
        ({k: [0, 1] for k in "abcd"}, [], {}, "expected one to three"),
        ({"a": [1.0]}, [], {}, "at least 2 numbers"),
        ({"a": [0, 2, 1]}, [], {}, "rise or fall"),
        ({"a": [0, 1]}, [], {"log": ["a"]}, "one sign"),
        ({"a": [0, 1]}, [], {"log": ["b"]}, "expected among the axes"),
        ({"a": [0, 1]}, [[0.3]], {}, "was the grid changed"),
        ({"a": [0, 1]}, [[1.5]], {}, "was the grid changed"),
        ({"a": [0, 1]}, [], {"tolerance": -1}, "tolerance"),
        ({"a": [0, 1]}, [], {"levels": 21}, "levels"),
    ],
)
def test_refused(axes, points, more, said):
    options = {"tolerance": 0.1, "levels": 2, **more}
    with pytest.raises(ValueError, match=said):
        refine(axes, points, np.zeros(len(points)), **options)
