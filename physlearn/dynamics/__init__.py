"""The verbs that move the state: relax, sample, anneal, integrate; and what they are checked against."""

from physlearn.dynamics.ais import LogZ, annealed_importance
from physlearn.dynamics.anneal import anneal, greedy
from physlearn.dynamics.annealed import Annealed
from physlearn.dynamics.equilibrium import ConvergenceError, Equilibrium
from physlearn.dynamics.exact import Exact, enumerate_states
from physlearn.dynamics.integrate import integrate
from physlearn.dynamics.kinetics import Kinetics, kinetics
from physlearn.dynamics.population import Population, population_annealing
from physlearn.dynamics.relax import relax
from physlearn.dynamics.sample import sample
from physlearn.dynamics.samples import Mean, Samples
from physlearn.dynamics.tempering import Tempered, ladder, tempering
from physlearn.dynamics.trajectory import DivergenceError, Trajectory
from physlearn.dynamics.transfer import Strip, transfer_matrix

__all__ = [
    "Annealed",
    "ConvergenceError",
    "DivergenceError",
    "Equilibrium",
    "Exact",
    "Kinetics",
    "LogZ",
    "Mean",
    "Population",
    "Samples",
    "Strip",
    "Tempered",
    "Trajectory",
    "anneal",
    "annealed_importance",
    "enumerate_states",
    "greedy",
    "integrate",
    "kinetics",
    "ladder",
    "population_annealing",
    "relax",
    "sample",
    "tempering",
    "transfer_matrix",
]
