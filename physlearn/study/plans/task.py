"""Tasks: importable experiments that a study names by their import path."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import BaseModel

from physlearn.brief import brief
from physlearn.checks import function, instance, mapping, seen, sequence, text
from physlearn.study.plans.identity import canonical


@dataclass(frozen=True)
class Task:
    """An experiment with its parameters, pictures and units.

    Attributes
    ----------
    run : callable
        ``run(params, rng) -> dict`` of scalars and arrays; one replicate.  ``rng`` is a NumPy Generator.
    params : type of pydantic.BaseModel, optional
        Model of the parameters: unknown keys are refused, all errors are reported at once, before anything runs.
        Without it, ``run`` gets a plain dict, unchecked.
    figures : callable, optional
        ``figures(replicates) -> {name: Figure}`` from the list of the results of ``run``; drawn for studies of one
        point.
    headline : mapping of str to str, optional
        Scalars shown in the summary, in order, each with its label.
    version : str or int
        To be changed when the same parameters give other results: stored results become stale, and are run again
        only on request.
    units : mapping of str to str
        Units of parameters and results (UDUNITS spelling: V, mS, ms).
    dims : mapping of str to sequence of str
        Names of a result's array axes.  Reports draw curves over the axes that have a name, or over all if none has.
        An array with the name of an axis, such as "time" with ``{"trace": ["time"]}``, is the axis's coordinate if it
        is the same at all points.
    ragged : sequence of str
        Arrays whose shape differs from point to point: kept and given to ``figures``, but not in the dataset.
    padded : sequence of str
        Arrays whose length differs from point to point, such as curves over epochs: in the dataset they are padded
        with NaN to the longest.
    warm : callable, optional
        ``warm()`` compiles the kernels once, before workers start.

    Examples
    --------
    >>> from pydantic import BaseModel
    >>> class Params(BaseModel):
    ...     scale: float = 1.0
    >>> dice = Task(run=lambda params, rng: {"value": params.scale * rng.uniform()}, params=Params)
    """

    run: Callable[[Any, np.random.Generator], Mapping[str, Any]]
    params: type[BaseModel] | None = None
    figures: Callable[[list], Mapping[str, Any]] | None = None
    headline: Mapping[str, str] | None = None
    version: str = "1"
    units: Mapping[str, str] = field(default_factory=dict)
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ragged: tuple[str, ...] = ()
    padded: tuple[str, ...] = ()
    warm: Callable[[], Any] | None = None

    __repr__ = brief

    def __post_init__(self):
        if isinstance(self.run, type):
            raise TypeError(f"Task: run: got {seen(self.run)}, expected a function (params, rng) -> dict")
        function("Task: run", self.run, 2, "a function (params, rng) -> dict")
        if self.params is not None and not (isinstance(self.params, type) and issubclass(self.params, BaseModel)):
            raise TypeError(
                f"Task: params: got {seen(self.params)}, expected a class below pydantic.BaseModel, or None"
            )
        for name in ("figures", "warm"):
            if getattr(self, name) is not None:
                function(f"Task: {name}", getattr(self, name), expected="a function, or None")
        if isinstance(self.version, bool) or not isinstance(self.version, str | int):
            raise TypeError(f"Task: version: got {seen(self.version)}, expected text that changes when results do")
        for name, value in (("headline", self.headline or {}), ("units", self.units)):
            for key, said in mapping(f"Task: {name}", value, expected="a mapping of results' names to text").items():
                text(f"Task: {name}", key, "names of results")
                instance(f"Task: {name}[{key!r}]", said, str, "text")
        for key, axes in mapping(
            "Task: dims", self.dims, expected="a mapping of results' names to axes' names"
        ).items():
            text("Task: dims", key, "names of results")
            sequence(f"Task: dims[{key!r}]", axes, str, "a sequence of names of axes, such as ('epoch',)")
        for name in ("ragged", "padded"):
            sequence(f"Task: {name}", getattr(self, name), str, "a sequence of results' names, such as ('cost',)")

    def resolve(self, values: Mapping) -> dict:
        """Checked parameters with all defaults filled in, as JSON values: part of the task's identity.

        Parameters
        ----------
        values : mapping of str to value
        """
        mapping("values", values, expected="a mapping of parameters to values")
        if self.params is None:
            return dict(values)
        return self.params.model_validate(values).model_dump(mode="json", by_alias=True, round_trip=True)

    def settles(self, values: Mapping) -> bool:
        """Whether resolved parameters stay the same when they are checked again, as workers do.

        Parameters
        ----------
        values : mapping of str to value
        """
        found = self.resolve(values)
        try:
            return canonical(self.resolve(found)) == canonical(found)
        except ValueError:
            return False

    def __call__(self, values: Mapping, rng) -> Mapping[str, Any]:
        """Run one replicate with resolved parameters."""
        return self.run(dict(values) if self.params is None else self.params.model_validate(values), rng)


def import_task(path: str) -> Task:
    """The task, or the function as a task, named "package.module:name".

    Raises
    ------
    ValueError
        A path that is not of that form, cannot be imported, or names neither a `Task` nor a function.
    """
    module, _, name = path.partition(":")
    if not module or not name:
        raise ValueError(f"task: got {path!r}, expected 'package.module:name'")
    try:
        home = importlib.import_module(module)
        found = getattr(home, name, None)
    except ModuleNotFoundError as error:
        raise ValueError(f"task: cannot import {module!r} ({error}); is the package installed?") from error
    except (Exception, SystemExit) as error:  # whatever the module does when it is imported
        raise ValueError(f"task: cannot import {module!r} ({type(error).__name__}: {error})") from error
    if found is None:
        raise ValueError(f"task: module {module!r} ({getattr(home, '__file__', 'a namespace')}) has no {name!r}")
    if isinstance(found, Task):
        return found
    function: Any = found
    if not callable(found) or isinstance(found, type):
        raise ValueError(f"task: {path!r} is a {type(found).__name__}, expected a physlearn.study.Task or a function")
    return Task(run=function)


def file_of(path: str) -> str | None:
    """The file of the module that an imported task's path names; None where it has none."""
    file = getattr(sys.modules.get(path.partition(":")[0]), "__file__", None)
    return None if file is None else os.path.realpath(file)


def locate(task: Task | str | Callable) -> tuple[str, Task]:
    """The import path of a task, and the task that workers will find there.

    Raises
    ------
    ValueError
        Functions that workers cannot import: lambdas, functions inside functions, anything of ``__main__``.
    """
    if isinstance(task, str):
        return task, import_task(task)
    if not callable(task):
        raise TypeError(f"task: got {type(task).__name__}, expected a Task, 'package.module:name' or a function")
    if isinstance(task, type):
        raise TypeError(f"task: got {seen(task)}, expected a Task, 'package.module:name' or a function")
    function = task.run if isinstance(task, Task) else task
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if module is None or name is None:
        raise ValueError(f"task: {function!r} has no importable name; {REMEDY}")
    if module == "__main__":
        raise ValueError(f"task: {name!r} is defined in __main__, which workers do not import; {REMEDY}")
    if isinstance(task, Task):
        names = [key for key, value in vars(sys.modules[module]).items() if value is task]
        if not names:
            raise ValueError(
                f"task: no name in module {module!r}, which has its function, is this Task; give its path as a string, "
                f"'package.module:name', if it stands in another module; otherwise {REMEDY}"
            )
        return f"{module}:{names[0]}", task
    if getattr(sys.modules.get(module), name, None) is not function:
        raise ValueError(f"task: {module}.{name} cannot be imported by that name; {REMEDY}")
    return f"{module}:{name}", Task(run=task)


REMEDY = "put it at the top level of a module of its own (a file beside the script will do) and import it from there"
