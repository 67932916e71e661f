"""Linkers: bonds that small molecules mediate, and that their concentrations tune afterwards.

Between two neighbouring sites there is room for one linker l or none.  Bound to the species i and j next to it, it has
the energy A_il + A_jl and costs -T ln c_l.  Summed over linkers, exactly (an empty site: i = 0, A_0l = 0),

    J_eff(i, j) = J_ij - T ln[1 + sum_l c_l exp(-(A_il + A_jl)/T)] + T ln[1 + sum_l c_l]

the last term a constant for each pair of sites that sets J_eff(0, 0) = J_00.  The observed species thus have the
couplings of a larger matrix with its hidden part integrated out.  A free energy: it depends on T.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, count, positive


def linked(J, n_species, concentrations, *, temperature):
    """Effective couplings of the observed species.

    Parameters
    ----------
    J : (N + L, N + L) array
        Symmetric energies of N observed species, then L linkers; entries between two linkers do not count.
    n_species : int
        N.
    concentrations : float or (L,) array
        c_l >= 0, of linkers per pair of sites, dilute reservoir.
    temperature : float
        Positive (k_B = 1).

    Returns
    -------
    J : (N + 1, N + 1) array
        For an `Assembly`, code 0 being the empty site: a linker on one species alone shifts its chemical potential.

    Raises
    ------
    ValueError
        J not square or not symmetric, no linkers, negative concentrations, T <= 0.

    Examples
    --------
    A linker that holds 1 to 2 works only where it is present:

    >>> import numpy as np
    >>> large = np.zeros((3, 3))
    >>> large[0, 2] = large[2, 0] = large[1, 2] = large[2, 1] = -4.0
    >>> [round(float(linked(large, 2, c, temperature=1.0)[1, 2]), 3) for c in (0.0, 0.01, 0.1)]
    [0.0, -3.418, -5.605]
    """
    count("n_species", n_species)
    J, c = array("J", J, finite=False), array("concentrations", concentrations, finite=False)
    linkers = len(J) - n_species if J.ndim == 2 else 0
    if J.ndim != 2 or J.shape[0] != J.shape[1] or linkers < 1:
        raise ValueError(f"J: shape {J.shape}, expected (N + L, N + L) with N = {n_species} and at least one linker")
    if not np.all(np.isfinite(J)) or not np.allclose(J, J.T, rtol=1e-12, atol=0.0):
        raise ValueError("J: expected finite and symmetric energies; symmetrise it")
    if c.shape not in ((), (linkers,)) or not np.all((c >= 0) & np.isfinite(c)):
        raise ValueError(f"concentrations: got {concentrations!r}, expected one or {linkers} numbers of at least 0")
    temperature = positive("temperature", temperature)
    c = np.broadcast_to(c, (linkers,))
    arms = np.concatenate([np.zeros((1, linkers)), J[:n_species, n_species:]])
    with np.errstate(divide="ignore"):
        exponent = np.log(c) - (arms[:, None] + arms[None]) / temperature
    bound = np.logaddexp(0.0, np.logaddexp.reduce(exponent, -1))
    out = np.zeros((n_species + 1, n_species + 1))
    out[1:, 1:] = J[:n_species, :n_species]
    return out - temperature * (bound - bound[0, 0])
