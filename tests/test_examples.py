"""Every example runs as a user runs it, and is short enough to read."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
STUDIES = sorted(EXAMPLES.glob("*.toml"))


def name_of(path):
    return path.name


def run(command, folder):
    """Run a command in a folder; fail with its output if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{command} exited {done.returncode}:\n{done.stdout}"


@pytest.mark.parametrize("example", [*SCRIPTS, *STUDIES], ids=name_of)
def test_is_short(example):
    assert len(example.read_text(encoding="utf-8").splitlines()) < 60


@pytest.mark.example
@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_script_runs(script, tmp_path):
    run([sys.executable, str(script)], tmp_path)


@pytest.mark.example
@pytest.mark.parametrize("study", STUDIES, ids=name_of)
def test_study_runs_and_leaves_a_result(study, tmp_path):
    command = shutil.which("physlearn", path=str(Path(sys.executable).parent))
    assert command, "the command physlearn is not installed: run pip install -e '.[test]'"
    shutil.copy(study, tmp_path)
    run([command, "run", study.name], tmp_path)
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != study.name]
    assert any(path.stat().st_size for path in left), "no result was written"
