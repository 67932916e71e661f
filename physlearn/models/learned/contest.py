"""Turns in which the judge and the maker of an `AdversarialPair` learn, each while the other is held."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, instance
from physlearn.learning import ExactGradient, learn
from physlearn.models.learned.adversarial import AdversarialPair
from physlearn.rng import generator


@dataclass(frozen=True, eq=False)
class Contest:
    """A contest so far; pass it back as ``resume`` to continue.

    Attributes
    ----------
    pair : AdversarialPair
        With what both have learnt.
    judge_cost, maker_cost : (turns,) array
        Mean of each one's cost over each turn.
    judge, maker : Training
        Of each.
    """

    pair: AdversarialPair
    judge_cost: np.ndarray
    maker_cost: np.ndarray
    judge: Any
    maker: Any

    __repr__ = brief


def contest(
    pair,
    data,
    *,
    optimizer,
    turns,
    judge_optimizer=None,
    batch=128,
    judge_steps=1,
    maker_steps=1,
    condition=None,
    rng=None,
    resume=None,
) -> Contest:
    """Let judge and maker learn in turns, by `learn` with ``trainable`` and ``resume``.

    Parameters
    ----------
    pair : AdversarialPair
    data : (n, *shape) array
    optimizer : SGD or Adam
        The maker's.
    turns : int
    judge_optimizer : SGD or Adam, optional
        Default the maker's.
    batch : int
        Data and things made, each, a step.
    judge_steps, maker_steps : int
        Of a turn.
    condition : (n, c) array, optional
    rng : int, Generator or None
    resume : Contest, optional
        Continue it, with its optimisers' memories and random states.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Adam
    >>> from physlearn.maps import Affine, Chain, Tanh
    >>> from physlearn.models import AdversarialPair
    >>> pair = AdversarialPair(Affine(1, "G", "g"), Chain(Affine(16, "D1", "d1"), Tanh(), Affine(1, "D2", "d2")),
    ...                        shape=1, noise=1, theta={"G": [[1.0]]}, rng=0)
    >>> data = np.random.default_rng(0).standard_normal((1000, 1)) + 2.0
    >>> done = contest(pair, data, optimizer=Adam(0.05), turns=40, rng=0)
    >>> bool(done.pair.make(2000, rng=1).mean() > 1.0)  # it began at 0
    True
    """
    instance("pair", pair, AdversarialPair, "an AdversarialPair")
    for name, value in (("turns", turns), ("judge_steps", judge_steps), ("maker_steps", maker_steps)):
        count(name, value)
    if resume is not None:
        instance("resume", resume, Contest, "a Contest")
        pair = resume.pair
    judge, maker = (None, None) if resume is None else (resume.judge, resume.maker)
    seeds = generator(rng).integers(0, 2**63, 2)
    own = [name for name in pair.theta if name not in pair.judge_system.theta]
    common: dict[str, Any] = {"rule": ExactGradient(), "cost": pair.cost, "progress": False}
    costs = np.empty((turns, 2))
    making = pair.making(batch, condition=condition)
    for turn in range(turns):
        judge = learn(
            pair.judge_system,
            pair.judging(data, batch, condition=condition),
            optimizer=judge_optimizer or optimizer,
            epochs=judge_steps,
            rng=int(seeds[0]),
            resume=judge,
            **common,
        )
        pair = pair.with_theta(judge.theta)
        if maker is not None:  # the judge has moved on since
            maker = replace(maker, system=pair.system)
        maker = learn(
            pair.system,
            making,
            optimizer=optimizer,
            epochs=maker_steps,
            trainable=own,
            rng=int(seeds[1]),
            resume=maker,
            **common,
        )
        pair = pair.with_theta(maker.theta)
        costs[turn] = judge.cost[-judge_steps:].mean(), maker.cost[-maker_steps:].mean()
        judge, maker = _short(judge), _short(maker)
    before = np.zeros((0, 2)) if resume is None else np.stack([resume.judge_cost, resume.maker_cost], 1)
    both = np.concatenate([before, costs])
    return Contest(pair, both[:, 0], both[:, 1], judge, maker)


def _short(training):
    """Without the costs of earlier turns, which the contest keeps."""
    return replace(training, cost=training.cost[:0], monitor=training.monitor[:0])
