"""What can be named: every task that is shipped, with what it takes; the version; python -m."""

import json
import re
import subprocess
import sys
import tomllib

import pytest

import physlearn
from physlearn.cli import main
from physlearn.study.plans.task import Task, import_task

MODULES = ("physlearn.tasks", "circuits.tasks", "circuits.neurons.tasks")


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"physlearn {physlearn.__version__}\n"


def test_as_a_module(tmp_path):
    said = subprocess.run(
        [sys.executable, "-m", "physlearn", "run", "no.toml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert said.returncode == 1 and "no.toml: no such file" in said.stderr
    said = subprocess.run([sys.executable, "-m", "physlearn", "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert said.returncode == 0 and said.stdout.startswith("usage: physlearn ")


def test_every_task_is_listed_with_its_parameters_and_defaults(capsys):
    assert main(["tasks"]) == 0
    said = capsys.readouterr()
    assert not said.err
    blocks = {block.split()[0]: block for block in said.out.split("\n\n")}
    count = 0
    for module in MODULES:
        for name, task in vars(__import__(module, fromlist=["x"])).items():
            if not isinstance(task, Task):
                continue
            count += 1
            block = blocks[f"{module}:{name}"]
            for key, field in task.params.model_fields.items():
                (line,) = re.findall(rf"^    {key} +(.*)$", block, re.MULTILINE)
                shown = tomllib.loads(f"x {re.split(r'  +', line)[0]}")["x"]
                assert shown == json.loads(json.dumps(field.default)), (name, key, line)
            assert all(result in block for result in task.headline)
    assert count == 10 and len(blocks) == count + 1
    assert "[study]" in said.out and 'task = "pendulum:swing"' in said.out


def test_limits_and_choices_are_said(capsys):
    assert main(["tasks", "physlearn.tasks:rbm"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"side += 3 +int, >= 2, <= 4; pixels along each side", said)
    assert '"contrastive_divergence" or "persistent"' in said and "physlearn.tasks:ising" not in said


OWN = """
from pydantic import BaseModel
from physlearn.study import Task

class Params(BaseModel):
    angle: float
    damping: float | None = None
    modes: list[int] = [1, 2]

def swing(params, rng):
    "A pendulum that swings."
    return {"period": 1.0}

checked = Task(swing, Params)
"""


def test_ones_own_may_be_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "pendulum_tasks.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    assert main(["tasks", "pendulum_tasks:checked", "pendulum_tasks:swing"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"angle +\(required\) +float", said) and re.search(r"modes += \[1, 2\] +list\[int\]", said)
    assert re.search(r"damping +\(leave it out\) +float or None", said)
    assert "pendulum_tasks:swing  A pendulum that swings.\n    takes any parameters, unchecked" in said
    assert main(["tasks", "pendulum_tasks:swims"]) == 1
    assert "has no 'swims'" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["circuits.tasks:iris", "physlearn.tasks:assembly"])
def test_what_is_listed_can_be_imported(path):
    assert import_task(path).params is not None
