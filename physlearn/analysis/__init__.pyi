from .autocorrelation import (
    Autocorrelation as Autocorrelation,
    autocorrelation_time as autocorrelation_time,
    mean_error as mean_error,
)
from .resampling import (
    Estimate as Estimate,
    estimate as estimate,
)
from .reweighting import (
    MultiHistogram as MultiHistogram,
    multi_histogram as multi_histogram,
    reweight as reweight,
)
from .scaling import (
    Collapse as Collapse,
    collapse as collapse,
    crossing as crossing,
)
