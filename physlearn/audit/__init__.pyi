from .check import (
    Audit as Audit,
    check_energy as check_energy,
)
