from .assembly import (
    animate_assembly as animate_assembly,
    plot_assembly as plot_assembly,
    plot_assembly_phases as plot_assembly_phases,
    plot_retrieval as plot_retrieval,
)
from .confusion import plot_confusion as plot_confusion
from .curves import (
    plot_gradient_norms as plot_gradient_norms,
    plot_learning_curve as plot_learning_curve,
)
from .memory import (
    plot_attention as plot_attention,
    plot_capacity as plot_capacity,
    plot_landscape as plot_landscape,
    plot_overlaps as plot_overlaps,
    plot_phase_diagram as plot_phase_diagram,
)
from .network import plot_network as plot_network
from .neurons import (
    plot_fi as plot_fi,
    plot_membrane as plot_membrane,
    plot_raster as plot_raster,
)
from .patterns import plot_patterns as plot_patterns
from .phase_plane import plot_phase_plane as plot_phase_plane
from .refined import plot_refined as plot_refined
from .study import (
    plot_bands as plot_bands,
    plot_heat_map as plot_heat_map,
)
