"""Experiments on hardware that study files name: ``circuits.hardware.tasks:continual``."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from circuits.graphs import square_lattice
from circuits.hardware.hardware import Hardware
from circuits.resistive.resistor import ResistorNetwork
from physlearn.learning import SGD, CoupledLearning, SquaredError, learn
from physlearn.study.plans.task import Task


class ContinualParams(BaseModel):
    """Two tasks of one network, learnt one after the other or in turns."""

    model_config = ConfigDict(extra="forbid")
    side: int = Field(default=4, ge=3, description="the network is a side x side torus of resistors")
    order: Literal["sequential", "tandem"] = Field(
        default="sequential", description="all epochs of A and then all of B, or some of each in turns"
    )
    turn: int = Field(default=20, ge=1, description="epochs of a turn")
    threshold: float = Field(default=0.0, ge=0, description="changes below it are not made, S")
    mismatch: float = Field(default=0.0, ge=0, lt=0.3, description="spread of the clamped twin's elements")
    update_noise: float = Field(default=0.0, ge=0, description="of every change that is made, S")
    levels: int = Field(default=0, ge=0, description="values of an element, 0 for any")
    eta: float = Field(default=0.1, gt=0)
    lr: float = Field(default=2.0, gt=0)
    epochs: int = Field(default=400, ge=1, description="of each task")
    samples: int = Field(default=20, ge=1)


def run_continual(params: ContinualParams, rng) -> dict:
    """Cost of A when it has been learnt, and after B has been; both relative to what they were untrained.

    The targets are the outputs of another network of the same wiring, so that one network can do both tasks.
    """
    graph = square_lattice(params.side, params.side, periodic=True)
    edges, nodes = graph.number_of_edges(), list(rng.permutation(graph.number_of_nodes()).tolist())
    wiring: dict[str, Any] = dict(ground=nodes[0], inputs=nodes[1:3], outputs={"a": [nodes[3]], "b": [nodes[4]]})
    teacher = ResistorNetwork(graph, conductance=rng.uniform(0.2, 3.0, edges), **wiring)
    student = ResistorNetwork(graph, conductance=rng.uniform(0.5, 2.0, edges), **wiring)
    x = rng.uniform(-1.0, 1.0, (params.samples, 2))
    v = teacher.solve({"input": x}).x
    data = {name: {"input": x, name: teacher.read(v, name)} for name in "ab"}
    parts: dict[str, Any] = dict(threshold=params.threshold, mismatch=params.mismatch, update_noise=params.update_noise)
    parts |= {"levels": params.levels, "rounding": "stochastic"} if params.levels else {}
    lab = Hardware(student, bounds=(0.01, 10.0), rng=rng, **parts)

    def costs(machine):
        v = machine.solve({"input": x}).x
        return [0.5 * float(np.mean((machine.read(v, name) - data[name][name]) ** 2)) for name in "ab"]

    def trained(machine, name, epochs):
        rule, optimizer = CoupledLearning(params.eta), SGD(params.lr)
        return learn(
            machine, data[name], rule=rule, optimizer=optimizer, cost=SquaredError(name), epochs=epochs, rng=rng
        ).machine

    before = costs(lab)
    if params.order == "tandem":
        for done in range(0, params.epochs, params.turn):
            epochs = min(params.turn, params.epochs - done)
            lab = trained(trained(lab, "a", epochs), "b", epochs)
        first = last = costs(lab)
    else:
        lab = trained(lab, "a", params.epochs)
        first = costs(lab)
        lab = trained(lab, "b", params.epochs)
        last = costs(lab)
    return {
        "learnt_a": first[0] / before[0],
        "kept_a": last[0] / before[0],
        "learnt_b": last[1] / before[1],
        "forgotten": (last[0] - first[0]) / before[0],
    }


continual = Task(
    run=run_continual,
    params=ContinualParams,
    headline={
        "learnt_a": "cost of A after it was learnt, of the untrained",
        "kept_a": "cost of A at the end, of the untrained",
        "learnt_b": "cost of B at the end, of the untrained",
        "forgotten": "rise of A's cost while B is learnt",
    },
    warm=lambda: run_continual(ContinualParams(epochs=1), np.random.default_rng(0)),
)
