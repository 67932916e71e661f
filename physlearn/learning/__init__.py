"""Slow change of theta: the verb `learn`, its rules, costs and optimisers."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
