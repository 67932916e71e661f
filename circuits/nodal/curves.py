"""A user's laws as a term of a system: pairs of compiled functions."""

from __future__ import annotations

import numpy as np
from numba import types

from circuits.nodal.devices import Devices
from physlearn.kernels.cfuncs import address_of, compiled
from physlearn.kernels.laws import CURVE, evaluate_curves


class Curves(Devices):
    """Devices whose current and slope are a user's functions of the drop."""

    def __init__(self, functions, *parts):
        self.functions = functions
        super().__init__(_Curve, *parts)
        self._compiled = None

    def linearise(self, u, numbers):
        """Currents (batch, m) and slopes (batch, m, 1); a ValueError where a function returns NaN."""
        current, slope, with_numbers = self.functions
        if self._compiled is None:
            signature = CURVE if with_numbers else types.float64(types.float64)
            remedy = "and return one number"
            named = ((current, f"{self.names[0]}: current"), (slope, f"{self.names[0]}: slope"))
            pair = [compiled(f, signature, name, remedy) for f, name in named]
            self._compiled = tuple(map(address_of, pair)), pair
        u = np.ascontiguousarray(u)
        value, slopes = np.empty(u.shape[:2]), np.empty(u.shape)
        evaluate_curves(*self._compiled[0], with_numbers, u, np.ascontiguousarray(numbers), value, slopes)
        bad = (np.isnan(value) | np.isnan(slopes[..., 0])) & np.isfinite(u[..., 0])
        if bad.any():
            item, which = np.argwhere(bad)[0]
            what = "current" if np.isnan(value[item, which]) else "slope"
            raise ValueError(
                f"{self.names[which]}: its function {what} returns NaN (or fails) at {u[item, which, 0]:.6g} V, "
                "expected a number at every voltage"
            )
        return value, slopes


class _Curve:
    learns: dict = {}
    law = cocontent = None
