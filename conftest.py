"""The environment of every test and doctest.

Set before Numba, Matplotlib and BLAS are imported, and inherited by the subprocesses that tests
start.  Only the standard library is imported here: `.ci/run` reads the result before anything is
installed.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# Compiler switches are no part of Numba's cache key.
mode = "boundscheck" if os.environ.get("NUMBA_BOUNDSCHECK", "0") not in ("", "0") else "plain"
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".numba_cache" / mode))
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # idle threads sleep: cores may be shared
os.environ["MPLBACKEND"] = "Agg"
