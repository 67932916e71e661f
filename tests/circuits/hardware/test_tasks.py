"""The study of continual learning: forgetting, turns, thresholds, unequal twins."""

import warnings

import numpy as np
import pytest

from circuits.hardware.tasks import ContinualParams, run_continual


def median(name, **params):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # thresholds above every change: nothing is left to learn
        found = [run_continual(ContinualParams(epochs=100, **params), np.random.default_rng(s))[name] for s in range(6)]
    return np.median(found)


def test_what_is_forgotten():
    assert median("learnt_a") < 1e-6 and median("forgotten") > 0.05
    assert median("kept_a", order="tandem") < 1e-2 * median("kept_a")
    assert median("forgotten", threshold=1e-2) < median("forgotten")
    assert median("forgotten", mismatch=0.02) > 5 * median("forgotten")


def test_the_same_seed_gives_the_same_numbers():
    params = ContinualParams(epochs=3, update_noise=1e-3, mismatch=0.01, levels=50)
    runs = [run_continual(params, np.random.default_rng(4)) for _ in range(2)]
    assert runs[0] == runs[1]


def test_bad_parameters():
    for wrong in ({"threshold": -1}, {"mismatch": 0.5}, {"order": "both"}, {"side": 2}):
        with pytest.raises(ValueError):
            ContinualParams(**wrong)
