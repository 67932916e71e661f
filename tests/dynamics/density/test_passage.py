import numpy as np
import pytest

from physlearn import commute_time, fokker_planck, passage_time


def tilted(x):
    return (x[:, 0] ** 2 - 1) ** 2 + 0.25 * x[:, 0]


def hitting(machine, target):
    """Mean times to a set of cells, by a dense solution of A' t = -1."""
    n = machine.potential.size
    a = np.zeros((n, n))
    for (i, j), there, back in zip(machine.pairs, machine.there, machine.back, strict=True):
        a[[i, i], [j, i]] += there, -there
        a[[j, j], [i, j]] += back, -back
    free, out = ~target, np.zeros(n)
    out[free] = np.linalg.solve(a[np.ix_(free, free)], -np.ones(free.sum()))
    return out


def inverse(machine):
    n = machine.potential.size
    laplacian = np.zeros((n, n))
    for (a, b), g in zip(machine.pairs, machine.conductance, strict=True):
        laplacian[[a, b, a, b], [a, b, b, a]] += g, g, -g, -g
    grounded = np.zeros((n, n))
    grounded[1:, 1:] = np.linalg.inv(laplacian[1:, 1:])
    return grounded


def test_passages_are_hitting_times_and_resistances():
    machine = fokker_planck(tilted, np.linspace(-1.4, 1.4, 31), 0.4, walls=True)  # the formula takes differences
    x = machine.axes[0]
    a, b = (int(np.argmin(np.abs(x - at))) for at in (-1.0, 1.0))
    r = inverse(machine)
    resistance = r.diagonal()[:, None] + r.diagonal() - 2 * r
    for start, end in ((a, b), (b, a), (0, 30), (20, 10)):
        found = passage_time(machine, x[start], x[end])
        assert abs(found / hitting(machine, np.arange(31) == end)[start] - 1) < 1e-9
        formula = 0.5 * sum(
            c * (resistance[start, end] + resistance[end, k] - resistance[start, k])
            for k, c in enumerate(machine.capacity)
        )
        assert abs(found / formula - 1) < 1e-8
    both = passage_time(machine, -1.0, 1.0) + passage_time(machine, 1.0, -1.0)
    assert abs(commute_time(machine, -1.0, 1.0) / both - 1) < 1e-12
    assert abs(both / (machine.capacity.sum() * resistance[a, b]) - 1) < 1e-8
    assert passage_time(machine, 0.3, 0.3) == 0 == commute_time(machine, 0.3, 0.3)


def test_regions_between_and_in_the_plane():
    machine = fokker_planck(tilted, np.linspace(-2.2, 2.2, 45), 0.4)
    ends = np.abs(machine.axes[0]) > 1.0
    for at in (-0.7, 0.0, 0.9):
        start = int(np.argmin(np.abs(machine.axes[0] - at)))
        assert abs(passage_time(machine, at, ends) / hitting(machine, ends)[start] - 1) < 1e-9
    plane = fokker_planck(
        lambda x: tilted(x) + x[:, 1] ** 2, (np.linspace(-2.2, 2.2, 15), np.linspace(-2.6, 2.6, 11)), 0.4
    )
    here = np.hypot(plane.axes[0][:, None] - 1, plane.axes[1]) < 0.4
    start = int(np.ravel_multi_index((3, 5), plane.shape))
    found = passage_time(plane, [plane.axes[0][3], plane.axes[1][5]], here)
    assert abs(found / hitting(plane, here.ravel())[start] - 1) < 1e-9
    there, back = ([-1.0, 0.0], [1.0, 0.0]), ([1.0, 0.0], [-1.0, 0.0])
    assert abs(commute_time(plane, *there) / (passage_time(plane, *there) + passage_time(plane, *back)) - 1) < 1e-9


def test_kramers_rate_is_an_rc_time():
    """Two wells of capacity C/2 each, through the barrier's resistance: rate 2/(R C/2) near the slow mode."""
    for temperature, corrections in ((0.1, 0.12), (0.025, 0.03)):  # of order T
        machine = fokker_planck(lambda x: x[:, 0] ** 4 / 4 - x[:, 0] ** 2 / 2, np.linspace(-2.2, 2.2, 801), temperature)
        rate = machine.spectrum(2).rates[1]
        assert abs(4 / commute_time(machine, -1.0, 1.0) / rate - 1) < corrections
        assert abs(1 / passage_time(machine, -1.0, 0.0) / rate - 1) < corrections


def test_what_is_refused():
    machine = fokker_planck(tilted, np.linspace(-2.2, 2.2, 45), 0.4)
    with pytest.raises(ValueError, match="start: got 3.0, expected a point of the grid"):
        passage_time(machine, 3.0, 0.0)
    with pytest.raises(ValueError, match="end: got 0 cells"):
        passage_time(machine, 0.0, np.zeros(45, bool))
    with pytest.raises(ValueError, match="a: got the shape"):
        commute_time(machine, [0.0, 1.0], 0.0)
    with pytest.raises(ValueError, match="longer to cross than floats hold"):
        passage_time(fokker_planck(tilted, np.linspace(-2.2, 2.2, 2001), 0.001), -1.0, 1.0)


def as_resistors(machine):
    """The machine's cells as nodes and its faces as resistors of `circuits`."""
    import networkx as nx

    from circuits import ResistorNetwork

    graph = nx.Graph()
    graph.add_nodes_from(range(machine.potential.size))
    graph.add_edges_from((int(a), int(b)) for a, b in machine.pairs)
    number = {tuple(sorted((int(a), int(b)))): g for (a, b), g in zip(machine.pairs, machine.conductance, strict=True)}
    return ResistorNetwork(graph, conductance=np.array([number[tuple(sorted(edge))] for edge in graph.edges]))


@pytest.mark.parametrize("dimensions", [1, 2])
def test_a_commute_is_capacity_times_resistance_of_circuits(dimensions):
    """`circuits` knows nothing of densities: its effective resistance times the total capacity."""
    from circuits import effective_resistance

    axis = np.linspace(-1.6, 1.6, 81 if dimensions == 1 else 17)
    grid = axis if dimensions == 1 else (axis, axis)
    machine = fokker_planck(lambda x: tilted(x) + np.sum(x[:, 1:] ** 2, 1), grid, 0.4, walls=True)
    ends = [np.full(dimensions, 0.0) for _ in range(2)]
    ends[0][0], ends[1][0] = -1.0, 1.0
    shape = machine.shape
    cells = [int(np.ravel_multi_index([np.argmin(np.abs(axis - v)) for v in end], shape)) for end in ends]
    resistance = effective_resistance(as_resistors(machine), (cells[0], cells[1]))
    found = commute_time(machine, *ends) if dimensions > 1 else commute_time(machine, -1.0, 1.0)
    assert found == pytest.approx(machine.capacity.sum() * resistance, rel=1e-8)


def test_discharge_of_the_network_is_the_density_and_its_rate_that_of_kramers():
    """From near rest the capacitors' voltages are the density over exp(-V/T); 2/RC is the slow rate."""
    from circuits import effective_resistance
    from physlearn import Energy, Real, integrate
    from physlearn.terms import Edges

    x = np.linspace(-2.0, 2.0, 201)
    machine = fokker_planck(lambda p: p[:, 0] ** 4 / 4 - p[:, 0] ** 2 / 2, x, 0.1)
    start = np.exp(-((x + 1) ** 2) / 0.1)
    start /= start.sum() * machine.volume
    capacity = machine.capacity
    network = Energy({"u": (Real(), 201)}, [Edges("u", machine.pairs)], {"conductance": machine.conductance})
    run = integrate(
        network, (0.0, 20.0), x0=start / capacity, times=[20.0], tau={"u": capacity}, method="stiff", tol=1e-8
    )
    density = integrate(machine, (0.0, 20.0), x0=start, times=[20.0]).final
    assert np.max(np.abs(run.final * capacity - density)) < 1e-7 * density.max()
    cold = fokker_planck(lambda p: p[:, 0] ** 4 / 4 - p[:, 0] ** 2 / 2, x, 0.03)
    resistance = effective_resistance(as_resistors(cold), (50, 150))  # between the wells' bottoms
    rc = 2.0 / (resistance * cold.capacity[x < 0].sum())
    assert rc == pytest.approx(cold.spectrum(2).rates[1], rel=2e-3)
    assert rc == pytest.approx(np.sqrt(2) / np.pi * np.exp(-0.25 / 0.03), rel=0.06)
