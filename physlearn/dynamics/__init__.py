"""The verbs that move the state: relax, sample, anneal, integrate; and what they are checked against."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
