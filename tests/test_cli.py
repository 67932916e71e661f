"""The command: exit codes, the study's folder, errors of study files all at once."""

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from physlearn.cli import main
from physlearn.study import open_study

ROOT = Path(__file__).resolve().parent.parent

TASKS = """
import numpy as np
from pydantic import BaseModel, ConfigDict
from physlearn.study import Task

class Params(BaseModel):
    model_config = ConfigDict(extra="forbid")
    scale: float = 1.0
    fail_above: float = 2.0

def run(params, rng):
    value = params.scale * rng.uniform()
    if value > params.fail_above:
        raise RuntimeError(f"too large: {value}")
    return {"value": value, "curve": np.arange(3) * value}

def figures(replicates):
    from matplotlib.figure import Figure
    figure = Figure()
    figure.subplots().plot(replicates[0]["curve"])
    return {"curve": figure}

uniform = Task(run, Params, figures, {"value": "a uniform number"})
not_a_task = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory with an importable module of tasks."""
    (tmp_path / "uniform_tasks.py").write_text(TASKS)
    monkeypatch.delitem(sys.modules, "uniform_tasks", raising=False)  # of another test's folder
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def study(folder, text, name="s.toml"):
    (folder / name).write_text(text)
    return str(folder / name)


GOOD = '[study]\ntask = "uniform_tasks:uniform"\nseed = 4\nreplicates = 3\ncommon_random_numbers = true\n'
GOOD += "[params]\nscale = 2.0\n"


def test_run_keeps_everything(folder, capsys):
    assert main(["run", study(folder, GOOD)]) == 0
    out = folder / "results" / "s"
    kept = {"curve.png", "lock", "report.html", "study.db", "study.json", "study.toml"}
    assert {p.name for p in out.iterdir()} == kept
    assert (out / "study.toml").read_text() == GOOD
    data = open_study(out).to_dataset()
    streams = [np.random.default_rng(np.random.SeedSequence(4, spawn_key=(r,))) for r in range(3)]
    expected = [2 * s.uniform() for s in streams]  # common random numbers
    np.testing.assert_array_equal(data["value"], expected)
    np.testing.assert_array_equal(data["curve"], np.outer(expected, np.arange(3)))
    said = capsys.readouterr().out
    assert f"a uniform number  {np.mean(expected):8.4g}  {np.std(expected, ddof=1):8.2g}" in said
    assert "3 done of 3" in said


def test_the_same_command_goes_on_and_another_study_is_refused(folder, capsys):
    path = study(folder, GOOD)
    assert main(["run", path]) == 0
    page = folder / "results" / "s" / "report.html"
    before = page.stat().st_mtime_ns
    assert main(["run", path]) == 0
    assert page.stat().st_mtime_ns == before  # nothing was left to do
    capsys.readouterr()
    assert main(["run", study(folder, GOOD.replace("scale = 2.0", "scale = 1.5"))]) == 1
    assert "+ space.fixed.scale: 1.5" in capsys.readouterr().err
    assert main(["run", path, "--out", "elsewhere", "--serial"]) == 0
    assert (
        open_study("elsewhere").to_dataset()["value"].values[0]
        != open_study(page.parent).to_dataset()["value"].values[0]
    )
    assert main(["run", path, "--out", path]) == 1
    assert "no study can be kept here" in capsys.readouterr().err


def test_a_failed_replicate_costs_only_itself(folder, capsys):
    text = GOOD.replace("scale = 2.0", "scale = 2.0\nfail_above = 1.5").replace("replicates = 3", "replicates = 8")
    assert main(["run", study(folder, text)]) == 2
    out = folder / "results" / "s"
    counts = open_study(out).status()
    assert counts["failed"] > 0 and counts["done"] > 0 and counts["failed"] + counts["done"] == 8
    assert "RuntimeError: too large" in capsys.readouterr().err
    assert main(["status", str(out)]) == 2
    assert f"{counts['failed']} failed of 8" in capsys.readouterr().out
    assert main(["retry", str(out)]) == 1
    assert "--failed" in capsys.readouterr().err
    assert main(["retry", "--failed", str(out), "--serial"]) == 2  # same seed, same failures
    assert open_study(out).status() == counts
    assert open_study(out).failures()[0]["attempts"] == 1


def test_the_report_is_written_again_after_anything_has_run(folder, monkeypatch):
    """Also where as many results as before have come out."""
    assert main(["run", study(folder, GOOD), "--serial"]) == 0
    page = folder / "results" / "s" / "report.html"
    page.write_text("old")
    (folder / "uniform_tasks.py").write_text(TASKS.replace('"a uniform number"}', '"a number"}, "2"'))
    monkeypatch.delitem(sys.modules, "uniform_tasks")
    assert main(["retry", "--stale", "results/s", "--serial"]) == 0  # 3 done before, 3 done after
    assert page.read_text() != "old"


UNEVEN = """
import numpy as np
from pydantic import BaseModel
from physlearn.study import Task

class Params(BaseModel):
    pass

def run(params, rng):
    return {"value": 1.0, "curve": np.zeros(2)} if rng.uniform() < 0.5 else {"other": 2.0}

def figures(replicates):
    raise RuntimeError("no ink")

uneven = Task(run, Params, figures)
"""


def test_what_replicates_and_figures_lack_costs_nothing_else(folder, capsys):
    """Replicates that return different names, and a figure that cannot be drawn."""
    (folder / "uneven_tasks.py").write_text(UNEVEN)
    assert main(["run", study(folder, '[study]\ntask = "uneven_tasks:uneven"\nreplicates = 9\n')]) == 0  # all are done
    data = open_study(folder / "results" / "s").to_dataset()
    has = np.isfinite(data["value"].values)
    assert 0 < has.sum() < 9 and np.array_equal(has, ~np.isfinite(data["other"].values))
    assert np.array_equal(has, np.isfinite(data["curve"].values[:, 0]))
    assert "figures could not be drawn: RuntimeError: no ink" in capsys.readouterr().err
    page = (folder / "results" / "s" / "report.html").read_text()
    assert "Could not be drawn: RuntimeError: no ink" in page and "Observables" in page


BLOTTED = """
class Blot:
    def savefig(self, *_, **__):
        raise RuntimeError("ink everywhere")

def figures(replicates):
    from matplotlib.figure import Figure
    figure = Figure()
    figure.subplots().plot(replicates[0]["curve"])
    return {"blot": Blot(), "a/../b": figure}

blotted = Task(run, Params, figures)
"""


def test_one_figure_that_fails_leaves_the_others(folder, capsys):
    (folder / "blotted_tasks.py").write_text(TASKS + BLOTTED)
    assert main(["run", study(folder, '[study]\ntask = "blotted_tasks:blotted"\n')]) == 0
    assert "blot could not be drawn: RuntimeError: ink everywhere" in capsys.readouterr().err
    out = folder / "results" / "s"
    assert (out / "a_.._b.png").exists() and "ink everywhere" in (out / "report.html").read_text()


def test_interrupted_study_keeps_what_is_done(folder):
    text = TASKS.replace("value = params", "import time; time.sleep(0.05)\n    value = params")
    (folder / "slow_tasks.py").write_text(text)
    path = study(folder, GOOD.replace("uniform_tasks", "slow_tasks").replace("replicates = 3", "replicates = 5000"))
    line = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    line += f"from physlearn import cli; sys.exit(cli.main(['run', {path!r}]))"
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-c", line], cwd=folder, **pipes) as process:
        for _ in range(600):
            with contextlib.suppress(OSError):
                if open_study(folder / "results" / "s").status()["done"]:
                    break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    counts = open_study(folder / "results" / "s").status()
    assert counts["done"] > 0 and counts["done"] + counts["planned"] == 5000
    assert f"interrupted: {counts['planned']} of 5000 tasks are missing; the same command continues".encode() in said


SCAN = """
[study]
task = "uniform_tasks:uniform"
replicates = 2
workers = 1

[params]
fail_above = 9.0

[space]
scale = { low = 0.5, high = 2.0, n = 3, scale = "log", units = "V" }
"""


def test_scans_plans_exports_and_reports(folder, capsys):
    path = study(folder, SCAN)
    assert main(["plan", path]) == 0
    said = capsys.readouterr().out
    assert "3 points x 2 replicates" in said and "time unknown" in said and not (folder / "results").exists()
    assert main(["run", path]) == 0
    out = folder / "results" / "s"
    assert main(["plan", path]) == 0
    assert "0 to run" in capsys.readouterr().out
    study(folder, SCAN.replace("replicates = 2", "replicates = 1"))
    assert main(["plan", path]) == 1 and "never changed or left out" in capsys.readouterr().err
    study(folder, SCAN)
    data = open_study(out).to_dataset()
    np.testing.assert_allclose(data["scale"], [0.5, 1.0, 2.0], rtol=1e-12)
    assert data["scale"].attrs == {"units": "V", "scale": "log"} and data["value"].dims == ("scale", "replicate")
    import xarray

    assert main(["export", str(out), "s.nc"]) == 0
    with xarray.open_dataset("s.nc", engine="h5netcdf") as back:
        np.testing.assert_array_equal(back["curve"], data["curve"])
        assert back.attrs["task"] == "uniform_tasks:uniform"
    for suffix in ("zarr", "parquet"):
        assert main(["export", str(out), f"s.{suffix}"]) == 0
    with xarray.open_zarr("s.zarr") as back:
        np.testing.assert_array_equal(back["value"], data["value"])
    import pandas

    frame = pandas.read_parquet("s.parquet")
    np.testing.assert_array_equal(frame["value"], data["value"].values.ravel())
    assert set(frame["status"]) == {"done"} and list(frame["scale"][:2]) == [0.5, 0.5]
    assert main(["export", str(out), "s.xls"]) == 1
    assert "expected .nc" in capsys.readouterr().err
    (out / "report.html").unlink()
    assert main(["report", str(out)]) == 0 and (out / "report.html").exists()
    assert main(["status", str(folder)]) == 1
    assert "holds no study" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("space", "names", "points"),
    [
        ("scale = [1.0, 2.0]\nfail_above = [5, 6, 7]", ["scale", "fail_above"], 6),
        ("pair = { zip = { scale = [1.0, 2.0], fail_above = [5, 6] } }", ["pair"], 2),
        ('kind = "sobol"\nsamples = 8\nscale = { low = 1, high = 2 }', ["point"], 8),
        ('kind = "latin_hypercube"\nsamples = 5\nscale = { low = 1, high = 9, scale = "log" }', ["point"], 5),
        ('kind = "random"\nsamples = 3\nscale = { low = 1, high = 9, integer = true }', ["point"], 3),
        ("points = [{ scale = 1.0 }, { scale = 3.0 }]", ["point"], 2),
        ('scale = { values = [1, 2, 4], units = "V" }', ["scale"], 3),
    ],
)
def test_spaces_in_files(folder, space, names, points):
    from physlearn.study import read_study

    found = read_study(study(folder, f'[study]\ntask = "uniform_tasks:uniform"\n[space]\n{space}\n')).plan.space
    assert list(found.dims) == names and len(found) == points


def test_all_errors_of_a_file_at_once(folder, capsys):
    head = '[study]\ntask = "uniform_tasks:uniform"\nseeed = 1\nreplicates = 0\n'
    text = head + '[params]\nscael = 1.0\nfail_above = "x"\n[parms]\n'
    assert main(["run", study(folder, text)]) == 1
    err = capsys.readouterr().err
    for part in (
        "unknown table [parms]; did you mean 'params'?",
        "unknown key 'seeed'; did you mean 'seed'?",
        "replicates: got 0",
        "unknown key 'scael'; did you mean 'scale'?",
        "fail_above: got 'x'",
    ):
        assert part in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[study\n", "not valid TOML"),
        ('[study]\ntask = "uniform_tasks"\n', "expected 'package.module:name'"),
        ('[study]\ntask = "no_such_module:x"\n', "cannot import 'no_such_module'"),
        ('[study]\ntask = "broken_tasks:x"\n', "cannot import 'broken_tasks' (SyntaxError: "),
        ('[study]\ntask = "uniform_tasks:uniform"\nname = "../up"\n', "name: got '../up'"),
        ('[study]\ntask = "uniform_tasks:unifrom"\n', "has no 'unifrom'"),
        ('[study]\ntask = "uniform_tasks:not_a_task"\n', "is a int, expected a physlearn.study.Task or a function"),
        ("[study]\n", "task: missing"),
    ],
)
def test_bad_study_files(folder, text, message, capsys):
    (folder / "broken_tasks.py").write_text("def x(:\n")
    assert main(["run", study(folder, text)]) == 1
    assert message in capsys.readouterr().err
    assert not (folder / "results").exists()


def test_missing_file_and_bad_usage(folder, capsys):
    assert main(["run", "nothing.toml"]) == 1
    assert "no such file" in capsys.readouterr().err
    assert main(["fly"]) == 1
    assert main(["--help"]) == 0


def test_every_wrong_axis_is_told_of(folder, capsys):
    """Also where other axes, [params] and [refine] are wrong."""
    text = '[study]\ntask = "uniform_tasks:uniform"\nreplicates = "3"\ncommon_random_numbers = "yes"\nbatch = 0\n'
    text += '[params]\nscael = 1\n[refine]\ntolerance = "x"\n[space]\nscale = []\nfail_below = [1, 1.0]\n'
    text += (
        "a = { low = 0, high = inf, n = 3 }\nb = { low = 1, values = [1] }\nc = { zip = { d = [1, 2], e = [nan] } }\n"
    )
    assert main(["run", study(folder, text)]) == 1
    err = capsys.readouterr().err
    for part in (
        "replicates: got '3'",
        "common_random_numbers: got 'yes'",
        "batch: got 0; expected a whole number of at least 1, or 'auto'",
        "[params] unknown key 'scael'; did you mean 'scale'?",
        "[refine] observable: missing",
        "[refine] tolerance: got 'x'",
        "scale: empty",
        "fail_below: [1.0] appears twice",
        "unknown key 'fail_below'; did you mean 'fail_above'?",
        "a: got 0.0 to inf, expected finite numbers",
        "b: got {'low': 1, 'values': [1]}, expected values, or low, high and n, or zip",
        "e: got NaN",
    ):
        assert part in err, err
    assert main(["run", study(folder, GOOD.replace("seed = 4", 'name = ".."'))]) == 1


@pytest.mark.parametrize(
    ("axis", "said"),
    [
        ("{ values = [1, 2], n = 5, high = 3.0 }", "scale: high, n: means nothing beside values; leave it out"),
        ("{ zip = { fail_above = [1, 2] }, units = 'V' }", "scale: units: means nothing beside zip"),
        ("{ zip = { fail_above = { zip = { b = [1, 2] } } } }", "fail_above: got a zip group as a value"),
        ("{ low = 0.5, high = 2.5, n = 3, integer = true }", "scale: got 0.5 to 2.5, expected whole numbers"),
    ],
)
def test_what_an_axis_does_not_take_is_refused(folder, axis, said, capsys):
    path = study(folder, f'[study]\ntask = "uniform_tasks:uniform"\n[space]\nscale = {axis}\n')
    assert main(["run", path]) == 1 and said in capsys.readouterr().err


def test_files_and_python_draw_the_same_whole_numbers(folder):
    from physlearn.study import between, read_study, sobol

    drawn = 'kind = "sobol"\nsamples = 8\nscale = { low = 1, high = 9, integer = true }\n'
    found = read_study(study(folder, f'[study]\ntask = "uniform_tasks:uniform"\n[space]\n{drawn}')).plan.space
    expected = sobol(8, scale=between(1, 9, integer=True))
    assert repr([found[k] for k in range(len(found))]) == repr([expected[k] for k in range(len(expected))])


def test_exit_codes_when_something_is_missing(folder, capsys, monkeypatch):
    from physlearn.study.storage.store import Store, WriteError

    def full(store, records):
        raise WriteError("no space")

    path = study(folder, GOOD)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "record", full)
        assert main(["run", path, "--serial"]) == 2
    said = capsys.readouterr()
    assert "no space" in said.err and "stopped: 3 of 3 tasks are missing; the same command continues" in said.err
    assert main(["status", "results/s"]) == 2
    assert main(["run", path, "--serial"]) == main(["status", "results/s"]) == 0
    assert main(["run", "--serial", study(folder, GOOD.replace("replicates = 3", "replicates = 4"))]) == 0  # grows
    assert (folder / "results" / "s" / "study.toml").read_text().count("replicates = 4") == 1


def test_machines_and_info(capsys):
    assert main(["machines"]) == 0
    assert "resistor_network" in capsys.readouterr().out
    assert main(["info"]) == 0
    assert "numba" in capsys.readouterr().out


def test_iris_study_file_is_valid():
    from physlearn.study import read_study

    study = read_study(ROOT / "examples" / "iris_resistors.toml")
    assert study.plan.replicates == len(study.plan) == 10
    assert study.name == "iris_resistors"
    assert study.plan.path == "circuits.tasks:iris"
