"""One picture per function, ``plot_x(data, *, ax=None) -> Axes``; nothing is shown, no setting changed.

Functions take plain arrays and mappings, draw on ``ax`` or on a new figure and return the axes, which
Matplotlib's own methods then adjust.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
