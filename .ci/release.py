"""Build the wheel and the source distribution, and try both on every supported Python that is installed.

Usage: python .ci/release.py [--tag vX.Y.Z]
A tag must be the version of pyproject.toml.  Every Python of 3.11 to 3.13 that is found gets two fresh environments,
one with the wheel, one with the sources, where `physlearn info`, a sample and a training run; the others are
listed as skipped.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
TRY = """
import numpy as np
from circuits import ResistorNetwork, square_lattice
from physlearn import SGD, CoupledLearning, SquaredError, learn, sample
from physlearn.models import Ising

assert sample(Ising.square(8), temperature=2.0, n_samples=5, rng=0).energy.shape == (4, 5)
network = ResistorNetwork(square_lattice(3), conductance=1.0, ground=0, inputs=[2], outputs=[8])
data = {"input": [[1.0]], "output": [[0.3]]}
done = learn(network, data, rule=CoupledLearning(), optimizer=SGD(0.1), cost=SquaredError("output"), epochs=50, rng=0)
assert done.cost[-1] < done.cost[0]
"""


def run(*command, **more):
    """Run a command and show it."""
    print("$", *command, flush=True)
    return subprocess.run([str(part) for part in command], check=True, **more)


def version():
    """The version in pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def interpreter(number):
    """Path of a Python of that version, or None."""
    found = shutil.which(f"python{number}")
    if found is None and sys.version_info[:2] == tuple(map(int, number.split("."))):
        found = sys.executable
    if found is None:
        return None
    asked = subprocess.run(
        [found, "-c", "import ensurepip, sys; print(sys.version_info[:2])"], capture_output=True, text=True
    )
    return found if asked.stdout.strip() == str(tuple(map(int, number.split(".")))) else None


def main():
    """Build, try, report."""
    parser = argparse.ArgumentParser(description="Build and try a release.")
    parser.add_argument("--tag")
    tag = parser.parse_args().tag
    if tag is not None and tag != f"v{version()}":
        sys.exit(f"tag {tag}: pyproject.toml says {version()}, expected v{version()}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run(sys.executable, "-m", "venv", folder / "build")
        run(folder / "build/bin/pip", "install", "-q", "build")
        run(folder / "build/bin/python", "-m", "build", "-q", "--outdir", folder / "dist", ROOT)
        made = sorted((folder / "dist").iterdir())
        tried = []
        for number in PYTHONS:
            python = interpreter(number)
            if python is None:
                tried.append(f"Python {number}: skipped, not installed here")
                continue
            for file in made:
                place = folder / f"{number}-{file.suffix[1:]}"
                run(python, "-m", "venv", place)
                run(place / "bin/pip", "install", "-q", file)
                run(place / "bin/physlearn", "info", cwd=folder)
                run(place / "bin/python", "-c", TRY, cwd=folder)
                tried.append(f"Python {number}: {file.name} installed and tried")
        print("\n".join(tried))


if __name__ == "__main__":
    main()
