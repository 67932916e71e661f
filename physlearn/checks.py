"""Checks of arguments; one message for one mistake: ``name: got ..., expected ...; remedy``.

Public functions call these first and work with what they return.  Anything but a number, or a number out of range, is
a ValueError where a number is expected; anything but an array, text, mapping or function is a TypeError where one of
these is.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping, Set
from numbers import Integral, Real
from typing import Any

import numpy as np

MOST = 2**53  # the largest count that a float holds exactly


def seen(value) -> str:
    """The value that was given, in at most one line.

    >>> seen(np.zeros((3, 4)))
    'a float64 array of shape (3, 4)'
    """
    if isinstance(value, np.ndarray) and value.size > 6:
        return f"a {value.dtype} array of shape {value.shape}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, Integral) and not isinstance(value, bool) and abs(int(value)) >= 10**18:
        return f"{float(value):.4g}" if abs(int(value)) < 10**300 else f"an integer of {int(value).bit_length()} bits"
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else f"a {type(value).__name__} ({text[:50]}...)"


def _real(value):
    """The float of a real number, None for anything else."""
    if type(value) is np.ndarray and value.ndim == 0:
        value = value[()]
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def number(name, value, low=-float("inf"), high=float("inf")) -> float:
    """A finite number from ``low`` to ``high``, both allowed.

    >>> number("fraction", 0.5, 0, 1)
    0.5
    """
    found = _real(value)
    if found is None or not np.isfinite(found) or not low <= found <= high:
        raise ValueError(f"{name}: got {seen(value)}, expected a finite number{_range(low, high)}")
    return found


def positive(name, value) -> float:
    """A positive finite number.

    >>> positive("temperature", 2)
    2.0
    """
    found = _real(value)
    if found is None or not 0 < found < float("inf"):
        raise ValueError(f"{name}: got {seen(value)}, expected a positive finite number")
    return found


def not_negative(name, value) -> float:
    """Zero or a positive finite number.

    >>> not_negative("temperature", 0)
    0.0
    """
    found = _real(value)
    if found is None or not 0 <= found < float("inf"):
        raise ValueError(f"{name}: got {seen(value)}, expected zero or a positive finite number")
    return found


def integer(name, value, low=-MOST, high=MOST) -> int:
    """An integer from ``low`` to ``high``, both allowed.

    >>> integer("layer", -1, -3, 2)
    -1
    """
    if type(value) is np.ndarray and value.ndim == 0:
        value = value[()]
    if not isinstance(value, Integral) or isinstance(value, bool | np.bool_) or not low <= int(value) <= high:
        raise ValueError(f"{name}: got {seen(value)}, expected an integer{_range(low, high)}")
    return int(value)


def count(name, value, least=1, *, most=MOST, each=0) -> int:
    """An integer of at least ``least``; ``each`` is how many bytes one of them takes, all of which must fit.

    >>> count("chains", 4, each=8 * 100)
    4
    """
    if not isinstance(value, Integral) or isinstance(value, bool | np.bool_) or value < least:
        raise ValueError(f"{name}: got {seen(value)}, expected an integer of at least {least}")
    if int(value) > most:
        raise ValueError(f"{name}: got {seen(value)}, expected an integer of at most {_short(most)}")
    if int(value) * each > memory():
        raise ValueError(
            f"{name}: got {seen(value)}, which takes {int(value) * float(each):.3g} bytes; "
            f"expected at most {_short(int(memory() // each))}, what the memory of this machine holds"
        )
    return int(value)


def memory() -> float:
    """Bytes of memory of this machine; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return float("inf")


def array(name, value, *, shape=None, ndim=None, finite=True, dtype: Any = float, low=-float("inf"), high=float("inf")):
    """An array of finite numbers, as ``dtype`` (float, complex; None: as it came); not copied if it is one already.

    A word in ``shape`` is a free length; ``ndim`` is one number of dimensions or several.

    >>> array("x", [[1, 2]], shape=("batch", 2))
    array([[1., 2.]])
    """
    found = _numbers(name, value, dtype, "biuf" if dtype is float else "biufc")
    _fits(name, found, shape, ndim)
    if finite and not np.all(np.isfinite(found)):
        bad = found[~np.isfinite(found)]
        raise ValueError(f"{name}: {bad.size} of {found.size} entries are NaN or infinite, expected finite numbers")
    if (low > -np.inf or high < np.inf) and not np.all((found >= low) & (found <= high)):
        worst = found[~((found >= low) & (found <= high))].flat[0]
        raise ValueError(f"{name}: got {worst:.6g} among its entries, expected numbers{_range(low, high)}")
    return found


def reals(name, value, *, ndim=None, finite=True):
    """An array of real numbers or bools in its own type, not copied.

    >>> reals("codes", [[0, 1]]).dtype.kind
    'i'
    """
    found = _numbers(name, value, None, "biuf")
    _fits(name, found, None, ndim)
    if finite and not np.all(np.isfinite(found)):
        raise ValueError(f"{name}: some entries are NaN or infinite, expected finite numbers")
    return found


def integers(name, value, *, shape=None, ndim=None, low=-MOST, high=MOST):
    """An int64 array of whole numbers from ``low`` to ``high``; whole floats are taken.

    >>> integers("index", [0, 2.0], low=0, high=2)
    array([0, 2])
    """
    found = _numbers(name, value, None, "iuf")
    _fits(name, found, shape, ndim)
    if found.dtype.kind == "f" and not np.all(found == np.rint(found)):  # NaN is unequal to itself
        wrong = found[found != np.rint(found)].flat[0]
        raise ValueError(f"{name}: got {wrong} among its entries, expected whole numbers{_range(low, high)}")
    outside = (found < low) | (found > high)
    if np.any(outside):
        wrong = found[outside].flat[0]
        raise ValueError(f"{name}: got {wrong:.20g} among its entries, expected whole numbers{_range(low, high)}")
    return found.astype(np.int64, copy=False)


def flag(name, value) -> bool:
    """True or False.

    >>> flag("exact", True)
    True
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}: got {seen(value)}, expected True or False")
    return bool(value)


def choice(name, value, options):
    """One of a few words (None may be one).

    >>> choice("scale", "log", ("linear", "log"))
    'log'
    """
    if not (isinstance(value, str) or value is None) or value not in tuple(options):
        raise ValueError(f"{name}: got {seen(value)}, expected one of {', '.join(map(repr, options))}")
    return value


def text(name, value, expected="a name") -> str:
    """A text that is not empty.

    >>> text("layer", "v")
    'v'
    """
    if not isinstance(value, str):
        raise TypeError(f"{name}: got {seen(value)}, expected {expected} (a str)")
    if not value:
        raise ValueError(f"{name}: got an empty str, expected {expected}")
    return value


def mapping(name, value, keys: Any = None, expected="a mapping"):
    """A mapping, with no other keys than ``keys`` if they are given.

    >>> mapping("theta", {"J": 1.0}, keys=("J", "h"))
    {'J': 1.0}
    """
    if type(value) is not dict and not isinstance(value, Mapping):
        raise TypeError(f"{name}: got a {type(value).__name__}, expected {expected}")
    for key in value:
        if keys is not None and key not in keys:
            raise ValueError(f"{name}: there is no {seen(key)}, expected one of {list(keys)}")
    return value


def sequence(name, value, of: Any = None, expected="a sequence") -> tuple:
    """The entries of a list, tuple or other iterable with an order, each an ``of`` if that is given.

    >>> sequence("layers", ["v", "h"], of=str)
    ('v', 'h')
    """
    if isinstance(value, str | bytes | Mapping | Set | type) or not isinstance(value, Iterable):
        raise TypeError(f"{name}: got {seen(value)}, expected {expected}")
    try:
        found = tuple(value)
    except TypeError:  # an array without dimensions
        raise TypeError(f"{name}: got {seen(value)}, expected {expected}") from None
    wrong = [entry for entry in found if of is not None and not isinstance(entry, of)]
    if wrong:
        raise TypeError(f"{name}: got {seen(wrong[0])} among its entries, expected {expected}")
    return found


def function(name, value, arguments=None, expected="a function"):
    """A callable; ``arguments`` is how many it is called with, by position.

    >>> function("f", lambda x: x, 1)(2)
    2
    """
    if not callable(value):
        raise TypeError(f"{name}: got {seen(value)}, expected {expected}")
    if arguments is not None:
        try:
            signature = inspect.signature(value)
        except (TypeError, ValueError):  # compiled functions that do not tell
            return value
        try:
            signature.bind(*[None] * arguments)
        except TypeError:
            raise TypeError(
                f"{name}: got a function of {signature}, expected {expected}, called with {arguments} argument(s)"
            ) from None
    return value


def instance(name, value, types, expected):
    """An object of one of ``types``, described by ``expected``.

    >>> instance("rows", (1, 2), tuple, "a pair")
    (1, 2)
    """
    if not isinstance(value, types):
        made = isinstance(value, type) and issubclass(value, types)
        remedy = f"; make one: {value.__name__}(...)" if made else ""
        raise TypeError(f"{name}: got {seen(value)}, expected {expected}{remedy}")
    return value


def _numbers(name, value, dtype, kinds):
    """An array of numbers; refuses text, objects and complex values of which NumPy would take the real part."""
    try:
        found = np.asarray(value)
    except (ValueError, TypeError):
        raise ValueError(f"{name}: got {seen(value)}, expected an array; its rows differ in length") from None
    if found.dtype == object and found.size and all(isinstance(v, Real) for v in found.flat):
        found = np.asarray(found, float)  # fractions, integers beyond 64 bits
    if found.dtype.kind not in kinds or isinstance(value, bool | np.bool_):
        sparse = "; a sparse matrix needs .toarray()" if hasattr(value, "toarray") else ""
        wanted = "numbers" if found.dtype.kind not in "c" else "real numbers"
        raise TypeError(f"{name}: got {seen(value)}, expected {wanted} (an array){sparse}")
    return found if dtype is None else found.astype(dtype, copy=False)


def _fits(name, found, shape, ndim):
    """Refuse another shape."""
    if shape is not None:
        free = tuple(m if isinstance(n, str) else n for n, m in zip(shape, found.shape, strict=False))
        if len(shape) != found.ndim or free != found.shape:
            wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
            raise ValueError(f"{name}: got the shape {found.shape}, expected ({wanted})")
    if ndim is not None and found.ndim not in (allowed := (ndim,) if isinstance(ndim, int) else tuple(ndim)):
        wanted = " or ".join(map(str, allowed))
        raise ValueError(f"{name}: got an array of shape {found.shape}, expected one of {wanted} dimension(s)")


def _short(number):
    return f"{number:.3g}" if number >= 10**9 else str(number)


def _range(low, high):
    if low > -MOST and high < MOST:
        return f" from {low:.6g} to {high:.6g}"
    return f" of at least {low:.6g}" if low > -MOST else f" of at most {high:.6g}" if high < MOST else ""
