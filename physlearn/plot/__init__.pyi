from .assembly import (
    animate_assembly as animate_assembly,
)
from .assembly import (
    plot_assembly as plot_assembly,
)
from .assembly import (
    plot_assembly_phases as plot_assembly_phases,
)
from .assembly import (
    plot_retrieval as plot_retrieval,
)
from .confusion import plot_confusion as plot_confusion
from .curves import plot_learning_curve as plot_learning_curve
from .memory import (
    plot_attention as plot_attention,
)
from .memory import (
    plot_capacity as plot_capacity,
)
from .memory import (
    plot_landscape as plot_landscape,
)
from .memory import (
    plot_overlaps as plot_overlaps,
)
from .memory import (
    plot_patterns as plot_patterns,
)
from .memory import (
    plot_phase_diagram as plot_phase_diagram,
)
from .network import plot_network as plot_network
from .neurons import (
    plot_fi as plot_fi,
)
from .neurons import (
    plot_membrane as plot_membrane,
)
from .neurons import (
    plot_phase_plane as plot_phase_plane,
)
from .neurons import (
    plot_raster as plot_raster,
)
from .study import (
    plot_bands as plot_bands,
)
from .study import (
    plot_heat_map as plot_heat_map,
)
from .study import (
    plot_refined as plot_refined,
)
