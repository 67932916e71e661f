from .angles import (
    AngleBias as AngleBias,
    AnglePairs as AnglePairs,
    Torque as Torque,
)
from .attention import (
    TokenAttention as TokenAttention,
    TokenMemory as TokenMemory,
)
from .bias import Bias as Bias
from .compiled import Compiled as Compiled
from .convex import (
    Entropy as Entropy,
    SquaredNorm as SquaredNorm,
)
from .coupling import Coupling as Coupling
from .crossbar import Crossbar as Crossbar
from .dense import Dense as Dense
from .edges import Edges as Edges
from .inflow import inflow as inflow
from .lattice import (
    FeltBonds as FeltBonds,
    Lattice as Lattice,
    LatticeBonds as LatticeBonds,
)
from .memory import (
    LogSumExp as LogSumExp,
    Separation as Separation,
)
from .mixture import Mixture as Mixture
from .oneway import OneWay as OneWay
from .pairs import Pairs as Pairs
from .parabola import Parabola as Parabola
from .potts import PottsPairs as PottsPairs
from .potts_bias import PottsBias as PottsBias
from .potts_dense import PottsDense as PottsDense
from .prediction import Prediction as Prediction
from .transported import Transported as Transported
