import numpy as np
import pytest

from physlearn.models import (
    Hopfield,
    add_noise,
    classify_states,
    correlated_patterns,
    digits,
    erase,
    flip,
    from_images,
    letters,
    overlap,
    overlap_matrix,
    random_patterns,
    survey,
)


def test_random_patterns_have_the_asked_activity(tol):
    n = 100 * 1000
    for activity in (0.1, 0.5):
        mean = random_patterns(100, 1000, activity=activity, values="binary", rng=1).mean()
        assert abs(mean - activity) < tol.STATISTICAL * np.sqrt(activity * (1 - activity) / n)


def test_correlated_patterns_overlap_as_asked(tol):
    m = overlap_matrix(correlated_patterns(30, 4000, 0.25, rng=1))
    pairs = m[np.triu_indices(30, 1)]
    assert abs(pairs.mean() - 0.25) < tol.STATISTICAL * 0.5 / np.sqrt(4000)  # one template: errors are shared
    assert np.all(np.diag(m) == 1)


def test_letters_and_digits_are_different_pictures():
    shapes = np.concatenate([letters(), digits()]).reshape(36, 35)
    assert len(np.unique(shapes, axis=0)) == 36
    assert set(np.unique(shapes)) == {-1.0, 1.0}


def test_images_become_patterns_that_are_recalled(rng):
    shapes = letters("PHYSICS"[:5])
    grey = 40.0 + 3.0 * shapes + 0.5 * rng.random(shapes.shape)  # dim and uneven, unlike from picture to picture
    grey *= rng.uniform(0.5, 2.0, (5, 1, 1))
    xi = from_images(grey)
    assert np.array_equal(xi, shapes.reshape(5, 35))
    assert np.array_equal(from_images(grey[0]), xi[:1])
    assert np.array_equal(from_images(shapes, level=0.0), xi)
    cue = flip(xi, 0.1, rng=1)
    assert np.mean(Hopfield.store(xi, "projection").recall(cue, rng=2).x == xi) > 0.97


def test_damage_is_exact_and_repeatable():
    x = random_patterns(5, 40, rng=1)
    for damaged in (flip(x, 0.25, rng=2), flip((x + 1) / 2, 0.25, rng=2) * 2 - 1):
        assert np.all(np.sum(damaged != x, 1) == 10)
    assert np.array_equal(flip(x, 0.25, rng=2), flip(x, 0.25, rng=2))
    assert np.all(np.sum(erase(x, 0.5, fill=0.0, rng=3) == 0, 1) == 20)
    assert np.all(erase(x, 0.5, contiguous=True)[:, 20:] == -1)
    assert np.array_equal(add_noise(x, 0.0), x)


def test_overlap_of_0_and_1_is_that_of_spins():
    x = random_patterns(4, 50, rng=1)
    assert np.allclose(overlap_matrix((x + 1) / 2), overlap_matrix(x))


def test_states_are_classified():
    xi = random_patterns(6, 2000, rng=1)
    five = np.sign(xi[:5].sum(0))
    states = np.stack(
        [flip(xi[2], 0.01, rng=1), -xi[4], np.sign(xi[0] - xi[1] + xi[5]), five, random_patterns(1, 2000, rng=9)[0]]
    )
    kinds = classify_states(states, xi)
    assert [k.kind for k in kinds] == ["pattern", "inverse", "mixture", "mixture", "spurious"]
    assert kinds[2].members == (0, 1, 5) and kinds[2].signs == (1, -1, 1)
    assert kinds[3].members == (0, 1, 2, 3, 4)
    # a mixture of three overlaps by 1/2 with each member (Amit, Gutfreund and Sompolinsky 1985)
    assert np.allclose(overlap(states[2], xi)[[0, 5]], 0.5, atol=0.06)


def test_survey_finds_mixtures_at_low_load():
    xi = random_patterns(5, 400, rng=3)
    found = survey(Hopfield.store(xi), xi, starts=100, rng=4)
    assert sum(found.values()) == 100
    assert found["pattern"] > 10 and found["inverse"] > 10 and found["mixture"] > 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: overlap(np.ones(3), [[1, -1]]), "as long as a pattern"),
        (lambda: overlap(np.ones(2), [[1, 0.5]]), "got \\[0.5\\]"),
        (lambda: overlap(np.ones(2), [[1, np.nan]]), "NaN"),
        (lambda: overlap(np.ones(2), [[1, 0], [1, -1]]), "together"),
        (lambda: overlap(np.ones(2), [[1, 1], [1]]), "rows differ in length"),
        (lambda: flip(np.ones(3), 1.5), "fraction"),
        (lambda: flip(1.0, 0.5), "got the number 1.0"),
        (lambda: erase(3.0, 0.5), "got the number 3.0"),
        (lambda: overlap([1, -1, 1, -1], [[1, 0, 1, 0]]), "outside \\[0, 1\\].*\\(x \\+ 1\\)/2"),
        (lambda: overlap([1, 0, 1, 0], [[1, -1, 1, -1]]), "2\\*x - 1"),
        (lambda: classify_states([1, 0], [[1, -1]]), "2\\*x - 1"),
        (lambda: classify_states(np.ones((1, 1, 2)), [[1, 1]]), "shape \\(1, 1, 2\\)"),
        (lambda: from_images([[0, 1]], level=np.nan), "level: got nan"),
        (lambda: letters("a-b"), "A to Z"),
        (lambda: overlap([1, np.nan], [[1, 1]]), "1 values are NaN"),
        (lambda: random_patterns(0, 5), "at least 1"),
        (lambda: random_patterns(2.5, 5), "m: got 2.5"),
        (lambda: from_images(np.zeros((2, 3, 3))), "picture 0 is all of one grey"),
        (lambda: from_images([1.0, 2.0]), "expected finite .m, rows"),
        (lambda: from_images([[1.0, np.nan]]), "expected finite"),
        (lambda: correlated_patterns(2, 0, 0.1), "n: got 0"),
        (lambda: survey(Hopfield.store([[1, -1]]), [[1, -1]], starts=0), "starts: got 0"),
        (lambda: classify_states([1, 1], [[1, 1]], largest=2.5), "largest: got 2.5"),
        (lambda: classify_states([1, np.nan], [[1, 1]]), "NaN"),
        (lambda: random_patterns(2, 5, activity=1.0), "activity"),
        (lambda: random_patterns(2, 5, values="potts"), "values"),
        (lambda: correlated_patterns(2, 5, -0.1), "correlation"),
        (lambda: add_noise(np.ones(2), -1.0), "sd"),
        (lambda: overlap(np.ones((2, 2)), np.ones((1, 2, 2))), "flatten"),
        (lambda: classify_states([1, 1], [[1, 1]], threshold=0.0), "threshold"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
