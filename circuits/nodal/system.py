"""Systems of circuits: an energy where every law is the gradient of a co-content, a plain system elsewhere."""

from __future__ import annotations

from circuits.nodal.newton import solve
from physlearn.energy import Energy, System


class CircuitSystem(System):
    """Currents of a circuit's elements, which need not be a gradient."""

    def __relax__(self, problem, tol, max_steps):
        """Newton's method with limited junctions (`circuits.nodal.newton`)."""
        return solve(problem, tol, max_steps)

    def __epochs__(self, task):
        """Compiled epochs of `learn`, or why they do not fit (`circuits.nodal.training`)."""
        from circuits.nodal.training import engine

        return engine(self, task)


class CircuitEnergy(Energy):
    """Co-content of resistors, diodes and sources: convex, least at the operating point."""

    __relax__, __epochs__ = CircuitSystem.__relax__, CircuitSystem.__epochs__
