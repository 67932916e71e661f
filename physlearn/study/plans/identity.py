"""Identity of a task: a hash of what it computes, from which its random stream follows.

id = SHA-256 of the canonical JSON of (task's import path, its version, all parameters, replicate).  The stream is
``SeedSequence(seed, spawn_key=words of the id)``: it depends on nothing that happens while a study runs, so order,
batches, workers, interruptions and the size of the plan leave every bit as it is.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(value: Any, name: str) -> Any:
    """A parameter as a JSON value; NumPy scalars and arrays become numbers and lists.

    Raises
    ------
    ValueError, TypeError
        NaN, which equals nothing; text that files cannot hold; types that JSON does not have.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, str):
        return text(value, name)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            raise ValueError(f"{name}: got NaN, which cannot be a parameter: a task is identified by its parameters")
        return value + 0.0  # -0.0 is 0.0
    if isinstance(value, list | tuple):
        return [plain(item, name) for item in value]
    if isinstance(value, Mapping):
        found = {text(str(key), name): plain(item, name) for key, item in value.items()}
        if len(found) < len(value):
            raise ValueError(f"{name}: the keys {list(value)} are not all different as text, which JSON has them in")
        return found
    raise TypeError(f"{name}: got a {type(value).__name__}, expected numbers, strings, booleans, or lists of them")


def text(value: str, name: str) -> str:
    """A string that files and databases can hold.

    Raises
    ------
    ValueError
        NUL; lone surrogates, which are no characters.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        fits = False
    else:
        fits = "\0" not in value
    if not fits:
        raise ValueError(f"{name}: got {value!r}, expected text without NUL and lone surrogates")
    return value


def canonical(value: Any) -> str:
    """One spelling for equal values: sorted keys, no spaces, shortest floats that read back the same."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def task_id(path: str, version: str, params: str, replicate: int) -> str:
    """SHA-256, hexadecimal, of a task; ``params`` is canonical JSON."""
    text = f'{{"params":{params},"replicate":{replicate},"task":{json.dumps(path)},"version":{json.dumps(version)}}}'
    return hashlib.sha256(text.encode()).hexdigest()


def spawn_key(identity: str, replicate: int, common: bool) -> tuple[int, ...]:
    """Key of a task's random stream: its id; with common random numbers, its replicate only."""
    if common:
        return (replicate,)
    return tuple(int(identity[k : k + 8], 16) for k in range(0, 64, 8))


def stream(seed: int, key: tuple[int, ...]) -> np.random.Generator:
    """The task's generator."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
