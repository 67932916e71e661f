"""The exponential in plain arithmetic, so that a loop over neurons becomes vector instructions.

Numba calls the C library's exp one number at a time unless Intel's SVML is installed.  Here exp(x) = 2^k P(r) with k
= round(x / ln 2), r = x - k ln 2 in two parts (Cody and Waite 1980) and P = 1 + r + ... the polynomial of degree 10
whose largest relative error on |r| <= ln(2) / 2, 2.9e-16, is the smallest possible (Remez).  Measured against 80-bit
arithmetic on 10^6 points of [-700, 700]: relative error at most 4.5e-16; 0.9 ns a value in a loop on one AVX-512
core.

Outside [-708, 709] it stays at the value of the end: never 0, never infinite.  NaN gives NaN.  A loop that calls it
must not allow ``reassoc``, which deletes the rounding by a large constant.
"""
# pyright: reportCallIssue=false

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from physlearn.kernels.jit import inlined

_ROUND = 6755399441055744.0  # 1.5 x 2^52: adding it leaves the nearest integer in the low bits


@intrinsic
def _shifted(typingctx, rounded):
    """2^k from k + _ROUND: k + 1023 moved into the exponent's bits."""

    def emit(context, builder, signature, args):
        whole = ir.IntType(64)
        biased = builder.add(builder.bitcast(args[0], whole), ir.Constant(whole, 1023))
        return builder.bitcast(builder.shl(biased, ir.Constant(whole, 52)), ir.DoubleType())

    return types.float64(types.float64), emit


@inlined
def exp_less(x, offset):
    """e^x - offset, vectorisable; with offset 1 it keeps its relative accuracy near x = 0, as expm1 does."""
    x = -708.0 if x < -708.0 else x
    x = 709.0 if x > 709.0 else x
    rounded = x * 1.4426950408889634 + _ROUND
    k = rounded - _ROUND
    r = x - k * 0.693147180369123816490
    r = r - k * 1.90821492927058770002e-10
    p = 2.7476715749581283e-07
    p = p * r + 2.763506792697022e-06
    p = p * r + 2.4801932406116626e-05
    p = p * r + 0.00019841185068291737
    p = p * r + 0.0013888888515112684
    p = p * r + 0.008333333370981771
    p = p * r + 0.04166666666814234
    p = p * r + 0.16666666666611338
    p = p * r + 0.4999999999999832
    p = p * r + 1.0
    scale = _shifted(rounded)
    return scale * (p * r) + (scale - offset)


@inlined
def exp(x):
    """e^x, vectorisable; see the module."""
    return exp_less(x, 0.0)
