"""Lists of machines, and of the tasks of studies with their parameters."""

from __future__ import annotations

import importlib
import inspect
import sys
import textwrap
import types
import typing
from importlib import metadata

DONE = 0  # exit code
OWN = """Name one in a study file, task = "physlearn.tasks:ising" in [study]; its parameters go to [params] or [space].
A custom task is a function of a module beside the study file, or of an installed package:
    # pendulum.py, named by task = "pendulum:swing"
    def swing(params, rng):
        return {"period": 6.283 * (1 + params["angle"] ** 2 / 16)}  # scalars and arrays
physlearn.study.Task adds checked parameters, units and pictures; see docs/STUDIES.md."""


def machines(options) -> int:
    """List the machines that installed packages offer."""
    points = _offered("machines")
    for point in points:
        try:
            doc = inspect.getdoc(point.load()) or ""
        except Exception as error:  # a broken plug-in must not hide the others
            doc = f"cannot be loaded: {error}"
        print(f"{point.name:20} {doc.splitlines()[0] if doc else ''}  [{point.value}]")
    if not points:
        print("no machines are registered; is the package installed?", file=sys.stderr)
    return DONE


def tasks(options) -> int:
    """List the tasks that installed packages offer, or only those named, with parameters and defaults."""
    from physlearn.study.plans.task import import_task
    from physlearn.study.plans.trust import search

    if options.names:
        search(None, trust=False)
        found = {name: import_task(name) for name in options.names}
    else:
        found = {}
        for point in _offered("tasks"):
            try:
                found |= _tasks_of(point.value)
            except Exception as error:  # as above
                print(f"{point.value} cannot be loaded: {error}", file=sys.stderr)
    for path, task in found.items():
        print("\n".join(described(path, task)), end="\n\n")
    if not found:
        print("no tasks are registered; is the package installed?", file=sys.stderr)
    if not options.names:
        print(OWN)
    return DONE


def described(path, task) -> list[str]:
    """A task in lines: description, parameters with defaults, types and limits, main results."""
    from physlearn.study.plans.override import as_toml

    about = inspect.cleandoc((task.params and task.params.__doc__) or task.run.__doc__ or "")
    found = [f"{path}  {about.splitlines()[0]}" if about else path]
    if task.params is None:
        return [*found, "    takes any parameters, unchecked"]
    for name, field in task.params.model_fields.items():
        value = field.get_default(call_default_factory=True)
        default = "(required)" if field.is_required() else "(leave it out)" if value is None else f"= {as_toml(value)}"
        about = [_kind(field.annotation), *map(_limit, field.metadata)]
        said = ", ".join(word for word in about if word) + (f"; {field.description}" if field.description else "")
        found.append(f"    {field.alias or name:12} {default:28} {said}")
    if task.headline:
        found += textwrap.wrap(
            f"gives {', '.join(task.headline)}", 116, initial_indent="    ", subsequent_indent="    "
        )
    return found


def _offered(group):
    return sorted(metadata.entry_points(group=f"physlearn.{group}"), key=lambda point: point.name)


def _tasks_of(module):
    from physlearn.study.plans.task import Task

    names = vars(importlib.import_module(module)).items()
    return {f"{module}:{name}": task for name, task in names if isinstance(task, Task)}


def _kind(annotation) -> str:
    """An annotation as words: the values of a Literal, the name of a type."""
    from physlearn.study.plans.override import as_toml

    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(map(as_toml, typing.get_args(annotation)))
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return " or ".join(map(_kind, typing.get_args(annotation)))
    if annotation is types.NoneType:
        return "None"
    if typing.get_origin(annotation) is not None or not isinstance(annotation, type):
        return str(annotation).replace("typing.", "")
    return annotation.__name__


def _limit(found) -> str:
    """A limit of pydantic's field as an inequality."""
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    return ", ".join(f"{sign} {getattr(found, name):g}" for name, sign in signs.items() if hasattr(found, name))
