"""The audit of energies and systems: `check_energy`."""

from physlearn.audit.check import Audit, check_energy

__all__ = ["Audit", "check_energy"]
