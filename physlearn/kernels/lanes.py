"""Eight float64 in one register, for the inner loops of `banded`.

LLVM unrolls loops of eight and, as Numba drives it, leaves them scalar (Numba runs with SLP vectorisation off,
and `njit` has no `noalias`), so the vectors are spelled out; without AVX-512 the compiler splits them.
Measured on one Zen 4 core: 0.33 ns per 8-row multiply-add of a trailing update, against 0.96 ns for the best of
four plain-loop versions.  These have no Python twin: NUMBA_DISABLE_JIT=1 cannot run what uses them.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

_LANES = ir.VectorType(ir.DoubleType(), 8)
_WHOLE = ir.VectorType(ir.IntType(32), 8)
_UNDEFINED = ir.Constant(_LANES, ir.Undefined)


class _Vec8(types.Type):
    """Eight float64 in one register; lives inside kernels only."""

    def __init__(self):
        super().__init__(name="vec8")


@register_model(_Vec8)
class _Vec8Model(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, _LANES)


_vec8 = _Vec8()


def _pointer(context, builder, array_type, array, index):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _LANES.as_pointer())


@intrinsic
def load(typingctx, array, index):
    """The 8 values array.flat[index : index + 8] (unchecked)."""

    def emit(context, builder, signature, args):
        return builder.load(_pointer(context, builder, signature.args[0], *args), align=8)

    return _vec8(array, types.intp), emit


@intrinsic
def store(typingctx, array, index, value):
    """array.flat[index : index + 8] = value (unchecked)."""

    def emit(context, builder, signature, args):
        builder.store(args[2], _pointer(context, builder, signature.args[0], *args[:2]), align=8)
        return context.get_dummy_value()

    return types.none(array, types.intp, _vec8), emit


@intrinsic
def splat(typingctx, scalar):
    """Eight copies of one float64."""

    def emit(context, builder, signature, args):
        first = builder.insert_element(_UNDEFINED, args[0], ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(first, _UNDEFINED, ir.Constant(_WHOLE, [0] * 8))

    return _vec8(types.float64), emit


@intrinsic
def fma(typingctx, x, y, z):
    """x * y + z, lane by lane, rounded once where the machine can."""

    def emit(context, builder, signature, args):
        return builder.fadd(builder.fmul(*args[:2], flags=["contract"]), args[2], flags=["contract"])

    return _vec8(_vec8, _vec8, _vec8), emit


@intrinsic
def lane(typingctx, x, index):
    """Value of one lane."""
    return types.float64(_vec8, types.intp), lambda context, b, signature, args: b.extract_element(*args)


@intrinsic
def put(typingctx, x, scalar, index):
    """x with one lane replaced."""
    return _vec8(_vec8, types.float64, types.intp), lambda context, b, signature, args: b.insert_element(*args)


@intrinsic
def total(typingctx, x):
    """Sum of the lanes, always in the same order (halves, quarters, pairs)."""

    def emit(context, builder, signature, args):
        x = args[0]
        for half in (4, 2, 1):
            moved = ir.Constant(_WHOLE, [(i + half) % 8 for i in range(8)])
            x = builder.fadd(x, builder.shuffle_vector(x, _UNDEFINED, moved))
        return builder.extract_element(x, ir.Constant(ir.IntType(32), 0))

    return types.float64(_vec8), emit
