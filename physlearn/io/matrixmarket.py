"""Couplings from MatrixMarket files (Boisvert, Pozo and Remington 1996)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from physlearn.checks import flag


def read_couplings(path, *, symmetrise=False):
    r"""Read a matrix of couplings, for `Pairs` and `Bias`.

    Parameters
    ----------
    path : str or Path
        A real or integer matrix, sparse ("coordinate") or dense ("array"), square; entry (i, j) is the coupling
        J_ij of E = -sum_{i<j} J_ij s_i s_j.
    symmetrise : bool
        Take (J + J^T) / 2 of an asymmetric matrix, which is what its quadratic form knows, instead of refusing
        it.  A file that holds only one triangle without saying "symmetric" is asymmetric, and halved by this.

    Returns
    -------
    pairs : (m, 2) array of int
        Pairs i < j, each once.
    couplings : (m,) array
    diagonal : (n,) array
        Zero mostly.  E = -s.J.s/2 would add -diagonal_i s_i^2 / 2: a constant for spins, a bias of diagonal_i / 2
        for 0/1 variables.

    Raises
    ------
    ValueError
        For a matrix that is not square, real and finite, or asymmetric.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "j.mtx")
    >>> _ = path.write_text("%%MatrixMarket matrix coordinate real symmetric\n3 3 2\n2 1 0.5\n3 2 -1\n")
    >>> pairs, couplings, diagonal = read_couplings(path)
    >>> pairs.tolist(), couplings.tolist(), diagonal.tolist()
    ([[0, 1], [1, 2]], [0.5, -1.0], [0.0, 0.0, 0.0])
    """
    import scipy.io
    import scipy.sparse as sp

    symmetrise = flag("symmetrise", symmetrise)
    path = Path(path)
    matrix: Any = sp.csr_matrix(scipy.io.mmread(path))
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{path}: shape {matrix.shape}, expected a square matrix of couplings")
    if np.iscomplexobj(matrix.data):
        raise ValueError(f"{path}: complex couplings, expected real ones")
    matrix = matrix.astype(float)
    if not np.all(np.isfinite(matrix.data)):
        raise ValueError(f"{path}: {np.sum(~np.isfinite(matrix.data))} entries are NaN or infinite, expected finite")
    odd = sp.csr_matrix(matrix - matrix.T)
    if odd.nnz and np.any(odd.data):
        if not symmetrise:
            worst = int(np.argmax(np.abs(odd.data)))
            i, j = int(np.searchsorted(odd.indptr, worst, "right")) - 1, int(odd.indices[worst])
            raise ValueError(
                f"{path}: entries ({i + 1}, {j + 1}) and ({j + 1}, {i + 1}) are {matrix[i, j]:.6g} and "
                f"{matrix[j, i]:.6g}, expected equal ones; pass symmetrise=True for (J + J.T) / 2"
            )
        matrix = sp.csr_matrix((matrix + matrix.T) / 2)
    upper: Any = sp.coo_matrix(sp.triu(matrix, 1))
    upper.sum_duplicates()
    upper.eliminate_zeros()
    order = np.lexsort((upper.col, upper.row))
    pairs = np.stack([upper.row, upper.col], 1).astype(np.int64)[order]
    return pairs, upper.data[order], np.asarray(matrix.diagonal())
