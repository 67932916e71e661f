"""Training experiments: the same networks, splits and trainings as the Iris study's."""

import numpy as np
import pytest

from circuits import tasks
from physlearn.study.plans.task import locate


@pytest.mark.parametrize(
    ("name", "strength", "rule"),
    [("coupled_learning", "eta", "coupled_learning"), ("equilibrium_propagation", "nudge", "equilibrium_propagation")],
)
def test_trains_as_the_iris_study_does(name, strength, rule):
    task, shared = getattr(tasks, name), {"nodes": 20, "degree": 4, "epochs": 30, "lr": 0.05}
    assert locate(task)[0] == f"circuits.tasks:{name}"
    found = task(task.resolve({**shared, strength: 0.02}), np.random.default_rng(5))
    other = tasks.iris(tasks.iris.resolve({**shared, "rule": rule, "strength": 0.02}), np.random.default_rng(5))
    np.testing.assert_array_equal(found["cost"], other["cost"])
    assert (found["accuracy"], found["training_set"]) == (other["trained"], other["training_set"])
    assert found["final_cost"] == found["cost"][-1] < found["cost"][0]


def test_squared_error_stops_at_least_squares():
    """No linear network separates irises better on squared error than least squares on one-hot targets (about 83 %)."""
    found = [
        tasks.coupled_learning(
            tasks.coupled_learning.resolve({"cost": "squared_error", "epochs": 400}), np.random.default_rng(seed)
        )
        for seed in range(4)
    ]
    assert 0.7 < np.mean([f["training_set"] for f in found]) < 0.9
    assert max(f["final_cost"] / f["cost"][0] for f in found) < 0.5


def test_a_small_eta_beats_a_large_one():
    accuracy = {
        eta: np.mean(
            [
                tasks.coupled_learning(tasks.coupled_learning.resolve({"eta": eta}), np.random.default_rng(seed))[
                    "training_set"
                ]
                for seed in range(6)
            ]
        )
        for eta in (0.001, 1.0)
    }
    assert accuracy[0.001] > 0.95 > 0.8 > accuracy[1.0]
