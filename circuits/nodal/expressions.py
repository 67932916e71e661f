"""Behavioural sources of one form as a term of a system."""

from __future__ import annotations

from circuits.expressions.dual import evaluate
from circuits.nodal.devices import Devices


class Expressions(Devices):
    """Devices whose law is an expression, worked out by NumPy with its derivatives."""

    def __init__(self, form, *parts):
        self.form = form
        super().__init__(_Expression, *parts)

    def linearise(self, u, numbers):
        """Values (batch, m) and derivatives (batch, m, k)."""
        return evaluate(self.form, u, numbers)


class _Expression:
    learns: dict = {}
    law = cocontent = None
