"""Where kernels are kept, as it is and not as it was asked for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import physlearn
from physlearn.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def info(tmp_path):
    """What the command says of the kernel cache, for a copy of the packages and other settings."""
    for package in ("physlearn", "circuits"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))

    def said(**settings):
        environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
        done = subprocess.run(
            [sys.executable, "-m", "physlearn", "info"],
            env=environment | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"} | settings,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        _, _, rest = done.stdout.partition("  kernel cache ")
        return rest.partition("  packages ")[0]

    return said


def test_versions_threads_cache_and_packages(capsys):
    assert main(["info"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"physlearn {physlearn.__version__}, Python {sys.version.split()[0]}")
    assert all(
        part in said
        for part in ("  numba  ", "  threads  ", f"{os.environ['NUMBA_CACHE_DIR']}, which NUMBA_CACHE_DIR names")
    )
    assert "  packages  " in said


def test_kernels_beside_the_modules(info):
    said = info()
    assert "beside the modules" in said and "NUMBA_CACHE_DIR, which would move it, is not set" in said
    assert "it can be written" in said


def test_a_folder_that_cannot_be_used_is_told(info, tmp_path):
    (tmp_path / "file").write_text("")
    said = info(NUMBA_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert "beside the modules" in said
    assert f"NUMBA_CACHE_DIR names {tmp_path / 'file' / 'cache'}, which cannot be written and is not used" in said


@pytest.fixture
def read_only(tmp_path):
    """A file where the folder of kernels would be stands for a folder that cannot be written."""
    for folder in [p.parent for package in ("physlearn", "circuits") for p in (tmp_path / package).rglob("*.py")]:
        (folder / "__pycache__").write_text("")


def test_read_only_modules(info, read_only, tmp_path):
    said = info(XDG_CACHE_HOME=str(tmp_path / "home"), HOME=str(tmp_path / "home"))
    assert f"{tmp_path / 'home'}" in said and "the modules' folders cannot be written" in said


def test_nowhere_to_write(info, read_only, tmp_path):
    (tmp_path / "home").write_text("")
    said = info(XDG_CACHE_HOME=str(tmp_path / "home"), HOME=str(tmp_path / "home"))
    assert "NUMBA_CACHE_DIR" in said and "beside the modules" not in said
