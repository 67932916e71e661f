"""Spaces, plans, tasks and the running of studies name the argument that is wrong."""

import pytest
from pydantic import BaseModel

from physlearn.study import (
    Plan,
    Refine,
    Space,
    Task,
    axis,
    between,
    grid,
    latin_hypercube,
    points,
    random,
    sobol,
    study,
)


class Scale(BaseModel):
    """What the task takes."""

    scale: float = 1.0


def nothing(params, rng):
    return {"value": 0.0}


TASK = Task(run=nothing)


def plan(**changes):
    return Plan(**{"path": "pkg.mod:nothing", "task": TASK, "space": grid(scale=[1.0, 2.0])} | changes)


def started(**changes):
    """A study that must be refused before it keeps anything."""
    return study(
        **{"task": "statistics:fmean", "space": {"x": [1.0]}, "store": "never", "executor": "serial"} | changes
    )


@pytest.mark.parametrize(
    "call, argument",
    [
        (lambda: Space({"T": [1.0]}), "dims"),
        (lambda: Space({"T": {"T": [1.0]}}), "dims"),
        (lambda: Space({}, fixed=[1.0]), "fixed"),
        (lambda: Space({}, origin={}), "origin"),
        (lambda: Space.from_json({"dims": {}}), "kept"),
        (lambda: axis(3), "values"),
        (lambda: axis({1, 2}), "values"),
        (lambda: axis([1], units=3), "units"),
        (lambda: axis([1], scale=["log"]), "scale"),
        (lambda: points(3), "rows"),
        (lambda: points([1, 2]), "rows"),
        (lambda: points([{1: 2}]), "rows"),
        (lambda: points([{"a": 1}], units=["V"]), "units"),
        (lambda: between(None, 1.0), "low"),
        (lambda: between(0.0, 1.0, units=1), "units"),
        (lambda: random("many", T=(0.0, 1.0)), "n"),
        (lambda: sobol(10**30, T=(0.0, 1.0)), "n"),
        (lambda: latin_hypercube(4, T=(0.0, 1.0), sample_seed=True), "sample_seed"),
        (lambda: random(4, T=(0.0, 1.0, 2.0)), "T"),
        (lambda: random(4, T=("cold", "hot")), "T"),
        (lambda: random(4, T="cold"), "T"),
        (lambda: Refine(observable="m", tolerance="0.1"), "tolerance"),
        (lambda: Refine(observable="m", tolerance=float("inf")), "tolerance"),
        (lambda: Refine(observable="m", tolerance=0.1, levels=True), "levels"),
        (lambda: plan(path=None), "path"),
        (lambda: plan(task=nothing), "task"),
        (lambda: plan(space={"scale": [1.0]}), "space"),
        (lambda: plan(replicates=10**30), "replicates"),
        (lambda: plan(seed=-1), "seed"),
        (lambda: plan(refine={"observable": "m"}), "refine"),
        (lambda: plan(added=[1.0]), "added"),
        (lambda: plan().point(2), "number"),
        (lambda: next(plan().jobs("first")), "start"),
        (lambda: Task(run=None), "run"),
        (lambda: Task(run=lambda: {}), "run"),
        (lambda: Task(run=Scale), "run"),
        (lambda: Task(run=nothing, params=Scale()), "params"),
        (lambda: Task(run=nothing, figures="draw"), "figures"),
        (lambda: Task(run=nothing, headline=["value"]), "headline"),
        (lambda: Task(run=nothing, units={"value": 1}), "units"),
        (lambda: Task(run=nothing, dims={"value": "epoch"}), "dims"),
        (lambda: Task(run=nothing, padded="cost"), "padded"),
        (lambda: Task(run=nothing, version=None), "version"),
        (lambda: TASK.resolve([1.0]), "values"),
        (lambda: started(progress="no"), "progress"),
        (lambda: started(name=3), "name"),
        (lambda: started(replicates=10**30), "replicates"),
        (lambda: started(workers="2"), "workers"),
        (lambda: started(workers=10**30), "workers"),
        (lambda: started(timeout=float("inf")), "timeout"),
        (lambda: started(retries=True), "retries"),
        (lambda: started(batch=10**30), "batch"),
        (lambda: started(refine={"observable": "m", "tolerance": True}), "tolerance"),
    ],
)
def test_the_argument_is_named(call, argument, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, TypeError), match=rf"(?<![A-Za-z0-9_]){argument}(?![A-Za-z0-9_])"):
        call()
    assert not list(tmp_path.iterdir())


def test_all_errors_are_still_said_at_once():
    with pytest.raises(ValueError) as refused:
        started(replicates=0, seed=-1, common_random_numbers="yes")
    for argument in ("replicates", "seed", "common_random_numbers"):
        assert f"{argument}: got" in str(refused.value)
