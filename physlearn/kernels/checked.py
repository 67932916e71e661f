"""User functions that check every index, and the error message that names the wrong one.

Numba writes wherever an index points, into whatever lies beside the array.  So a user's functions, and the @njit
functions that they call, are compiled with bounds checks (of each axis, for reading and writing); a wrong index then
ends the function with a status, which the kernel hands on.  The mistake is found by running the same function again in
plain Python on the same numbers, where NumPy reports it.
"""

from __future__ import annotations

import traceback
import types
from typing import Any

import numpy as np
from numba import jit
from numba.core.dispatcher import Dispatcher

from physlearn.kernels.frozen import OWN, home_of, outline


def checked(function):
    """A copy of a plain function whose helpers check every index; it is compiled with ``boundscheck=True`` itself."""
    return _Copy(_with_bounds).function(function)


def in_python(function):
    """A plain function, and all @njit helpers below it, run by Python: with bounds checks, and slowly."""
    plain = getattr(function, "py_func", function)
    return _Copy(_as_it_is).function(plain) if outline(plain.__code__)[1] else plain


def _with_bounds(helper, copy):
    options: dict[str, Any] = {**helper.targetoptions, "boundscheck": True}
    return jit(**options)(copy), () if helper._can_compile else helper.nopython_signatures


def _as_it_is(helper, copy):
    return copy, ()


class _Copy:
    """Copies of a function and of all @njit functions below it; ``make(helper, copy)`` says what a helper becomes."""

    def __init__(self, make):
        self.make, self.made, self.new = make, {}, []

    def function(self, function, helper=None):
        """The copy of a function, or what the helper of that function becomes."""
        names, cells = dict(function.__globals__), tuple(types.CellType() for _ in function.__closure__ or ())
        code, defaults = function.__code__, function.__defaults__
        copy = types.FunctionType(code, names, function.__name__, defaults, cells or None)
        copy.__qualname__, copy.__module__ = function.__qualname__, function.__module__
        signatures = ()
        if helper is not None:  # before its names are filled in: it may call itself
            copy, signatures = self.make(helper, copy)
            self.made[helper] = copy
            self.new.append(copy)
        for cell, own in zip(cells, function.__closure__ or (), strict=True):
            cell.cell_contents = self.value(own.cell_contents, ())
        for name, *attributes in outline(code)[1]:
            if name in names and name not in code.co_freevars:
                names[name] = self.value(names[name], attributes)
        for signature in signatures:
            copy.compile(signature)
        if signatures:
            copy.disable_compile()
        return copy

    def value(self, value, attributes):
        """What a name stands for in the copy: another object where it is a helper, or leads to one."""
        if isinstance(value, Dispatcher):
            own = home_of(value.py_func) in OWN or any(value is new for new in self.new)
            return value if own else self.made.get(value) or self.function(value.py_func, value)
        if type(value) is tuple:
            return tuple(self.value(item, ()) for item in value)
        if isinstance(value, types.ModuleType) and attributes:
            first, *rest = attributes
            old = getattr(value, first, None)
            new = self.value(old, rest)
            if new is not old:
                module = types.ModuleType(value.__name__)
                module.__dict__.update(vars(value) | {first: new})
                return module
        return value


class _Named(np.ndarray):
    """An array that reports its name where an index is wrong."""

    name = ""

    def __array_finalize__(self, source):
        self.name = getattr(source, "name", "")

    def __getitem__(self, index):
        try:
            return super().__getitem__(index)
        except IndexError as error:
            raise IndexError(f"{self.name}[{index}] is outside the array: {error}") from error

    def __setitem__(self, index, value):
        try:
            super().__setitem__(index, value)
        except IndexError as error:
            raise IndexError(f"{self.name}[{index}] is outside the array: {error}") from error


def failure(owner, functions, given):
    """The error to raise where a user's compiled functions have ended with a status; None if they do not repeat it.

    Parameters
    ----------
    owner : str
        Owner of the functions, for the message.
    functions : mapping of str to callable
        Plain, or under @njit, in the order in which they are tried.
    given : mapping of str to sequence of tuples
        For each function, the arguments for which it may have failed; arrays are copied.
    """
    for name, function in functions.items():
        for args in given[name]:
            error = _error(function, args)
            if error is not None:
                kind = IndexError if isinstance(error, IndexError) else ValueError
                what = f"{error}" if kind is IndexError else f"{type(error).__name__}: {error}"
                return kind(f"{owner}: {name}: {what}{_place(error)}")
    return None


def _error(function, args):
    """The error that a function raises in plain Python, or None."""
    copy, given = in_python(function), []
    for name, value in zip(copy.__code__.co_varnames, args, strict=False):
        if isinstance(value, np.ndarray):
            value = value.copy().view(_Named)
            value.name = name
        given.append(value)
    try:
        with np.errstate(all="ignore", divide="raise"):
            copy(*given)
    except Exception as error:  # whatever the user's code raises
        return error
    return None


def _place(error):
    """The line of the user's code where an error arose."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename != __file__ and not f.filename.startswith(np.__path__[0])]
    if not own:
        return ""
    return f" (in {own[-1].name}, line {own[-1].lineno} of {own[-1].filename}: {own[-1].line})"
