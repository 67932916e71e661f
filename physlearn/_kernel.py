"""The one file that knows Numba's first-class functions: a user's plain functions as compiled values.

A function passed to a kernel as a `cfunc` is called by its address and enters the kernel's cache key as
a signature only, so the second process compiles neither the kernel nor the function.  (A dispatcher
would put a random number into the key, and compile anew in every process.)
"""

from __future__ import annotations

import functools
import warnings

from numba import cfunc, njit, types
from numba.core.errors import NumbaError, NumbaExperimentalFeatureWarning

_floats, _ints = types.float64[::1], types.int64[::1]
# gap(i, x, cache, ints, floats, codes, f) -> m and commit(i, new, x, cache, ints, floats)
GAP = types.int64(types.int64, _floats, _floats, _ints, _floats, _ints, _floats)
COMMIT = types.void(types.int64, types.float64, _floats, _floats, _ints, _floats)


@functools.cache
def compiled(function, signature):
    """A plain (or njitted) function as a cfunc, from the cache on disk where its source is a file.

    Raises
    ------
    TypeError
        When Numba cannot compile it for that signature.
    """
    plain = getattr(function, "py_func", function)
    try:
        try:
            return cfunc(signature, cache=True)(plain)
        except RuntimeError as error:  # typed at a prompt: there is no file to keep the cache beside
            if "no locator available" not in str(error):
                raise
            return cfunc(signature)(plain)
    except NumbaError as error:
        raise TypeError(
            f"local: Numba cannot compile {plain.__qualname__} for {signature}: {error}. Use only loops, "
            "arithmetic, NumPy arrays and @njit functions in it, or drop `local` from the term"
        ) from error


def run(kernel, *args):
    """Call a kernel with cfuncs among its arguments; Numba warns of them at every call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        return kernel(*args)


@njit(cache=True, error_model="numpy")
def call_gap(gap, i, x, cache, ints, floats, codes, f):
    """Call one compiled gap from Python; arrays cannot be passed to a cfunc directly."""
    return gap(i, x, cache, ints, floats, codes, f)


@njit(cache=True, error_model="numpy")
def call_commit(commit, i, new, x, cache, ints, floats):
    """Call one compiled commit from Python."""
    commit(i, new, x, cache, ints, floats)
