"""Use an installation without extras: run by its own Python, with its packages installed from a wheel, in any folder.

Every module, export and command works without extras, or names the extra that it needs.
"""

import importlib
import itertools
import os
import pkgutil
import re
import subprocess
import sys
import tempfile
from pathlib import Path

EXTRA = r"pip install ['\"]physlearn-sim\[\w+\]"  # the sentence that names a missing extra
NEED = {"physlearn.sklearn", "physlearn.dimod", "physlearn.dimod.sampler"}  # modules that are of no use without theirs
WAYS = itertools.cycle([[Path(sys.executable).with_name("physlearn")], [sys.executable, "-m", "physlearn"]])
STUDY = """
[study]
task = "dice_tasks:dice"
replicates = 2

[space]
sides = [6, 20]
"""
TASKS = """
import numpy as np
from pydantic import BaseModel
from physlearn.study import Task

class Params(BaseModel):
    sides: int = 6
    fail: bool = False

def throw(params, rng):
    if params.fail:
        raise RuntimeError("off the table")
    return {"eyes": rng.integers(params.sides), "turned": np.exp(1j * rng.random(3)), "fair": True, "colour": "red"}

dice = Task(throw, Params)
"""


def modules():
    """Import every module of both packages."""
    for name in ("physlearn", "circuits"):
        package = importlib.import_module(name)
        assert "site-packages" in package.__file__, f"{name} is a checkout: {package.__file__}"
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if found.name.endswith("__main__"):
                continue
            try:
                importlib.import_module(found.name)
            except ImportError as error:
                assert found.name in NEED and re.search(EXTRA, str(error)), f"{found.name}: {error}"


def datasets():
    """Write every dataset as netCDF, by xarray's own choice of the engine, and read it back."""
    import numpy as np
    import xarray

    from circuits.neurons.engine.recording import Traces
    from physlearn import Energy, Real, integrate, sample, tempering
    from physlearn.terms import Parabola

    well = Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": [1.0, 2.0]})
    draws = dict(n_samples=4, rng=0)
    drawn = sample(well, temperature=[1.0, 2.0], chains=2, **draws)
    seen = sample(well, temperature=1.0, observe={"right": lambda x: x["x"][:, 0] > 0}, **draws)
    spikes = Traces(np.arange(3.0), np.array([1, 4]), ("v",), ("V",), np.zeros((3, 1, 2)))
    for number, data in enumerate((
        drawn.to_dataset(),
        seen.to_dataset(),
        tempering(well, temperatures=[1.0, 2.0], **draws).to_dataset(),
        integrate(well, (0.0, 1.0), x0=[1.0, 2.0], dt=0.5).to_dataset(),
        spikes.to_xarray(),
    )):  # fmt: skip
        data.to_netcdf(f"{number}.nc")
        with xarray.open_dataset(f"{number}.nc") as back:
            xarray.testing.assert_equal(data, back)


def extras():
    """Use features that need an extra."""
    from circuits.neurons import LIF, Population, Spikes, SpikingNetwork, to_brian2, to_nir
    from physlearn import Energy, Spin, sample
    from physlearn.io import to_bqm
    from physlearn.terms import Bias

    up = Energy({"s": (Spin(), 2)}, [Bias("s")], {"bias": [1.0, 2.0]})
    cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0)
    network = SpikingNetwork({"cells": Population(cells, 2)})
    for use in (
        sample(up, temperature=1.0, chains=2, n_samples=4, rng=0).diagnostics,
        Spikes([0.1], [0], n=1, t_stop=0.5).to_neo,
        lambda: to_bqm(up),
        lambda: to_brian2(network, dt=1e-4),
        lambda: to_nir(network),
    ):
        try:
            use()
        except ImportError as error:
            assert re.search(EXTRA, str(error)), error
        else:
            raise AssertionError(f"{use} works without the extra: is it installed here?")


def commands():
    """Use every command; those that fail give the reason."""
    Path("dice_tasks.py").write_text(TASKS)
    Path("dice.toml").write_text(STUDY)
    says("physlearn ", "--version")
    says("usage: physlearn", "--help")
    says("resistor_network", "machines")
    says("circuits.neurons.tasks:fi_curve", "tasks")
    says("physlearn and circuits are intact", "info")
    says("time unknown", "plan", "dice.toml")
    says(
        "2 done, 2 failed of 4",
        "run",
        "dice.toml",
        "--set",
        "space.sides=[6]",
        "--set",
        "space.fail=[true, false]",
        code=2,
    )
    says("2 failed of 4", "status", "results/dice", code=2)
    says("2 failed of 4", "retry", "--failed", "results/dice", code=2)
    says("4 done of 4", "run", "dice.toml", "--out", "kept")
    says("report.html", "report", "kept")
    for suffix, code in {"nc": 0, "zarr": 1, "parquet": 1}.items():
        said = says("", "export", "kept", f"kept.{suffix}", code=code)
        assert code == 0 or re.search(EXTRA, said), said
    import xarray

    with xarray.open_dataset("kept.nc") as back:
        assert back["turned_imag"].shape == (2, 2, 3) and (back["colour"] == "red").all() and back["fair"].all()


def says(expected, *arguments, code=0):
    """Run the command, by turns as a script and as a module; return what it says."""
    done = subprocess.run([*next(WAYS), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == code, f"{arguments}: exit code {done.returncode}, expected {code}\n{done.stdout}"
    assert expected in done.stdout, f"{arguments}: {expected!r} is not in\n{done.stdout}"
    return done.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for part in (modules, datasets, extras, commands):
            part()
            print(f"{part.__doc__.splitlines()[0]} Done.", flush=True)
