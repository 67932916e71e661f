"""Progress of the verbs: a tqdm bar on a terminal or in a notebook, nothing elsewhere.

``progress`` of a verb is None (a bar once the verb has run for a second, so that quick calls print nothing), True (at
once) or False.  A bar only counts: it draws no random number and changes no block of work, so that results have the
same bits with and without it.
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
import time
import warnings

DELAY = 1.0  # s that a verb runs before its bar shows
_silent = contextvars.ContextVar("silent", default=False)


class Bar:
    """Counter of the steps of a verb, shown where somebody looks.

    Parameters
    ----------
    verb, unit : str
        The verb and the unit that is counted: "sample", "draw".
    total : int or None
        Number of steps, if known.
    progress : bool or None
        The verb's argument.

    Raises
    ------
    TypeError
        For anything else as ``progress``.

    Examples
    --------
    >>> with Bar("sample", "draw", 3, progress=False) as bar:
    ...     for _ in range(3):
    ...         bar.update()
    """

    def __init__(self, verb, unit, total=None, progress=None):
        if progress is not None and not isinstance(progress, bool):
            raise TypeError(f"progress: got {progress!r}, expected None (after a second), True or False")
        self.wanted = progress is not False and not _silent.get()
        self.settings = {"desc": verb, "unit": f" {unit}", "total": total}
        self.done, self.facts, self.tqdm = 0, {}, None
        self.began, self.due = time.time(), time.perf_counter() + (0.0 if progress else DELAY)

    @property
    def shown(self):
        """Whether it is wanted and somebody looks, which the system is asked: not before a verb has run for a while."""
        return self.wanted and somebody_looks()

    def update(self, n=1, **facts):
        """Add n steps; facts (``cost=0.1``) stand behind the bar."""
        if not self.wanted:
            return
        self.done += n
        if facts:
            self.facts |= facts
        if self.tqdm is None:
            if time.perf_counter() < self.due:
                return
            self.wanted = self.shown
            if not self.wanted:
                return
            self.tqdm = _tqdm(**self.settings)
            self.tqdm.start_t = self.began
            n = self.done
        if facts:
            self.tqdm.set_postfix_str(", ".join(f"{k}={v:.4g}" for k, v in self.facts.items()), refresh=False)
        self.tqdm.update(n)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.tqdm is not None:
            self.tqdm.close()
        return False


def follow(items, verb, unit, progress=None):
    """The items of a sequence, counted: ``for draw in follow(range(n), "sample", "draw", progress)``."""
    bar = Bar(verb, unit, len(items), progress)
    return _counted(items, bar) if bar.shown else items


def somebody_looks() -> bool:
    """Whether stderr is a terminal, or this is a notebook's kernel."""
    try:
        terminal = sys.stderr.isatty()
    except (AttributeError, ValueError):  # no stderr, or a closed one
        terminal = False
    return terminal or "ipykernel" in sys.modules


@contextlib.contextmanager
def silenced():
    """Show no bars within: a study has one for all its tasks."""
    before = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(before)


def _counted(items, bar):
    with bar:
        for item in items:
            yield item
            bar.update()


def _tqdm(**settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a notebook without widgets, where tqdm takes text
        from tqdm.auto import tqdm

        return tqdm(**settings, leave=None, dynamic_ncols=True)
