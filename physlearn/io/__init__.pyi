from .bqm import (
    BQMEnergy as BQMEnergy,
    from_bqm as from_bqm,
    to_bqm as to_bqm,
)
from .gset import (
    MaxCut as MaxCut,
    maxcut_energy as maxcut_energy,
    read_gset as read_gset,
)
from .idx import (
    LabelledImages as LabelledImages,
    read_idx as read_idx,
    read_images as read_images,
)
from .matrixmarket import read_couplings as read_couplings
