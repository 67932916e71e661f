"""Step sizes of the Langevin and Hamiltonian engines: a first guess, and dual averaging to an acceptance.

Every chain has a step of its own, found from its own moves alone, so that it does not depend on how many
chains run.
"""

from __future__ import annotations

import numpy as np

# Optimal acceptance in many dimensions: Roberts and Rosenthal 1998 (MALA), Beskos et al. 2013 (HMC).
MALA, HMC = 0.574, 0.651
METRIC = 0.8  # of paths of many lengths: longer ones than the usual accept less (Stan's, Betancourt et al. 2014)


class DualAveraging:
    """Steps whose acceptance averages to a target (Hoffman and Gelman 2014, eq. 6, with their constants).

    Parameters
    ----------
    step : (chains,) array
        Start of the search.
    target : float
        Acceptance wanted, in (0, 1).

    Attributes
    ----------
    step : (chains,) array
        Steps to take next; they keep fluctuating.
    settled : (chains,) array
        Their weighted geometric mean: the steps to keep.

    Examples
    --------
    >>> import numpy as np
    >>> search = DualAveraging(np.ones(1), 0.6)
    >>> for _ in range(500):
    ...     search.update(np.exp(-search.step))  # accepts less, the longer the step
    >>> bool(abs(np.exp(-search.settled[0]) - 0.6) < 0.01)
    True
    """

    gamma, early, kappa = 0.05, 10.0, 0.75

    def __init__(self, step, target):
        self.step, self.settled, self.target = step, step, target
        self.centre, self.error, self.mean, self.count = np.log(10.0 * step), 0.0, 0.0, 0

    def update(self, acceptance):
        """Update the steps by the last moves' acceptance probabilities, (chains,)."""
        self.count += 1
        rate = 1.0 / (self.count + self.early)
        self.error = (1.0 - rate) * self.error + rate * (self.target - acceptance)
        log = self.centre - np.sqrt(self.count) / self.gamma * self.error
        weight = self.count**-self.kappa
        self.mean = weight * log + (1.0 - weight) * self.mean
        self.step, self.settled = np.exp(log), np.exp(self.mean)


def first_step(acceptance, chains, doublings=100):
    """Steps of which half crosses an acceptance of one half (Hoffman and Gelman 2014, algorithm 4).

    Parameters
    ----------
    acceptance : callable
        Steps (chains,) to acceptance probabilities of one move from where the chains are, with the same
        random numbers at every call.
    chains : int
    doublings : int
        Factors of two, either way, after which to give up.
    """
    step = np.ones(chains)
    grow = acceptance(step) > 0.5
    going = np.ones(chains, bool)
    for _ in range(doublings):
        trial = np.where(going, np.where(grow, 2.0 * step, 0.5 * step), step)
        good = acceptance(trial) > 0.5
        # growing stops before the first step that is too long, shrinking at the first that is not
        step = np.where(going & (~grow | good), trial, step)
        going &= good == grow
        if not going.any():
            break
    return step
