"""What Numba freezes into a compiled function, as one digest: all outside the function that it was compiled with.

Numba compiles globals, closure cells and attributes of modules in as constants, and the functions that it calls as they
are; its cache on disk knows only the text of the function's own file (numba#1833).  With this digest in the key,
another value, an edited file of parameters or an edited helper compiles anew, and what has not changed is found again.
"""

from __future__ import annotations

import builtins
import dis
import hashlib
import types
from collections import ChainMap

import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.types import Type

_LOADS, _ATTRIBUTES = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"), ("LOAD_ATTR", "LOAD_METHOD")
_PLAIN = bool | int | float | complex | str | bytes | None | types.EllipsisType | Type
_FIXED = ("numba", "numpy")  # their functions change with their version, which Numba's key has
_renewed: dict[Dispatcher, bytes] = {}  # helpers, and what their own compiled code was last made for


class NotFixed(Exception):
    """A function refers to something that has no digest."""


def frozen(function):
    """Digest of a plain function and of all that it refers to.

    Helpers under @njit whose own compiled code may hold other values than now are compiled anew.

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
            names = ChainMap({k: v.cell_contents for k, v in cells}, function.__globals__, vars(builtins))
            total = hashlib.sha256()
            depends = self.code(total, function.__code__, names)
            self.value(total, function.__defaults__)
            self.seen[function] = total.digest(), depends
        return self.seen[function]

    def code(self, total, code, names):
        """Add bytecode, its constants and what its names stand for; whether any of these is a value."""
        total.update(code.co_code + repr((code.co_names, code.co_varnames)).encode())
        depends = False
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                depends |= self.code(total, constant, names)
            else:
                self.value(total, sorted(constant, key=repr) if isinstance(constant, frozenset) else (constant,))
        for value in _referred(code, names):
            depends |= self.value(total, value)
        return depends

    def value(self, total, value):
        """Add a value; whether it is one, or a function that depends on one."""
        total.update(f"{type(value).__qualname__} ".encode())
        if isinstance(value, Dispatcher):
            digest, depends = self.function(value.py_func)
            if depends and _renewed.get(value) != digest:
                value.recompile()
                _renewed[value] = digest
            total.update(digest)
            return depends
        if isinstance(value, types.FunctionType) and value.__module__.partition(".")[0] not in _FIXED:
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
        elif isinstance(value, types.ModuleType):
            total.update(f"{value.__name__} ".encode())
            return False
        elif callable(value) and hasattr(value, "__name__"):  # a type, a ufunc, an intrinsic
            total.update(f"{getattr(value, '__module__', '')}.{value.__name__} ".encode())
            members = [member.value for member in getattr(value, "__members__", {}).values()]  # of an enumeration
            return bool(members) and self.value(total, members)
        else:
            raise NotFixed(f"{value!r}")
        return True


def _referred(code, names):
    """What the names of a code that come from outside it stand for, attributes of modules followed."""
    value = None
    for instruction in dis.get_instructions(code):
        if instruction.opname in _ATTRIBUTES and isinstance(value, types.ModuleType):
            value = getattr(value, instruction.argval, None)
        else:
            if value is not None:
                yield value
            value = names.get(instruction.argval) if instruction.opname in _LOADS else None
    if value is not None:
        yield value
