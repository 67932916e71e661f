"""A custom neuron: a plain Python function for its field, one for its threshold, one for its reset.

    dx/dt = field(x, current; p),   threshold(x; p) true: spike, then reset(x; p)

x[0] is the membrane potential v, on which conductances pull: the current that the field gets is I + sum g (reversal -
v).  The functions are compiled by Numba and cached on disk beside the user's own file, so that the second process
compiles nothing.  See `circuits.neurons.cells.methods` for the methods.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.neurons.cells import equations
from circuits.neurons.cells.at_rest import others_at_rest, steady_current
from circuits.neurons.cells.linearised import by_differences, given_state
from circuits.neurons.cells.membrane import system
from circuits.neurons.cells.methods import METHODS, REMEDY, fields, stepper
from circuits.neurons.parameters import as_numbers, check_method, fixed
from circuits.neurons.program import steps_of
from physlearn.brief import brief
from physlearn.checks import array, mapping, not_negative, sequence
from physlearn.kernels.cfuncs import FIELD, address_of, compiled
from physlearn.kernels.checked import in_python
from physlearn.quantities import si, take_si

MANY = 64  # states beyond which compiling the field pays
_UNWRITTEN = np.array(0x7FF8_0000_5EED_5EED).view(np.float64)  # a NaN that no arithmetic gives


@dataclass(frozen=True)
class Neuron:
    """A custom neuron.

    Parameters
    ----------
    field : function
        ``field(x, current, p, out)`` writes dx/dt of one neuron into ``out``: x and out (variables,), current a float,
        p (parameters,), in SI units (or in other units throughout).
    variables : sequence of str
        Names of x; the first is the membrane potential.
    threshold : function, optional
        ``threshold(x, p)``: whether x stands at or above threshold.  The neuron spikes when it turns true, so a model
        without reset spikes once per upward crossing; one with a reset spikes at once where it starts above.  Without
        a threshold there are no spikes.
    reset : function, optional
        ``reset(x, p)`` changes x after a spike.
    parameters : mapping of str to float or (n,) array
        Values of p, in this order.
    rest : mapping of str to float or (n,) array, optional
        Where neurons start; 0 for variables not named.
    refractory : float
        s, whole steps of dt; x[0] is held after a spike.
    scales : sequence of float, optional
        Size below which a variable counts as small, for the error control of "adaptive" and the differences of
        "exponential_euler"; 1 for each by default: give them where variables are volts or amperes.
    units : sequence of str, optional
        SI units of the variables.
    text : Text, optional
        What `Neuron.from_equations` read; it goes to Brian2.

    Raises
    ------
    TypeError, ValueError
        Functions of another number of arguments or that Numba cannot compile, names that do not fit.
    IndexError
        In a run: a function that reads or writes outside its arrays, with its name, the array's and the line.

    Examples
    --------
    R. FitzHugh, Biophys. J. 1 (1961) 445, equations 1 and 2, in the form of Nagumo:

    >>> def field(x, current, p, out):
    ...     out[0] = x[0] - x[0] ** 3 / 3 - x[1] + current
    ...     out[1] = (x[0] + p[0] - p[1] * x[1]) / p[2]
    >>> def threshold(x, p):
    ...     return x[0] > 1.0
    >>> cell = Neuron(field, ("v", "w"), threshold, parameters={"a": 0.7, "b": 0.8, "tau": 12.5})
    >>> cell.slope([0.0, 0.0], 0.5)
    array([0.5  , 0.056])
    """

    field: Callable
    variables: Sequence[str] = ("v",)
    threshold: Callable | None = None
    reset: Callable | None = None
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    rest: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    refractory: float = 0.0
    scales: Sequence[float] | None = None
    units: Sequence[str] = ()
    text: equations.Text | None = None

    __repr__ = brief

    differences = True  # its jacobian has no closed form
    current_gain = None  # nor is it known how the current enters
    system = system

    def __post_init__(self):
        for what in ("parameters", "rest"):
            mapping(f"Neuron: {what}", getattr(self, what), expected="a mapping of names to numbers")
        variables = sequence("Neuron: variables", self.variables, str, "a sequence of names such as ('v', 'w')")
        object.__setattr__(self, "variables", variables)
        size = len(self.variables)
        if size == 0 or len(set(self.variables)) < size:
            raise ValueError(f"Neuron: variables={self.variables!r}, expected at least one name, each once")
        units = sequence("Neuron: units", self.units, str, "a sequence of units such as ('V', 'A')")
        object.__setattr__(self, "units", units or ("1",) * size)
        if len(self.units) != size:
            raise ValueError(f"Neuron: {len(self.units)} units for {size} variables")
        scales = np.ones(size) if self.scales is None else array("Neuron: scales", self.scales)
        if scales.shape != (size,) or not np.all(np.isfinite(scales) & (scales > 0.0)):
            raise ValueError(f"Neuron: scales={self.scales!r}, expected {size} positive numbers, one per variable")
        object.__setattr__(self, "scales", fixed(scales))
        for name, count in (("field", 4), ("threshold", 2), ("reset", 2)):
            _check_function(name, getattr(self, name), count, optional=name != "field")
        if self.reset is not None and self.threshold is None:
            raise ValueError("Neuron: a reset without a threshold would never be called; give a threshold")
        take_si(self, refractory="s")
        not_negative("Neuron: refractory in s", self.refractory)
        units = dict(zip(self.variables, self.units, strict=True))
        rest = {k: si(f"Neuron: rest[{k!r}]", v, units.get(k, "1")) for k, v in self.rest.items()}
        object.__setattr__(self, "rest", rest)
        parameters = {k: si(f"Neuron: parameters[{k!r}]", v) for k, v in self.parameters.items()}
        object.__setattr__(self, "parameters", parameters)
        for name in self.rest:
            if name not in self.variables:
                raise ValueError(f"Neuron: rest: {name!r} is none of the variables {list(self.variables)}")
        for what, values in (("parameters", self.parameters), ("rest", self.rest)):
            for name, value in values.items():
                if np.ndim(value) > 1 or not np.all(np.isfinite(as_numbers(f"Neuron: {what}[{name!r}]", value))):
                    raise ValueError(
                        f"Neuron: {what}[{name!r}]={value!r}, expected finite numbers, one or one per neuron"
                    )
            own = {k: fixed(np.asarray(v, dtype=float)) if np.ndim(v) else v for k, v in values.items()}
            object.__setattr__(self, what, own)

    @classmethod
    def from_equations(cls, text, threshold=None, reset=None, *, parameters=None, **more):
        """A neuron whose equations are text, as in Brian2.

        Parameters
        ----------
        text : str
            ``dNAME/dt = expression`` for each variable, the membrane potential first; ``NAME = expression`` names a
            part for the lines below it; ``#`` begins a comment, ``;`` is a new line.  Expressions have ``+ - * / **``,
            comparisons, ``and``, ``or``, ``not``, ``a ? b : c`` and abs, sqrt, exp, log, sin, cos, tan, sinh, cosh,
            tanh, min, max.  ``I`` is the current.  All in SI units (or in other units throughout).
        threshold : str, optional
            Such as ``"v > -50e-3"``.
        reset : str, optional
            Such as ``"v = v_reset; w += b"``.
        parameters : mapping of str to float, (n,) array or quantity
        **more
            ``rest``, ``refractory``, ``scales``, ``units`` as of `Neuron`.

        Returns
        -------
        Neuron

        Raises
        ------
        ValueError
            A line that is not understood, a name that is not known: with the line, and what was expected.

        Examples
        --------
        The quadratic neuron (Izhikevich 2007, eq. 3.9):

        >>> cell = Neuron.from_equations("dv/dt = a*v**2 + I", "v > 10", "v = -10", parameters={"a": 100.0})
        >>> cell.variables, cell.slope([2.0], 50.0)
        (('v',), array([450.]))
        """
        parameters = mapping("Neuron: parameters", {} if parameters is None else parameters)
        for name, value in (("text", text), ("threshold", threshold), ("reset", reset)):
            if not isinstance(value, str) and (name == "text" or value is not None):
                raise TypeError(f"Neuron: {name}: got {value!r}, expected equations as text")
        read = equations.Text(text, threshold, reset)
        made: Any
        variables, *made = equations.functions(read, tuple(parameters))
        return cls(made[0], variables, *made[1:], parameters=parameters, text=read, **more)

    def __reduce__(self):
        """Functions made from text are made again where a copy is unpickled."""
        if self.text is None:
            return super().__reduce__()
        more = {name: getattr(self, name) for name in ("rest", "refractory", "scales", "units")}
        return _again, (self.text, dict(self.parameters), more)

    def slope(self, x, current):
        """The field at some states, (variables, ...): few as plain Python computes it, many in compiled code.

        Parameters
        ----------
        x : (variables, ...) array
        current : float or array
        """
        return self.velocity(given_state(self, "x", x), array("current", current))

    def velocity(self, x, current):
        """As `slope`; NaN where the field gives it, as it may beyond what an engine tries."""
        x, current = given_state(self, "x", x, finite=False), array("current", current, finite=False)
        shape, p = np.broadcast_shapes(x.shape[1:], current.shape), self._numbers
        states = np.array([np.broadcast_to(row, shape).ravel() for row in x]).T.copy()
        currents, out = np.array(np.broadcast_to(current, shape).ravel()), np.full(states.shape, _UNWRITTEN)
        done = -1
        if len(states) > MANY:
            address = address_of(compiled(self.field, FIELD, "field", REMEDY))
            done = fields(address, states, currents, p, out)
        if done < 0:
            field = in_python(self.field)
            for state, given, slope in zip(states, currents, out, strict=True):
                field(state, float(given), p, slope)
        if np.any(out.view(np.int64) == _UNWRITTEN.view(np.int64)):
            raise ValueError(f"Neuron: field gave {out} at x={x}; it must write every number of `out`")
        return out.T.reshape(len(x), *shape)

    @property
    def _numbers(self):
        """Parameters of the first neuron, (parameters,)."""
        return np.array([np.ravel(v)[0] for v in self.parameters.values()], dtype=float)

    def jacobian(self, x, current=0.0):
        """Derivatives of `slope` by the state, (..., variables, variables), by differences."""
        return by_differences(lambda y: self.velocity(y, current), np.asarray(x, dtype=float), self.scales)

    def state_at(self, v, current=0.0):
        """The state with all other variables at rest at x[0] = v, (variables, ...); NaN where none is found."""
        return others_at_rest(self, v, current)

    def steady_current(self, v):
        """Current under which nothing changes at x[0] = v; NaN where none is found."""
        return steady_current(self, v)[1]

    @property
    def below(self):
        """``below(x)``: 1 below the threshold of a neuron with a reset, -1 above; None where nothing is reset."""
        if self.reset is None or self.threshold is None:
            return None
        threshold, p = in_python(self.threshold), self._numbers
        return lambda x: np.array([-1.0 if threshold(one.copy(), p) else 1.0 for one in np.reshape(x, (len(x), -1)).T])

    def initial(self, n):
        """The start, (variables, n)."""
        rows = [np.broadcast_to(self.rest.get(name, 0.0), (n,)) for name in self.variables]
        return np.array(rows, dtype=float)

    def part(self, low, high):
        """The model of neurons low .. high - 1, for a population that is cut into parts."""
        cut = {
            what: {name: np.asarray(v)[low:high] if np.ndim(v) else v for name, v in getattr(self, what).items()}
            for what in ("parameters", "rest")
        }
        return dataclasses.replace(self, **cut)

    def check(self, n, dt, method):
        """Refuse parameters that do not fit n neurons, or the step."""
        check_method(self, method, ("auto", *METHODS))
        steps_of("Neuron: refractory", self.refractory, dt)
        for what in ("parameters", "rest"):
            for name, value in getattr(self, what).items():
                if np.ndim(value) and np.shape(value) != (n,):
                    raise ValueError(
                        f"Neuron: {what}[{name!r}] has shape {np.shape(value)}, expected a number or ({n},)"
                    )

    def program(self, n, dt, receptors, method):
        """Compiled step of n neurons; see `circuits.neurons.program.Program`."""
        values = [np.broadcast_to(v, (n,)) for v in self.parameters.values()]
        return stepper(
            (self.field, self.threshold, self.reset),
            np.array(values, dtype=float).reshape(len(values), n).T,
            scales=self.scales,
            dt=dt,
            method="rk4" if isinstance(method, str) and method == "auto" else method,
            refractory=self.refractory,
        )


def _again(text, parameters, more):
    return Neuron.from_equations(*text, parameters=parameters, **more)


def _check_function(name, function, count, *, optional):
    if function is None and optional:
        return
    if not callable(function):
        raise TypeError(f"Neuron: {name}={function!r}, expected a plain function of {count} arguments")
    given = len(inspect.signature(getattr(function, "py_func", function)).parameters)
    expected = "(x, current, p, out)" if count == 4 else "(x, p)"
    if given != count:
        raise TypeError(f"Neuron: {name} takes {given} arguments, expected {name}{expected}")
