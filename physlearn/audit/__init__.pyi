from .check import (
    Audit as Audit,
    check_energy as check_energy,
)
from .maps import check_map as check_map
