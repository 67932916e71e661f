"""The command: exit codes, the results folder, errors of study files all at once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from physlearn.cli import main

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
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def study(folder, text, name="s.toml"):
    (folder / name).write_text(text)
    return str(folder / name)


GOOD = '[study]\ntask = "uniform_tasks:uniform"\nseed = 4\nreplicates = 3\n[params]\nscale = 2.0\n'


def test_run_keeps_everything(folder, capsys):
    assert main(["run", study(folder, GOOD)]) == 0
    out = folder / "results" / "s"
    assert sorted(p.name for p in out.iterdir()) == ["arrays.npz", "curve.png", "result.json", "study.toml"]
    assert (out / "study.toml").read_text() == GOOD
    result = json.loads((out / "result.json").read_text())
    values = [r["scalars"]["value"] for r in result["replicates"]]
    expected = [2 * np.random.default_rng(np.random.SeedSequence(4, spawn_key=(r,))).uniform() for r in range(3)]
    assert values == expected
    assert result["summary"]["value"]["mean"] == pytest.approx(np.mean(expected))
    assert result["summary"]["value"]["sd"] == pytest.approx(np.std(expected, ddof=1))
    np.testing.assert_array_equal(np.load(out / "arrays.npz")["curve/1"], np.arange(3) * expected[1])
    assert "a uniform number" in capsys.readouterr().out


def test_results_are_never_overwritten(folder, capsys):
    path = study(folder, GOOD)
    assert main(["run", path]) == 0
    before = (folder / "results" / "s" / "result.json").read_bytes()
    assert main(["run", path]) == 1
    assert "nothing is overwritten" in capsys.readouterr().err
    assert (folder / "results" / "s" / "result.json").read_bytes() == before
    assert main(["run", path, "--out", "elsewhere"]) == 0
    assert main(["run", path, "--out", path]) == 1
    assert "is a file; give a folder" in capsys.readouterr().err


def test_a_failed_replicate_costs_only_itself(folder, capsys):
    path = study(
        folder,
        GOOD.replace("scale = 2.0", "scale = 2.0\nfail_above = 1.5").replace("replicates = 3", "replicates = 8"),
    )
    assert main(["run", path]) == 2
    result = json.loads((folder / "results" / "s" / "result.json").read_text())
    states = [r["status"] for r in result["replicates"]]
    assert set(states) == {"done", "failed"}
    assert result["summary"]["value"]["n"] == states.count("done")
    assert "RuntimeError: too large" in capsys.readouterr().err


UNEVEN = """
import numpy as np
from pydantic import BaseModel
from physlearn.study import Task

class Params(BaseModel):
    pass

count = iter(range(100))

def run(params, rng):
    k = next(count)
    if k == 1:
        raise RuntimeError("broken")
    return {"value": k, "curve": np.full(2, k)} if k % 2 == 0 else {"other": k}

def figures(replicates):
    raise RuntimeError("no ink")

uneven = Task(run, Params, figures)
"""


def test_what_replicates_and_figures_lack_costs_nothing_else(folder, capsys):
    """Replicates that return different names, one that fails, and a figure that cannot be drawn."""
    (folder / "uneven_tasks.py").write_text(UNEVEN)
    assert main(["run", study(folder, '[study]\ntask = "uneven_tasks:uneven"\nreplicates = 5\n')]) == 2
    result = json.loads((folder / "results" / "s" / "result.json").read_text())
    assert {name: s["n"] for name, s in result["summary"].items()} == {"value": 3, "other": 1}
    arrays = np.load(folder / "results" / "s" / "arrays.npz")
    assert {name: arrays[name][0] for name in arrays} == {"curve/0": 0, "curve/2": 2, "curve/4": 4}
    assert "no ink" in result["figures"]
    assert "figures failed: RuntimeError: no ink" in capsys.readouterr().err


def test_interrupted_study_keeps_what_is_done(folder):
    text = TASKS.replace("value = params", "import time; time.sleep(0.2)\n    value = params")
    (folder / "slow_tasks.py").write_text(text)
    path = study(folder, GOOD.replace("uniform_tasks", "slow_tasks").replace("replicates = 3", "replicates = 500"))
    line = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.path.insert(0, '.'); "
    line += f"from physlearn import cli; print('ready', flush=True); sys.exit(cli.main(['run', {path!r}]))"
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-c", line], cwd=folder, **pipes) as process:
        assert process.stdout.readline() == b"ready\n"
        for _ in range(600):
            if (folder / "results" / "s").exists():
                break
            time.sleep(0.1)
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    result = json.loads((folder / "results" / "s" / "result.json").read_text())
    states = [r["status"] for r in result["replicates"]]
    done = states.count("done")
    assert states == ["done"] * done + ["interrupted"] * (500 - done)
    assert 0 < done == result["summary"]["value"]["n"]
    assert f"interrupted: {500 - done} of 500 replicates are missing".encode() in said


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
        ('[study]\ntask = "uniform_tasks:not_a_task"\n', "is a int, expected a physlearn.study.Task"),
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


def test_machines_and_info(capsys):
    assert main(["machines"]) == 0
    assert "resistor_network" in capsys.readouterr().out
    assert main(["info"]) == 0
    assert "numba" in capsys.readouterr().out


def test_iris_study_file_is_valid():
    from physlearn.study import read_study

    study = read_study(ROOT / "examples" / "iris_resistors.toml")
    assert study.replicates == 10
    assert study.name == "iris_resistors"
    assert os.path.basename(study.task_path) == "circuits.tasks:iris"
