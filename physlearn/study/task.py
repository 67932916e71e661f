"""A task: an importable experiment that a study names by its import path."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel


@dataclass(frozen=True)
class Task:
    """An experiment with its parameters and pictures.

    Attributes
    ----------
    run : callable
        ``run(params, rng) -> dict`` of scalars and arrays; one replicate.
    params : type of pydantic.BaseModel
        What it takes; unknown keys are refused, all errors are reported at once.
    figures : callable, optional
        ``figures(replicates) -> {name: Figure}`` from the list of what ``run`` returned.
    headline : sequence of str
        Scalars shown in the summary, in order, each with the text to show.

    Examples
    --------
    >>> from pydantic import BaseModel
    >>> class Params(BaseModel):
    ...     scale: float = 1.0
    >>> dice = Task(run=lambda params, rng: {"value": params.scale * rng.uniform()}, params=Params)
    """

    run: Callable[[Any, np.random.Generator], Mapping[str, Any]]
    params: type[BaseModel]
    figures: Callable[[list], Mapping[str, Any]] | None = None
    headline: Mapping[str, str] | None = None


def import_task(path: str) -> Task:
    """The task named "package.module:name".

    Raises
    ------
    ValueError
        A path that is not of that form, or names nothing importable, or no `Task`.
    """
    module, _, name = path.partition(":")
    if not module or not name:
        raise ValueError(f"task: got {path!r}, expected 'package.module:name'")
    try:
        task = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        raise ValueError(f"task: cannot import {module!r} ({error}); is the package installed?") from error
    except Exception as error:  # whatever the module does when it is imported
        raise ValueError(f"task: cannot import {module!r} ({type(error).__name__}: {error})") from error
    if task is None:
        raise ValueError(f"task: module {module!r} has no {name!r}")
    if not isinstance(task, Task):
        raise ValueError(f"task: {path!r} is a {type(task).__name__}, expected a physlearn.study.Task")
    return task
