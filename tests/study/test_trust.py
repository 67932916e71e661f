"""What a folder from somebody else may do: run none of its code unasked, and write nowhere else."""

import sys

import pytest

from physlearn.cli import main
from physlearn.study import open_study, study

TASK = """
import pathlib
from physlearn.study import Task

pathlib.Path(__file__).with_name("ran").write_text("code of this folder has run")

def run(params, rng):
    if params["x"] < 0:
        raise RuntimeError("negative")
    return {"y": 2.0 * params["x"]}

def figures(replicates):
    from matplotlib.figure import Figure
    return {"drawn": Figure()}

task = Task(run, figures=figures)
"""
FILE = '[study]\ntask = "stranger_model:task"\n[params]\nx = {x}\n'


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command in an empty working directory, as in a new process."""
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")

    def command(*arguments):
        monkeypatch.delitem(sys.modules, "stranger_model", raising=False)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "path", [entry for entry in sys.path if entry])
            return main([str(argument) for argument in arguments])

    yield command
    sys.modules.pop("stranger_model", None)


@pytest.fixture
def theirs(tmp_path, command):
    """A folder with a study that failed, the study file, and its code."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "stranger_model.py").write_text(TASK)
    (folder / "scan.toml").write_text(FILE.format(x=-1))
    assert command("run", folder / "scan.toml", "--serial", "--out", folder / "scan") == 2  # named, so run
    (folder / "ran").unlink()
    return folder


@pytest.mark.parametrize(
    ("arguments", "code", "trusted"),
    [(("report", "scan"), 0, 0), (("retry", "--failed", "--serial", "scan"), 1, 2), (("plan", "scan.toml"), 1, 0)],
)
def test_code_of_the_folder_runs_only_when_asked_for(arguments, code, trusted, command, theirs, capsys):
    *first, last = arguments
    assert command(*first, theirs / last) == code and not (theirs / "ran").exists()
    said = capsys.readouterr().err
    assert code == 0 or (f"{theirs}, the folder of the study file, is not searched" in said and "--trust" in said)
    assert command(*first, "--trust", theirs / last) == trusted
    assert (theirs / "ran").exists() or arguments[0] == "report"  # several failures: nothing to draw


def test_in_the_folder_itself_one_is_at_home(command, theirs, monkeypatch):
    monkeypatch.chdir(theirs)
    assert command("plan", "scan.toml") == 0
    assert command("retry", "--failed", "--serial", "scan") == 2


def test_code_inside_the_results_is_never_taken_for_ones_own(command, theirs, monkeypatch, capsys):
    (theirs / "stranger_model.py").rename(theirs / "scan" / "stranger_model.py")
    monkeypatch.chdir(theirs / "scan")
    assert command("retry", "--failed", "--serial", ".") == 1 and not (theirs / "scan" / "ran").exists()
    assert "code that came with the study's folder" in capsys.readouterr().err
    assert command("retry", "--failed", "--serial", "--trust", ".") == 2
    monkeypatch.delitem(sys.modules, "stranger_model", raising=False)
    monkeypatch.syspath_prepend(theirs / "scan")
    (theirs / "scan" / "ran").unlink()
    with pytest.raises(ValueError, match=r"stranger_model\.py, code that came with.*trust=True"):
        open_study(theirs / "scan").retry(executor="serial", progress=False)
    assert not (theirs / "scan" / "ran").exists()


def test_reports_draw_what_is_there_already(command, theirs, capsys):
    (theirs / "scan.toml").write_text(FILE.format(x=1))
    assert command("run", theirs / "scan.toml", "--serial") == 0
    page = theirs.parent / "mine" / "results" / "scan" / "report.html"
    assert "Figures of the task" in page.read_text(encoding="utf-8")  # by the process that has run it
    (theirs / "ran").unlink()
    assert command("report", "results/scan") == 0 and not (theirs / "ran").exists()
    assert "Figures of the task" not in page.read_text(encoding="utf-8")
    assert command("report", "--trust", "results/scan") == 0
    assert "Figures of the task" in page.read_text(encoding="utf-8") and (theirs / "ran").exists()


@pytest.mark.parametrize("name", ["study.db", "study.json", "lock", "blobs", "study.toml", "report.html", "drawn.png"])
def test_nothing_is_written_through_a_link_in_the_folder(name, command, theirs, tmp_path, capsys):
    (theirs / "scan.toml").write_text(FILE.format(x=1))
    results, victim = tmp_path / "mine" / "results" / "scan", tmp_path / "victim"
    assert command("run", theirs / "scan.toml", "--serial") == 0
    content = (results / name).read_bytes() if (results / name).exists() else b"mine"
    (results / name).unlink(missing_ok=True)
    victim.write_bytes(content)
    (results / name).symlink_to(victim)
    match name:
        case "report.html":
            assert command("report", results) == 1
        case "drawn.png":  # after anything has run
            (theirs / "stranger_model.py").write_text(TASK.replace("figures=figures", 'figures=figures, version="2"'))
            assert command("retry", "--stale", "--serial", "--trust", results) == 2
        case _:
            assert command("run", theirs / "scan.toml", "--serial") == 1
    said = capsys.readouterr().err
    assert f"{name}: a symbolic link (to {victim}), through which nothing is written" in said
    assert victim.read_bytes() == content


def test_the_folder_exports_and_reports_are_no_links(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "s").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="s: a symbolic link"):
        study("scan_tasks:draw", {"a": [1]}, store=tmp_path / "s", executor="serial")
    assert not list((tmp_path / "elsewhere").iterdir())
    done = study("scan_tasks:draw", {"a": [1]}, store=tmp_path / "t", executor="serial")
    for name in ("a.nc", "a.zarr", "a.parquet", "r.html"):
        victim = tmp_path / f"victim of {name}"
        victim.write_text("mine")
        (tmp_path / name).symlink_to(victim)
        with pytest.raises(OSError, match=rf"{name}: a symbolic link"):
            done.report(tmp_path / name) if name == "r.html" else done.export(tmp_path / name)
        assert victim.read_text() == "mine"


def test_homes_and_marks(tmp_path, monkeypatch, command):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    done = study("scan_tasks:draw", {"a": [1]}, store="~/s", executor="serial")
    assert done.folder == tmp_path / "home" / "s" and open_study("~/s").status()["done"] == 1
    assert done.report("~/r.html") == tmp_path / "home" / "r.html" and done.export("~/a.nc").exists()
    text = '[study]\ntask = "scan_tasks:draw"\n[space]\na = [1]\n'
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "home" / "scan.toml").write_bytes(text.replace("\n", "\r\n").encode(encoding))
        assert command("plan", "~/scan.toml") == 0
        assert command("run", "~/scan.toml", "--serial", "--out", f"~/{encoding}") == 0
        assert command("export", f"~/{encoding}", f"~/{encoding}.nc") == 0
        assert (tmp_path / "home" / f"{encoding}.nc").exists() and command("status", f"~/{encoding}") == 0
    assert not (tmp_path / "mine" / "~").exists()
