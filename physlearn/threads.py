"""One BLAS thread inside the library, so that the same seed gives the same bits on any machine."""

from __future__ import annotations

import functools
from contextlib import contextmanager

_controllers: list = []


@contextmanager
def one_blas_thread():
    """Run a block with BLAS on one thread; matrix products differ in the last bits between 1 and 2."""
    if not _controllers:
        from threadpoolctl import ThreadpoolController

        _controllers.append(ThreadpoolController())
    with _controllers[0].limit(limits=1, user_api="blas"):
        yield


def on_one_thread(function):
    """Decorate a verb so that it runs with one BLAS thread."""

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        with one_blas_thread():
            return function(*args, **kwargs)

    return wrapped
