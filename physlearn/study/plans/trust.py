"""Trust: a study may run the code of the file that the user runs, and none that came with somebody else's folder.

A folder names its task by an import path, and names the folder of the study file that was run, in which the task may
lie.  Both come from the author of the folder.  Therefore, without ``trust``,

- the folder of the study file is searched only by ``run``, which was given that file, or if it is the working
  directory;
- a module inside the study's own folder is never imported;
- a report imports nothing: pictures are drawn only by the library's own tasks, and by a task whose module is loaded
  already because this process has run it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

LIBRARY = ("physlearn", "circuits")


def may_draw(path: str) -> bool:
    """Whether a task, "package.module:name", is the library's own or loaded already, so that no other code runs."""
    module = path.partition(":")[0]
    return module in sys.modules or module.partition(".")[0] in LIBRARY


def refuse_own(path: str, folder: Path) -> None:
    """Refuse a task whose module lies inside the study's folder; nothing is imported.

    Raises
    ------
    ValueError
        With the file that would have run.
    """
    top = path.partition(":")[0].partition(".")[0]
    try:
        spec = None if top in sys.modules else importlib.util.find_spec(top)
    except (ImportError, ValueError):  # what importing it says better
        return
    if spec is None:
        return
    places = [spec.origin, *(spec.submodule_search_locations or ())]
    for place in filter(None, places):
        if Path(place).resolve().is_relative_to(folder.resolve()):
            raise ValueError(
                f"task: {path!r} is {place}, code that came with the study's folder, which is not imported without "
                "trust: read it, and then pass trust=True (--trust), or move it out of there"
            )


def search(home: Path | None, *, trust: bool) -> None:
    """Look for tasks beside the study file, if allowed, and in the working directory; installed packages come first."""
    here = str(Path.cwd())
    if home is not None and (trust or same(home)):  # also where Python was told to look into the working directory
        first = next((k for k, entry in enumerate(sys.path) if entry in ("", here)), len(sys.path))
        sys.path.insert(first, str(home))
    sys.path.append(here)


def same(home: Path | None) -> bool:
    """Whether a study file's folder is the user's own working directory, or none is known."""
    return home is None or home.resolve() == Path.cwd().resolve()


def not_searched(error: ValueError, home: Path | None) -> ValueError:
    """The error of a task that cannot be imported, with the folder that was not searched for it."""
    if same(home) or "cannot import" not in str(error):
        return error
    return ValueError(
        f"{error}\n{home}, the folder of the study file, is not searched for code without --trust: look at what lies "
        "there, and then pass --trust, or go there first"
    )
