"""The decorators of every compiled kernel, and the stamp that keeps their cache fresh.

Numba keeps compiled code on disk under a kernel's signature, its own bytecode and the text of its own file.  It does
not notice an edit in another file that the kernel calls or reads a constant from (numba#1833).  Here the stamp of a
cache entry covers those files and constants too, so that an edit anywhere is seen by the next process, and a hit
compiles nothing.  The stamp is taken when a kernel is first called, so importing a module of kernels stays cheap.

Options are named here once.  ``error_model="numpy"`` divides as NumPy does, ``nogil`` lets threads run beside a kernel.
No kernel raises, none has ``fastmath=True`` (which deletes tests for NaN).  Where fused multiply-add pays it is allowed
(`FUSED`), and the kernel is then always merged into its callers: otherwise it exists in two copies, compiled by itself
and compiled into a caller, which round differently; the process that compiles runs one of them, every later process
the other.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import logging
import os
import shutil
import sys
import tempfile
import types
import warnings
from collections.abc import Set
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import njit
from numba.core import config
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher

FUSED = frozenset({"contract", "nsz", "arcp"})  # a * b + c rounded once; x / c as x * (1 / c); -0 is 0
OWN = ("physlearn", "circuits")
_PLAIN = bool | int | float | complex | str | bytes | tuple | np.generic | None
_log = logging.getLogger(__name__)

inlined = njit(inline="always", error_model="numpy")  # copied into its callers by Numba: nothing to keep on disk


def kernel(function: Any = None, *, fastmath: Set[str] = frozenset(), inline=False) -> Any:
    """Compile a module-level function on first use, and keep the code on disk.

    Parameters
    ----------
    function : callable, optional
        Plain function of the subset of Python that Numba compiles; ``@kernel`` and ``@kernel(...)`` both work.
    fastmath : set of str
        LLVM flags, `FUSED` as a rule; the kernel is then merged into every caller.
    inline : bool
        Copied into callers by Numba as well as callable by itself.

    Examples
    --------
    >>> @kernel
    ... def twice(x):
    ...     return 2 * x
    >>> twice(21)
    42
    """
    if function is None:
        return functools.partial(kernel, fastmath=fastmath, inline=inline)
    options = {"error_model": "numpy", "nogil": True}
    if fastmath:
        options |= {"fastmath": set(fastmath), "forceinline": True}
    if inline:
        options["inline"] = "always"
    dispatcher = njit(**options)(function)
    if isinstance(dispatcher, Dispatcher):  # a plain function under NUMBA_DISABLE_JIT=1
        dispatcher._cache = KernelCache(function)  # pyright: ignore[reportAttributeAccessIssue]
    return dispatcher


class KernelCache:
    """The cache on disk of one kernel, in the place of Numba's own and with its methods.

    A damaged or unreadable entry is compiled again; one that cannot be written causes a warning.
    """

    def __init__(self, function):
        self._function = function

    @functools.cached_property
    def _disk(self):
        """Numba's cache with the stamp of `dependencies`; None where there is no place to keep it."""
        try:
            disk = _numba_cache(self._function)
        except RuntimeError as error:  # a function typed at a prompt has no file to keep the cache beside
            _log.debug("%s is compiled in memory only: %s", self._function.__qualname__, error)
            return None
        file: Any = getattr(disk, "_cache_file", None)
        if hasattr(file, "_source_stamp"):
            file._source_stamp = (file._source_stamp, dependencies(self._function))
        else:  # a Numba that keeps its stamp elsewhere: as under cache=True, edits in other files are not seen
            _log.warning("Numba %s: cached kernels do not notice edits in files they call", numba.__version__)
        return disk

    @property
    def cache_path(self):
        """Folder of the entries, None where they are in memory only."""
        return None if self._disk is None else self._disk.cache_path

    def load_overload(self, signature, target_context):
        """Compiled code for a signature, or None."""
        found = None
        if self._disk is not None:
            try:
                found = self._disk.load_overload(signature, target_context)
            except Exception as error:  # pickle, EOF, OS, LLVM: whatever a damaged file makes of itself
                _log.info("kernel cache: %s is damaged and compiled anew (%s)", self._disk._name, error)
            # Two processes that fill one cache at once can leave an entry under the other's signature.
            if found is not None and tuple(found.signature.args) != _arguments(signature):
                found = None
        if found is None:
            _announce(self._function)
        return found

    def save_overload(self, signature, data):
        """Keep what was compiled."""
        if self._disk is None:
            return
        try:
            self._disk.save_overload(signature, data)
        except Exception:
            try:  # a damaged index: start another
                self._disk.flush()
                self._disk.save_overload(signature, data)
            except OSError as error:
                _warn_once(f"compiled kernels cannot be kept: {error}. {_REMEDY}")

    def flush(self):
        """Forget all entries."""
        if self._disk is not None:
            self._disk.flush()

    def enable(self):
        """Use the disk."""
        if self._disk is not None:
            self._disk.enable()

    def disable(self):
        """Leave the disk alone."""
        if self._disk is not None:
            self._disk.disable()


def _arguments(signature):
    return tuple(getattr(signature, "args", signature))


_REMEDY = "Set NUMBA_CACHE_DIR to a folder that can be written and stays, to compile once only"


def _numba_cache(function):
    """Numba's cache of a function; in a temporary folder where neither the package nor a home can be written."""
    try:
        return FunctionCache(function)
    except RuntimeError:
        typed = not os.path.exists(function.__code__.co_filename)  # at a prompt, in a docstring
        if typed or (function.__module__ or "").partition(".")[0] not in OWN:
            raise
    if _temporary_folder() is None:
        raise RuntimeError("no folder can be written")
    return FunctionCache(function)


@functools.cache
def _temporary_folder():
    """Make a folder for the kernels of this process and of those it starts; gone with this process."""
    try:
        folder = tempfile.mkdtemp(prefix="physlearn-kernels-")
    except OSError:
        _warn_once(f"no folder can be written, so kernels are compiled anew in every process. {_REMEDY}")
        return None
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(folder, ignore_errors=True))
    os.environ["NUMBA_CACHE_DIR"] = config.CACHE_DIR = folder  # pyright: ignore[reportAttributeAccessIssue]
    _warn_once(
        f"neither the folder of the package nor a home folder can be written: compiled kernels go to {folder} and are "
        f"lost when this process ends. {_REMEDY}"
    )
    return folder


def in_temporary_folder() -> bool:
    """Whether kernels of this process go to a folder that is gone with it."""
    return bool(_temporary_folder.cache_info().currsize and _temporary_folder())


@functools.cache
def _warn_once(text):
    warnings.warn(text, RuntimeWarning, stacklevel=2)


@functools.cache
def _first():
    """Explain on a terminal, once, why nothing seems to happen."""
    if sys.stderr is not None and sys.stderr.isatty():
        print("physlearn: compiling, once (kept for the next time) ...", file=sys.stderr, flush=True)


def _announce(function):
    if function.__module__ and function.__module__.partition(".")[0] in OWN:
        _first()
    _log.info("compiling %s.%s", function.__module__, function.__qualname__)


def dependencies(function) -> str:
    """Digest of all that a kernel of ours is compiled with besides its own text.

    That is the files of the functions of both packages that it calls, directly or not, and the constants that they
    read.
    """
    total, seen, files = hashlib.sha256(), set(), set()
    pending = [function]
    while pending:
        called = pending.pop()
        if called in seen:
            continue
        seen.add(called)
        files.add(called.__code__.co_filename)
        for name, value in _reads(called):
            value = getattr(value, "py_func", value)  # a kernel
            value = getattr(value, "_defn", value)  # an intrinsic
            if isinstance(value, types.FunctionType):
                if (value.__module__ or "").partition(".")[0] in OWN:
                    pending.append(value)
            elif isinstance(value, np.ndarray):
                total.update(f"{name} {value.dtype} {value.shape} ".encode() + value.tobytes())
            elif isinstance(value, type):
                total.update(f"{name} {value.__qualname__} {getattr(value, '_fields', '')} ".encode())
            elif isinstance(value, _PLAIN):
                total.update(f"{name} {value!r} ".encode())
    for digest in sorted(map(_file_digest, files)):
        total.update(digest)
    return total.hexdigest()


def _reads(function):
    """Names that a function reads from its module, sorted, with their values; attributes of modules among them."""
    names, around = _names(function.__code__), function.__globals__
    for name in names:
        value = around.get(name)
        if isinstance(value, types.ModuleType) and value.__name__.partition(".")[0] in OWN:
            yield from ((other, getattr(value, other)) for other in names if other in vars(value))
        elif value is not None:
            yield name, value


@functools.cache
def _names(code):
    inner = [name for c in code.co_consts if isinstance(c, types.CodeType) for name in _names(c)]
    return tuple(sorted({*code.co_names, *inner}))


@functools.cache
def _file_digest(path):
    try:
        return hashlib.sha256(Path(path).read_bytes()).digest()
    except OSError:  # inside a zip: Numba's own stamp is that of the archive
        return path.encode()
