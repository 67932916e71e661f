"""Potentials: a user's energy and force of one state as one compiled function that kernels call by its address.

It checks its indices and is called by Numba's own convention, so that an error inside becomes an energy of minus
infinity, which no state has, instead of a text on the screen and a zero.
"""

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from physlearn.kernels.cfuncs import address_of, compiled
from physlearn.kernels.checked import failure
from physlearn.kernels.jit import kernel

_floats, _ints = types.float64[::1], types.int64[::1]
# potential(x, ints, floats, f) -> energy; writes the force to f
POTENTIAL = types.float64(_floats, _ints, _floats, _floats)
FAILED = -np.inf  # the energy of a state where the function ended with an error


@intrinsic
def call_potential(typingctx, address, x, ints, floats, f):
    """Call the POTENTIAL at an address; its value, or `FAILED`."""

    def emit(context, builder, signature, args):
        kind = context.call_conv.get_function_type(POTENTIAL.return_type, POTENTIAL.args).as_pointer()
        status, value = context.call_conv.call_function(
            builder, builder.inttoptr(args[0], kind), POTENTIAL.return_type, POTENTIAL.args, args[1:]
        )
        return builder.select(status.is_error, ir.Constant(ir.DoubleType(), float("-inf")), value)

    return types.float64(types.int64, *POTENTIAL.args), emit


def address(function, remedy="or give the term `energy` and `field` in NumPy"):
    """Address of a user's function for `call_potential`; TypeError where Numba cannot compile it."""
    return address_of(compiled(function, POTENTIAL, "potential", remedy))


@kernel
def evaluate(where, x, ints, floats, energy, force):
    """Energies (batch,) and forces (batch, n) of states x; the first row that fails, or -1."""
    for r in range(x.shape[0]):
        energy[r] = call_potential(where, x[r], ints, floats, force[r])
        if energy[r] == -np.inf:
            return r
    return -1


def mistake(owner, function, x, ints, floats):
    """The error to raise where a potential failed at a state x (n,)."""
    args = (x, ints, floats, np.zeros(len(x)))
    return failure(owner, {"potential": function}, {"potential": [args]}) or ValueError(
        f"{owner}: potential: failed, or returned minus infinity, at x = {x}; expected an energy"
    )
