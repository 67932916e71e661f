"""Claims: verdicts, every cheap row through the command, resumption, refusals; the slow test measures all."""

import dataclasses
import math

import numpy as np
import pytest

from physlearn.claims import Claim, claims, over_chains, reproduce, table, write_page
from physlearn.claims.page import verdicts
from physlearn.cli import main

COIN = Claim("coin", "heads of a fair coin", "closed form", 0.5, lambda scale, rng: 0.5)
EXACT = [
    "cube-edge",
    "foster",
    "ising-chain",
    "central-charge",
    "capacity",
    "kramers",
    "diode",
    "hopf-1",
    "linear-inference",
]


def test_verdicts():
    assert COIN.verdict(0.5, 0.0) == "holds" and COIN.verdict(0.501, 0.0) == "does not hold"
    assert COIN.verdict(0.54, 0.0101) == "holds" and COIN.verdict(0.54, 0.0099) == "does not hold"
    assert COIN.verdict(math.nan, 0.0) == COIN.verdict(0.5, math.inf) == "not measured"
    for relation, low, high in (("at most", "holds", "does not hold"), ("at least", "does not hold", "holds")):
        bound = dataclasses.replace(COIN, relation=relation)
        assert (bound.verdict(0.3, 0.0), bound.verdict(0.7, 0.0)) == (low, high)
    loose = dataclasses.replace(COIN, tolerance=0.1, why="a coarse grid")
    assert loose.verdict(0.59, 0.0) == "holds" and loose.verdict(0.61, 0.0) == "does not hold"


def test_errors_over_chains(rng):
    mean, error = over_chains(rng.standard_normal((400, 7)))
    assert abs(mean) < 4 * error and error == pytest.approx(1 / math.sqrt(2800), rel=0.2)
    with pytest.raises(ValueError, match="got 1 chain"):
        over_chains([[1.0, 2.0]])


def test_the_catalogue_is_large_and_every_row_has_a_source():
    found = claims()
    assert len(found) >= 60 and all(name == claim.name for name, claim in found.items())
    assert all(claim.source and claim.statement and math.isfinite(claim.published) for claim in found.values())


def test_cheap_rows_hold_and_a_second_run_measures_nothing(tmp_path, capsys):
    done = reproduce(EXACT, store=tmp_path / "s", quick=True, executor="serial", progress=False)
    assert [v.word for v in verdicts(done)] == ["holds"] * len(EXACT), table(done)
    before = done.finished
    again = reproduce(EXACT, store=tmp_path / "s", quick=True, executor="serial", progress=False)
    assert again.finished == before
    page = write_page(again).read_text()
    assert page.count("<tr>") == len(EXACT) + 1 and "Onsager" not in page and f"{len(EXACT)} holds" in page


def test_the_command(tmp_path, capsys):
    assert main(["reproduce", "cube-edge", "--quick", "--serial", "--out", str(tmp_path / "s")]) == 0
    said = capsys.readouterr().out
    assert "van Steenwijk" in said and "1 holds" in said and (tmp_path / "s" / "claims.html").exists()
    assert main(["reproduce", "--list"]) == 0 and "Onsager 1944" in capsys.readouterr().out
    assert main(["reproduce", "cube-egde", "--quick", "--out", str(tmp_path / "t")]) == 1
    assert "did you mean cube-edge" in capsys.readouterr().err
    assert main(["reproduce", "mnist-100", "--serial", "--out", str(tmp_path / "u")]) == 2
    told = capsys.readouterr()
    assert "needs MNIST" in told.out and "1 not measured" in told.out
    assert main(["reproduce", "cube-edge", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "v")]) == 1


def test_refusals(tmp_path):
    from physlearn.study import study

    with pytest.raises(ValueError, match="a tolerance needs its reason"):
        dataclasses.replace(COIN, tolerance=0.1)
    with pytest.raises(ValueError, match="relation: got 'above'"):
        dataclasses.replace(COIN, relation="above")
    with pytest.raises(ValueError, match="names: got 'no-such'"):
        reproduce(["no-such"], store=tmp_path / "s")
    other = study("statistics:fmean", {"x": [1.0]}, store=tmp_path / "o", executor="serial", progress=False)
    with pytest.raises(ValueError, match="expected one that `physlearn reproduce` made"):
        table(other)


@pytest.mark.slow
def test_the_quick_run_holds(tmp_path):
    """All of it: nothing tuned, so a row that fails here is either a fault or stays, said plainly."""
    done = reproduce(store=tmp_path / "s", quick=True, workers=2, progress=False)
    print(table(done))
    assert [v.claim.name for v in verdicts(done) if v.word != "holds"] == []
    assert np.all(done.to_dataset()["error"].values >= 0)
