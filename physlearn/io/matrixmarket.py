"""Couplings from MatrixMarket files (Boisvert, Pozo and Remington 1996).

Lines are checked before SciPy reads them: its reader takes what begins like a number for one ("5D3" for 5), and a
malformed file can end the interpreter.
"""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np

from physlearn.checks import flag
from physlearn.files import path_of, read_text

FORMS = ("coordinate", "array")
FIELDS = {"real": "real", "double": "real", "integer": "integer", "unsigned-integer": "integer", "pattern": "pattern"}
SYMMETRIES = ("general", "symmetric", "hermitian")  # real and hermitian is symmetric
MOST = 2**31 - 1  # rows
_COMMENTS = re.compile(r"(?:%[^\n]*\n|[ \t]*\n)*+")
_INDEX = r"\d{1,18}+"
_NUMBER = {"real": r"-?(?:\d++\.?\d*+|\.\d++|(?i:inf(?:inity)?|nan))(?:[eE][-+]?\d++)?", "integer": r"-?\d++"}


def read_couplings(path, *, symmetrise=False):
    r"""Read a matrix of couplings, for `Pairs` and `Bias`.

    Parameters
    ----------
    path : str or Path
        A real or integer matrix, sparse ("coordinate") or dense ("array"), square; entry (i, j) is the coupling
        J_ij of E = -sum_{i<j} J_ij s_i s_j.  May be packed (.gz, .bz2).
    symmetrise : bool
        Take (J + J^T) / 2 of an asymmetric matrix, the matrix of its quadratic form, instead of refusing
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
        With the number of the line that is malformed, or holds an entry again; for a matrix that is not square,
        real and finite, or asymmetric.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "j.mtx")
    >>> _ = path.write_text("%%MatrixMarket matrix coordinate real symmetric\n3 3 2\n2 1 0.5\n3 2 -1\n")
    >>> pairs, couplings, diagonal = read_couplings(path)
    >>> pairs.tolist(), couplings.tolist(), diagonal.tolist()
    ([[0, 1], [1, 2]], [0.5, -1.0], [0.0, 0.0, 0.0])
    """
    import scipy.sparse as sp

    symmetrise = flag("symmetrise", symmetrise)
    path = path_of("path", path)
    form, matrix = _matrix(path)
    if not np.all(np.isfinite(matrix.data)):
        raise ValueError(f"{path}: {np.sum(~np.isfinite(matrix.data))} entries are NaN or infinite, expected finite")
    odd = sp.csr_matrix(matrix - matrix.T)
    if odd.nnz and np.any(odd.data):
        if not symmetrise:
            worst = int(np.argmax(np.abs(odd.data)))
            i, j = int(np.searchsorted(odd.indptr, worst, "right")) - 1, int(odd.indices[worst])
            raise ValueError(
                f"{path}: entries ({i + 1}, {j + 1}) and ({j + 1}, {i + 1}) are {matrix[i, j]:.6g} and "
                f"{matrix[j, i]:.6g}, expected equal ones; {_remedy(form, matrix)}"
            )
        matrix = sp.csr_matrix((matrix + matrix.T) / 2)
    upper: Any = sp.coo_matrix(sp.triu(matrix, 1))
    upper.sum_duplicates()
    upper.eliminate_zeros()
    order = np.lexsort((upper.col, upper.row))
    pairs = np.stack([upper.row, upper.col], 1).astype(np.int64)[order]
    return pairs, upper.data[order], np.asarray(matrix.diagonal())


def _remedy(form, matrix):
    """Remedy for an asymmetric matrix: where each pair stands once, its mean would halve all of them."""
    import scipy.sparse as sp

    both: Any = sp.csr_matrix(matrix.multiply(matrix.T))
    if np.any((both - sp.diags(both.diagonal())).data):
        return "pass symmetrise=True for (J + J.T) / 2"
    declare = "declare it 'symmetric' in line 1, or " if form == "coordinate" else ""
    return f"each pair stands once in a 'general' matrix: {declare}mirror it (J_ji = J_ij)"


def _matrix(path):
    """The form of a checked file and its matrix in CSR without repeated entries."""
    import scipy.io
    import scipy.sparse as sp

    text = read_text(path, "surrogateescape")  # comments may be of another encoding
    first, _, rest = text.partition("\n")
    form, field, symmetric = _head(path, first)
    skipped = _COMMENTS.match(rest)
    assert skipped is not None
    number = 2 + rest.count("\n", 0, skipped.end())
    size, _, body = rest[skipped.end() :].partition("\n")
    n, count = _size(path, number, size, form, symmetric)
    entry = {"coordinate": rf"{_INDEX}[ \t]++{_INDEX}", "array": ""}[form]
    if field in _NUMBER:
        entry += r"[ \t]++" * bool(entry) + _NUMBER[field]
    _check_lines(path, number, body, entry, form, field, count)
    head = f"%%MatrixMarket matrix {form} {field} {'symmetric' if symmetric and form == 'array' else 'general'}\n"
    if " \n" in body or "\t\n" in body:
        body = re.sub(r"[ \t]+\n", "\n", body)
    checked = f"{head}{size.strip()}\n{body.rstrip()}\n"  # a space at the very end is what ends the interpreter
    try:
        found: Any = scipy.io.mmread(io.BytesIO(checked.encode()))
        if form == "array":
            return form, sp.csr_matrix(found, dtype=float)
        i, j = found.row, found.col  # in the order of the lines
        if symmetric:
            i, j = np.maximum(i, j), np.minimum(i, j)
        matrix = sp.csr_matrix((found.data.astype(float), (i, j)), found.shape)  # adds entries of one place
        if matrix.nnz < count:
            _refuse_again(path, number, body, found, i, j)
        return form, sp.csr_matrix(matrix + matrix.T - sp.diags(matrix.diagonal())) if symmetric else matrix
    except MemoryError:
        raise ValueError(f"{path}, line {number}: {n} rows do not fit into memory") from None
    except (ValueError, OverflowError, RuntimeError) as error:
        if str(error).startswith(f"{path}"):
            raise
        raise ValueError(_numbered(path, error, number - 2)) from None


def _head(path, line):
    words = line.lower().split()
    if len(words) != 5 or words[:2] != ["%%matrixmarket", "matrix"] or words[2] not in FORMS:
        raise ValueError(
            f"{path}, line 1: {_shown(line)}, expected '%%MatrixMarket matrix coordinate|array real|integer|pattern "
            "general|symmetric'"
        )
    form, field, symmetry = words[2:]
    if field == "complex":
        raise ValueError(f"{path}, line 1: complex couplings, expected real ones")
    if field not in FIELDS or (form == "array" and field == "pattern"):
        fields = "real, integer or pattern" if form == "coordinate" else "real or integer"
        raise ValueError(f"{path}, line 1: {field!r}, expected {fields}")
    if symmetry not in SYMMETRIES:
        raise ValueError(f"{path}, line 1: {symmetry!r}, expected 'general' or 'symmetric' couplings")
    return form, FIELDS[field], symmetry != "general"


def _size(path, number, line, form, symmetric):
    """Rows, and lines of entries that follow."""
    words = line.split()
    names = "rows columns entries" if form == "coordinate" else "rows columns"
    if len(words) != len(names.split()) or not all(re.fullmatch(_INDEX, word, re.ASCII) for word in words):
        raise ValueError(f"{path}, line {number}: {_shown(line)}, expected the size, '{names}'")
    rows, columns, *rest = map(int, words)
    if rows != columns:
        raise ValueError(f"{path}, line {number}: shape ({rows}, {columns}), expected a square matrix of couplings")
    if rows > MOST:
        raise ValueError(f"{path}, line {number}: {rows} rows, expected at most {MOST}")
    return rows, rest[0] if rest else rows * (rows + 1) // 2 if symmetric else rows * columns


def _check_lines(path, number, body, entry, form, field, count):
    """Refuse the first line that is no entry, and another number of them than the size says."""
    body = body if body.endswith("\n") else body + "\n"
    # possessive: a line that does not fit is not tried in other ways
    fits = re.match(rf"(?:[ \t]*+(?:{entry}[ \t]*+)?+\n)*+", body, re.ASCII)
    assert fits is not None
    if (whole := fits.end()) < len(body):
        line = body[whole:].partition("\n")[0]
        expected = ("i j J" if field in _NUMBER else "i j") if form == "coordinate" else "J"
        expected = repr(expected) + ", whole numbers" * (field == "integer")
        at = number + 1 + body.count("\n", 0, whole)
        raise ValueError(f"{path}, line {at}: {_shown(line)}, expected {expected}")
    found = body.count("\n") - len(re.findall(r"\n[ \t]*+(?=\n)", "\n" + body))
    if found != count:
        raise ValueError(f"{path}, line {number}: promises {count} entries, the file has {found}")


def _refuse_again(path, number, body, found, i, j):
    """Name the first entry that a file repeats."""
    order = np.lexsort((j, i))  # stable: of equal entries the first comes first
    again = np.flatnonzero((np.diff(i[order]) == 0) & (np.diff(j[order]) == 0))
    k = order[again + 1].min()
    first = np.flatnonzero((i == i[k]) & (j == j[k]))[0]
    lines = [at for at, line in enumerate(body.split("\n"), number + 1) if line.strip()]
    whose = f"{[int(found.row[k]) + 1, int(found.col[k]) + 1]} of line {lines[first]}"
    mirrored = ", which 'symmetric' gives both ways" if found.row[k] != found.row[first] else ""
    raise ValueError(f"{path}, line {lines[k]}: the entry {whose} again{mirrored}; keep one of them")


def _numbered(path, error, lines):
    """SciPy's sentence with the file and the line in it, not in the text that SciPy was given."""
    found = re.match(r"Line (\d+): (.*)", str(error))
    return f"{path}, line {int(found[1]) + lines}: {found[2]}" if found else f"{path}: {error}"


def _shown(line):
    line = line.strip().encode("utf-8", "backslashreplace").decode()
    return repr(line if len(line) <= 60 else line[:60] + "...")
