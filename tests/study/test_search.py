"""A search proposes, the study keeps: it finds a minimum, goes on where it stopped, refuses what does not fit."""

import numpy as np
import pytest

from physlearn.study import between, search

pytest.importorskip("optuna")
SETTINGS = {"executor": "serial", "progress": False}


@pytest.fixture
def bowl(tmp_path, monkeypatch):
    code = """
def bowl(params, rng):
    if params["kind"] == "broken":
        raise RuntimeError("broken")
    return {"depth": (params["x"] - 0.3) ** 2 + 0.1 * (params["n"] - 3) ** 2 + 0.0 * rng.uniform(), "curve": [1.0, 2.0]}
"""
    (tmp_path / "bowl_task.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    return "bowl_task:bowl"


def test_finds_a_minimum_and_goes_on(bowl, tmp_path):
    ranges = {"x": (-1.0, 1.0), "n": between(1, 8, integer=True), "kind": "whole"}
    half = search(bowl, ranges, observable="depth", store=tmp_path / "a", trials=12, replicates=2, **SETTINGS)
    whole = search(bowl, ranges, observable="depth", store=tmp_path / "a", trials=40, replicates=2, **SETTINGS)
    assert len(half.trials.trials) == 40 == len(whole.trials.trials)  # one record
    assert whole.value < 0.02 and whole.best["n"] == 3 and abs(whole.best["x"] - 0.3) < 0.15
    straight = search(bowl, ranges, observable="depth", store=tmp_path / "b", trials=40, replicates=2, **SETTINGS)
    assert straight.best == whole.best
    assert [t.params for t in straight.trials.trials] == [t.params for t in whole.trials.trials]
    again = search(bowl, ranges, observable="depth", store=tmp_path / "a", trials=40, replicates=2, **SETTINGS)
    assert again.study.finished == whole.study.finished and again.value == whole.value


def test_interrupted_points_are_completed(bowl, tmp_path):
    """Points asked for and not told, as a kill leaves them, are computed first."""
    import optuna

    ranges = {"x": (-1.0, 1.0), "n": 3, "kind": "whole"}
    search(bowl, ranges, observable="depth", store=tmp_path / "a", trials=4, **SETTINGS)
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "a.search.log"))
    kept = optuna.load_study(study_name="search", storage=optuna.storages.JournalStorage(backend))
    kept.ask({"x": optuna.distributions.FloatDistribution(-1.0, 1.0)})
    found = search(bowl, ranges, observable="depth", store=tmp_path / "a", trials=5, **SETTINGS)
    assert all(t.state == optuna.trial.TrialState.COMPLETE for t in found.trials.trials)


def test_failed_points_and_choices(bowl, tmp_path):
    ranges = {"x": 0.3, "n": 3, "kind": ["whole", "broken"]}
    found = search(bowl, ranges, observable="depth", store=tmp_path / "s", trials=8, **SETTINGS)
    assert found.best["kind"] == "whole" and found.value == pytest.approx(0.0)
    assert {t.state.name for t in found.trials.trials} <= {"COMPLETE", "FAIL"}


def test_refusals(bowl, tmp_path):
    ranges = {"x": (-1.0, 1.0), "n": 3, "kind": "whole"}
    with pytest.raises(ValueError, match="nothing is searched"):
        search(bowl, {"x": 0.5}, observable="depth", store=tmp_path / "s", trials=2, **SETTINGS)
    with pytest.raises(ValueError, match="observable: got 'width', expected one of the scalars depth"):
        search(bowl, ranges, observable="width", store=tmp_path / "s", trials=2, **SETTINGS)
    with pytest.raises(ValueError, match="'curve' has the shape"):
        search(bowl, ranges, observable="curve", store=tmp_path / "c", trials=2, **SETTINGS)
    with pytest.raises(ValueError, match="has another search"):
        search(bowl, {**ranges, "n": 4}, observable="width", store=tmp_path / "s", trials=2, **SETTINGS)
    with pytest.raises(ValueError, match="none of 2 points"):
        search(bowl, {**ranges, "kind": "broken"}, observable="depth", store=tmp_path / "d", trials=2, **SETTINGS)
    assert np.isfinite(search(bowl, ranges, observable="depth", store=tmp_path / "e", trials=1, **SETTINGS).value)
