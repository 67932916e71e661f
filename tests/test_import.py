"""Importing the library is cheap: NumPy and Numba only, and nothing is compiled."""

import importlib
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import physlearn

ROOT = Path(__file__).resolve().parents[1]
PROBE = """
import json, sys
import numpy, numba
from numba.core import event

def modules():
    return {name for name, module in list(sys.modules.items()) if module is not None}

before = modules()
with event.install_recorder("numba:compile") as recorder:
    import physlearn
print(json.dumps({"loaded": sorted(modules() - before), "compiled": len(recorder.buffer)}))
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """What `import physlearn` did in a fresh interpreter with an empty kernel cache."""
    cache = tmp_path_factory.mktemp("numba_cache")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE],
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"cached": sorted(cache.rglob("*.nb*"))}


def test_loads_numpy_and_numba_only(imported):
    # Importing Numba loads the top of SciPy, so what counts is what physlearn adds to both.
    allowed = {"physlearn", "lazy_loader", "numpy", "numba", "llvmlite"} | sys.stdlib_module_names
    extra = [name for name in imported["loaded"] if name.partition(".")[0] not in allowed]
    assert not extra, f"import physlearn also loads {extra}"


def test_compiles_nothing(imported):
    assert imported["compiled"] == 0
    assert not imported["cached"]


TABLES = [
    path.parent.relative_to(ROOT).as_posix().replace("/", ".")
    for package in ("physlearn", "circuits")
    for path in sorted((ROOT / package).rglob("__init__.pyi"))
]


@pytest.mark.parametrize("package", TABLES)
def test_every_public_name_resolves(package):
    """The stub beside an `__init__.py` is its table of contents, for editors and at run time alike."""
    module = importlib.import_module(package)
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert not missing, f"{package}/__init__.pyi names {missing}, which do not exist"
    assert len(set(module.__all__)) == len(module.__all__)
    assert set(module.__all__) <= set(dir(module))


def test_packages_are_attributes_and_star_imports_are_whole():
    code = """
        import circuits, physlearn
        physlearn.models.Hopfield, physlearn.terms.Pairs, physlearn.plot.plot_raster
        circuits.neurons.connect.fixed_indegree
        from circuits.neurons import *
        connect.all_to_all, LIF
    """
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(code)], check=True)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = physlearn.no_such_name


@pytest.mark.parametrize("package", ["physlearn", "circuits", "circuits.neurons"])
def test_star_gives_every_public_name(package):
    found = {}
    exec(f"from {package} import *", found)
    names = {name for name in dir(importlib.import_module(package)) if not name.startswith("_")}
    assert names <= set(found), f"from {package} import * lacks {sorted(names - set(found))}"
    if package == "circuits.neurons":
        assert callable(found["connect"].one_to_one)


def test_former_places_of_the_interchange_formats():
    from circuits.interop import brian2, from_brian2, nir
    from circuits.neurons import from_nir, to_brian2

    assert (brian2.to_brian2, nir.from_nir) == (to_brian2, from_nir)
    assert from_brian2.from_brian2.__module__ == "circuits.neurons.interop.from_brian2"
