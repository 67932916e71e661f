"""Which module a study runs: the one meant, for workers, for the command, and when it is looked for again later."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import physlearn
from physlearn.cli import main
from physlearn.study import open_study

HOME = Path(physlearn.__file__).parents[1]


@pytest.fixture
def modules(tmp_path):
    """A function of the same name in two folders."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        text = f"def run(params, rng):\n    return {{'where': {name!r}}}\n"
        (tmp_path / name / "twin_model.py").write_text(text)
    return tmp_path


START = "import os, sys\nsys.path[0] = ''\nfrom physlearn.study import study\n"  # '': as at the prompt
END = """
try:
    print(study("twin_model:run", {"x": [1]}, store="s", workers=1).to_dataset()["where"].item())
except RuntimeError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("moves", "expected"),
    [("os.chdir('../b')", "b"), ("import twin_model; os.chdir('../b')", "start Python again in that folder")],
)
def test_workers_have_the_drivers_module_or_none(moves, expected, modules):
    """Not that of the directory in which the process was started."""
    line = [sys.executable, "-c", "\n".join([START, moves, END])]
    environment = os.environ | {"PYTHONPATH": str(HOME)}
    said = subprocess.run(line, cwd=modules / "a", env=environment, capture_output=True, text=True, timeout=60)
    assert said.stdout.strip().endswith(expected), said.stderr


@pytest.fixture
def command(modules, monkeypatch):
    """Run the command in folder a, with a study file in folder b, as in a new process."""
    monkeypatch.chdir(modules / "a")
    (modules / "b" / "scan.toml").write_text('[study]\ntask = "twin_model:run"\n[space]\nx = [1]\n')

    def command(*arguments):
        monkeypatch.delitem(sys.modules, "twin_model", raising=False)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "path", [entry for entry in sys.path if entry])
            return main(list(arguments))

    yield command
    sys.modules.pop("twin_model", None)


@pytest.mark.parametrize("first", [False, True])
def test_what_lies_beside_the_study_file_comes_before_the_working_directory(first, command, modules, monkeypatch):
    if first:  # python -m physlearn.cli
        monkeypatch.syspath_prepend(modules / "a")
    assert command("run", "../b/scan.toml", "--serial") == 0
    found = open_study("results/scan").to_dataset()
    assert found["where"].item() == "b" and str(modules / "b" / "twin_model.py") in found.attrs["provenance"]


def test_retry_and_report_find_it_again(command, modules, capsys):
    (modules / "b" / "twin_model.py").write_text("def run(params, rng):\n    raise RuntimeError('two')\n")
    assert command("run", "../b/scan.toml", "--serial", "--out", "my results") == 2
    assert "physlearn retry --failed --trust 'my results' runs" in capsys.readouterr().err
    (modules / "a" / "twin_model.py").unlink()
    assert command("retry", "--failed", "my results", "--serial") == 1  # b is not the working directory
    said = capsys.readouterr().err
    assert "the folder of the study file, is not searched for code" in said and str(modules / "b") in said
    assert command("retry", "--failed", "--trust", "my results", "--serial") == 2
    assert command("report", "my results") == 0
    assert "RuntimeError: two" in capsys.readouterr().err
