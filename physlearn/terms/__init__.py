"""Kinds of coupling, one file each; a custom term is any object with the members below.

Every term has ``layers`` and the methods ``energy``, ``field`` and ``gradient`` (see `physlearn.energy`).  Optional
forms open faster engines or say what holds, each audited by `check_energy`:

    curvature(x, theta, layer)   d2E/dx_i2 where E is a separable quadratic in that layer, None elsewhere
    quadratic(theta) -> (A, b)   E = x.A.x/2 - b.x + const over the term's layers, concatenated
    jacobian(x, theta)           d field/dx of one state (batch of one), over the same concatenation; measured ones
                                 are marked by ``differences = True``
    limit(x, theta)              (margin (batch,), sentence): the field holds where the margin is positive
    strength(theta)              of a term with `quadratic`, a bound on the size of the eigenvalues of A between layers
    gradient_moments(basis, gram, theta)  `gradient` of the states c @ basis, where gram = sum c^T w c
    check(layers, theta)         ValueError for parameters that do not fit, called by every verb
    parameters                   names in theta that the term reads (or ``parameter``, a single one); a missing one is
                                 refused when the energy is built
    single = True                float32 parameters stay so, where every term says this; else they become float64
    holomorphic = True           energy, field and gradient accept complex x (complex nudges)
    multilinear = True           the energy is proportional to each of its layers: differences of states may be taken
                                 before products
    reciprocal = False           its forces are no gradient of its energy: what lowers an energy refuses
    rowwise = True               rows of energy and field have the same bits in any batch of two or more
    local                        a `Local`: compiled single-variable updates
    potential                    a `Potential`: compiled trajectories (Hamiltonian Monte Carlo)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
