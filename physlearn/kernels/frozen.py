"""Digest of all that Numba freezes into a compiled function from outside it.

Numba compiles globals, closure cells and attributes of modules in as constants, and the functions that it calls as they
are; its cache on disk knows only the text of the function's own file (numba#1833).  With this digest in the key,
another value, an edited file of parameters or an edited helper compiles again, and an unchanged one is found on disk.
"""

from __future__ import annotations

import builtins
import dis
import enum
import functools
import hashlib
import types
from collections import ChainMap

import numpy as np
from numba.core.caching import FunctionCache
from numba.core.ccallback import CFunc
from numba.core.dispatcher import Dispatcher
from numba.core.types import Type

_LOADS, _ATTRIBUTES = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"), ("LOAD_ATTR", "LOAD_METHOD")
_PLAIN = bool | int | float | complex | str | bytes | None | types.EllipsisType | Type
_FIXED = ("numba", "numpy")  # their functions change with their version, which Numba's key has
OWN = ("physlearn", "circuits")  # what these refer to does not change; a test watches the files they call
_renewed: dict[Dispatcher, bytes] = {}  # helpers, and what their own compiled code was last made for


class NotFixed(Exception):
    """A function refers to something that has no digest."""


def frozen(function):
    """Digest of a plain function and of all that it refers to.

    Helpers under @njit whose compiled code may hold other values than now are compiled again.

    Raises
    ------
    NotFixed
        When it refers to an object that is no number, text, array, tuple, module, type or function.
    """
    return _Walk().function(function)[0].hex()


class _Walk:
    """One walk along the references of a function; each function is visited once."""

    def __init__(self):
        self.seen = {}

    def function(self, function):
        """Digest of a function, and whether it depends on values; one that calls itself adds nothing new."""
        if function not in self.seen:
            self.seen[function] = b"", False
            cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
            own = {name: cell.cell_contents for name, cell in cells}
            names = ChainMap(own, function.__globals__, builtins.__dict__)
            text, chains = outline(function.__code__)
            total, depends = hashlib.sha256(text), False
            for name, *attributes in chains:
                value = names.get(name)
                for attribute in attributes if isinstance(value, types.ModuleType) else ():
                    value = getattr(value, attribute, None)
                    if not isinstance(value, types.ModuleType):
                        break
                depends |= value is not None and self.value(total, value)
            self.value(total, function.__defaults__)
            self.seen[function] = total.digest(), depends
        return self.seen[function]

    def value(self, total, value):
        """Add a value; whether it is one, or a function that depends on one."""
        total.update(f"{type(value).__qualname__} ".encode())
        if isinstance(value, Dispatcher):
            digest, depends = self.function(value.py_func)
            if depends and _renewed.get(value) != digest and home_of(value.py_func) not in OWN:
                _renew(value, digest.hex())
                _renewed[value] = digest
            total.update(digest)
            return depends
        if isinstance(value, types.FunctionType) and home_of(value) not in _FIXED:
            digest, depends = self.function(value)
            total.update(digest)
            return depends
        if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
            total.update(f"{value.dtype} {value.shape} ".encode() + value.tobytes())
        elif isinstance(value, tuple | list):
            total.update(f"{len(value)} ".encode())
            for item in value:
                self.value(total, item)
        elif isinstance(value, _PLAIN):
            total.update(f"{value!r} ".encode())
        elif isinstance(value, enum.Enum):
            total.update(f"{value.name} ".encode())
            self.value(total, value.value)
        elif isinstance(value, types.ModuleType):
            total.update(f"{value.__name__} ".encode())
            return False
        elif (
            callable(value) and hasattr(value, "__name__") and not isinstance(value, CFunc)
        ):  # a type, a ufunc, an intrinsic
            total.update(f"{getattr(value, '__module__', '')}.{value.__name__} ".encode())
            members = [member.value for member in getattr(value, "__members__", {}).values()]  # of an enumeration
            return bool(members) and self.value(total, members)
        else:
            raise NotFixed(f"{value!r}")
        return True


def home_of(function):
    """The package that a function is from."""
    return (function.__module__ or "").partition(".")[0]


def renamed(function, digest):
    """A copy with a digest in its name, which is a part of Numba's key on disk."""
    copy = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__qualname__ = f"{function.__qualname__}_{digest}"
    return copy


def _renew(helper, digest):
    """Compile a helper again, or take it from the disk, where it is kept under the digest of all that it refers to.

    As `Dispatcher.recompile` does, which would empty the helper's cache for all other processes.
    """
    if isinstance(helper._cache, FunctionCache):
        helper._cache = FunctionCache(renamed(helper.py_func, digest))
    signatures, may = list(helper.overloads), helper._can_compile
    helper._make_finalizer()()
    helper._reset_overloads()
    helper._can_compile = True
    try:
        for signature in signatures:
            helper.compile(signature)
    finally:
        helper._can_compile = may


@functools.cache
def outline(code):
    """Content of a code object, and the names from outside it, each with the attributes read from it."""
    text, chains = code.co_code + repr((code.co_names, code.co_varnames)).encode(), []
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            inner, more = outline(constant)
            text, chains = text + inner, chains + more
        else:
            text += repr(sorted(constant, key=repr) if isinstance(constant, frozenset) else constant).encode()
    follows = False
    for instruction in dis.get_instructions(code):
        if instruction.opname in _LOADS:
            chains.append([instruction.argval])
        elif follows and instruction.opname in _ATTRIBUTES:
            chains[-1].append(instruction.argval)
        follows = instruction.opname in _LOADS or (follows and instruction.opname in _ATTRIBUTES)
    return text, chains
