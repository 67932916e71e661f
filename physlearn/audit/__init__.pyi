from .check import (
    Audit as Audit,
)
from .check import (
    check_energy as check_energy,
)
