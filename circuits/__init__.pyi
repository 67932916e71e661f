from . import neurons as neurons
from .hessian import (
    cost_hessian as cost_hessian,
)
from .hessian import (
    laplacian as laplacian,
)
from .hessian import (
    response as response,
)
from .hessian import (
    settling_time as settling_time,
)
from .hessian import (
    soft_modes as soft_modes,
)
from .hopfield import (
    amplifier_network as amplifier_network,
)
from .hopfield import (
    amplifier_outputs as amplifier_outputs,
)
from .lattices import (
    complete_graph as complete_graph,
)
from .lattices import (
    erdos_renyi_graph as erdos_renyi_graph,
)
from .lattices import (
    layered_graph as layered_graph,
)
from .lattices import (
    random_geometric_graph as random_geometric_graph,
)
from .lattices import (
    random_regular_graph as random_regular_graph,
)
from .lattices import (
    square_lattice as square_lattice,
)
from .observables import (
    dissipated_power as dissipated_power,
)
from .observables import (
    edge_currents as edge_currents,
)
from .observables import (
    energy_per_inference as energy_per_inference,
)
from .observables import (
    source_currents as source_currents,
)
from .resistance import (
    effective_resistance as effective_resistance,
)
from .resistance import (
    kirchhoff_index as kirchhoff_index,
)
from .resistance import (
    resistance_matrix as resistance_matrix,
)
from .resistor import ResistorNetwork as ResistorNetwork
from .spice import (
    run_ngspice as run_ngspice,
)
from .spice import (
    spice_names as spice_names,
)
from .spice import (
    to_spice as to_spice,
)
