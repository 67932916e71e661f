"""Studies: parameter scans that survive anything, from one call or one file."""

from physlearn.study.draws import between, latin_hypercube, random, sobol
from physlearn.study.file import read_study
from physlearn.study.handle import Study, open_study
from physlearn.study.plan import Plan, Refine
from physlearn.study.run import study
from physlearn.study.space import Space, axis, grid, points, zipped
from physlearn.study.task import Task

__all__ = [
    "Plan",
    "Refine",
    "Space",
    "Study",
    "Task",
    "axis",
    "between",
    "grid",
    "latin_hypercube",
    "open_study",
    "points",
    "random",
    "read_study",
    "sobol",
    "study",
    "zipped",
]
