"""A user's compiled function follows the values that it refers to, and is found on disk when they are as before."""

import ctypes
import enum
import importlib
import sys
from itertools import count

import numpy as np
import pytest
from numba import config, float64

from physlearn.kernels import cfuncs as _kernel
from physlearn.kernels.frozen import NotFixed, frozen

SIGNATURE = float64(float64)
CALLS = """
import numpy as np
from numba import njit
import {params}
from {params} import TAU
TABLE = np.array([TAU, 1.0])
@njit(cache=True)
def helper(x): return x * TAU
@njit
def outer(x): return helper(x)
def by_global(x): return x * TAU
def by_attribute(x): return x * {params}.TAU
def by_array(x): return x * TABLE[0]
def by_helper(x): return outer(x)
def made(tau):
    def by_cell(x): return x * tau
    return by_cell
"""
NUMBERS = count()


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a user's two files with a value of TAU, forget what is in memory and import them."""
    params, calls = f"params_{next(NUMBERS)}", f"calls_{next(NUMBERS)}"
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "kernels"))

    def load(tau):
        (tmp_path / f"{params}.py").write_text(f"TAU = {tau}\n")
        (tmp_path / f"{calls}.py").write_text(CALLS.format(params=params))
        for name in (params, calls):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return importlib.import_module(calls)

    return load


def value(function):
    """What the compiled function says at 1, and whether it came from the disk."""
    made = _kernel.compiled(function, SIGNATURE)
    return made.ctypes(1.0), made.cache_hits


@pytest.mark.parametrize("name", ["by_global", "by_attribute", "by_array", "by_helper", "by_cell"])
def test_a_value_edited_in_another_file_is_seen_and_one_as_before_is_found(module, name):
    def called(tau):
        file = module(tau)
        return value(file.made(file.TAU) if name == "by_cell" else getattr(file, name))

    assert called(2.0) == (2.0, 0)
    assert called(2.0) == (2.0, 1)
    assert called(3.0) == (3.0, 0)


def test_a_value_changed_in_the_same_process_is_seen(module):
    file = module(2.0)
    assert [value(file.by_global)[0], value(file.by_helper)[0]] == [2.0, 2.0]
    first = _kernel.compiled(file.by_global, SIGNATURE)
    assert _kernel.compiled(file.by_global, SIGNATURE) is first
    file.TAU, file.TABLE[0] = 5.0, 7.0
    assert [value(f)[0] for f in (file.by_global, file.by_helper, file.by_array)] == [5.0, 5.0, 7.0]


def test_helpers_keep_their_own_cache_on_disk(module):
    """The helper is compiled once for each value, and found again by the next process."""
    misses = []
    for tau in (2.0, 2.0, 3.0, 3.0):
        file = module(tau)
        value(file.by_helper)
        assert file.helper(1.0) == tau
        misses.append(sum(file.helper.stats.cache_misses.values()))
    assert misses == [1, 0, 1, 0]


def test_members_of_enumerations_and_what_has_no_digest_compile_once(module):
    file = module(2.0)
    file.TAU = enum.Enum("Kind", {"FAST": 2.0}).FAST
    assert frozen(file.by_global) == frozen(file.by_global)
    file.TAU = enum.Enum("Kind", {"FAST": 3.0}).FAST
    other = frozen(file.by_global)
    file.TAU = enum.Enum("Kind", {"FAST": 2.0}).FAST
    assert frozen(file.by_global) != other
    file.TAU = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(abs)
    file.by_global.__code__ = (lambda x: TAU(x)).__code__  # noqa: F821
    with pytest.raises(NotFixed):
        frozen(file.by_global)
    assert _kernel.compiled(file.by_global, SIGNATURE) is _kernel.compiled(file.by_global, SIGNATURE)


def test_what_has_no_digest_is_left_to_numba_to_refuse(module):
    file = module(2.0)
    file.TAU = np.random.default_rng(0)  # Numba knows it as an argument only
    with pytest.raises(TypeError, match="cannot compile"):
        _kernel.compiled(file.by_global, SIGNATURE)
