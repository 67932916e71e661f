"""Studies grow: what is stored keeps its values, only what is missing runs, and nothing can be left out."""

import itertools
import json
import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from physlearn.study import axis, grid, latin_hypercube, open_study, points, sobol, study

SMALL, LARGE = {"b": [0.5, 1.5], "a": [1, 3]}, {"a": [0, 1, 2, 3], "b": [1.5, 0.5, 2.5]}


@pytest.fixture
def run(tmp_path):
    def run(space, task="scan_tasks:draw", store="s", **how):
        return study(task, space, store=tmp_path / store, executor="serial", progress=False, **how)

    return run


def test_points_and_replicates_are_added_and_the_rest_stays(run, tmp_path, monkeypatch):
    monkeypatch.setenv("SCAN_LOG", str(tmp_path / "log"))
    first = run({"a": [1, 3]}, "scan_tasks:slow").to_dataset()
    grown = run({"a": [3, 2, 1, 0]}, "scan_tasks:slow", replicates=2).to_dataset()
    ran = [int(line) for line in (tmp_path / "log").read_text().split()]
    assert ran == [1, 3, 3, 2, 2, 1, 0, 0]  # replicate 0 of 1 and 3 was there
    for name in ("value", "curve"):
        np.testing.assert_array_equal(grown.sel(a=[1, 3], replicate=[0])[name], first[name])


def test_a_grown_study_is_the_same_as_a_whole_one(run, tmp_path):
    run(SMALL)
    run(LARGE, replicates=2)
    rows = [{"a": a, "b": b} for b in LARGE["b"] for a in LARGE["a"]]
    grown = run(points([*rows, {"a": 9, "b": 9.0}]), replicates=3)
    whole = run(points([*rows, {"a": 9, "b": 9.0}]), store="t", replicates=3)
    assert grown.to_dataset().drop_attrs().identical(whole.to_dataset().drop_attrs())
    assert json.loads((tmp_path / "s" / "study.json").read_text())["definition"]["replicates"] == 3
    assert open_study(tmp_path / "s").retry(executor="serial").status() == whole.status()


def test_errors_move_with_their_points(run):
    run({"a": [0, 6]}, "scan_tasks:poison")
    grown = run({"a": [11, 6, 0, 12]}, "scan_tasks:poison", replicates=2)
    assert [(f["params"]["a"], f["replicate"], f["attempts"]) for f in grown.failures()] == [(6, 0, 1), (6, 1, 1)]


def test_the_first_task_of_the_grown_plan_says_which_shape_is_right(run):
    run({"a": [1, 2, 3]}, "scan_tasks:late")  # shapes 2, 1, 2
    grown, whole = (run({"a": [2, 1, 3, 4]}, "scan_tasks:late", store) for store in ("s", "t"))
    assert [f["params"]["a"] for f in whole.failures()] == [1, 3]
    assert [f["params"]["a"] for f in grown.failures()] == [1, 3]
    assert grown.to_dataset().drop_attrs().identical(whole.to_dataset().drop_attrs())


def test_growth_that_is_killed_anywhere_goes_on(run, tmp_path, monkeypatch):
    """What a kill leaves is what lies on the disk then: the folder is copied between its writer's statements."""
    before, whole = run(SMALL).to_dataset(), run(LARGE, store="t", replicates=2).to_dataset()
    connect, numbers, left = sqlite3.connect, itertools.count(), []

    def copied(_):
        if (n := next(numbers)) % (3 if n < 60 else 40) == 0:  # the plan is changed first
            left.append(f"k{n}")
            shutil.copytree(tmp_path / "s", tmp_path / left[-1], ignore=shutil.ignore_patterns("lock", "*-shm"))

    def traced(*arguments, **settings):
        db = connect(*arguments, **settings)
        db.set_trace_callback(copied)
        return db

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", traced)
        run(LARGE, replicates=2)
    sizes = []
    for folder in left:
        found = open_study(tmp_path / folder).to_dataset()  # the small study or the large one
        sizes.append(found.sizes["a"])
        for name in ("value", "curve"):
            kept = found.sel(a=[1, 3], b=[0.5, 1.5], replicate=[0])[name].transpose(*before[name].dims)
            np.testing.assert_array_equal(kept, before[name])
        assert run(LARGE, store=folder, replicates=2).to_dataset().drop_attrs().identical(whole.drop_attrs())
    assert sizes == sorted(sizes) and sizes.count(2) > 5 and sizes.count(4) > 5


def test_readers_see_the_small_study_or_the_large_one(run, tmp_path):
    run({"a": [0]})
    seen, ended = set(), threading.Event()

    def look():
        found = open_study(tmp_path / "s")
        while not ended.is_set():
            counts, data = found.status(), found.to_dataset()
            assert counts["done"] + counts["planned"] == counts["total"] <= found.points
            assert np.all(np.isfinite(data["value"]) == (data["status"] == 1))
            seen.add(counts["total"])

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(look)
        try:
            for n in range(2, 25):
                run({"a": list(range(n))[::-1]})
        finally:
            ended.set()
        reader.result()
    assert len(seen) > 2


def test_units_may_be_added(run):
    first = run({"a": [1, 2]}).to_dataset()
    found = run(grid(a=axis([1, 2], units="V"))).to_dataset()
    assert found["a"].attrs["units"] == "V" and found["value"].equals(first["value"])


def test_sobol_sequences_grow_and_latin_hypercubes_do_not(run):
    few = run(sobol(4, a=(0.0, 1.0))).to_dataset()["value"].values
    np.testing.assert_array_equal(run(sobol(8, a=(0.0, 1.0))).to_dataset()["value"].values[:4], few)
    run(latin_hypercube(4, a=(0.0, 1.0)), store="t")
    with pytest.raises(ValueError, match="never changed or left out"):
        run(latin_hypercube(8, a=(0.0, 1.0)), store="t")


@pytest.mark.parametrize(
    ("space", "how"),
    [
        (SMALL | {"a": [1]}, {"replicates": 2}),
        (SMALL, {"replicates": 1}),
        (LARGE, {"replicates": 2, "seed": 1}),
        (LARGE, {"replicates": 2, "common_random_numbers": True}),
        (LARGE | {"c": 1}, {"replicates": 2}),
        (LARGE, {"replicates": 2, "task": "scan_tasks:nothing"}),
    ],
)
def test_what_is_stored_cannot_be_left_out(space, how, run):
    before = run(SMALL, replicates=2).to_dataset()
    with pytest.raises(ValueError, match="holds another study"):
        run(space, **how)
    assert run(SMALL, replicates=2).to_dataset().identical(before)


@pytest.mark.parametrize(("stored", "given"), [([1, 2], [1.0, 2.0]), ([0, 1], [False, True]), (1, 1.0)])
def test_equal_numbers_of_another_spelling_are_refused(stored, given, run):
    """Their tasks have other names, and so other random numbers: all results would be stale."""
    before = run({"b": [1.5], "a": stored}, "scan_tasks:nothing")
    with pytest.raises(ValueError, match="holds another study"):
        run({"b": [1.5], "a": given}, "scan_tasks:nothing")
    assert before.status()["done"] == before.status()["total"]
    first = run({"a": [1], "b": [1, 2]}, "scan_tasks:modelled", "t").to_dataset()  # b is a float to its model
    again = run({"a": [1], "b": [1.0, 2.0]}, "scan_tasks:modelled", "t").to_dataset()
    np.testing.assert_array_equal(again["value"], first["value"])


def test_refinement_may_become_finer(run):
    space, refine = {"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0]}, {"observable": "m", "tolerance": 0.5, "levels": 3}
    coarse = run(space, "scan_tasks:step", refine=refine | {"levels": 1})
    fine = run(space, "scan_tasks:step", refine=refine, replicates=2)
    whole = run(space, "scan_tasks:step", "t", refine=refine, replicates=2)
    assert coarse.points == fine.points == whole.points  # the same folder now
    a, b = (d.to_dataset().set_index(point=["x", "y"]).sortby("point") for d in (fine, whole))
    np.testing.assert_array_equal(a["noise"], b["noise"])
    for other, asked in (
        (space | {"y": [0.0, 0.3, 1.0]}, refine),  # its refined points would be off the grid
        (space, refine | {"levels": 1}),
        (space, refine | {"tolerance": 2.0}),
        (space, refine | {"observable": "noise"}),
        (space, None),
    ):
        with pytest.raises(ValueError, match="holds another study"):
            run(other, "scan_tasks:step", refine=asked, replicates=2)
    assert run(space, "scan_tasks:step", refine=refine | {"tolerance": 0.4}, replicates=2).points == fine.points
