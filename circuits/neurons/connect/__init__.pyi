from .by_number import where as where
from .drawn import (
    all_to_all as all_to_all,
    distance_dependent as distance_dependent,
    fixed_indegree as fixed_indegree,
    fixed_probability as fixed_probability,
    one_to_one as one_to_one,
)
from .factors import low_rank as low_rank
from .given import (
    from_graph as from_graph,
    from_matrix as from_matrix,
)
