"""The installation: versions, threads, the kernel cache, the state of both packages."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

DONE = 0  # exit code


def info(options) -> int:
    """Print versions, threads, the kernel cache and the state of both packages."""
    import numba

    from physlearn.cli.intact import packages, version
    from physlearn.study.storage.provenance import provenance

    found = provenance()
    print(f"physlearn {version()}, Python {found['python']}, {found['platform']}")
    for package, number in found["versions"].items():
        print(f"  {package:14} {number or 'not installed'}")
    print(f"  threads        numba {numba.get_num_threads()} of {found['processors']} processors; BLAS 1")
    for title, lines in (("kernel cache", _kernel_cache()), ("packages", packages())):
        for line in lines:
            print(f"  {title:14} {line}")
            title = ""
    return DONE


def _kernel_cache() -> list[str]:
    """The place of compiled kernels, as Numba chose it for one of them, and whether it can be written."""
    from numba.core import config

    from physlearn.kernels import cfuncs as _kernel
    from physlearn.kernels.jit import in_temporary_folder

    given = getattr(config, "CACHE_DIR", "")  # NUMBA_CACHE_DIR, or Numba's own configuration file
    with warnings.catch_warnings():  # they say the same
        warnings.simplefilter("ignore", RuntimeWarning)
        folder = _kernel.gap_at.stats.cache_path
    if folder is None or in_temporary_folder():
        where = "in memory" if folder is None else "in a temporary folder"
        return [
            f"{where}, lost when a process ends: neither the package's folder nor a home folder can be written",
            "set NUMBA_CACHE_DIR to a folder that can be written and stays",
        ]
    folder = Path(folder)
    used = bool(given) and Path(given) in folder.parents
    if used:
        where = f"{given}, which NUMBA_CACHE_DIR names"
    elif folder == Path(_kernel.__file__).parent / "__pycache__":
        where = "beside the modules, in their __pycache__"
    else:
        where = f"{folder.parent}, because the modules' folders cannot be written"
    if not given:
        where += "; NUMBA_CACHE_DIR, which would move it, is not set"
    elif not used:
        where += f"; NUMBA_CACHE_DIR names {given}, which cannot be written and is not used"
    if os.access(folder, os.W_OK):
        return [where, "it can be written"]
    return [where, "it cannot be written: kernels that are not there yet are compiled again by each process"]
