"""Laws of devices as compiled functions that kernels call by their addresses: any sorts of device in one loop.

A `LAW` takes the drops that control a device, its numbers and an array for the derivatives, all by address, and returns
a current (or a voltage); it is one of ours, and trusted.  A `CURVE` is a user's function of one drop and some numbers;
it checks its indices and is called by Numba's own convention, so that an error inside becomes NaN here instead of a
text on the screen and a zero.
"""

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from physlearn.kernels.jit import kernel

_float_at = types.CPointer(types.float64)
# law(u, p, d) -> value: drops (k,), numbers (q,), derivatives (k,) to be written
LAW = types.float64(_float_at, _float_at, _float_at)
# curve(u, p) -> value
CURVE = types.float64(types.float64, types.float64[::1])


def _call_law(typingctx, address, u, p, d):
    """Call the LAW at an address; all arguments are int64, arrays by their addresses."""

    def emit(context, builder, _, args):
        pointed = ir.DoubleType().as_pointer()
        function = ir.FunctionType(ir.DoubleType(), [pointed] * 3).as_pointer()
        return builder.call(
            builder.inttoptr(args[0], function), [builder.inttoptr(value, pointed) for value in args[1:]]
        )

    return types.float64(*[types.int64] * 4), emit


call_law: Any = intrinsic(_call_law)


def _checked(signature):
    """An intrinsic's body: call the function at an address (`cfuncs.address_of`); its value, or NaN if it failed."""

    def emit(context, builder, _, args):
        kind = context.call_conv.get_function_type(signature.return_type, signature.args).as_pointer()
        status, value = context.call_conv.call_function(
            builder, builder.inttoptr(args[0], kind), signature.return_type, signature.args, args[1:]
        )
        return builder.select(status.is_error, ir.Constant(ir.DoubleType(), float("nan")), value)

    return emit


@intrinsic
def call_curve(typingctx, address, u, p):
    """Call the CURVE at an address."""
    return types.float64(types.int64, *CURVE.args), _checked(CURVE)


@intrinsic
def call_plain_curve(typingctx, address, u):
    """Call a curve without numbers."""
    signature = types.float64(types.float64)
    return types.float64(types.int64, types.float64), _checked(signature)


@kernel
def evaluate(address, u, p, value, slope):
    """Values (batch, m) and slopes (batch, m, k) of m devices of one law at drops u (batch, m, k), numbers p (m, q)."""
    batch, m, k = u.shape
    at_u, at_p, at_d = u.ctypes.data, p.ctypes.data, slope.ctypes.data
    wide = 8 * k
    for item in range(batch):
        for e in range(m):
            shift = wide * (item * m + e)
            value[item, e] = call_law(address, at_u + shift, at_p + 8 * p.shape[1] * e, at_d + shift)


@kernel
def evaluate_curves(current, derivative, with_numbers, u, p, value, slope):
    """The same for a user's pair of curves, k = 1, which take their numbers or the drop alone."""
    for item in range(u.shape[0]):
        for e in range(u.shape[1]):
            v = u[item, e, 0]
            if with_numbers:
                value[item, e] = call_curve(current, v, p[e])
                slope[item, e, 0] = call_curve(derivative, v, p[e])
            else:
                value[item, e] = call_plain_curve(current, v)
                slope[item, e, 0] = call_plain_curve(derivative, v)
