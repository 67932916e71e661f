"""Studies: a described experiment, run and kept."""

from physlearn.study.file import Study, read_study
from physlearn.study.run import run_study
from physlearn.study.task import Task

__all__ = ["Study", "Task", "read_study", "run_study"]
