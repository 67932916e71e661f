"""Claims on diodes, transistors, memristors, and on machines of resistors that classify."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import lambertw

from physlearn.claims.claim import Claim, over_chains

THERMAL = 0.02585


def diode(scale, rng):
    """Voltage of a diode behind 1 kohm at 2 V."""
    from circuits import Circuit, Diode, Resistor, VoltageSource

    net = {"V": (VoltageSource(2.0), "a", "0"), "R": (Resistor(1e3), "a", "b"), "D": (Diode(1e-14), "b", "0")}
    return float(Circuit(net, thermal_voltage=THERMAL).solve().voltages["b"])


def _lambert():
    """The same in closed form: u + R I_S (exp(u/V_T) - 1) = V by Lambert's function."""
    drop, at = 1e3 * 1e-14, 2.0 + 1e3 * 1e-14
    return at - THERMAL * lambertw(drop / THERMAL * math.exp(at / THERMAL)).real


def follower(scale, rng):
    """Output of a source follower with a square-law transistor, V_T = 0.7 V, beta = 1 mA/V^2, 10 kohm, gate at 3 V."""
    from circuits import MOSFET, Circuit, Resistor, VoltageSource

    net = {
        "V": (VoltageSource(5.0), "d", "0"),
        "G": (VoltageSource(3.0), "g", "0"),
        "M": (MOSFET(threshold=0.7, transconductance=1e-3), "d", "g", "s", "0"),
        "R": (Resistor(1e4), "s", "0"),
    }
    return float(Circuit(net).solve().voltages["s"])


def _square_law():
    """v with v/R = beta (3 - 0.7 - v)^2/2."""
    a, over = 1e-3 * 1e4 / 2, 2.3
    b = 2 * a * over + 1
    return (b - math.sqrt(b * b - 4 * a * a * over * over)) / (2 * a)


def returns(scale, rng):
    """State of a memristor after a whole period of a sine less that at its start: charge is a function of flux."""
    from circuits import Circuit, DriftMemristor, Sine, VoltageSource
    from physlearn import integrate

    element = DriftMemristor(on=100.0, off=10e3, mobility=1e-14, thickness=1e-8, state=0.3)
    circuit = Circuit({"V": (VoltageSource(Sine(0.0, 1.0, 2.0)), "a", "0"), "M": (element, "a", "0")})
    run: Any = integrate(circuit, (0.0, 0.5), dt=2.5e-4)
    x = run.states["M"]
    assert np.ptp(x) > 0.1  # it has moved between
    return float(x[-1] - x[0])


def iris(scale, rng):
    """Accuracy on 50 irises held out, of networks of 32 nodes."""
    from circuits.tasks import IrisParams, run_iris

    right = [100 * run_iris(IrisParams(), rng)["trained"] for _ in range(6)]
    return over_chains(np.array(right)[:, None])


def _mnist_deep(hidden, epochs):
    """Test error in per cent of a deep resistive network on MNIST; two kinds of input, ideal diodes, batches of 4."""

    def measure(scale, rng, data):
        from circuits import DeepResistiveNetwork
        from physlearn import SGD, EquilibriumPropagation, SquaredError, learn, relax
        from physlearn.io import read_images

        images = read_images(data, "MNIST")
        net = DeepResistiveNetwork((784, hidden, 10), gain=100.0, precision="single", rng=rng)
        done = learn(
            net,
            {"input": images.images.reshape(-1, 784) / 255, "output": np.eye(10)[images.labels]},
            rule=EquilibriumPropagation(1.0),
            cost=SquaredError("output"),
            optimizer=SGD(lambda epoch: 0.006 * 0.99**epoch, bounds=net.bounds),
            epochs=epochs,
            batch=4,
            rng=rng,
            relax_options={"max_steps": (4, 4), "unconverged": "ignore"},
        )
        wrong = 0
        for at in range(0, 10_000, 1000):
            seen = images.test_images[at : at + 1000].reshape(-1, 784) / 255
            rest = relax(done.machine, clamp={"input": seen}, tol=1e-4, unconverged="ignore")
            wrong += np.sum(rest.x["output"].argmax(1) != images.test_labels[at : at + 1000])
        return wrong / 100

    return measure


NONLINEAR = (
    Claim(
        "diode",
        "diode behind 1 kohm at 2 V: its voltage",
        "Shockley 1949; Banwell and Jayakumar 2000 (Lambert's function)",
        _lambert(),
        diode,
        unit="V",
    ),
    Claim(
        "follower",
        "source follower of a square-law transistor: output",
        "Shichman and Hodges 1968",
        _square_law(),
        follower,
        1e-6,
        "gmin of the junctions",
        unit="V",
    ),
    Claim(
        "memristor-period",
        "drift memristor after one period of a sine: change of its state",
        "Chua 1971 (charge is a function of flux); Strukov et al. 2008",
        0.0,
        returns,
        1e-4,
        "steps of 0.25 ms",
    ),
    Claim(
        "iris",
        "resistor networks trained on Iris: held-out accuracy",
        "Dillavou et al. 2022 (above 95 %)",
        95.0,
        iris,
        relation="at least",
        unit="%",
    ),
    Claim(
        "mnist-100",
        "deep resistive network of 100 hidden units on MNIST, 10 epochs: test error",
        "Scellier 2024, table 1 (3.46 %)",
        3.46,
        _mnist_deep(100, 10),
        0.2,
        "spread between seeds",
        unit="%",
        needs="MNIST",
        hours=True,
    ),
    Claim(
        "mnist-1024",
        "deep resistive network of 1,024 hidden units on MNIST, 50 epochs: test error",
        "Scellier 2024, table 1 (1.57 %)",
        1.57,
        _mnist_deep(1024, 50),
        0.1,
        "spread between seeds",
        unit="%",
        needs="MNIST",
        hours=True,
    ),
)
