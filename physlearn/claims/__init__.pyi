from .claim import (
    Claim as Claim,
    over_chains as over_chains,
)
from .page import (
    table as table,
    write_page as write_page,
)
from .run import (
    claims as claims,
    reproduce as reproduce,
)
