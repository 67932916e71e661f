from .bqm import (
    BQMEnergy as BQMEnergy,
)
from .bqm import (
    from_bqm as from_bqm,
)
from .bqm import (
    to_bqm as to_bqm,
)
from .gset import (
    MaxCut as MaxCut,
)
from .gset import (
    maxcut_energy as maxcut_energy,
)
from .gset import (
    read_gset as read_gset,
)
from .matrixmarket import read_couplings as read_couplings
