"""The one tolerance table, and the fixtures that every test may use.

The environment (Numba cache, Matplotlib backend) is set in the root `conftest.py`.
"""

import sys
from dataclasses import dataclass

import numpy as np
import pytest


@dataclass(frozen=True)
class Tolerances:
    """How close is equal.  A test that misses is fixed, its tolerance is not loosened."""

    IDENTITY: float = 1e-12  # relative: two exact routes to one number
    GRADIENT: float = 1e-6  # relative: against central differences of step 1e-6 x scale
    ORDER_ODE: float = 0.2  # absolute: a measured convergence slope of an ODE method
    ORDER_SDE: float = 0.3  # absolute: the strong order of an SDE method
    STATISTICAL: float = 4.0  # standard errors, from the effective sample size, seed fixed


TOL = Tolerances()


@pytest.fixture(scope="session")
def tol():
    """The tolerance table."""
    return TOL


@pytest.fixture
def rng():
    """A fresh generator of fixed seed for each test."""
    return np.random.default_rng(20260101)


@pytest.fixture(autouse=True)
def no_figure_left_open():
    """Close what a test has plotted."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
