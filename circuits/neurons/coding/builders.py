"""The standard population codes: a channel, integrators, oscillators, chaos and a memory of the recent past.

A recurrent connection whose filter has the time constant tau makes the represented value follow dx/dt = f(x) + u if it
decodes

    g(x) = tau f(x) + x

(Eliasmith and Anderson 2003, principle 3; A' = tau A + 1 where f(x) = A x), and u enters through the same filter, which
the readout "x.input" does: a force, in units of x per second.
"""

from __future__ import annotations

import numpy as np

from circuits.neurons.coding.code import Connection, PopulationCode
from circuits.neurons.coding.decoders import decoders, values_of
from circuits.neurons.coding.ensemble import Ensemble
from physlearn import Readout
from physlearn.checks import count, function as callable_of, number, positive
from physlearn.rng import children


def communication_channel(n=500, dimensions=1, function=None, *, tau=5e-3, regularisation=0.1, rng=None, **options):
    """Two ensembles "a" and "b"; a function of what a represents is passed on to b.

    Parameters
    ----------
    n, dimensions : int
        Neurons of each ensemble, and what a represents.
    function : function, optional
        ``f(x) -> (m, k)`` of points x (m, D); default x itself.
    tau : float
        Time constant of the filter, s.
    regularisation : float
        See `decoders`.
    rng : int, Generator or None
    **options
        Of both `Ensemble`.

    Returns
    -------
    PopulationCode
        a is clamped: ``clamp={"a": value}``, or a function of time.

    Examples
    --------
    >>> from physlearn import relax
    >>> square = communication_channel(200, 1, lambda x: x**2, rng=1)
    >>> relax(square, clamp={"a": [0.6]}).x["b"].round(2)
    array([0.36])
    """
    dimensions = count("dimensions", dimensions)
    out = dimensions
    if function is not None:
        callable_of("function", function, 1, "a function of points x (m, D)")
        out = values_of("function", function, np.zeros((1, dimensions))).shape[1]
    first, second = children(rng, 2)
    ensembles = {"a": Ensemble(n, dimensions, rng=first, **options), "b": Ensemble(n, out, rng=second, **options)}
    return PopulationCode(ensembles, [Connection("a", "b", function, tau, regularisation=regularisation)])


def integrator(n=500, dimensions=1, *, tau=0.1, regularisation=0.1, rng=None, **options):
    """An ensemble "x" that sums up its input: dx/dt = u.

    A memory that drifts: where the decoded value differs from x, it moves at (a(x) D - x)/tau, and comes to rest at
    the fixed points that `relax` finds.

    Parameters
    ----------
    n, dimensions : int
    tau : float
        Time constant of the recurrent filter, s: drift is slower the longer it is.
    regularisation : float
        See `decoders`.
    rng : int, Generator or None
    **options
        Of `Ensemble`.

    Returns
    -------
    PopulationCode

    Examples
    --------
    >>> from physlearn import integrate
    >>> run = integrate(integrator(200, rng=1), (0.0, 0.5), clamp={"x.input": [1.0]})
    >>> run.final.round(1)
    array([0.5])
    """
    return _recurrent(n, dimensions, lambda x: x, tau, regularisation, rng, options)


def controlled_integrator(n=500, *, tau=0.1, regularisation=0.1, rng=None, radius=2**0.5, **options):
    """An ensemble "x" of a value and its control: dx_0/dt = (x_1 - 1) x_0 / tau + u.

    At a control of 1 the value is kept, below it leaks away (Eliasmith and Anderson 2003, section 8.3).

    Parameters
    ----------
    n : int
    tau : float
        s.
    regularisation : float
        See `decoders`.
    rng : int, Generator or None
    radius : float
        Of the pair of value and control.
    **options
        Of `Ensemble`.

    Returns
    -------
    PopulationCode
        Readouts "input": u, and "control": where x_1 settles, with the time constant tau; both are given.

    Examples
    --------
    >>> from physlearn import integrate
    >>> code = controlled_integrator(400, rng=1)
    >>> given = {"input": lambda t: [2.0 * (t < 0.3)], "control": [1.0]}
    >>> float(integrate(code, (0.0, 1.0), x0=[0.0, 1.0], clamp=given).final[0].round(1))
    0.6
    """
    readouts = {
        "input": Readout("x", rows=[[positive("tau", tau), 0.0]], force=True),
        "control": Readout("x", rows=[[0.0, 1.0]], force=True),
    }

    def product(x):
        return np.column_stack([x[:, 0] * x[:, 1], np.zeros(len(x))])

    return _recurrent(n, 2, product, tau, regularisation, rng, options | {"radius": radius}, readouts)


def oscillator(n=500, frequency=1.0, *, tau=0.1, regularisation=0.1, rng=None, **options):
    """An ensemble "x" of two numbers that turns: dx_0/dt = -omega x_1, dx_1/dt = omega x_0.

    Beyond the radius the decoded value saturates, so that the amplitude settles near it.

    Parameters
    ----------
    n : int
    frequency : float
        Hz; omega = 2 pi frequency; negative turns the other way.
    tau : float
        s.
    regularisation : float
        See `decoders`.
    rng : int, Generator or None
    **options
        Of `Ensemble`.

    Returns
    -------
    PopulationCode

    Examples
    --------
    >>> from physlearn import integrate
    >>> run = integrate(oscillator(400, 2.0, rng=1), (0.0, 0.5), x0=[1.0, 0.0])
    >>> bool(run.final[0] > 0.8)  # once round
    True
    """
    omega = 2 * np.pi * number("frequency", frequency)
    turn = np.array([[1.0, -omega * positive("tau", tau)], [omega * tau, 1.0]])
    return _recurrent(n, 2, lambda x: x @ turn.T, tau, regularisation, rng, options)


def lorenz(n=2000, *, sigma=10.0, rho=28.0, beta=8 / 3, tau=0.1, radius=60.0, regularisation=0.1, rng=None, **options):
    """An ensemble "x" on the attractor of Lorenz (1963), its third number shifted by rho to be centred.

        dx_0/dt = sigma (x_1 - x_0),  dx_1/dt = -x_0 x_2 - x_1,  dx_2/dt = x_0 x_1 - beta (x_2 + rho)

    Parameters
    ----------
    n : int
    sigma, rho, beta : float
        Of the equations.
    tau : float
        s.
    radius : float
        Of the represented ball, which must hold the attractor.
    regularisation : float
        See `decoders`.
    rng : int, Generator or None
    **options
        Of `Ensemble`.

    Returns
    -------
    PopulationCode

    Examples
    --------
    >>> lorenz(300, rng=1).system.layers["x"].shape
    (3,)
    """
    sigma, rho, beta = (number(name, v) for name, v in (("sigma", sigma), ("rho", rho), ("beta", beta)))
    positive("tau", tau)

    def flow(x):
        slope = [
            sigma * (x[:, 1] - x[:, 0]),
            -x[:, 0] * x[:, 2] - x[:, 1],
            x[:, 0] * x[:, 1] - beta * (x[:, 2] + rho),
        ]
        return x + tau * np.column_stack(slope)

    return _recurrent(n, 3, flow, tau, regularisation, rng, options | {"radius": radius})


def legendre_memory(n=100, order=6, window=0.5, *, tau=0.1, regularisation=0.1, rng=None, **options):
    """A memory of the last ``window`` seconds of an input, in Legendre polynomials (Voelker and Eliasmith 2018).

    The coefficients follow dm/dt = A m + B u with, R_i = (2 i + 1)/window,

        A_ij = R_i (-1 if i < j else (-1)^(i - j + 1)),    B_i = R_i (-1)^i,

    and their sum is u a window ago.  Each is represented by n neurons of its own; together they are one ensemble "x"
    with encoders along the axes.

    Parameters
    ----------
    n : int
        Neurons of each coefficient.
    order : int
        How many coefficients: signals up to about order / (pi window) Hz are kept.
    window : float
        s.
    tau : float
        Time constant of the recurrent filter, s.
    regularisation : float
        See `decoders`.
    rng : int, Generator or None
    **options
        Of `Ensemble`.

    Returns
    -------
    PopulationCode
        Readout "u" is the input, given; "delayed" reads the input a window ago.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import integrate
    >>> memory = legendre_memory(100, rng=1)
    >>> run = integrate(memory, (0.0, 2.0), clamp={"u": lambda t: [np.sin(3.0 * t)]})
    >>> delayed = memory.system.readouts["delayed"].read({"x": run.x})[:, 0]
    >>> bool(np.sqrt(np.mean((delayed - np.sin(3.0 * (run.t - 0.5)))[run.t > 1.0] ** 2)) < 0.05)
    True
    """
    order, window, tau = count("order", order), positive("window", window), positive("tau", tau)
    n = count("n", n)
    parts = [Ensemble(n, 1, rng=child, **options) for child in children(rng, order)]
    axes = np.repeat(np.eye(order), n, axis=0) * np.concatenate([part.encoders for part in parts])
    whole: dict = options | {
        "max_rates": np.concatenate([part.max_rates for part in parts]),
        "intercepts": np.concatenate([part.intercepts for part in parts]),
    }
    ensemble = Ensemble(n * order, order, encoders=axes, **whole)
    values = np.zeros((n * order, order))
    for k, part in enumerate(parts):
        found = decoders(part, regularisation=regularisation)
        values[k * n : (k + 1) * n, k] = found.values[:, 0]
    A, B = legendre_system(order, window)
    loop = Connection("x", "x", tau=tau, decoders=values @ (tau * A + np.eye(order)).T)
    readouts = {"u": Readout("x", rows=tau * B[None], force=True), "delayed": Readout("x", rows=np.ones((1, order)))}
    return PopulationCode({"x": ensemble}, [loop], readouts)


def legendre_system(order, window):
    """A (order, order) and B (order,) of the Legendre memory, 1/s."""
    i = np.arange(order)
    sign = np.where(i % 2 == 0, 1.0, -1.0)
    rate = (2 * i + 1) / window
    A = np.where(i[:, None] < i, -1.0, -np.multiply.outer(sign, sign)) * rate[:, None]
    return A, rate * sign


def _recurrent(n, dimensions, function, tau, regularisation, rng, options, readouts=None):
    ensemble = Ensemble(n, dimensions, rng=rng, **options)
    loop = Connection("x", "x", function, tau, regularisation=regularisation)
    return PopulationCode({"x": ensemble}, [loop], readouts or {})
