from . import neurons as neurons
from .elements.behavioural import Behavioural as Behavioural
from .elements.capacitor import Capacitor as Capacitor
from .elements.controlled import (
    CCCS as CCCS,
    CCVS as CCVS,
    VCCS as VCCS,
    VCVS as VCVS,
)
from .elements.diode import Diode as Diode
from .elements.ideal_diode import IdealDiode as IdealDiode
from .elements.law import Law as Law
from .elements.memristor import (
    DriftMemristor as DriftMemristor,
    ThresholdMemristor as ThresholdMemristor,
)
from .elements.mosfet import MOSFET as MOSFET
from .elements.resistor import Resistor as Resistor
from .elements.sources import (
    CurrentSource as CurrentSource,
    VoltageSource as VoltageSource,
)
from .elements.transistor import TransistorEdge as TransistorEdge
from .elements.waveforms import (
    Points as Points,
    Pulse as Pulse,
    Sine as Sine,
)
from .graphs import (
    complete_graph as complete_graph,
    erdos_renyi_graph as erdos_renyi_graph,
    layered_graph as layered_graph,
    random_geometric_graph as random_geometric_graph,
    random_regular_graph as random_regular_graph,
    square_lattice as square_lattice,
)
from .hardware.bench import (
    read_measurements as read_measurements,
    read_wiring as read_wiring,
    write_wiring as write_wiring,
)
from .hardware.built import Failure as Failure
from .hardware.cost import (
    PhysicalCost as PhysicalCost,
    cost_table as cost_table,
    physical_cost as physical_cost,
)
from .hardware.hardware import Hardware as Hardware
from .hardware.identify import (
    Identification as Identification,
    identify as identify,
)
from .hardware.technology import (
    Processor as Processor,
    Technology as Technology,
)
from .nodal.circuit import Circuit as Circuit
from .nodal.layered import as_circuit as as_circuit
from .nodal.operating_point import OperatingPoint as OperatingPoint
from .nodal.transient import Transient as Transient
from .resistive.deep import DeepResistiveNetwork as DeepResistiveNetwork
from .resistive.hessian import (
    cost_hessian as cost_hessian,
    laplacian as laplacian,
    response as response,
    settling_time as settling_time,
    soft_modes as soft_modes,
)
from .resistive.hopfield import (
    amplifier_network as amplifier_network,
    amplifier_outputs as amplifier_outputs,
)
from .resistive.meters import (
    dissipated_power as dissipated_power,
    edge_currents as edge_currents,
    energy_per_inference as energy_per_inference,
    source_currents as source_currents,
)
from .resistive.resistance import (
    effective_resistance as effective_resistance,
    kirchhoff_index as kirchhoff_index,
    resistance_matrix as resistance_matrix,
)
from .resistive.resistor import ResistorNetwork as ResistorNetwork
from .spice.read import read_netlist as read_netlist
from .spice.write import (
    run_ngspice as run_ngspice,
    spice_names as spice_names,
    to_spice as to_spice,
    write_netlist as write_netlist,
)
