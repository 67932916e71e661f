"""Start of a training, and its continuation from where it stopped: memories and random states."""

from __future__ import annotations

import numpy as np


def start(system, task, generator):
    """Fresh memory of the optimiser, and of the rule where it has any."""
    memory = task.optimizer.start({name: system.theta[name] for name in task.names})
    if not hasattr(task.rule, "sampled"):
        return memory
    from physlearn.learning.engines import sampled  # loads every sampler

    return memory | sampled.start(system, task.rule, generator)


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
    """A memory whose arrays an engine may write."""
    return {
        k: {n: v.copy() for n, v in value.items()} if isinstance(value, dict) else value for k, value in memory.items()
    }


def _names(memory):
    """Names that a memory holds, {"velocity": ["conductance"], ...}, scalars left out."""
    return {key: sorted(value) for key, value in memory.items() if isinstance(value, dict)}


def generator_of(state) -> np.random.Generator:
    """The generator whose state a training has kept."""
    kind = getattr(np.random, state["bit_generator"])
    if not (isinstance(kind, type) and issubclass(kind, np.random.BitGenerator)):
        raise ValueError(f"rng: bit_generator {state['bit_generator']!r}, expected one of NumPy's, such as 'PCG64'")
    generator = np.random.Generator(kind())
    generator.bit_generator.state = state
    return generator
