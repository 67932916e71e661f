"""A dimod sampler (extra `ising`): `anneal` where programs written for dimod expect a solver."""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.checks import count
from physlearn.dynamics.annealing.anneal import anneal
from physlearn.io.bqm import dimod_module, from_bqm

_dimod: Any = dimod_module()


class AnnealingSampler(_dimod.Sampler):
    """Simulated annealing of any binary quadratic model, as a `dimod.Sampler`.

    Examples
    --------
    >>> sampled = AnnealingSampler().sample_ising({"a": 0.5}, {("a", "b"): -1.0}, num_reads=4, seed=0)
    >>> sampled.first.sample, sampled.first.energy
    ({'a': np.int8(-1), 'b': np.int8(-1)}, np.float64(-1.5))
    """

    parameters: Any = {name: [] for name in ("num_reads", "num_sweeps", "seed", "schedule", "method")}
    properties: Any = {}

    def sample(self, bqm, *, num_reads=32, num_sweeps=None, seed=None, schedule="geometric", method="auto", **settings):
        """States of low energy.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
        num_reads : int
            Independent runs.
        num_sweeps : int, optional
            Updates of every variable; default as of `anneal`.
        seed : int, optional
        schedule, method, **settings
            As of `anneal`.

        Returns
        -------
        dimod.SampleSet
            A row for every read, energies as dimod computes them.
        """
        if not len(bqm.variables):
            return _dimod.SampleSet.from_samples_bqm([{}] * count("num_reads", num_reads), bqm)
        model = from_bqm(bqm)
        found = anneal(
            model.energy,
            schedule,
            reads=num_reads,
            sweeps=num_sweeps,
            method=method,
            rng=seed,
            progress=False,
            **settings,
        )
        states = np.asarray(found.states).reshape(count("num_reads", num_reads), -1).astype(np.int8)
        return _dimod.SampleSet.from_samples_bqm((states, model.variables), bqm)
