"""Standard logging under the name "physlearn": engines and why others were refused, trainings, studies."""

import logging

import numpy as np

import physlearn as pl
from physlearn.study import grid, study
from physlearn.terms import Pairs, Parabola

CHAIN = pl.Energy({"s": (pl.Spin(), 3)}, [Pairs("s", [(0, 1), (1, 2)])], {"J": np.ones(2)})
SPRING = pl.Energy({"x": (pl.Real(), 1)}, [Parabola("x")], {"stiffness": [1.0]})


def test_the_package_brings_no_handler_that_prints():
    handlers = logging.getLogger("physlearn").handlers
    assert [type(handler) for handler in handlers if type(handler) is logging.NullHandler]
    assert not [handler for handler in handlers if type(handler) is logging.StreamHandler]


def test_engines_say_why_others_were_refused(caplog):
    with caplog.at_level(logging.DEBUG, "physlearn"):
        pl.relax(SPRING)
        pl.sample(CHAIN, temperature=1.0, n_samples=2, rng=0)
    relaxed, sampled = (record.getMessage() for record in caplog.records)
    assert "relax: engine 'direct'" in relaxed
    assert "sampler: engine" in sampled and "gaussian refused: " in sampled


def test_trainings_tell_when_they_start_resume_end_and_are_saved(caplog, tmp_path):
    settings = {"rule": pl.ContrastiveDivergence(), "optimizer": pl.SGD(0.1)}
    with caplog.at_level(logging.INFO, "physlearn"):
        done = pl.learn(CHAIN, {"s": [[1.0, 1.0, 1.0]]}, epochs=2, rng=0, **settings)
        pl.save(tmp_path / "it", done)
        pl.learn(CHAIN, {"s": [[1.0, 1.0, 1.0]]}, epochs=1, resume=done, **settings)
    told = [record.getMessage() for record in caplog.records]
    assert ["started" in told[0], "ended after epoch 2" in told[1], "saved to" in told[2]] == [True] * 3
    assert "resumed, epochs 2 to 3" in told[3] and "ended after epoch 3" in told[4] and len(told) == 5


def test_studies_tell_when_they_start_and_end(caplog, tmp_path):
    with caplog.at_level(logging.INFO, "physlearn"):
        study("statistics:fmean", grid(x=[1.0]), store=tmp_path / "s", executor="serial", progress=False)
    told = [record.getMessage() for record in caplog.records]
    assert "started, 0 of 1 tasks stored" in told[0] and "ended, 0 of 1 tasks done, 1 failed" in told[-1]


def test_nothing_is_logged_above_info(caplog):
    with caplog.at_level(logging.WARNING, "physlearn"):
        pl.sample(CHAIN, temperature=1.0, n_samples=2, rng=0)
    assert not caplog.records
