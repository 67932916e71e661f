"""Experiments on resistor networks that study files name by import path, such as ``circuits.tasks:iris``."""

from __future__ import annotations

from typing import Literal

import networkx as nx
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from circuits.graphs import complete_graph, random_regular_graph, square_lattice
from circuits.iris import (
    SPECIES,
    accuracy,
    encode,
    least_squares,
    load_iris,
    logistic_regression,
    nearest_mean,
    split,
    standardise,
)
from circuits.resistive.resistor import ResistorNetwork
from physlearn.learning import (
    SGD,
    Adam,
    CoupledLearning,
    CrossEntropy,
    EquilibriumPropagation,
    Margin,
    SquaredError,
    learn,
)
from physlearn.study.plans.task import Task


class IrisParams(BaseModel):
    """Construction and training of a resistor network on Iris."""

    model_config = ConfigDict(extra="forbid")
    topology: Literal["random_regular", "complete", "periodic_square"] = "random_regular"
    nodes: int = Field(default=32, ge=16, description="number of nodes; a square number for periodic_square")
    degree: int = Field(default=6, ge=3, description="edges per node of random_regular")
    outputs: Literal["nodes", "pairs"] = Field(
        default="nodes", description="read node voltages or drops across node pairs"
    )
    rule: Literal["equilibrium_propagation", "coupled_learning"] = "equilibrium_propagation"
    strength: float = Field(default=0.01, gt=0, description="the rule's nudge or eta")
    cost: Literal["cross_entropy", "margin", "squared_error"] = "cross_entropy"
    gain: float = Field(default=20.0, gt=0, description="gain of the cross-entropy, 1/V; 1/margin of the margin cost")
    optimizer: Literal["adam", "sgd"] = "adam"
    lr: float = Field(default=0.1, gt=0)
    epochs: int = Field(default=1000, ge=1, description="full-batch steps")
    conductance: tuple[float, float] = Field(default=(0.01, 10.0), description="bounds, S")
    held_out: int = Field(default=50, ge=3, le=120, description="flowers in the test set")


def build(params: IrisParams, rng) -> ResistorNetwork:
    """A network with 10 driven and 3 read places at random nodes, conductances uniform in 0.5 to 1.5 S."""
    if params.topology == "complete":
        graph = complete_graph(params.nodes)
    elif params.topology == "random_regular":
        graph = random_regular_graph(params.nodes, params.degree, rng=rng)
    else:
        side = round(params.nodes**0.5)
        if side * side != params.nodes:
            raise ValueError(f"nodes: got {params.nodes} for periodic_square, expected a square number")
        graph = square_lattice(side, side, periodic=True)
    nodes = list(graph.nodes)
    place = [nodes[k] for k in rng.permutation(len(nodes))]
    read = place[10:13] if params.outputs == "nodes" else list(zip(place[10:13], place[13:16], strict=True))
    driven = set(place[:10])
    graph.remove_edges_from([(a, b) for a, b in graph.edges if a in driven and b in driven])  # carry no signal
    return ResistorNetwork(
        graph, conductance=rng.uniform(0.5, 1.5, graph.number_of_edges()), inputs=place[:10], outputs=read
    )


def train(network, params: IrisParams, volts, target, cost_name, rng, callback=None):
    """Train by the rule; full batches, because the gradient then costs one factorisation."""
    bounds = {"conductance": params.conductance}
    optimizer = Adam(params.lr, bounds=bounds) if params.optimizer == "adam" else SGD(params.lr, bounds=bounds)
    if params.rule == "coupled_learning":
        rule = CoupledLearning(params.strength)
    else:
        rule = EquilibriumPropagation(params.strength, "centred", linearised=True)
    cost = {
        "cross_entropy": CrossEntropy("output", params.gain),
        "margin": Margin("output", 1.0 / params.gain),
        "squared_error": SquaredError("output"),
    }[cost_name]
    data = {"input": volts, "output": target}
    return learn(
        network,
        data,
        rule=rule,
        optimizer=optimizer,
        cost=cost,
        epochs=params.epochs,
        batch=None,
        rng=rng,
        callback=callback,
    )


def run_iris(params: IrisParams, rng) -> dict:
    """One replicate: its own split, graph, places and initial conductances."""
    features, species = load_iris()
    kept, held = split(species, params.held_out, rng)
    volts, z = encode(features, kept), standardise(features, kept)
    network = build(params, rng)
    target = np.eye(3)[species[kept]]

    def outputs(net):
        return net.read(net.solve({"input": volts}).x, "output")

    done = train(network, params, volts[kept], target, params.cost, rng)
    trained = done.machine
    # squared error to +-0.5 V: what one-hot targets mean for outputs between the rails
    squared = train(network, params, volts[kept], target - 0.5, "squared_error", rng)
    before, after = outputs(network), outputs(trained)
    confusion = np.zeros((3, 3))
    np.add.at(confusion, (species[held], np.argmax(after[held], 1)), 1)
    flower = volts[held[0]]
    return {
        "trained": accuracy(after[held], species[held]),
        "training_set": accuracy(after[kept], species[kept]),
        "untrained": accuracy(before[held], species[held]),
        "logistic": accuracy(logistic_regression(z, species, kept)[held], species[held]),
        "squared_error": accuracy(outputs(squared.machine)[held], species[held]),
        "least_squares": accuracy(least_squares(z, species, kept)[held], species[held]),
        "nearest_mean_untrained": float(np.mean(nearest_mean(before, species, kept)[held] == species[held])),
        "nearest_mean_trained": float(np.mean(nearest_mean(after, species, kept)[held] == species[held])),
        "cost": done.cost,
        "confusion": confusion,
        "edges": np.array([[network.nodes.index(node) for node in edge[:2]] for edge in network.edges]),
        "input_nodes": network.terminals["input"][:, 0],
        "output_places": network.terminals["output"],
        "conductance_untrained": network.conductance,
        "conductance_trained": trained.conductance,
        "voltage_untrained": network.solve({"input": flower}).x,
        "voltage_trained": trained.solve({"input": flower}).x,
    }


def draw_iris(replicates) -> dict:
    """Learning curve over replicates, the first network before and after, confusion over all."""
    from matplotlib.figure import Figure

    from physlearn.plot import plot_confusion, plot_learning_curve, plot_network

    curve = Figure(figsize=(4.6, 3.4), layout="constrained")
    plot_learning_curve([r["cost"] for r in replicates], ylabel="training cross-entropy (nats)", ax=curve.subplots())
    networks = Figure(figsize=(10, 4.4), layout="constrained")
    first = replicates[0]
    edges = first["edges"].tolist()
    pos = nx.kamada_kawai_layout(nx.Graph(edges))
    widest = max(first["conductance_untrained"].max(), first["conductance_trained"].max())
    for ax, state in zip(networks.subplots(1, 2), ("untrained", "trained"), strict=True):
        plot_network(
            edges,
            conductance=first[f"conductance_{state}"],
            nodes=range(len(first["voltage_trained"])),
            voltage=first[f"voltage_{state}"],
            pos=pos,
            widest=widest,
            marked={
                "input": first["input_nodes"].tolist(),
                "output": [node for node in first["output_places"].ravel().tolist() if node >= 0],
            },
            ax=ax,
        )
        ax.set_title(f"{state}, one flower applied")
    confusion = Figure(figsize=(4.2, 3.6), layout="constrained")
    plot_confusion(np.sum([r["confusion"] for r in replicates], 0).astype(int), SPECIES, ax=confusion.subplots())
    return {"learning_curve": curve, "network": networks, "confusion": confusion}


iris = Task(
    run=run_iris,
    figures=draw_iris,
    params=IrisParams,
    warm=lambda: run_iris(IrisParams(epochs=1), np.random.default_rng(0)),
    dims={"cost": ("epoch",)},
    ragged=("edges", "conductance_untrained", "conductance_trained"),  # edges between driven nodes are left out
    padded=("cost", "voltage_untrained", "voltage_trained"),
    headline={
        "trained": "trained network, argmax of its outputs",
        "untrained": "untrained network, argmax",
        "logistic": "logistic regression (no network)",
        "squared_error": "network trained on squared error, argmax",
        "least_squares": "least squares on one-hot (no network)",
        "nearest_mean_untrained": "untrained network, nearest class mean",
        "nearest_mean_trained": "trained network, nearest class mean",
        "training_set": "trained network on its training set",
    },
)


class TrainingParams(BaseModel):
    """Shared parameters of all trainings on Iris; see `IrisParams`."""

    model_config = ConfigDict(extra="forbid")
    topology: Literal["random_regular", "complete", "periodic_square"] = "random_regular"
    nodes: int = Field(default=32, ge=16, description="number of nodes; a square number for periodic_square")
    degree: int = Field(default=6, ge=3, description="edges per node of random_regular")
    cost: Literal["cross_entropy", "squared_error"] = "cross_entropy"
    gain: float = Field(default=20.0, gt=0, description="gain of the cross-entropy, 1/V")
    optimizer: Literal["adam", "sgd"] = "adam"
    lr: float = Field(default=0.1, gt=0)
    epochs: int = Field(default=200, ge=1, description="full-batch steps")
    conductance: tuple[float, float] = Field(default=(0.01, 10.0), description="bounds, S")
    held_out: int = Field(default=50, ge=3, le=120, description="flowers in the test set")


class CoupledLearningParams(TrainingParams):
    """Coupled learning (Stern, Hexner, Rocks and Liu 2021) of Iris."""

    eta: float = Field(default=0.01, gt=0, description="fraction of the way from the free to the wanted outputs")


class EquilibriumPropagationParams(TrainingParams):
    """Centred equilibrium propagation (Scellier and Bengio 2017; Laborieux et al. 2021) of Iris."""

    nudge: float = Field(default=0.01, gt=0, description="strength of the cost in the nudged phases")


def run_coupled_learning(params: CoupledLearningParams, rng) -> dict:
    """One replicate of `coupled_learning`."""
    return _train_iris(params, "coupled_learning", params.eta, rng)


def run_equilibrium_propagation(params: EquilibriumPropagationParams, rng) -> dict:
    """One replicate of `equilibrium_propagation`."""
    return _train_iris(params, "equilibrium_propagation", params.nudge, rng)


def _train_iris(params: TrainingParams, rule, strength, rng):
    """One network with its own split and start: accuracies, and the cost of every epoch."""
    shared = {name: getattr(params, name) for name in TrainingParams.model_fields}
    settings = IrisParams(**shared, rule=rule, strength=strength)
    features, species = load_iris()
    kept, held = split(species, params.held_out, rng)
    volts, network = encode(features, kept), build(settings, rng)
    # squared error to +-0.5 V: what one-hot targets mean for outputs between the rails
    target = np.eye(3)[species[kept]] - (0.5 if params.cost == "squared_error" else 0.0)
    done = train(network, settings, volts[kept], target, params.cost, rng)
    trained = done.machine
    outputs = trained.read(trained.solve({"input": volts}).x, "output")
    return {
        "accuracy": accuracy(outputs[held], species[held]),
        "training_set": accuracy(outputs[kept], species[kept]),
        "final_cost": float(done.cost[-1]),
        "cost": done.cost,
    }


_HEADLINE = {
    "accuracy": "held-out accuracy",
    "training_set": "accuracy on the training set",
    "final_cost": "training cost at the end",
}
coupled_learning = Task(
    run=run_coupled_learning,
    params=CoupledLearningParams,
    dims={"cost": ("epoch",)},
    padded=("cost",),
    headline=_HEADLINE,
    warm=lambda: run_coupled_learning(CoupledLearningParams(epochs=2), np.random.default_rng(0)),
)
equilibrium_propagation = Task(
    run=run_equilibrium_propagation,
    params=EquilibriumPropagationParams,
    dims={"cost": ("epoch",)},
    padded=("cost",),
    headline=_HEADLINE,
    warm=lambda: run_equilibrium_propagation(EquilibriumPropagationParams(epochs=2), np.random.default_rng(0)),
)
