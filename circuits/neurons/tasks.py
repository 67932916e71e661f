"""Experiments on neurons that study files name by import path, such as ``circuits.neurons.tasks:fi_curve``."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from circuits.neurons.analysis.theory import siegert_cv, siegert_rate
from circuits.neurons.cells.lif import LIF
from circuits.neurons.tuning import fi_curve as tuning_curve
from physlearn.study.plans.task import Task


class FIParams(BaseModel):
    """One LIF neuron under a noisy current, times R; reset and rest are 0 V."""

    model_config = ConfigDict(extra="forbid")
    drive: float = Field(default=15e-3, description="mean of R I, V")
    noise: float = Field(default=5e-3, ge=0, description="sigma, V: sqrt(2) times the standard deviation of v")
    threshold: float = Field(default=10e-3, gt=0, description="V")
    tau: float = Field(default=20e-3, gt=0, description="s")
    refractory: float = Field(default=2e-3, ge=0, description="s, whole steps of 0.1 ms")
    neurons: int = Field(default=50, ge=2, description="independent copies")
    duration: float = Field(default=2.0, gt=0.2, description="s; the first 0.1 s is not counted")


def run_fi_curve(params: FIParams, rng) -> dict:
    """Rate and CV of a population of copies against Siegert's theory."""
    dt = 1e-4
    cells = LIF(tau=params.tau, v_rest=0.0, v_threshold=params.threshold, v_reset=0.0, refractory=params.refractory)
    noise = (params.noise / np.sqrt(dt / params.tau), 1e-3 * dt) if params.noise else None  # fresh in each step
    drive = np.full(params.neurons, params.drive)
    run = tuning_curve(cells, drive, duration=params.duration, dt=dt, transient=0.1, noise=noise, rng=rng)
    rates = run.spikes.between(0.1, params.duration).rates()
    known = np.isfinite(run.cv)
    return {
        "rate": float(rates.mean()),
        "error": float(rates.std(ddof=1) / np.sqrt(params.neurons)),
        "cv": float(run.cv[known].mean()) if known.any() else float("nan"),
        "rate_theory": float(siegert_rate(params.drive, params.noise, cells, dt=dt)),
        "cv_theory": float(siegert_cv(params.drive, params.noise, cells, dt=dt)),
    }


fi_curve = Task(
    run=run_fi_curve,
    params=FIParams,
    headline={"rate": "simulated rate (Hz)", "rate_theory": "Siegert's rate (Hz)", "cv": "CV of intervals"},
    units={
        "drive": "V",
        "noise": "V",
        "threshold": "V",
        "tau": "s",
        "refractory": "s",
        "duration": "s",
        "rate": "Hz",
        "error": "Hz",
        "rate_theory": "Hz",
    },  # fmt: skip
)
