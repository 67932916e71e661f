"""The environment of every test and doctest.

Set before Numba, Matplotlib and BLAS are imported, and inherited by the subprocesses that tests
start.  Only the standard library is imported here: `.ci/run` reads the result before anything is
installed.
"""

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def source_digest():
    """Return one digest of every module of both packages.

    Numba's cache does not notice an edit to a kernel's callee in another file (numba#1833): a cache
    folder named by this digest cannot be stale.
    """
    digest = hashlib.sha256()
    for package in ("physlearn", "circuits"):
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


# Compiler switches are no part of Numba's cache key either.
mode = "-boundscheck" if os.environ.get("NUMBA_BOUNDSCHECK", "0") not in ("", "0") else ""
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".numba_cache" / (source_digest() + mode)))
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # idle threads sleep: cores may be shared
os.environ["MPLBACKEND"] = "Agg"
