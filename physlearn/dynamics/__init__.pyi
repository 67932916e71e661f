from .ais import (
    LogZ as LogZ,
    annealed_importance as annealed_importance,
)
from .anneal import (
    anneal as anneal,
    greedy as greedy,
)
from .annealed import Annealed as Annealed
from .equilibrium import (
    Equilibrium as Equilibrium,
)
from .exact import (
    Exact as Exact,
    enumerate_states as enumerate_states,
)
from .integrate import integrate as integrate
from .kinetics import (
    Kinetics as Kinetics,
    kinetics as kinetics,
)
from .population import (
    Population as Population,
    population_annealing as population_annealing,
)
from .relax import relax as relax
from .sample import sample as sample
from .samples import (
    Mean as Mean,
    Samples as Samples,
)
from .tempering import (
    Tempered as Tempered,
    ladder as ladder,
    tempering as tempering,
)
from .trajectory import (
    Trajectory as Trajectory,
)
from .transfer import (
    Strip as Strip,
    transfer_matrix as transfer_matrix,
)
