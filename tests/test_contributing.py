"""The machine of CONTRIBUTING is one: every verb, the audit, the known kink, a training and a file take it."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from physlearn import (
    SGD,
    EquilibriumPropagation,
    Machine,
    SquaredError,
    check_energy,
    check_gradient,
    integrate,
    learn,
    load,
    relax,
    sample,
    save,
)
from tests.test_readme import ROOT, fences


@pytest.fixture(scope="module")
def shown():
    """What the page's first block defines."""
    namespace: dict = {"__name__": "shown"}
    code = next(text for language, text, _ in fences(ROOT / "CONTRIBUTING.md") if language == "python")
    exec(compile(code, "CONTRIBUTING.md", "exec"), namespace)
    return namespace


def test_it_is_a_machine(shown, rng):
    chain = shown["FrenkelKontorova"](9, depth=0.3)
    assert isinstance(chain, Machine)
    check_energy(chain)
    other = chain.with_theta({"h": 0.5})
    assert type(other) is type(chain) and float(other.theta["h"]) == 0.5 and float(chain.theta["h"]) == 0.3
    with pytest.raises(ValueError, match="there is no parameter 'depth'"):
        chain.with_theta({"depth": 1.0})


@pytest.mark.parametrize(("stiffness", "depth"), [(1.0, 0.05), (4.0, 0.1)])
def test_its_kink_has_the_energy_of_the_continuum(shown, stiffness, depth):
    kink = shown["FrenkelKontorova"](121, stiffness=stiffness, depth=depth).kink()
    assert kink.converged
    assert kink.energy == pytest.approx(8 * np.sqrt(stiffness * depth), rel=0.01)  # sine-Gordon, wide against a spring


def test_verbs_take_it(shown):
    chain = shown["FrenkelKontorova"](5, depth=0.3)
    clamp = {"ends": [0.0, 1.0]}
    rest = relax(chain, clamp=clamp)
    np.testing.assert_allclose(integrate(chain, (0.0, 60.0), clamp=clamp).final, rest.x, atol=1e-5)
    drawn = sample(chain, temperature=0.01, n_samples=20, chains=4, clamp=clamp, rng=0)
    assert np.abs(drawn.x.mean((0, 1)) - rest.x).max() < 0.2
    assert [run.notes[0].split(":")[0] for run in (rest, drawn)] == [
        "term Washboard has no `jacobian`",
        "term Washboard has no `curvature`",
    ]


def test_it_learns_and_is_kept(shown, tmp_path):
    chain = shown["FrenkelKontorova"](7, depth=0.3)
    data = {"ends": [[0.0, 1.0], [0.2, 1.4]], "middle": [[0.4], [0.7]]}
    task = dict(rule=EquilibriumPropagation(0.01), cost=SquaredError("middle"), optimizer=SGD(0.5), rng=0)
    done = learn(chain, data, **task, epochs=5)
    assert isinstance(done.machine, shown["FrenkelKontorova"]) and done.cost[-1] < done.cost[0]
    assert load(save(tmp_path / "chain", done), chain).machine.theta["k"].tobytes() == done.theta["k"].tobytes()
    check = check_gradient(chain, data, EquilibriumPropagation(), [0.04, 0.02], cost=SquaredError("middle"))
    assert check.slope == pytest.approx(2.0, abs=0.1)


def test_it_takes_one_file_and_no_private_name(shown):
    code = next(text for language, text, _ in fences(ROOT / "CONTRIBUTING.md") if language == "python")
    modules = re.findall(r"^from (\S+) import", code, re.MULTILINE)
    assert set(modules) <= {"copy", "physlearn", "physlearn.terms"}
    methods = {name for name, _ in inspect.getmembers(shown["FrenkelKontorova"], callable) if not name.startswith("__")}
    assert methods == {"kink", "with_theta"}
    assert Path(ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").count("help(") == 2
