"""Labels of the dataset: names that clash, axes that a result is the coordinate of, arrays of several lengths."""

import numpy as np
import pytest

from physlearn.study import grid, points, sobol, study, zipped


@pytest.fixture
def run(tmp_path):
    def run(task, space, **how):
        return study(task, space, store=tmp_path / "s", executor="serial", progress=False, **how)

    return run


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_no_name_hides_another(run, suffix, tmp_path):
    import xarray

    done = run("scan_tasks:clashing", {"cost_0": [1, 2], "x": [3]})
    found = done.to_dataset()
    assert set(found.coords) == {"cost_0", "x", "replicate"}
    assert found["cost"].sizes == {"cost_0": 2, "x": 1, "replicate": 1, "cost_0_": 3}
    assert found["a"].dims[-1] == "a_0_" and found["a_0"].values.ravel().tolist() == [1.0, 1.0]
    with xarray.open_dataset(done.export(tmp_path / f"s{suffix}")) as back:
        assert back["z_real"].values.ravel().tolist() == [99.0, 99.0]
        assert back["z_real_"].values.ravel().tolist() == [1.0, 1.0]
        assert back["z_imag_"].values.ravel().tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    "space", [grid(pair=zipped(T=[1, 2], b=[3, 4])), grid(T=[1, 2]), sobol(2, T=(0, 1)), points([{"T": 1}, {"T": 2}])]
)
def test_an_axis_of_a_result_is_not_called_like_a_parameter(run, space):
    found = run("scan_tasks:profiled", space).to_dataset()
    assert found["profile"].dims[-1] == "profile_0" and found["T"].sizes[found["T"].dims[0]] == 2


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        ({"a": [1, 2], "curve": 1.0}, {"a": [1, 2], "curve": [1.0, 2.0]}),
        ({"a": [1, 2]}, grid(curve=zipped(a=[1, 2, 3]))),
    ],
)
def test_no_parameter_becomes_an_axis_of_a_results_name(run, stored, given):
    before = run("scan_tasks:draw", stored).to_dataset()
    with pytest.raises(ValueError, match="curve: a result in the store has this name"):
        run("scan_tasks:draw", given)
    assert run("scan_tasks:draw", stored).to_dataset().identical(before)


@pytest.mark.parametrize("task", ["traced", "briefly_traced"])
def test_an_array_named_like_an_axis_is_the_coordinate_of_it(task, run, tmp_path):
    found = run(f"scan_tasks:{task}", {"k": [1, 2]}).to_dataset()
    np.testing.assert_array_equal(found["time"], np.linspace(0, 1, 6))
    assert "time" in found.coords and found["time"].attrs["units"] == "s"
    assert found["trace"].sel(time=0.4, method="nearest").shape == (2, 1)
    differs = study(f"scan_tasks:{task}", {"stretch": [1.0, 2.0]}, store=tmp_path / "t", executor="serial").to_dataset()
    assert differs["time"].dims == ("stretch", "replicate", "time_0") and "time" not in differs.coords


def test_padded_arrays_end_in_nan(run):
    found = run("scan_tasks:padded", {"n": [2, 1, 3]}, replicates=2)
    assert found.status()["done"] == 6
    data = found.to_dataset()
    np.testing.assert_array_equal(data["curve"][:, 0], [[0, 1, np.nan], [0, np.nan, np.nan], [0, 1, 2]])
    assert data["curve"].dims == ("n", "replicate", "step") and data["table"].shape == (3, 2, 3, 2)
    assert np.isfinite(data["table"]).sum() == 2 * 2 * (2 + 1 + 3)
    assert [len(r["curve"]) for r in found.returned()] == [2, 2, 1, 1, 3, 3]
    assert "curve" in found.report().read_text(encoding="utf-8")


IRIS = {"nodes": 16, "degree": 4, "epochs": 1, "held_out": 30}


@pytest.mark.parametrize(
    ("task", "space"),
    [
        ("physlearn.tasks:ising", {"size": [3, 4], "draws": [10, 11]}),
        ("physlearn.tasks:hopfield", {"neurons": [20, 30], "sweeps": [2, 4], "cues": [1, 2]}),
        ("physlearn.tasks:rbm", {"side": [2, 3], "hidden": [2, 3], "epochs": [2, 3], "measured": [1, 2]}),
        ("physlearn.tasks:assembly", {"side": [2, 3], "stored": [1, 2], "seeds": [1, 2], "sweeps": 1}),
        ("circuits.tasks:iris", points([IRIS, {"nodes": 18, "degree": 5, "epochs": 2, "held_out": 60}])),
        ("circuits.tasks:coupled_learning", {"nodes": [16, 18], "epochs": [1, 2]}),
        ("circuits.tasks:equilibrium_propagation", {"nodes": [16, 18], "epochs": [1, 2]}),
        ("circuits.neurons.tasks:fi_curve", {"neurons": [2, 3], "duration": [0.3, 0.4]}),
    ],
)
def test_built_in_tasks_can_be_scanned_over_what_changes_their_shapes(run, task, space):
    done = run(task, space)
    assert not done.failures() and done.status()["done"] == done.status()["total"]
    assert done.to_dataset()["status"].size == done.points


SEEDS = [7606741985629028552, 9223372036854775809, 9223372036854775811]


@pytest.mark.parametrize(
    "values",
    [
        SEEDS,
        [0, 2**63 - 1, 2**63],
        [-1, 2**63 - 1, 2**63],
        [2**53, 2**53 + 1, 0.5],
        ["1", 1],
        ["[1]", [1]],
        ["null", None],
        [2**64, 2**64 + 1],
        [10**40, 10**40 + 1],
    ],
)
def test_labels_tell_points_apart_as_the_values_do(run, values, tmp_path):
    import xarray

    done = run("scan_tasks:anything", grid(a=values))
    data = done.to_dataset()
    labels = data["a"].values.tolist()
    assert len(set(labels)) == len(values) == data.sizes["a"]
    with xarray.open_dataset(done.export(tmp_path / "s.nc")) as back:
        assert back["a"].values.tolist() == labels


@pytest.mark.parametrize("values", [SEEDS, [1, 2], [1, 2.5], [True, False], [0.1, 1e300], ["a", "b"]])
def test_labels_that_an_array_holds_are_those_given(run, values):
    assert run("scan_tasks:anything", grid(a=values)).to_dataset()["a"].values.tolist() == values


def test_parameters_whose_keys_meet_as_text_are_refused(run):
    with pytest.raises(ValueError, match="not all different as text"):
        run("scan_tasks:anything", grid(a=[{1: 2, "1": 3}]))


def test_large_integers_that_missing_ones_round_are_warned_of(run):
    with pytest.warns(UserWarning, match="integers beyond 2"):
        data = run("scan_tasks:odd_seed", grid(a=[1, 2])).to_dataset()
    assert np.isnan(data["seed"].values.ravel()[1])
