"""Memristors: resistors whose resistance is a state that the current or the voltage moves.

    R = R_on x + R_off (1 - x),      0 <= x <= 1

    drift        dx/dt = (mu R_on / D^2) i f(x),    f = 1 - (2 x - 1)^(2 p)           (window of Joglekar)
    threshold    dx/dt = k (v - v_set) f  above v_set > 0,  k (v - v_reset) f  below v_reset < 0,  else 0

At an operating point the state stands still and the element is its resistance; `integrate` moves the state.
Source: Strukov, Snider, Stewart, Williams 2008, Nature 453, 80; Joglekar and Wolf 2009; threshold: Pershin and
Di Ventra 2010.
"""

from __future__ import annotations

from dataclasses import dataclass

from circuits.elements.element import Element
from physlearn.checks import count, number, positive


class _Memristor(Element):
    """What both kinds share."""

    on: float
    off: float
    state: float

    def _check(self):
        for name in ("on", "off"):
            object.__setattr__(self, name, positive(name, getattr(self, name)))
        if not self.on < self.off:
            raise ValueError(f"on, off: got {self.on:g} and {self.off:g} ohm, expected on < off")
        object.__setattr__(self, "state", number("state", self.state, 0.0, 1.0))

    def resistance(self, x):
        """Ohms in state x, between 0 and 1."""
        x = number("x", x, 0.0, 1.0)
        return self.on * x + self.off * (1.0 - x)

    def place(self, name, nodes, net):
        """A conductance, and a state for a transient."""
        net.edge(name, *nodes, 1.0 / self.resistance(self.state))
        net.states.append((name, len(net.edges) - 1, self, *nodes))


@dataclass(frozen=True, repr=False)
class DriftMemristor(_Memristor):
    """A memristor of linear ionic drift.

    Parameters
    ----------
    on, off : float
        Ohms in the states 1 and 0.
    mobility : float
        mu, m^2 / (V s).
    thickness : float
        D, metres.
    window : int
        p of Joglekar's window, which slows the state near its ends.
    state : float
        x at the start, between 0 and 1.

    Examples
    --------
    >>> DriftMemristor(100.0, 16e3, state=0.5).resistance(0.5)
    8050.0
    """

    on: float = 100.0
    off: float = 16e3
    mobility: float = 1e-14
    thickness: float = 1e-8
    window: int = 1
    state: float = 0.1

    def __post_init__(self):
        self._check()
        for name in ("mobility", "thickness"):
            object.__setattr__(self, name, positive(name, getattr(self, name)))
        object.__setattr__(self, "window", count("window", self.window))

    def rate(self, x, v):
        """dx/dt at state x and drop v, 1/s."""
        x, v = number("x", x, 0.0, 1.0), number("v", v)
        bell = 1.0 - (2.0 * x - 1.0) ** (2 * self.window)
        return self.mobility * self.on / self.thickness**2 * v / self.resistance(x) * bell


@dataclass(frozen=True, repr=False)
class ThresholdMemristor(_Memristor):
    """A memristor that moves only beyond two voltages.

    Parameters
    ----------
    on, off : float
        Ohms in the states 1 and 0.
    set_voltage, reset_voltage : float
        Volts above and below which the state grows and shrinks.
    speed : float
        k, 1 / (V s).
    state : float
        x at the start, between 0 and 1.

    Examples
    --------
    >>> ThresholdMemristor(state=0.5).rate(0.5, 0.2)  # below the threshold
    0.0
    """

    on: float = 1e3
    off: float = 1e5
    set_voltage: float = 0.5
    reset_voltage: float = -0.5
    speed: float = 1e3
    state: float = 0.0

    def __post_init__(self):
        self._check()
        object.__setattr__(self, "speed", positive("speed", self.speed))
        for name in ("set_voltage", "reset_voltage"):
            object.__setattr__(self, name, number(name, getattr(self, name)))
        if not self.reset_voltage < 0 < self.set_voltage:
            raise ValueError(
                f"reset_voltage, set_voltage: got {self.reset_voltage:g} and {self.set_voltage:g}, expected one below "
                "and one above zero"
            )

    def rate(self, x, v):
        """dx/dt at state x and drop v, 1/s; zero where it would leave the interval."""
        x, v = number("x", x, 0.0, 1.0), number("v", v)
        beyond = v - self.set_voltage if v > self.set_voltage else min(v - self.reset_voltage, 0.0)
        stuck = (beyond > 0 and x >= 1.0) or (beyond < 0 and x <= 0.0)
        return 0.0 if stuck else self.speed * beyond
