"""A user's plain functions as compiled values: the one file that uses Numba's first-class functions.

A function passed to a kernel as a `cfunc` is called by its address and enters the kernel's cache key as
a signature only, so the second process compiles neither the kernel nor the function.  (A dispatcher
would put a random number into the key, and compile again in every process.)

Networks of neurons go one step further: their kernels get the address itself, an integer, so that a list of any
number of functions is an array and costs no unboxing (25 us for each first-class function and call).
"""

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false

from __future__ import annotations

import functools
import warnings

from llvmlite import ir
from numba import types
from numba.core import cgutils, sigutils
from numba.core.ccallback import CFunc
from numba.core.errors import NumbaError, NumbaExperimentalFeatureWarning
from numba.extending import intrinsic

from physlearn.kernels.checked import checked
from physlearn.kernels.frozen import OWN, NotFixed, frozen, home_of, renamed
from physlearn.kernels.jit import KernelCache, kernel

_floats, _ints = types.float64[::1], types.int64[::1]
# gap(i, x, cache, ints, floats, codes, f) -> m and commit(i, new, x, cache, ints, floats)
GAP = types.int64(types.int64, _floats, _floats, _ints, _floats, _ints, _floats)
COMMIT = types.void(types.int64, types.float64, _floats, _floats, _ints, _floats)
_float_at, _int_at = types.CPointer(types.float64), types.CPointer(types.int64)
# update(step, n, state, drive, floats, ints, spiked, late) -> number of spikes: one population, one step
UPDATE = types.int64(types.int64, types.int64, _float_at, _float_at, _float_at, _int_at, _int_at, _float_at)
# field(x, current, p, out), threshold(x, p) and reset(x, p): a user's neuron, one at a time
FIELD = types.void(_floats, types.float64, _floats, _floats)
THRESHOLD = types.boolean(_floats, _floats)
RESET = types.void(_floats, _floats)
# action(step, table) -> 0, or a status that stops the run: one thing that happens in a step of a network
ACTION = types.int64(types.int64, _int_at)
# step(theta, gradient, kept, numbers, lr, count, rng): a user's optimiser, one parameter at a time
STEP = types.void(_floats, _floats, types.float64[:, ::1], _floats, types.float64, types.int64, types.npy_rng)


def compiled(function, signature, argument="local", remedy="or drop `local` from the term"):
    """A plain (or njitted) function as a cfunc, from the cache on disk where its source is a file.

    All that it refers to is part of the key, so that another value of a module's constant compiles again.  A user's
    function checks every index; see `address_of` for what happens then.
    ``argument`` and ``remedy`` are for the message of the error.

    Raises
    ------
    TypeError
        When Numba cannot compile it for that signature.
    """
    plain = getattr(function, "py_func", function)
    try:
        key = "" if home_of(plain) in OWN else frozen(plain)
    except NotFixed:
        key = None  # compiled once a process, and kept in memory only
    return _compiled(plain, signature, key, argument, remedy)


@functools.cache
def _compiled(plain, signature, key, argument, remedy):
    own = key == ""
    try:
        # flags are no part of Numba's key on disk, names are
        named = plain if own else renamed(checked(plain), f"checked_{key}")
        made = CFunc(named, sigutils.normalize_signature(signature), {}, {} if own else {"boundscheck": True})
        if key is not None:
            made._cache = KernelCache(named)  # pyright: ignore[reportAttributeAccessIssue]
        made.compile()
        return made
    except NumbaError as error:
        raise TypeError(
            f"{argument}: Numba cannot compile {plain.__qualname__} for {signature}: {error}. Use only loops, "
            f"arithmetic, NumPy arrays and @njit functions in it, {remedy}"
        ) from error


def address_of(function):
    """Address of a compiled function by Numba's own convention, which returns a status beside the value.

    `call_gap` and the others below call it so, and say whether the function ended with an error.  Called as a C
    function (`CFunc.address`) it prints the error and continues with 0.
    """
    return function._library.get_pointer_to_function(function.native_name.removeprefix("cfunc."))


def run(kernel, *args):
    """Call a kernel with cfuncs among its arguments; Numba warns of them at every call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        return kernel(*args)


@intrinsic
def pointer(typingctx, address):
    """An address (int64) as a pointer, for `numba.carray(pointer(address), shape, dtype)`."""

    def emit(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), emit


@intrinsic
def prefetch(typingctx, address):
    """Ask for the cache line at an address (int64); wrong addresses do no harm."""

    def emit(context, builder, signature, args):
        pointed, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        signature = ir.FunctionType(ir.VoidType(), [pointed, word, word, word])
        function = builder.module.declare_intrinsic("llvm.prefetch", (pointed,), signature)
        hints = [ir.Constant(word, k) for k in (0, 3, 1)]  # for reading, into all caches, data
        builder.call(function, [builder.inttoptr(args[0], pointed), *hints])
        return context.get_dummy_value()

    return types.none(types.int64), emit


def _call_at(signature):
    """An intrinsic's body: call the function of that signature whose address is the first argument.

    The arguments are int64, addresses where the function takes pointers.
    """

    def emit(context, builder, _, args):
        inputs = [context.get_value_type(t) for t in signature.args]
        function = ir.FunctionType(context.get_value_type(signature.return_type), inputs)
        values = [
            builder.inttoptr(value, t) if isinstance(t, ir.PointerType) else value
            for value, t in zip(args[1:], inputs, strict=True)
        ]
        return builder.call(builder.inttoptr(args[0], function.as_pointer()), values)

    return emit


@intrinsic
def call_update(typingctx, address, step, n, state, drive, floats, ints, spiked, late):
    """Call the UPDATE at an address; all arguments are int64, arrays by their addresses."""
    return types.int64(*[types.int64] * 9), _call_at(UPDATE)


@intrinsic
def call_action(typingctx, address, step, table):
    """Call the ACTION at an address."""
    return types.int64(types.int64, types.int64, types.int64), _call_at(ACTION)


def _call_checked_at(signature):
    """An intrinsic's body: call the function at an address (see `address_of`); its value, or -1 where it failed."""

    def emit(context, builder, _, args):
        kind = context.call_conv.get_function_type(signature.return_type, signature.args).as_pointer()
        status, value = context.call_conv.call_function(
            builder, builder.inttoptr(args[0], kind), signature.return_type, signature.args, args[1:]
        )
        word = ir.IntType(64)
        if signature.return_type == types.void:
            value = ir.Constant(word, 0)
        elif signature.return_type == types.boolean:
            value = builder.zext(value, word)
        return builder.select(status.is_error, ir.Constant(word, -1), value)

    return emit


@intrinsic
def call_field(typingctx, address, x, current, p, out):
    """Call the FIELD at an address; 0, or -1 where it failed."""
    return types.int64(types.int64, *FIELD.args), _call_checked_at(FIELD)


@intrinsic
def call_threshold(typingctx, address, x, p):
    """Call the THRESHOLD at an address; 1 or 0, or -1 where it failed."""
    return types.int64(types.int64, *THRESHOLD.args), _call_checked_at(THRESHOLD)


@intrinsic
def call_reset(typingctx, address, x, p):
    """Call the RESET at an address; 0, or -1 where it failed."""
    return types.int64(types.int64, *RESET.args), _call_checked_at(RESET)


@intrinsic
def call_step(typingctx, address, theta, gradient, kept, numbers, lr, count, rng):
    """Call the STEP at an address; 0, or -1 where it failed."""
    return types.int64(types.int64, *STEP.args), _call_checked_at(STEP)


@intrinsic
def generator_at(typingctx, state, next_uint64, next_uint32, next_double):
    """A NumPy generator for compiled code, from the addresses (int64) that its bit generator gives by ``ctypes``."""

    def emit(context, builder, signature, args):
        made = cgutils.create_struct_proxy(types.npy_rng)(context, builder)  # Python owns it: no parent, no references
        bits = cgutils.create_struct_proxy(types.npy_bitgen)(context, builder)
        bits.state_address = bits.state = args[0]
        bits.fnptr_next_uint64, bits.fnptr_next_uint32, bits.fnptr_next_double = args[1:]
        made.bit_generator = bits._getvalue()
        return made._getvalue()

    return types.npy_rng(*[types.int64] * 4), emit


@intrinsic
def call_gap(typingctx, address, i, x, cache, ints, floats, codes, f):
    """Call the GAP at an address; what it returns, or -1 where it failed."""
    return types.int64(types.int64, *GAP.args), _call_checked_at(GAP)


@intrinsic
def call_commit(typingctx, address, i, new, x, cache, ints, floats):
    """Call the COMMIT at an address; 0, or -1 where it failed."""
    return types.int64(types.int64, *COMMIT.args), _call_checked_at(COMMIT)


@kernel
def gap_at(address, i, x, cache, ints, floats, codes, f):
    """`call_gap` from Python."""
    return call_gap(address, i, x, cache, ints, floats, codes, f)


@kernel
def commit_at(address, i, new, x, cache, ints, floats):
    """`call_commit` from Python."""
    return call_commit(address, i, new, x, cache, ints, floats)
