"""Values given beside a study file are as if the file had said them."""

import tomllib

import pytest

from physlearn.cli import main
from physlearn.study import open_study, read_study
from physlearn.study.plans.override import overridden, written

FILE = """# a comment
[study]
task = "wave_tasks:wave"
replicates = 2

[params]
kind = "sine"

[space]
height = { low = 1.0, high = 4.0, n = 3, scale = "log", units = "m" }
"""
TASKS = """
from typing import Literal
from pydantic import BaseModel, ConfigDict
from physlearn.study import Task

class Params(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["sine", "square"] = "sine"
    height: float = 1.0

wave = Task(lambda params, rng: {"top": params.height * (2 if params.kind == "square" else 1)}, Params)
"""


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A study file and its task."""
    (tmp_path / "wave_tasks.py").write_text(TASKS)
    (tmp_path / "wave.toml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "wave_tasks", raising=False)
    return tmp_path / "wave.toml"


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("16", 16),
        ("0.5", 0.5),
        (" -inf", float("-inf")),
        ("true", True),
        ("metropolis", "metropolis"),
        ("physlearn.tasks:ising", "physlearn.tasks:ising"),
        ("a = b", "a = b"),
        ('"16"', "16"),
        ("[1, 2.5]", [1, 2.5]),
        ("{low = 1, high = 2}", {"low": 1, "high": 2}),
        ("True", "True"),  # no TOML: the checks of the file will tell
    ],
)
def test_values_are_toml_or_text(given, value):
    found = overridden({}, [f"params.x={given}"])["params"]["x"]
    assert found == value and type(found) is type(value)


def test_paths_reach_into_tables_and_leave_the_given_ones_alone():
    tables = {"space": {"a": {"low": 1, "high": 2}}, "study": {"seed": 1}}
    found = overridden(tables, ["space.a.low=0", 'params."odd key"=3', "study.seed=7", "study.seed=8"])
    assert found == {"space": {"a": {"low": 0, "high": 2}}, "study": {"seed": 8}, "params": {"odd key": 3}}
    assert tables == {"space": {"a": {"low": 1, "high": 2}}, "study": {"seed": 1}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("params.x", "expected TABLE.KEY=VALUE"),
        ("=3", "expected TABLE.KEY=VALUE"),
        ("params..x=3", "expected TABLE.KEY=VALUE"),
        ("params.x=", 'an empty text is ""'),
        ("params.x=[1, 2", "is not valid TOML"),
        ("params.x=1\n[study]\nseed = 2", "several values"),
        ("study.seed.x=1", "study.seed is 4, which has no keys"),
        ("params.x=\udc80", "not UTF-8"),
    ],
)
def test_what_is_no_key_and_value_is_refused(text, said):
    with pytest.raises(ValueError, match=f"--set .*{said}".replace("[", r"\[")):
        overridden({"study": {"seed": 4}}, [text])


def test_what_is_written_reads_as_the_same():
    tables = tomllib.loads(FILE)
    tables["params"] |= {"text": 'quoted "é\n\t\x7f\\ 𝄞', "odd key": [1e-7, 1e16, -3, True, [], {}], "": {"a.b": ["x"]}}
    tables["params"]["when"] = [
        tomllib.loads(f"x = {t}")["x"] for t in ("1979-05-27T07:32:00Z", "1979-05-27", "07:32:00")
    ]
    tables["loose"] = 3
    assert tomllib.loads(written(tables)) == tables
    assert "inf" in written({"params": {"x": float("inf"), "y": float("nan")}})


def test_what_is_set_is_stored_as_if_the_file_had_said_so(path, capsys):
    sets = ["--set", "params.kind=square", "--set", "space.height.n=2", "--set", "study.replicates=1"]
    assert main(["plan", str(path), *sets]) == 0
    assert "2 points x 1 replicates" in capsys.readouterr().out
    assert main(["run", str(path), *sets, "--serial"]) == 0
    edited = FILE.replace("sine", "square").replace("n = 3", "n = 2").replace("replicates = 2", "replicates = 1")
    other = path.with_name("edited.toml")
    other.write_text(edited)
    assert main(["run", str(other), "--serial"]) == 0
    stored, expected = open_study("results/wave"), open_study("results/edited")
    assert stored.to_dataset().attrs["study"] == expected.to_dataset().attrs["study"]
    assert stored.to_dataset()["top"].values.tolist() == [[2.0], [8.0]]
    kept = path.parent / "results" / "wave" / "study.toml"
    assert tomllib.loads(kept.read_text()) == tomllib.loads(edited)
    assert read_study(kept).plan.definition() == read_study(other).plan.definition()
    capsys.readouterr()
    assert main(["run", str(path), "--serial"]) == 1  # without them it is another study
    assert '- space.fixed.kind: "square"\n  + space.fixed.kind: "sine"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("params.kinf=sine", "unknown key 'kinf'; did you mean 'kind'?"),
        ("study.replicate=3", "unknown key 'replicate'; did you mean 'replicates'?"),
        ("study.replicates=three", "replicates: got 'three'"),
        ("prams.kind=sine", "unknown table [prams]; did you mean 'params'?"),
        ("replicates=3", "unknown table [replicates]"),
        ("params.height=2.0", "height: also in [params]"),
        ("params.kind=cosine", "kind: got 'cosine'"),
        ("space.height.hi=3", "unknown key 'hi'"),
        ("study.seed", "expected TABLE.KEY=VALUE"),
    ],
)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_the_checks_of_the_file_are_those_of_what_is_set(command, text, said, path, capsys):
    assert main([command, str(path), "--set", text]) == 1
    assert said in capsys.readouterr().err and not (path.parent / "results").exists()
