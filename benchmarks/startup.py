"""Start-up: import, and the first result, each in a fresh warm process.  Usage: python benchmarks/startup.py"""

import subprocess
import sys

from common import seconds, table

FIRST = """
from physlearn import Energy, Readout, Real, SGD, CoupledLearning, SquaredError, learn, relax
from physlearn.terms import Edges
e = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 3.0]},
           {"in": Readout("v", [0, 2]), "out": Readout("v", [1])})
relax(e, clamp={"in": [1.0, 0.0]})
learn(e, {"in": [[1.0, 0.0]], "out": [[0.5]]}, rule=CoupledLearning(), optimizer=SGD(0.1), cost=SquaredError("out"))
"""

SAMPLE = """
from physlearn import sample
from physlearn.models import SpinGlass
glass = SpinGlass.edwards_anderson((6, 6, 6), disorder="gaussian", rng=0)
sample(glass, temperature=1.0, n_samples=10, method="{}", rng=0)
"""


def process(code):
    subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    for code in (FIRST, *map(SAMPLE.format, ("heatbath", "checkerboard"))):  # fill the kernel cache
        process(code)
    rows = []
    for name, code in (
        ("python -c pass", "pass"),
        ("import numpy, numba", "import numpy, numba"),
        ("import physlearn", "import physlearn"),
        ("first equilibrium and first training", FIRST),
        ("first sample, heat bath", SAMPLE.format("heatbath")),
        ("first sample, checkerboard", SAMPLE.format("checkerboard")),
    ):
        took, _ = seconds(lambda code=code: process(code), 5)
        rows.append((name, f"{took:.2f} s", ""))
    table("Whole process, processor time, warm kernel cache", rows)
