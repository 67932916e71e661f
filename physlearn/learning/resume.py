"""Start of a training, and its continuation from where it stopped: memories and random states."""

from __future__ import annotations

from copy import deepcopy
from inspect import signature

import numpy as np

from physlearn.dynamics.predictions import held_maps
from physlearn.rng import seed_sequence

KEPT = (bool, int, float, str, np.number, np.ndarray, np.random.Generator)
EXPECTED = "a number, a text, an array, a mapping of names to arrays or a numpy Generator"


def start(system, task, generator):
    """Fresh memory of the optimiser, and of the rule where it has any; ``steps`` counts."""
    theta, more = {name: system.theta[name] for name in task.names}, {}
    if "rng" in signature(task.optimizer.start).parameters:
        more["rng"] = np.random.default_rng(seed_sequence(generator))
    memory = {"steps": 0} | task.optimizer.start(theta, **more)
    own = task.rule.start(system, task, generator) if hasattr(task.rule, "start") else {}
    if held_maps(system):
        own |= {"masks": np.random.default_rng(seed_sequence(generator))}
    if both := memory.keys() & own.keys():
        raise ValueError(f"rule, optimizer: both keep {sorted(both)} in the training's memory; rename one")
    for key, value in (memory | own).items():
        parts = value if isinstance(value, dict) else {"": value}
        for name, part in parts.items():
            if not isinstance(part, KEPT) or isinstance(value, dict) and not isinstance(part, np.ndarray):
                where = f"memory[{key!r}]" + (f"[{name!r}]" if name else "")
                raise TypeError(f"{where}: {type(part).__name__}, expected {EXPECTED}, so that it can be saved")
    return memory | own


def check_memory(memory, system, task):
    """Refuse the memory of a training by another optimiser or rule, or with other chains."""
    fresh, rule = start(system, task, 0), task.rule
    if _names(memory) != _names(fresh):
        raise ValueError(
            f"resume: its optimiser and rule kept {_names(memory)}, but {type(task.optimizer).__name__} and "
            f"{type(rule).__name__} keep {_names(fresh)}; resume with the same ones and the same `trainable`"
        )
    kept, wanted = ({n: len(v) for n, v in m.get("chains", {}).items()} for m in (memory, fresh))
    if kept != wanted:
        raise ValueError(
            f"resume: it kept persistent chains and replicas {kept}, but {rule!r} has {wanted}; resume with as many"
        )


def copied(memory):
    """A memory whose arrays an engine may write, and whose generators it may draw from."""
    return deepcopy(memory)


def _names(memory):
    """Names that a memory holds, {"velocity": ["conductance"], ...}, numbers and texts left out."""
    kept = {key: value for key, value in memory.items() if isinstance(value, dict | np.ndarray | np.random.Generator)}
    return {key: sorted(value) if isinstance(value, dict) else [] for key, value in kept.items()}


def generator_of(state) -> np.random.Generator:
    """The generator whose state a training has kept."""
    kind = getattr(np.random, state["bit_generator"])
    if not (isinstance(kind, type) and issubclass(kind, np.random.BitGenerator)):
        raise ValueError(f"rng: bit_generator {state['bit_generator']!r}, expected one of NumPy's, such as 'PCG64'")
    generator = np.random.Generator(kind())
    generator.bit_generator.state = state
    return generator
