"""Errors that carry the record of what was reached: nothing computed is lost."""

from __future__ import annotations


class ConvergenceError(RuntimeError):
    """A relaxation or a training did not converge; ``partial`` holds the record of what was reached.

    Examples
    --------
    >>> from physlearn import ConvergenceError, Energy, Real, relax
    >>> from physlearn.terms import Edges
    >>> wire = Energy({"v": (Real(), 2)}, [Edges("v", [(0, 1)])], {"conductance": [1.0]})
    >>> try:
    ...     relax(wire, [1.0, 0.0], method="flow", max_steps=2, unconverged="raise")
    ... except ConvergenceError as error:
    ...     print(error.partial.steps)
    2
    """

    def __init__(self, message, partial):
        super().__init__(message)
        self.partial = partial


class DivergenceError(RuntimeError):
    """A run left the finite numbers; ``partial`` holds the record of what was reached.

    Examples
    --------
    >>> from physlearn import DivergenceError, Energy, Real, integrate
    >>> from physlearn.terms import Parabola
    >>> hill = Energy({"x": (Real(), 1)}, [Parabola("x")], {"stiffness": [-1.0]})
    >>> try:
    ...     integrate(hill, (0.0, 1e4), x0=[1.0], dt=1.0, diverged="raise")
    ... except DivergenceError as error:
    ...     print(error.partial.stopped)
    item 0 left the finite numbers at t = ... s...
    """

    def __init__(self, message, partial):
        super().__init__(message)
        self.partial = partial
