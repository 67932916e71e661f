"""A Hodgkin-Huxley workload of `neurons_hh.py` in another simulator: ``python hh_peers.py neuron scan``.

Prints the processor seconds of the loop over time and the mean rate in Hz.  It runs under any Python that has the
simulator, and shares nothing with this project: brian2 (C++ standalone; one neuron in Cython), neuron, arbor.

- scan: 1,000 squid axons under 0 to 20 uA/cm2, 1 s, dt 0.01 ms;
- cobahh: 4,000 Traub-Miles neurons, 1 s, dt 0.1 ms (Brian2 only: for the others its channels are code to compile);
- one: one squid axon under 10 uA/cm2, 100 ms, dt 0.01 ms.
"""

import math
import sys
import tempfile
import time

TOP = {"scan": 20.0, "one": 10.0}  # uA/cm2
CELLS = {"scan": 1000, "one": 1}
SECONDS = {"scan": 1.0, "one": 0.1}

SQUID = """
dv/dt = (I - gna*m**3*h*(v - 50*mV) - gk*n**4*(v + 77*mV) - gl*(v + 54.387*mV))/C : volt
dm/dt = am*(1 - m) - bm*m : 1
dh/dt = ah*(1 - h) - bh*h : 1
dn/dt = an*(1 - n) - bn*n : 1
am = 1/exprel(-(v + 40*mV)/(10*mV))/ms : Hz
bm = 4*exp(-(v + 65*mV)/(18*mV))/ms : Hz
ah = 0.07*exp(-(v + 65*mV)/(20*mV))/ms : Hz
bh = 1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms : Hz
an = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms : Hz
bn = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : Hz
I : amp/meter**2
"""
TRAUB_MILES = """
dv/dt = (gl*(El - v) - ge*v - gi*(v + 80*mV) - gna*m**3*h*(v - 50*mV) - gk*n**4*(v + 90*mV))/C : volt
dm/dt = am*(1 - m) - bm*m : 1
dh/dt = ah*(1 - h) - bh*h : 1
dn/dt = an*(1 - n) - bn*n : 1
dge/dt = -ge/(5*ms) : siemens
dgi/dt = -gi/(10*ms) : siemens
am = 1.28/exprel((-50*mV - v)/(4*mV))/ms : Hz
bm = 1.4/exprel((v + 23*mV)/(5*mV))/ms : Hz
ah = 0.128*exp((-46*mV - v)/(18*mV))/ms : Hz
bh = 4/(1 + exp((-23*mV - v)/(5*mV)))/ms : Hz
an = 0.16/exprel((-48*mV - v)/(5*mV))/ms : Hz
bn = 0.5*exp((-53*mV - v)/(40*mV))/ms : Hz
"""


def currents(workload):
    """Of each cell, uA/cm2."""
    n = CELLS[workload]
    return [TOP[workload] * k / (n - 1) if n > 1 else TOP[workload] for k in range(n)]


def brian2(workload):
    """Exponential Euler."""
    import brian2 as b2
    from brian2 import cm, ms, msiemens, mV, nS, pF, uA, ufarad

    folder = tempfile.TemporaryDirectory()
    if workload != "one":
        b2.set_device("cpp_standalone", directory=folder.name, build_on_run=False)
    b2.defaultclock.dt = (0.1 if workload == "cobahh" else 0.01) * ms
    synapses, seconds = [], SECONDS.get(workload, 1.0)
    if workload == "cobahh":
        namespace = {"C": 200 * pF, "gna": 20000 * nS, "gk": 6000 * nS, "gl": 10 * nS, "El": -60 * mV}
        equations, start, threshold, size = TRAUB_MILES, -60 * mV, "v > -20*mV", 4000
    else:
        per_area = msiemens / cm**2
        namespace = {"C": 1 * ufarad / cm**2, "gna": 120 * per_area, "gk": 36 * per_area, "gl": 0.3 * per_area}
        equations, start, threshold, size = SQUID, -64.9964 * mV, "v > 0*mV", CELLS[workload]
    cells = b2.NeuronGroup(
        size, equations, threshold=threshold, refractory=threshold, method="exponential_euler", namespace=namespace
    )
    cells.v = start
    for gate in "mhn":
        setattr(cells, gate, f"a{gate}/(a{gate} + b{gate})")
    if workload == "cobahh":
        cells.v = "-60*mV + (5*randn() - 5)*mV"
        for condition, on_pre in (("i < 3200", "ge += 6*nS"), ("i >= 3200", "gi += 67*nS")):
            synapses.append(b2.Synapses(cells, cells, on_pre=on_pre))
            synapses[-1].connect(condition, p=0.02)
    else:
        cells.I = currents(workload) * uA / cm**2
    monitor = b2.SpikeMonitor(cells)
    b2.Network(cells, monitor, *synapses).run(seconds * b2.second)
    if workload != "one":
        b2.device.build(directory=folder.name, compile=True, run=True)
    return b2.device._last_run_time, monitor.num_spikes / size / seconds


def neuron(workload):
    """Its built-in `hh`: implicit voltage, exact gates."""
    from neuron import h

    h.celsius, context, side = 6.3, h.ParallelContext(), 20.0  # um
    cells = []
    for k, current in enumerate(currents(workload)):
        cell = h.Section(name=f"cell{k}")
        cell.L = cell.diam = side
        cell.insert("hh")
        cell.el_hh = -54.387
        clamp = h.IClamp(cell(0.5))
        clamp.delay, clamp.dur, clamp.amp = 0.0, 1e9, current * math.pi * side**2 * 1e-8 * 1e3  # nA
        context.set_gid2node(k, 0)
        detector = h.NetCon(cell(0.5)._ref_v, None, sec=cell)
        detector.threshold = 0.0
        context.cell(k, detector)
        cells.append((cell, clamp, detector))
    times, ids = h.Vector(), h.Vector()
    context.spike_record(-1, times, ids)
    h.dt = 0.01
    context.set_maxstep(10)
    h.finitialize(-64.9964)
    start = time.process_time()
    context.psolve(1e3 * SECONDS[workload])
    return time.process_time() - start, len(times) / len(cells) / SECONDS[workload]


def arbor(workload):
    """Its built-in `hh`: implicit voltage, exact gates, vector instructions; one thread."""
    import arbor
    from arbor import units

    class Cells(arbor.recipe):
        def __init__(self):
            super().__init__()
            self.properties, self.tree = arbor.neuron_cable_properties(), arbor.segment_tree()
            self.tree.append(arbor.mnpos, arbor.mpoint(-10, 0, 0, 10), arbor.mpoint(10, 0, 0, 10), tag=1)

        def num_cells(self):
            return CELLS[workload]

        def cell_kind(self, gid):
            return arbor.cell_kind.cable

        def connections_on(self, gid):  # of weight 0: spikes of cells without connections are not recorded (0.12)
            return [arbor.connection((gid, "detector"), "silent", 0.0, 1000 * units.ms)]

        def global_properties(self, kind):
            return self.properties

        def cell_description(self, gid):
            amplitude = amplitudes[gid] * math.pi * 20.0**2 * 1e-8 * 1e3  # nA
            decor = arbor.decor().set_property(Vm=-64.9964 * units.mV, tempK=279.45 * units.Kelvin)
            decor.paint("(all)", arbor.density("hh", {"gnabar": 0.12, "gkbar": 0.036, "gl": 0.0003, "el": -54.387}))
            clamp = arbor.i_clamp(0 * units.ms, 1e9 * units.ms, amplitude * units.nA)
            decor.place("(location 0 0.5)", clamp)
            decor.place("(location 0 0.5)", arbor.threshold_detector(0 * units.mV), "detector")
            decor.place("(location 0 0.5)", arbor.synapse("expsyn"), "silent")
            return arbor.cable_cell(self.tree, decor, arbor.label_dict(), arbor.cv_policy_single())

    amplitudes, recipe, context = currents(workload), Cells(), arbor.context(threads=1)
    group = {arbor.cell_kind.cable: arbor.partition_hint(cpu_group_size=256)}
    simulation = arbor.simulation(recipe, context, arbor.partition_load_balance(recipe, context, group))
    simulation.record(arbor.spike_recording.all)
    start = time.process_time()
    simulation.run(1e3 * SECONDS[workload] * units.ms, 0.01 * units.ms)
    spent = time.process_time() - start
    return spent, len(simulation.spikes()) / CELLS[workload] / SECONDS[workload]


if __name__ == "__main__":
    found = {"brian2": brian2, "neuron": neuron, "arbor": arbor}[sys.argv[1]](sys.argv[2])
    print(*found)
