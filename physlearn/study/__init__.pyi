from .draws import (
    between as between,
    latin_hypercube as latin_hypercube,
    random as random,
    sobol as sobol,
)
from .file import read_study as read_study
from .handle import (
    Study as Study,
    open_study as open_study,
)
from .plan import (
    Plan as Plan,
    Refine as Refine,
)
from .run import study as study
from .space import (
    Space as Space,
    axis as axis,
    grid as grid,
    points as points,
    zipped as zipped,
)
from .task import Task as Task
