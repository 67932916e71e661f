"""Studies: parameter scans that survive interruptions, from one call or one file."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
