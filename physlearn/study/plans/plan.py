"""The plan: the tasks that a study consists of.  Tasks are computed on request, so its size costs nothing.

Task number p R + r is replicate r of R of point p; points found by refinement follow those of the space.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from physlearn.brief import brief
from physlearn.checks import count, flag, instance, integer, seen, sequence, text
from physlearn.study.plans.check import lines, no_text, unknown, validated
from physlearn.study.plans.identity import canonical, spawn_key, task_id
from physlearn.study.plans.space import Space
from physlearn.study.plans.task import Task

FORMAT = 2  # of a store's frozen plan
MOST_ERRORS = 20
MOST_REPLICATES = 2**31


class Refine(BaseModel):
    """Splitting of grid cells whose corners differ; see `physlearn.study.plans.refine`.

    Examples
    --------
    >>> Refine(observable="overlap", tolerance=0.1).levels
    3
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    observable: str = Field(description="a scalar result; its mean over replicates decides")
    tolerance: float = Field(
        ge=0, allow_inf_nan=False, description="largest difference within a cell, in the observable's units"
    )
    levels: int = Field(default=3, ge=0, le=20, description="how often a cell may be halved")

    @field_validator("tolerance", "levels", mode="before")
    @classmethod
    def _number(cls, value):
        return no_text(value)


class Job(NamedTuple):
    """One task: all that a worker needs, and the place of its result."""

    key: int
    id: str
    params: str  # canonical JSON, complete
    spawn: tuple[int, ...]

    __repr__ = brief


@dataclass
class Plan:
    """A study before it runs; a store freezes its `Plan.definition`.

    Examples
    --------
    >>> from physlearn.study import grid
    >>> plan = Plan("pkg.mod:dice", Task(run=lambda params, rng: {}), grid(scale=[1.0, 2.0]), replicates=3)
    >>> len(plan), [job.params for job in plan.jobs(4)]
    (6, ['{"scale":2.0}', '{"scale":2.0}'])
    """

    path: str
    task: Task
    space: Space
    replicates: int = 1
    seed: int = 0
    common_random_numbers: bool = False
    refine: Refine | None = None
    added: list[dict[str, Any]] = field(default_factory=list)

    __repr__ = brief

    def __post_init__(self):
        text("Plan: path", self.path, "the import path of a task, 'package.module:name'")
        instance("Plan: task", self.task, Task, "a Task")
        instance("Plan: space", self.space, Space, "a Space, such as grid gives")
        count("Plan: replicates", self.replicates, most=MOST_REPLICATES)
        count("Plan: seed", self.seed, 0, most=2**128)
        flag("Plan: common_random_numbers", self.common_random_numbers)
        if self.refine is not None:
            instance("Plan: refine", self.refine, Refine, "a Refine, or None")
        sequence("Plan: added", self.added, Mapping, "a list of points")

    def __len__(self) -> int:
        return (len(self.space) + len(self.added)) * self.replicates

    def point(self, number: int) -> dict[str, Any]:
        """Parameters of a point, as given.

        Parameters
        ----------
        number : int
            From 0; points found by refinement follow those of the space.
        """
        number = integer("number", number, 0, len(self.space) + len(self.added) - 1)
        base = len(self.space)
        return self.space[number] if number < base else {**self.space.fixed, **self.added[number - base]}

    def jobs(self, start: int = 0) -> Iterator[Job]:
        """All tasks from number ``start`` on, in order.

        Parameters
        ----------
        start : int
        """
        start = count("start", start, 0)
        first, skip = divmod(start, self.replicates)
        for number in range(first, len(self) // self.replicates):
            params = canonical(self.task.resolve(self.point(number)))
            for replicate in range(skip, self.replicates):
                found = task_id(self.path, self.task.version, params, replicate)
                spawn = spawn_key(found, replicate, self.common_random_numbers)
                yield Job(number * self.replicates + replicate, found, params, spawn)
            skip = 0

    def definition(self) -> dict:
        """The part that must not change under a store: everything that determines the results."""
        kept = {
            "format": FORMAT,
            "task": self.path,
            "space": self.space.to_json(),
            "replicates": self.replicates,
            "seed": self.seed,
            "common_random_numbers": self.common_random_numbers,
            "refine": self.refine.model_dump() if self.refine else None,
        }
        return json.loads(canonical(kept))

    def errors(self, where: str = "space:") -> list[str]:
        """All errors of the points, one line each; every point is tried in the task's own model.

        Parameters
        ----------
        where : str
            Beginning of each line.
        """
        instance("where", where, str, "text that each line begins with")
        found = self._point_errors(where) if self.task.params is not None else []
        return found + (self._refine_errors() if self.refine and not found else [])

    def _point_errors(self, where):
        model: Any = self.task.params
        if found := unknown([*self.space.fixed, *self.space.axes], model, where):
            return found
        for number in range(len(self.space)):
            try:
                model.model_validate(self.space[number])
            except ValidationError as error:
                found += [line for line in lines(model, error, where) if line not in found]
                if len(found) >= MOST_ERRORS:
                    return [*found, f"{where} and more; these are the first"]
        if not found and not all(
            self.task.settles(self.space[k]) for k in range(0, len(self.space), 1 + len(self.space) // 100)
        ):
            return [
                f"{where} {model.__name__} does not accept its own output: its validators must leave the "
                "values that they have passed unchanged, and its aliases be the same both ways, because workers check "
                "parameters again"
            ]
        return found

    def refined_axes(self) -> dict[str, list[float]]:
        """The axes that refinement halves: all axes with several values."""
        return {name: list(a.values) for name, a in self.space.axes.items() if len(a.values) > 1}

    def _refine_errors(self):
        if self.space.origin["kind"] != "grid" or any(len(axes) > 1 for axes in self.space.dims.values()):
            return ["refine: needs a grid without zipped groups, whose cells can be halved"]
        axes = self.refined_axes()
        odd = [name for name, values in axes.items() if not all(type(v) in (int, float) for v in values)]
        assert self.refine is not None
        if odd:
            return [f"refine: {', '.join(odd)}: only numbers can be halved; run one study for each value"]
        from physlearn.study.plans.refine import refine

        try:
            refine(axes, [], [], tolerance=self.refine.tolerance, levels=self.refine.levels, log=self.log_axes())
        except ValueError as error:
            return [f"refine: {error}"]
        first, parts = self.space[0], 2.0**self.refine.levels
        for name, values in axes.items():
            for a, b in itertools.pairwise(values):
                middle = a * (b / a) ** (1 / parts) if name in self.log_axes() else a + (b - a) / parts
                try:
                    self.task.resolve({**first, name: middle})
                except ValueError:
                    return [f"refine: {name}: halves from {a} to {b} come to {middle:g}, which the task does not take"]
        return []

    def log_axes(self) -> list[str]:
        """Refined axes whose midpoints are geometric means."""
        return [name for name in self.refined_axes() if self.space.axes[name].scale == "log"]


def checked(task, path, space, *, replicates, seed, common_random_numbers, refine) -> Plan:
    """A plan without errors.

    Raises
    ------
    ValueError
        All errors, one line each.
    """
    errors = []
    replicates, seed = (v.item() if isinstance(v, np.integer) else v for v in (replicates, seed))
    for name, value, least in (("replicates", replicates, 1), ("seed", seed, 0)):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            errors.append(f"{name}: got {value!r}, expected a whole number of at least {least}")
    if not errors and replicates > MOST_REPLICATES:
        errors.append(f"replicates: got {seen(replicates)}, expected at most {MOST_REPLICATES}")
    sound: dict[str, Any] = {} if errors else {"replicates": replicates, "seed": seed}
    if refine is not None and not isinstance(refine, Refine):
        refine, found = validated(Refine, refine, "refine:")
        errors += found
    if not isinstance(common_random_numbers, bool | np.bool_):
        errors.append(f"common_random_numbers: got {common_random_numbers!r}, expected True or False")
    common = isinstance(common_random_numbers, bool | np.bool_) and bool(common_random_numbers)
    plan = Plan(path, task, space, common_random_numbers=common, refine=refine, **sound)
    errors += plan.errors()
    if errors:
        raise ValueError("\n".join(errors))
    return plan
