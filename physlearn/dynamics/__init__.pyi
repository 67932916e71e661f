from .ais import (
    LogZ as LogZ,
)
from .ais import (
    annealed_importance as annealed_importance,
)
from .anneal import (
    anneal as anneal,
)
from .anneal import (
    greedy as greedy,
)
from .annealed import Annealed as Annealed
from .equilibrium import (
    ConvergenceError as ConvergenceError,
)
from .equilibrium import (
    Equilibrium as Equilibrium,
)
from .exact import (
    Exact as Exact,
)
from .exact import (
    enumerate_states as enumerate_states,
)
from .integrate import integrate as integrate
from .kinetics import (
    Kinetics as Kinetics,
)
from .kinetics import (
    kinetics as kinetics,
)
from .population import (
    Population as Population,
)
from .population import (
    population_annealing as population_annealing,
)
from .relax import relax as relax
from .sample import sample as sample
from .samples import (
    Mean as Mean,
)
from .samples import (
    Samples as Samples,
)
from .tempering import (
    Tempered as Tempered,
)
from .tempering import (
    ladder as ladder,
)
from .tempering import (
    tempering as tempering,
)
from .trajectory import (
    DivergenceError as DivergenceError,
)
from .trajectory import (
    Trajectory as Trajectory,
)
from .transfer import (
    Strip as Strip,
)
from .transfer import (
    transfer_matrix as transfer_matrix,
)
