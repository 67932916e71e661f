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

        _controllers.append(ThreadpoolController().select(user_api="blas").lib_controllers)
    many = [(library, library.num_threads) for library in _controllers[0]]
    many = [(library, threads) for library, threads in many if threads != 1]
    for library, _ in many:  # not by `limit`, which asks each for all that it knows of itself: 20 us
        library.set_num_threads(1)
    try:
        yield
    finally:
        for library, threads in many:
            library.set_num_threads(threads)


def on_one_thread(function):
    """Decorate a verb so that it runs with one BLAS thread."""

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        with one_blas_thread():
            return function(*args, **kwargs)

    return wrapped
