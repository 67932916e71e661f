from .attention import (
    TokenAttention as TokenAttention,
)
from .attention import (
    TokenMemory as TokenMemory,
)
from .bias import Bias as Bias
from .dense import Dense as Dense
from .edges import Edges as Edges
from .lattice import (
    FeltBonds as FeltBonds,
)
from .lattice import (
    Lattice as Lattice,
)
from .lattice import (
    LatticeBonds as LatticeBonds,
)
from .memory import (
    Entropy as Entropy,
)
from .memory import (
    LogSumExp as LogSumExp,
)
from .memory import (
    Separation as Separation,
)
from .memory import (
    SquaredNorm as SquaredNorm,
)
from .mixture import Mixture as Mixture
from .oneway import OneWay as OneWay
from .pairs import Pairs as Pairs
from .parabola import Parabola as Parabola
from .potts import (
    PottsBias as PottsBias,
)
from .potts import (
    PottsPairs as PottsPairs,
)
from .potts_dense import PottsDense as PottsDense
