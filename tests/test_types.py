"""What a type checker says of a user's file: right calls pass, wrong ones are found where they stand."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("pyright", reason="needs pyright: pip install '.[test]'")

RIGHT = """
import numpy as np
import circuits
import physlearn
from circuits import ResistorNetwork, square_lattice
from circuits.neurons import LIF, Population, SpikingNetwork, connect
from physlearn import SGD, CoupledLearning, Energy, Spin, SquaredError, integrate, learn, relax, sample
from physlearn.models import Hopfield
from physlearn.plot import plot_network
from physlearn.study import grid, study
from physlearn.terms import Pairs

glass = Energy({"s": (Spin(), 3)}, [Pairs("s", [(0, 1), (1, 2)])], {"J": np.ones(2)})
draws = sample(glass, temperature=1.0, n_samples=10, rng=0)
print(draws.energy.mean(), draws.x, relax(glass, np.ones((1, 3)), clamp=None).converged)
network = ResistorNetwork(square_lattice(4), conductance=1.0, ground=0, inputs=[3], outputs=[6])
training = learn(
    network,
    {"input": np.ones((5, 1)), "output": np.ones((5, 1))},
    rule=CoupledLearning(eta=0.1),
    optimizer=SGD(1.0, bounds={"conductance": (1e-3, 10.0)}),
    cost=SquaredError("output"),
    epochs=2,
    rng=np.random.default_rng(0),
)
print(training.theta["conductance"], training.machine.read)
print(physlearn.models.Hopfield, circuits.neurons.AdEx, connect.all_to_all)
"""

WRONG = {
    "learn(1, 2, rul=3)": "from physlearn import learn",
    "learn(glass)": "from physlearn import learn\\nglass = object()",
    "sample()": "from physlearn import sample",
    "LIF(tou=1.0)": "from circuits.neurons import LIF",
    "from physlearn.models import Hopfeld": "",
    "circuits.neurons.Lif": "import circuits",
    "physlearn.relaxx": "import physlearn",
    "SGD(0.1).momentun": "from physlearn import SGD",
    "connect.all_to_al": "from circuits.neurons import connect",
    "plot_raster(wrong=1)": "from physlearn.plot import plot_raster",
}


def checked(tmp_path, text):
    """Lines (from 1) with an error, each with what was said."""
    path = tmp_path / "user.py"
    path.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, path],
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {entry["range"]["start"]["line"] + 1: entry["message"] for entry in found if entry["severity"] == "error"}


def test_right_calls_pass(tmp_path):
    assert not checked(tmp_path, RIGHT)


def test_wrong_calls_fail(tmp_path):
    lines = [part.replace("\\n", "\n") for call, first in WRONG.items() for part in (first, call) if part]
    lines = "\n".join(lines).splitlines()
    found = checked(tmp_path, "\n".join(lines))
    assert {lines[number - 1] for number in found} == set(WRONG), found
