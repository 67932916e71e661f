"""Sparsity patterns found once, so that new parameters only fill in numbers."""

from __future__ import annotations

import numpy as np


def csr_pattern(rows, columns, n):
    """Pattern of an (n, n) CSR matrix with entries at (rows, columns), (m,) each; those at one place share a slot.

    Returns
    -------
    slot : (m,) array of int
        Where each entry's number adds up in the matrix's data.
    indices : (k,) array of int32
        Sorted within each row.
    indptr : (n + 1,) array of int32
    """
    used, slot = np.unique(rows * n + columns, return_inverse=True)
    indptr = np.searchsorted(used, np.arange(n + 1) * n)
    return slot, (used % n).astype(np.int32), indptr.astype(np.int32)
