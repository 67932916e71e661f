"""A claim: a number from a source, the function that measures it, and the verdict on both."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from physlearn.brief import brief
from physlearn.checks import flag, function, instance, number, reals, text

ERRORS = 4.0  # standard errors that a measured mean may be off: one claim in 16,000 by chance
HOLDS, FAILS, MISSING = "holds", "does not hold", "not measured"
RELATIONS = {"equal": "", "at most": "<= ", "at least": ">= "}


@dataclass(frozen=True)
class Claim:
    """A published or exact number and the function that measures it.

    Attributes
    ----------
    name : str
        Short and unique: letters, digits and hyphens.
    statement : str
        The quantity and its setting, in one line.
    source : str
        Author, year, and equation, table or figure.
    published : float
        The number as the source has it, or as its closed form gives it.
    measure : callable
        ``measure(scale, rng) -> value`` or ``(value, standard error)``.  ``scale`` multiplies the number of draws: 1 in
        the quick run.  A claim with ``needs`` gets the folder of the data as its third argument.
    tolerance : float
        Difference that is no contradiction, in the number's unit: the digits printed, a finite size, a finite step.
    why : str
        The reason for a tolerance.
    relation : "equal", "at most" or "at least"
    unit : str
    needs : str
        The data set that the user has to provide; none by default.
    hours : bool
        Whether only the full run measures it.

    Examples
    --------
    >>> half = Claim("coin", "heads of a fair coin", "closed form", 0.5, lambda scale, rng: (0.52, 0.01))
    >>> half.verdict(0.52, 0.01), half.verdict(0.6, 0.01), half.verdict(float("nan"), 0.0)
    ('holds', 'does not hold', 'not measured')
    """

    name: str
    statement: str
    source: str
    published: float
    measure: Callable
    tolerance: float = 0.0
    why: str = ""
    relation: Literal["equal", "at most", "at least"] = "equal"
    unit: str = ""
    needs: str = ""
    hours: bool = False

    __repr__ = brief

    def __post_init__(self):
        for name in ("name", "statement", "source"):
            text(f"Claim: {name}", getattr(self, name), "text that is not empty")
        number("Claim: published", self.published)
        function("Claim: measure", self.measure, expected="a function (scale, rng) -> value or (value, standard error)")
        if not (number("Claim: tolerance", self.tolerance) >= 0):
            raise ValueError(f"Claim: tolerance: got {self.tolerance}, expected a number >= 0")
        for name in ("why", "unit", "needs"):
            instance(f"Claim: {name}", getattr(self, name), str, "text, which may be empty")
        flag("Claim: hours", self.hours)
        if bool(self.tolerance) != bool(self.why):
            raise ValueError(f"Claim: {self.name}: a tolerance needs its reason, `why`, and a reason its tolerance")
        if self.relation not in RELATIONS:
            raise ValueError(f"Claim: relation: got {self.relation!r}, expected one of {', '.join(RELATIONS)}")

    def verdict(self, ours, error) -> str:
        """Whether a measured value and its standard error agree with the claim.

        Parameters
        ----------
        ours, error : float
        """
        ours, error = reals("ours, error", [ours, error], ndim=1, finite=False).tolist()
        if not math.isfinite(ours) or not math.isfinite(error):
            return MISSING
        surplus = ours - self.published
        off = {"equal": abs(surplus), "at most": surplus, "at least": -surplus}[self.relation]
        rounding = 1e-9 * max(1.0, abs(self.published))
        return HOLDS if off <= self.tolerance + ERRORS * error + rounding else FAILS

    def measured(self, scale: int, rng, data: Path | None) -> tuple[float, float]:
        """The value and its standard error (0 for what has none).

        Parameters
        ----------
        scale : int
        rng : Generator
        data : Path or None
            Folder of the data sets.
        """
        if self.needs and data is None:
            raise FileNotFoundError(f"{self.name} needs {self.needs}: name the folder that holds it by --data FOLDER")
        found = self.measure(scale, rng, data) if self.needs else self.measure(scale, rng)
        value, error = found if isinstance(found, tuple) else (found, 0.0)
        return float(value), float(error)


def over_chains(values) -> tuple[float, float]:
    """Mean and standard error of observations from independent chains.

    Parameters
    ----------
    values : (chains, ...) array
        The chains need not be long against their autocorrelation time; they must be independent.

    Examples
    --------
    >>> over_chains([[1.0, 3.0], [2.0, 4.0]])
    (2.5, 0.5)
    """
    means = reals("values", values)
    if not means.ndim or not means.size:
        raise ValueError(f"values: shape {means.shape}, expected (chains, ...)")
    means = means.reshape(len(means), -1).mean(1)
    if len(means) < 2:
        raise ValueError(f"values: got {len(means)} chain, expected at least 2, whose spread gives the error")
    return float(means.mean()), float(means.std(ddof=1) / np.sqrt(len(means)))
