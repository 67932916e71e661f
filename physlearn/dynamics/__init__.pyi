from .annealing.ais import (
    LogZ as LogZ,
    annealed_importance as annealed_importance,
    bayes_factor as bayes_factor,
)
from .annealing.anneal import (
    anneal as anneal,
    greedy as greedy,
)
from .annealing.annealed import Annealed as Annealed
from .annealing.population_annealing import (
    Population as Population,
    population_annealing as population_annealing,
)
from .annealing.tempering import (
    Tempered as Tempered,
    ladder as ladder,
    tempering as tempering,
)
from .annealing.variational import (
    Variational as Variational,
    variational as variational,
)
from .density.fokker_planck import (
    FokkerPlanck as FokkerPlanck,
    Spectrum as Spectrum,
    fokker_planck as fokker_planck,
)
from .density.passage import (
    commute_time as commute_time,
    passage_time as passage_time,
)
from .exact.enumeration import (
    Exact as Exact,
    enumerate_states as enumerate_states,
)
from .exact.transfer import (
    Strip as Strip,
    transfer_matrix as transfer_matrix,
)
from .rest.equilibrium import (
    Equilibrium as Equilibrium,
)
from .rest.relax import relax as relax
from .sampling.sample import sample as sample
from .sampling.samples import (
    Mean as Mean,
    Samples as Samples,
)
from .time.integrate import integrate as integrate
from .time.kinetics import (
    Kinetics as Kinetics,
    kinetics as kinetics,
)
from .time.reverse import (
    Reverse as Reverse,
    reverse as reverse,
)
from .time.trajectory import (
    Trajectory as Trajectory,
)
from .time.work import (
    FreeEnergy as FreeEnergy,
    crooks as crooks,
    jarzynski as jarzynski,
    work as work,
)
