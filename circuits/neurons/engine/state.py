"""The state of a network at a grid point: what a run leaves, and another takes up."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import carray

from physlearn.brief import brief
from physlearn.kernels.cfuncs import pointer
from physlearn.kernels.jit import kernel

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false


@dataclass(frozen=True, eq=False)
class NetworkState:
    """The state of a network at a grid point; pass it as ``x0`` to continue the run bit for bit.

    What a ``closed_loop`` keeps of its own is the caller's, and not in it.

    Parameters
    ----------
    step : int
        Grid point, t = step * dt.
    dt : float
        s.
    arrays : dict
        Copies of all arrays that the next step depends on.
    """

    step: int
    dt: float
    arrays: dict = field(repr=False)

    __repr__ = brief

    @classmethod
    def later(cls, step, dt, snapshot):
        """A state whose arrays are made of a `Snapshot` when they are first asked for."""
        state = cls.__new__(cls)
        state.__dict__.update(step=step, dt=dt, snapshot=snapshot)
        return state

    def __getattr__(self, name):
        if name != "arrays" or "snapshot" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        arrays = self.__dict__["arrays"] = self.__dict__.pop("snapshot").arrays()
        return arrays

    @property
    def untouched(self):
        """Whether nobody has seen the arrays, so that they are as the run left them."""
        return "snapshot" in self.__dict__

    def __getstate__(self):
        return {"step": self.step, "dt": self.dt, "arrays": self.arrays}


class Layout:
    """Where the arrays lie that a run keeps; all of eight-byte numbers.

    Parameters
    ----------
    arrays : mapping of str to array
    """

    def __init__(self, arrays):
        self.entries, blocks, place = [], [], 0
        for name, array in arrays.items():
            if not (array.flags.c_contiguous and array.itemsize == 8):
                raise AssertionError(f"{name}: kept arrays are contiguous and of eight-byte numbers")
            self.entries.append((name, array.dtype, array.shape, place, place + array.size))
            blocks.append((array.ctypes.data, array.size))
            place += array.size
        self.blocks, self.size = np.array(blocks, np.int64).reshape(-1, 2), place

    def copied(self):
        """The numbers of all arrays now, (size,) int64."""
        numbers = np.empty(self.size, np.int64)
        gather(self.blocks, numbers)
        return numbers


class Snapshot:
    """Arrays of a run at one time, copied and not yet taken apart.

    Parameters
    ----------
    layout : Layout
    more : function
        ``more() -> dict`` of further arrays, which are copies too.
    """

    def __init__(self, layout, more):
        self.layout, self.more, self.numbers = layout, more, layout.copied()

    def arrays(self):
        """Name and array of all."""
        found = {
            name: self.numbers[low:high].view(dtype).reshape(shape)
            for name, dtype, shape, low, high in self.layout.entries
        }
        return found | self.more()


@kernel
def gather(blocks, out):
    """Copy blocks (address, words) one after the other."""
    place = 0
    for b in range(len(blocks)):
        size = blocks[b, 1]
        block = carray(pointer(blocks[b, 0]), size, np.int64)
        piece = out[place : place + size]
        for i in range(size):
            piece[i] = block[i]
        place += size
