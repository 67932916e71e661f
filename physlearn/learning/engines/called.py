"""An optimiser of one's own between the steps of a compiled epoch: the kernel calls it by the address of a C function.

The kernel writes the gradient, calls, and finds the new parameters; a call costs about two microseconds beside what the
optimiser takes.  What it raises stops the kernel and is raised when that has returned.
"""

from __future__ import annotations

import ctypes

from physlearn.learning.optimizers import stepped

FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class Called:
    """A step of an optimiser as a C function ``(epoch, table) -> 0``, or 1 where it raised.

    Parameters
    ----------
    optimizer : Optimizer
    memory : dict
        The training's, updated in place.
    rates : sequence of float
        Learning rate of every epoch.
    read : callable
        () -> (theta, gradient), arrays of their own.
    write : callable
        Takes the new parameters, {name: array}.
    """

    def __init__(self, optimizer, memory, rates, read, write):
        self.error: BaseException | None = None

        def step(epoch, _):
            try:
                theta, gradient = read()
                write(stepped(optimizer, theta, gradient, memory, rates[epoch]))
                return 0
            except BaseException as error:  # Ctrl-C too: C code knows no exceptions
                self.error = error
                return 1

        self.function = FUNCTION(step)  # kept, as long as a kernel may call it
        self.address, self.table = ctypes.cast(self.function, ctypes.c_void_p).value or 0, 0

    def ended(self, stopped):
        """Raise what a step has raised, where one has ``stopped`` the kernel."""
        if stopped and self.error is not None:
            raise self.error
