"""One bad call: made under a time limit, and judged."""

import contextlib
import dataclasses
import faulthandler
import io
import os
import re
import signal
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

FAULTS = ("raw", "unnamed", "silent", "nonsense", "hang", "crash")
PROCESSES = 16  # that one call may start
HERE = str(Path(__file__).resolve().parent)
started = [0]


class TooLong(BaseException):
    """The time limit."""


def too_long(signum, frame):
    """Raise in the call."""
    raise TooLong


def count_starts(event, args):
    """An audit hook: a count of workers that is not refused must not fill the machine."""
    if event in ("os.fork", "subprocess.Popen", "os.posix_spawn", "_thread.start_new_thread"):
        started[0] += 1
        if started[0] > PROCESSES:
            raise RuntimeError(f"contract: the call started more than {PROCESSES} processes or threads")


def has_nan(value, depth=3):
    """Whether a result holds NaN."""
    if isinstance(value, float | np.floating | complex):
        return bool(np.isnan(value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fc" and bool(np.isnan(value).any())
    if depth == 0 or isinstance(value, str | bytes | type):
        return False
    if isinstance(value, Mapping):
        return any(has_nan(v, depth - 1) for v in value.values())
    if isinstance(value, list | tuple):
        return any(has_nan(v, depth - 1) for v in value[:100])
    if dataclasses.is_dataclass(value):
        return any(has_nan(getattr(value, f.name, None), depth - 1) for f in dataclasses.fields(value))
    return False


def names(text, argument, values):
    """Whether a message names the argument, or an entry of it."""
    words = [argument, *(k for v in values if isinstance(v, Mapping) for k in v if isinstance(k, str))]
    return any(re.search(rf"(?<![A-Za-z0-9]){re.escape(w)}(?![A-Za-z0-9])", text) for w in words if w)


def attempt(call, limit):
    """(result, error, seconds) of a call; a kernel that does not come back ends the process."""
    started[0] = 0
    faulthandler.dump_traceback_later(limit + 3, exit=True)
    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, limit)
    before, result, error = time.perf_counter(), None, None
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            result = call()
            if hasattr(result, "__next__"):
                next(result, None)
    except BaseException as caught:  # SystemExit as well
        error = caught
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
    return result, error, time.perf_counter() - before


def verdict(argument, bad, must, call, limit, valid_has_nan):
    """(verdict, what was seen)."""
    result, error, _ = attempt(call, limit)
    if isinstance(error, TooLong):
        return "hang", f"no answer in {limit:.0f} s"
    if isinstance(error, ValueError | TypeError):
        text = f"{type(error).__name__}: {error}"
        return ("refused" if names(str(error), argument, bad) else "unnamed"), text[:300]
    if error is not None:
        return "raw", f"{type(error).__name__}: {error}"[:300]
    if not valid_has_nan and has_nan(result):
        return "nonsense", "NaN in the result"
    return ("silent" if must else "accepted"), type(result).__name__


def quiet():
    """Only the faulthandler may write to stderr's file; a bad file descriptor must not hit ours."""
    sys.addaudithook(count_starts)
    sys.stdin = open(os.devnull)
