"""What docs/STUDIES.md shows can be run, and its two ways of saying a space say the same."""

import re
from pathlib import Path

import pytest

from physlearn import study as package
from physlearn.study import read_study
from physlearn.study.plans.task import import_task

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "STUDIES.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.M | re.S)
ROWS = [row.split(" | ") for row in re.findall(r"^\| (?:all|moving|drawn|listed).*\|$", PAGE, re.M)]


def blocks(language):
    return [text for kind, text in BLOCKS if kind == language]


def test_the_first_study_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    exec(compile(blocks("python")[0], "STUDIES.md", "exec"), names)
    assert names["data"].sizes == {"temperature": 5, "size": 2, "replicate": 2}
    m = names["data"]["magnetisation"].mean("replicate")  # cold magnets are ordered, hot ones are not
    assert (m.sel(temperature=1.5) > 0.9).all() and (m.sel(temperature=3.5) < 0.5).all()
    assert names["done"].status()["done"] == 20 and Path(capsys.readouterr().out.strip()).exists()


@pytest.mark.parametrize("number", range(4))
def test_both_ways_say_the_same_space(number, tmp_path, monkeypatch):
    _, python, toml = ROWS[number]
    (tmp_path / f"pendulum{number}.py").write_text(blocks("python")[1], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    lines = re.findall(r"`(.*?)`", toml)
    text = "\n".join([f'[study]\ntask = "pendulum{number}:swing"\n[space]', *lines])
    (tmp_path / "scan.toml").write_text(text, encoding="utf-8")
    names = {name: getattr(package, name) for name in package.__all__} | {"np": __import__("numpy")}
    space, read = eval(re.search(r"`(.*)`", python)[1], names), read_study(tmp_path / "scan.toml").plan.space
    assert [space[k] for k in range(len(space))] == [read[k] for k in range(len(read))]


def test_files_are_valid_and_tasks_exist(tmp_path):
    path, (first, refine) = tmp_path / "scan.toml", blocks("toml")
    path.write_text(first, encoding="utf-8")
    assert len(read_study(path).plan) == 7 * 3 * 5
    path.write_text(
        f'[study]\ntask = "physlearn.tasks:hopfield"\n[space]\nload = [0.1, 0.2]\ntemperature = [0, 1]\n{refine}',
        encoding="utf-8",
    )
    assert read_study(path).plan.refine.levels == 3
    named = re.findall(r"`((?:physlearn|circuits(?:\.neurons)?)\.tasks:\w+)`", PAGE)
    assert len(set(named)) == 8
    for name in named:
        import_task(name)
    for code in blocks("python"):
        compile(code, "STUDIES.md", "exec")


def test_a_task_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "pendulum.py").write_text(blocks("python")[1], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    done = package.study("pendulum:swing", {"angle": [0.1]}, store=tmp_path / "s", executor="serial", progress=False)
    assert done.to_dataset()["period"].item() == pytest.approx(6.287, abs=0.02)
