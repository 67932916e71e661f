from .draws import (
    between as between,
)
from .draws import (
    latin_hypercube as latin_hypercube,
)
from .draws import (
    random as random,
)
from .draws import (
    sobol as sobol,
)
from .file import read_study as read_study
from .handle import (
    Study as Study,
)
from .handle import (
    open_study as open_study,
)
from .plan import (
    Plan as Plan,
)
from .plan import (
    Refine as Refine,
)
from .run import study as study
from .space import (
    Space as Space,
)
from .space import (
    axis as axis,
)
from .space import (
    grid as grid,
)
from .space import (
    points as points,
)
from .space import (
    zipped as zipped,
)
from .task import Task as Task
