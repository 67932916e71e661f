"""Provenance of results: versions, platform, threads, the state of the sources."""

from __future__ import annotations

import hashlib
import inspect
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = ("physlearn-sim", "numpy", "scipy", "numba", "networkx", "xarray", "scikit-sparse")


def provenance(module: str | None = None) -> dict:
    """Versions, platform, threads and the git state of the task's module: all that repeating a result requires."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    found = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "threads": {name: os.environ[name] for name in os.environ if name.endswith("_NUM_THREADS")},
        "versions": versions,
    }
    file = getattr(sys.modules.get(module), "__file__", None) if module else None
    return found | ({"file": file, "git": git_state(Path(file).parent)} if file else {})


def source_of(function) -> str | None:
    """SHA-256 of a function's source, hexadecimal; None if it cannot be read."""
    try:
        return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()
    except (OSError, TypeError):
        return None


def git_state(folder: Path) -> dict | None:
    """The commit, and whether files differ from it; None outside a repository."""

    def git(*arguments):
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=5, check=True
        )
        return done.stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None
