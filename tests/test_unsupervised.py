"""Unsupervised learning as the fall of energies: the examples' numbers are scikit-learn's."""

import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
pytestmark = pytest.mark.example


def run(name, folder, monkeypatch):
    """All names of an example after it has run."""
    monkeypatch.chdir(folder)
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


def test_axes_whitening_and_factors(tmp_path, monkeypatch):
    found = run("axes_as_energies", tmp_path, monkeypatch)
    assert abs(found["done"].cost[-1] - found["rest"]) < 1e-6 and found["turned"] < 1e-2
    assert found["left"] < 1e-9
    assert abs(found["levels"][-1] - found["theirs"]) < 1e-3 and np.all(np.diff(found["levels"]) > -1e-9)


def test_means_and_mixtures(tmp_path, monkeypatch):
    found = run("clusters_as_energies", tmp_path, monkeypatch)
    np.testing.assert_allclose(found["path"][-1], found["lloyd"], rtol=1e-12)  # Lloyd's steps at T = 0
    np.testing.assert_allclose(found["cold"], found["lloyd"], rtol=1e-6)  # and near it
    assert np.diff(found["free"]).max() < 1e-9
    assert abs(found["ours"] - found["theirs"].score(found["x"])) < 1e-10


def test_parts_and_sources(tmp_path, monkeypatch):
    found = run("parts_and_sources", tmp_path, monkeypatch)
    assert np.diff(found["energy"]).max() < 0
    np.testing.assert_allclose(found["energy"][-1], found["left"], rtol=1e-9)
    ours, theirs = found["found"](found["s"]), found["found"](found["fast"])
    assert ours.min() > 0.98 and np.all(ours > theirs - 0.02)
