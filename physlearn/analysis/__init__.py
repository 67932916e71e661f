"""Errors of Monte Carlo results: autocorrelation, resampling, reweighting in temperature, finite-size scaling."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
