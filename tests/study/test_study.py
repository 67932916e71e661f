"""Studies: same bits however they run, resumed, refused, stale, grown."""

import concurrent.futures
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import scan_tasks  # pyright: ignore[reportMissingImports]

from physlearn.study import Task, grid, open_study, points, study, zipped

HERE = Path(__file__).parent
SPACE = {"b": [0.5, 1.5], "a": list(range(7))}  # not in the order of the alphabet


def data(done):
    return done.to_dataset().drop_attrs()


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    store = tmp_path_factory.mktemp("serial") / "s"
    return study("scan_tasks:draw", SPACE, store=store, replicates=3, seed=5, executor="serial")


@pytest.mark.parametrize("how", [{"executor": "serial"}, {"workers": 2}])
def test_every_value_stands_at_its_parameters(how, tmp_path):
    """Whatever the parameters are called, given in this or another order, in zip groups, grown or run again."""
    spaces = [
        grid(size=[1, 2, 3], mass=[10, 20], pair=zipped(z=[100, 200], k=[1000, 2000])),
        grid(pair=zipped(k=[1000, 2000, 3000], z=[100, 200, 300]), mass=[20, 10, 30], size=[4, 1, 2, 3]),
    ]
    for space in spaces:
        done = study("scan_tasks:echo", space, store=tmp_path / "s", replicates=2, **how)
        done = done.retry(**how)
        assert done.status()["done"] == len(space) * 2
        found = done.to_dataset()
        expected = found["size"] + found["mass"] + found["z"] + found["k"]
        assert found["total"].dims == (*space.dims, "replicate")
        assert np.all(np.floor(found["total"]) == expected) and found["total"].to_series().nunique() == len(space) * 2
        frame = [(r["total"], sum(r[f"its_{name}"] for name in ("k", "mass", "size", "z"))) for r in done.returned()]
        assert all(np.floor(total) == wanted for total, wanted in frame)


@pytest.mark.parametrize(
    "how", [{"workers": 1}, {"workers": 2}, {"workers": 2, "batch": 5}, {"workers": 2, "batch": 1}]
)
def test_same_bits_from_local_processes(serial, how, tmp_path):
    done = study(scan_tasks.draw, SPACE, store=tmp_path / "s", replicates=3, seed=5, **how)
    assert done.status()["done"] == 42
    assert data(done).identical(data(serial))


def test_same_bits_from_any_executor(serial, tmp_path):
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        done = study("scan_tasks:draw", SPACE, store=tmp_path / "s", replicates=3, seed=5, executor=pool)
    assert data(done).identical(data(serial))


def test_same_bits_from_dask(serial, tmp_path):
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        pool = client.get_executor(pure=False)
        done = study("scan_tasks:draw", SPACE, store=tmp_path / "s", replicates=3, seed=5, executor=pool)
        bad = study("scan_tasks:poison", {"a": [0, 6]}, store=tmp_path / "bad", executor=pool)
    assert data(done).identical(data(serial))
    assert bad.status()["failed"] == 1


def test_same_bits_in_any_order(serial, tmp_path):
    """The same points listed backwards: task by task the same values."""
    rows = [{"a": a, "b": b} for a in SPACE["a"] for b in SPACE["b"]][::-1]
    done = study("scan_tasks:draw", points(rows), store=tmp_path / "s", replicates=3, seed=5, workers=2)
    found, expected = data(done), data(serial)
    for k, row in enumerate(rows):
        there = expected.sel(row)
        for name in ("value", "curve", "count"):
            np.testing.assert_array_equal(found[name].values[k], there[name].values)


def test_every_task_has_its_own_stream_unless_common_ones_are_asked_for(serial, tmp_path):
    own = data(serial)["curve"].values.reshape(42, 5)
    assert len(np.unique(own[:, 0])) == 42
    common = study(
        "scan_tasks:draw", SPACE, store=tmp_path / "s", replicates=3, executor="serial", common_random_numbers=True
    )
    curves = data(common)["curve"].values
    assert np.all(curves == curves[0, 0]) and len(np.unique(curves[0, 0, :, 0])) == 3


def test_dataset_has_names_units_and_kinds(tmp_path):
    space = grid(pair=zipped(a=[1, 2], b=[0.5, 1.5]))
    found = study(scan_tasks.modelled, space, store=tmp_path / "s", executor="serial").to_dataset()
    assert found["value"].dims == ("pair", "replicate")
    assert found["value"].attrs["units"] == "A" and found["a"].attrs["units"] == "V"
    np.testing.assert_array_equal(found["b"], [0.5, 1.5])
    assert found["status"].attrs["flag_meanings"].split()[1] == "done" and np.all(found["status"] == 1)
    assert '"numba"' in found.attrs["provenance"]


def test_large_complex_and_text_results_come_back(tmp_path):
    done = study("scan_tasks:large", {"a": [1, 3]}, store=tmp_path / "s", workers=2)
    found = done.to_dataset()
    assert len(list((tmp_path / "s" / "blobs").glob("*.npy"))) == 2
    again = study("scan_tasks:large", {"a": [1, 3]}, store=tmp_path / "t", executor="serial").to_dataset()
    assert found.drop_attrs().identical(again.drop_attrs())
    assert found["field"].shape == (2, 1, 200_000) and len(np.unique(found["field"])) == 400_000
    assert found["z"].values.ravel().tolist() == [1 + 1j, 3 + 1j]
    assert found["word"].values.ravel().tolist() == ["ab", "ababab"]


def test_ragged_arrays_are_kept_but_not_labelled(tmp_path):
    done = study(scan_tasks.rough, {"a": [1, 2, 3]}, store=tmp_path / "s", executor="serial")
    assert "all" not in done.to_dataset() and done.status()["done"] == 3
    assert [len(r["all"]) for r in done.returned()] == [1, 2, 3]
    bad = study(scan_tasks.shapes, {"a": [1, 2, 3]}, store=tmp_path / "t", workers=2)
    assert [f["params"]["a"] for f in bad.failures()] == [2, 3]  # the first of the plan is right, whoever came first
    assert "Task(ragged=...)" in bad.failures()[0]["message"]
    np.testing.assert_array_equal(bad.to_dataset()["sum"].values.ravel(), [1, np.nan, np.nan])


def test_going_on_runs_what_is_missing_and_retry_what_failed(tmp_path, monkeypatch):
    space = {"a": list(range(12))}
    log = tmp_path / "log"
    monkeypatch.setenv("SCAN_LOG", str(log))
    first = study("scan_tasks:slow", space, store=tmp_path / "s", executor="serial")
    again = study("scan_tasks:slow", space, store=tmp_path / "s", executor="serial")
    assert log.read_text().split() == [str(a) for a in range(12)] and data(first).identical(data(again))
    bad = study("scan_tasks:poison", {"a": [0, 6, 11]}, store=tmp_path / "p", executor="serial")
    assert bad.status() == {
        "planned": 0, "done": 2, "failed": 1, "timeout": 0, "crashed": 0, "stale": 0, "total": 3
    }  # fmt: skip
    assert (
        study("scan_tasks:poison", {"a": [0, 6, 11]}, store=tmp_path / "p", executor="serial").status()["failed"] == 1
    )
    monkeypatch.setattr(scan_tasks, "poison", scan_tasks.nothing)  # the bug is found
    with pytest.warns(UserWarning, match="the source of the function has changed"):  # two results are the old one's
        assert bad.retry(executor="serial").status()["done"] == 3


def test_an_edited_function_is_warned_of_while_results_of_the_old_one_are_kept(tmp_path, monkeypatch):
    space = {"a": [1, 2]}
    before = data(study("scan_tasks:draw", space, store=tmp_path / "s", executor="serial"))
    with monkeypatch.context() as patch:
        patch.setattr(scan_tasks, "draw", scan_tasks.nothing)
        for _ in range(2):
            with pytest.warns(UserWarning, match="kept and not computed again"):
                done = study("scan_tasks:draw", space, store=tmp_path / "s", executor="serial")
        assert data(done).identical(before)
        patch.setattr(scan_tasks, "draw", Task(run=scan_tasks.nothing, version=2))
        assert done.retry(stale=True, executor="serial").status()["done"] == 2  # and says nothing
    study("scan_tasks:draw", space, store=tmp_path / "s", executor="serial")


def test_another_version_makes_results_stale_until_they_are_asked_for(tmp_path, monkeypatch):
    space = {"a": [1, 2]}
    done = study("scan_tasks:modelled", space, store=tmp_path / "s", executor="serial")
    before = data(done)
    monkeypatch.setattr(scan_tasks, "modelled", scan_tasks.renewed)
    done = study("scan_tasks:modelled", space, store=tmp_path / "s", executor="serial")
    assert done.status()["stale"] == 2 and "value" not in done.to_dataset()
    monkeypatch.undo()  # the old version again: nothing was lost
    monkeypatch.syspath_prepend(HERE)
    done = study("scan_tasks:modelled", space, store=tmp_path / "s", executor="serial")
    assert data(done).identical(before)
    monkeypatch.setattr(scan_tasks, "modelled", scan_tasks.renewed)
    done = done.retry(stale=True, executor="serial")  # it need not have been seen to be stale
    assert done.status()["done"] == 2 and not data(done).equals(before)


def test_another_study_is_refused_with_a_diff(tmp_path):
    study("scan_tasks:draw", {"a": [1, 2]}, store=tmp_path / "s", executor="serial")
    with pytest.raises(ValueError, match="holds another study") as refused:
        study("scan_tasks:nothing", {"a": [1, 3]}, store=tmp_path / "s", seed=1, executor="serial")
    lines = str(refused.value).splitlines()
    assert '  - task: "scan_tasks:draw"' in lines and "  + space.dims.a.a.values: [1, 3]" in lines
    assert "  - seed: 0" in lines and "  + seed: 1" in lines
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "thesis.tex").write_text("precious")
    with pytest.raises(OSError, match="holds no study but thesis.tex"):
        study("scan_tasks:draw", {"a": [1, 2]}, store=tmp_path / "t")
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["thesis.tex"]
    with pytest.raises(OSError, match="holds no study"):
        open_study(tmp_path / "t")


def test_two_drivers_are_refused_and_readers_are_not(tmp_path):
    from physlearn.study.storage.reader import definition_of
    from physlearn.study.storage.store import Store

    study("scan_tasks:draw", {"a": [1, 2]}, store=tmp_path / "s", executor="serial")
    with Store(tmp_path / "s", *definition_of(tmp_path / "s")):
        with pytest.raises(OSError, match=f"another driver is running this study \\(process {os.getpid()} on"):
            study("scan_tasks:draw", {"a": [1, 2]}, store=tmp_path / "s", executor="serial")
        assert open_study(tmp_path / "s").to_dataset()["value"].shape == (2, 1)


def test_a_copied_folder_opens(serial, tmp_path):
    shutil.copytree(serial.folder, tmp_path / "copy")
    assert data(open_study(tmp_path / "copy")).identical(data(serial))
    assert not (tmp_path / "copy" / "study.db-wal").exists()


def test_kernels_are_compiled_once_before_workers_start(tmp_path):
    scan_tasks.warmings.clear()
    for _ in range(2):  # the second time nothing is left to do
        done = study(scan_tasks.warmed, {"a": [1, 2, 3]}, store=tmp_path / "s", workers=2)
    assert scan_tasks.warmings == [os.getpid()]
    found = done.to_dataset()  # and two workers share the cores
    assert np.all(found["numba"] == 1) and np.all(found["blas"] == 1)


def test_tasks_may_compile_in_a_worker(tmp_path, monkeypatch):
    """Also where the fork server, which has loaded Numba, knows another number of threads."""
    for threads in ("2", "3", None):
        monkeypatch.delenv("NUMBA_NUM_THREADS") if threads is None else monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
        found = study("scan_tasks:compiled", {"a": [1, 2, 3]}, store=tmp_path / str(threads), workers=2).to_dataset()
        assert np.all(found["y"].squeeze() == [2, 4, 6]) and np.all(found["threads"] == 1)


def test_every_wrong_point_is_found_before_anything_runs(tmp_path):
    with pytest.raises(ValueError) as refused:
        study(scan_tasks.modelled, {"a": [1, -1, "x"], "bb": [1.0]}, store=tmp_path / "s", replicates=0, seed=-1)
    for part in ("replicates: got 0", "seed: got -1", "unknown key 'bb'; did you mean 'b'?"):
        assert part in str(refused.value)
    with pytest.raises(ValueError) as refused:
        study(scan_tasks.modelled, {"a": [1, -1, "x"], "b": [1.0, "y"]}, store=tmp_path / "s")
    for part in ("a: got -1", "a: got 'x'", "b: got 'y'"):
        assert str(refused.value).count(part) == 1
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"executor": "serial", "timeout": 1.0}, ValueError, "only local processes"),
        ({"executor": "fast"}, TypeError, "expected None, 'serial' or"),
        ({"workers": 0}, ValueError, "workers: got 0"),
        ({"timeout": -1}, ValueError, "timeout: got -1"),
        ({"common_random_numbers": "no"}, ValueError, "common_random_numbers: got 'no', expected True or False"),
        ({"batch": 0}, ValueError, "batch: got 0"),
        ({"refine": {"observable": "m", "tolerence": 1}}, ValueError, "did you mean 'tolerance'"),
        ({"refine": {"observable": "m", "tolerance": 1}}, ValueError, "at least 2 numbers"),
    ],
)
def test_wrong_options(options, error, message, tmp_path):
    with pytest.raises(error, match=message):
        study("scan_tasks:draw", {"a": [1], "b": [2, 1, 3]}, store=tmp_path / "s", **options)
    with pytest.raises(TypeError, match="space: got list"):
        study("scan_tasks:draw", [1], store=tmp_path / "s")


def test_refinement_goes_on_where_it_was(tmp_path):
    space = {"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0]}
    refine = {"observable": "m", "tolerance": 0.5, "levels": 3}
    whole = study("scan_tasks:step", space, store=tmp_path / "a", replicates=2, executor="serial", refine=refine)
    found = whole.to_dataset()
    assert found["m"].dims == ("point", "replicate") and 30 < whole.points < 17 * 9
    x, y = found["x"].values, found["y"].values
    far = np.abs(x + y - 1.3) > 1.01  # further than the cells next to the edge
    assert far.sum() <= 6 and np.all(found["m"].values == (x + y > 1.3)[:, None])
    parts = study("scan_tasks:step", space, store=tmp_path / "b", replicates=2, workers=2, refine=refine, batch=3)
    assert data(parts).identical(data(whole))
    assert (
        study("scan_tasks:step", space, store=tmp_path / "b", replicates=2, executor="serial", refine=refine).status()
        == parts.status()
    )
    with pytest.raises(ValueError, match="no result is called 'k'"):
        study("scan_tasks:step", space, store=tmp_path / "c", executor="serial", refine=refine | {"observable": "k"})


def test_results_that_arrays_cannot_hold_fail_alone(tmp_path):
    done = study("scan_tasks:odd", {"a": list(range(8))}, store=tmp_path / "s", executor="serial")
    said = {f["params"]["a"]: f["message"] for f in done.failures()}
    expected = ("is text; at", "got a NoneType", "64 bits", "masked array", "longdouble", "datetime64", "'/' separates")
    assert list(said) == list(range(1, 8)) and all(e in s for e, s in zip(expected, said.values(), strict=True)), said
    np.testing.assert_array_equal(done.to_dataset()["value"].values.ravel(), [1.0] + 7 * [np.nan])


def test_models_with_aliases_infinities_and_computed_fields(tmp_path):
    found = study("scan_tasks:awkward", {"lambda": [1.0, 2.5]}, store=tmp_path / "s", executor="serial").to_dataset()
    assert found["value"].values.ravel().tolist() == [2.0, 5.0] and np.all(found["limit"] == np.inf)
    with pytest.raises(ValueError, match="Millivolts does not accept its own output"):
        study("scan_tasks:unsettled", {"a": [0.0, 1.0]}, store=tmp_path / "t")
    with pytest.raises(ValueError, match="a: halves from 1 to 4 come to 2.5, which the task does not take"):
        refine = {"observable": "value", "tolerance": 1, "levels": 1}
        study("scan_tasks:modelled", {"a": [1, 4]}, store=tmp_path / "t", refine=refine)


def test_labels_and_later_runs_are_in_the_attributes(tmp_path, monkeypatch):
    found = study("scan_tasks:headed", {"a": [1]}, store=tmp_path / "s", executor="serial").to_dataset()
    assert found["value"].attrs["long_name"] == "a drawn value" and found["curve"].dims == ("a", "replicate", "step")
    assert found.attrs["version"] == "7" and "later runs" not in found.attrs["provenance"]
    monkeypatch.setenv("OMP_NUM_THREADS", "31")
    grown = study("scan_tasks:headed", {"a": [1, 2]}, store=tmp_path / "s", executor="serial").to_dataset()
    assert "+ threads.OMP_NUM_THREADS" in grown.attrs["provenance"]


def test_files_of_other_formats_hold_the_dataset(serial, tmp_path):
    xarray = pytest.importorskip("xarray")
    expected = serial.to_dataset()
    with xarray.open_dataset(serial.export(tmp_path / "s.nc"), engine="h5netcdf") as found:
        assert found.equals(expected) and found.attrs == expected.attrs
    pytest.importorskip("zarr")
    with xarray.open_zarr(serial.export(tmp_path / "s.zarr")) as found:
        assert found.equals(expected) and found.attrs == expected.attrs


def test_workers_have_the_environment_of_the_moment(tmp_path, monkeypatch):
    """Not that in which the fork server was started."""
    study("scan_tasks:environment", {"a": [1]}, store=tmp_path / "s", workers=1)
    monkeypatch.setenv("SCAN_WORD", "new")
    found = study("scan_tasks:environment", {"a": [1]}, store=tmp_path / "t", workers=1).to_dataset()
    assert found["value"].item() == "new"
