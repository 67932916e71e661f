from .handle import (
    Study as Study,
    open_study as open_study,
)
from .plans.axes import axis as axis, zipped as zipped
from .plans.draws import (
    between as between,
    latin_hypercube as latin_hypercube,
    random as random,
    sobol as sobol,
)
from .plans.file import read_study as read_study
from .plans.plan import (
    Plan as Plan,
    Refine as Refine,
)
from .plans.space import (
    Space as Space,
    grid as grid,
    points as points,
)
from .plans.task import Task as Task
from .run import study as study
from .search import Search as Search, search as search
