"""Whether the packages are as installed, in made-up environments that are found first on the path."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INTACT = ROOT / "physlearn" / "cli" / "intact.py"  # by its path: Numba need not be loaded for each of these
ASK = f"from runpy import run_path; print(*run_path({str(INTACT)!r})['packages'](), sep='\\n')"


def distribution(site, name, version, packages, **more):
    """Write down what an installer does: METADATA, and RECORD with hashes of the files of the packages."""
    about = site / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"{about.name}/METADATA,,"]
    for package in packages:
        for path in sorted((site / package).rglob("*.py")):
            digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
            lines.append(f"{path.relative_to(site)},sha256={digest},{path.stat().st_size}")
        lines.append(f"{package}/__pycache__/__init__.cpython-311.pyc,,")
    (about / "RECORD").write_text("\n".join(lines) + "\n")
    for file, text in more.items():
        (about / f"{file}.json").write_text(text)


@pytest.fixture
def site(tmp_path):
    """Both packages, copied, in an empty folder of installed packages."""
    site = tmp_path / "site"
    for package in ("physlearn", "circuits"):
        shutil.copytree(ROOT / package, site / package, ignore=shutil.ignore_patterns("__pycache__"))
    return site


def said(site, *before, code=ASK):
    path = os.pathsep.join(map(str, [*before, site]))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path},
        cwd=site.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_intact(site):
    distribution(site, "physlearn-sim", "7.1", ["physlearn", "circuits"])
    assert said(site) == ["physlearn and circuits are intact: all files as physlearn-sim 7.1 installed them"]


def test_changed_and_missing_files_are_named(site):
    distribution(site, "physlearn-sim", "7.1", ["physlearn", "circuits"])
    (site / "circuits" / "graphs.py").write_text("# edited\n")
    (site / "circuits" / "iris.py").unlink()
    (line,) = said(site)
    assert line.startswith("NOT INTACT: circuits: ") and "circuits/graphs.py, circuits/iris.py;" in line
    assert "--force-reinstall" in line and "physlearn:" not in line


def test_another_project_of_the_same_name_is_named(site):
    """Installed later, it has written over __init__.py; taken away again, it has taken that along."""
    distribution(site, "physlearn-sim", "7.1", ["physlearn", "circuits"])
    (site / "circuits" / "__init__.py").write_text("raise RuntimeError('another circuits must not be imported')\n")
    distribution(site, "circuits", "3.2.3", ["circuits"])
    damage, rival = said(site)
    assert damage.startswith("NOT INTACT: circuits: missing or not as installed: circuits/__init__.py;")
    assert rival.startswith(f"ANOTHER PROJECT, circuits 3.2.3, also has a package circuits ({site / 'circuits'})")
    assert "pip uninstall circuits" in rival
    shutil.rmtree(site / "circuits-3.2.3.dist-info")
    (site / "circuits" / "__init__.py").unlink()
    damage = said(site)[-1]  # where these tests run, another circuits may come next on the path
    assert damage.startswith("NOT INTACT: circuits: missing or not as installed: circuits/__init__.py;")


def test_the_command_tells_it_where_its_own_package_was_overwritten(site):
    distribution(site, "physlearn-sim", "7.1", ["physlearn", "circuits"])
    (site / "physlearn" / "__init__.py").write_text("")
    lines = said(site, code="from physlearn.cli import main; main(['info'])")
    assert lines[0].startswith("physlearn of unknown version, Python ")
    assert "  packages       NOT INTACT: physlearn: missing or not as installed: physlearn/__init__.py;" in lines[-1]


def test_another_project_that_comes_first_is_named(site):
    distribution(site, "physlearn-sim", "7.1", ["physlearn", "circuits"])
    other = site.parent / "other"
    (other / "circuits").mkdir(parents=True)
    (other / "circuits" / "__init__.py").write_text("")
    distribution(other, "Circuits_X", "1.0", ["circuits"])
    where, rival = said(site, other)
    assert where.startswith(f"NOT THE INSTALLED ONE: circuits is imported from {other / 'circuits'};")
    assert str(site / "circuits") in where and "Circuits_X 1.0" in rival


def test_an_editable_install_is_told(site):
    """Its files are those of a checkout, which are edited."""
    origin = json.dumps({"url": site.as_uri(), "dir_info": {"editable": True}})
    place = site.parent / "place with spaces"
    place.mkdir()
    distribution(place, "physlearn-sim", "7.1", [], direct_url=origin)
    (site / "circuits" / "graphs.py").write_text("# edited\n")
    assert said(site, place) == [f"an editable install of {site}, whose files are not compared"]
    elsewhere = json.dumps({"url": (site.parent / "gone").as_uri(), "dir_info": {"editable": True}})
    (place / "physlearn_sim-7.1.dist-info" / "direct_url.json").write_text(elsewhere)
    lines = said(site, place)
    assert len(lines) == 2 and all(line.startswith("NOT THE INSTALLED ONE: ") for line in lines)


def test_an_installer_that_wrote_no_hashes_is_told(site):
    distribution(site, "physlearn-sim", "7.1", [])
    (line,) = said(site)
    assert "without hashes of its files" in line


def test_a_checkout_that_is_not_installed_is_told(site):
    hidden = "import importlib.metadata as m\ndef distribution(name): raise m.PackageNotFoundError(name)\n"
    lines = said(site, code=f"{hidden}m.distribution = distribution\n{ASK}")
    assert lines == [f"{name}: a checkout in {site / name}, not installed" for name in ("physlearn", "circuits")]
