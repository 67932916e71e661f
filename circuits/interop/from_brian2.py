"""A Brian2 network read back: a closed list of models, everything else refused by the name of the term.

Read are groups of LIF neurons, tau dv/dt = v_rest - v + receptor currents, whose receptors are linear: a jump of v,
``dg/dt = -g/tau``, or a chain ``dx/dt = -x/rise``, ``dg/dt = -g/decay + x/rise`` (an alpha function where the two are
equal); synapses whose ``on_pre`` adds a weight to one of them; `PoissonInput`; monitors are passed over.  Constant
terms of dv/dt, injected currents among them, are part of v_rest.

Brian2's refractory period is one step shorter than its number (see `circuits.interop.brian2`), and ``v > threshold``
becomes v >= threshold.  Jumps of v that arrive at the last grid point of the refractory period count here, not there.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from circuits.interop.brian2 import brian2
from circuits.neurons import connect
from circuits.neurons.lif import LIF
from circuits.neurons.network import SpikingNetwork
from circuits.neurons.population import Population
from circuits.neurons.projection import Projection
from circuits.neurons.receptors import Alpha, Delta, DualExponential, Exponential, Gamma
from circuits.neurons.trains import Poisson


def from_brian2(net, *, namespace=None):
    r"""The network that a Brian2 `Network` describes.

    Parameters
    ----------
    net : brian2.Network
    namespace : dict, optional
        Values of names in the equations that are neither in their group nor in its own namespace; default the
        caller's variables, as in ``net.run``.

    Returns
    -------
    SpikingNetwork
        Populations and receptors by the names that they have in Brian2 (jumps of v go to the receptor "delta");
        v starts where it stands now.

    Raises
    ------
    ValueError
        Whatever is not on the list, by name and term.

    Examples
    --------
    >>> import brian2 as b2
    >>> group = b2.NeuronGroup(2, "dv/dt = (11*mV - v + ge)/(20*ms) : volt\ndge/dt = -ge/(5*ms) : volt",
    ...                        threshold="v > 10*mV", reset="v = 0*mV", method="exact", name="cells")
    >>> network = from_brian2(b2.Network(group))
    >>> network.populations["cells"].model.v_rest, network.populations["cells"].receptors
    (0.011, {'ge': Exponential(tau=0.005, reversal=None, normalised='peak')})
    """
    b2 = brian2()
    if namespace is None:
        from brian2.core.namespace import get_local_namespace

        namespace = get_local_namespace(level=1)
    passed = (b2.SpikeMonitor, b2.StateMonitor, b2.PopulationRateMonitor, b2.EventMonitor)
    readers, wires, inputs = {}, [], []
    for thing in net.objects:
        if isinstance(thing, b2.NeuronGroup):
            readers[thing.name] = _Group(thing, namespace)
        elif isinstance(thing, b2.Synapses):
            wires.append(thing)
        elif isinstance(thing, b2.PoissonInput):
            inputs.append(thing)
        elif not isinstance(thing, passed) and thing not in [
            c for other in net.objects for c in other.contained_objects
        ]:
            raise ValueError(f"{thing.name}: a {type(thing).__name__} is not read")
    if len({float(reader.dt) for reader in readers.values()}) > 1:
        raise ValueError(f"net: groups with different dt, {[(k, r.dt) for k, r in readers.items()]}; one is read")
    projections = [p for thing in sorted(wires, key=lambda s: s.name) for p in _projections(thing, readers, namespace)]
    given = []
    for thing in inputs:
        reader = readers[thing._group.name]
        if thing._group is not reader.group:
            raise ValueError(f"{thing.name}: a PoissonInput into a part of a group; give it the whole group")
        receptor, scale = reader.receptor(thing.name, thing._target_var)
        rate = float(thing.rate) * int(thing.N)
        given.append(Poisson(reader.group.name, rate=rate, weight=float(thing._weight) * scale, receptor=receptor))
    return SpikingNetwork({name: reader.population() for name, reader in readers.items()}, projections, given)


class _Group:
    """One NeuronGroup: its population, and where spikes may go."""

    def __init__(self, group, namespace):
        self.group, self.dt, name = group, float(group.clock.dt), group.name
        self.look_up = lambda symbol: _value(group, symbol, namespace, name)
        equations = group.equations
        if equations.is_stochastic:
            raise ValueError(f"{name}: noise (xi) in the equations is not read")
        matched = re.fullmatch(r"\s*(\w+)\s*(?:>=|>)\s*(.+?)\s*", group.events.get("spike", ""))
        if matched is None or matched[1] not in equations.diff_eq_names or re.search(r"\b(and|or)\b", matched[2]):
            raise ValueError(f"{name}: threshold {group.events.get('spike')!r}, expected 'v > number'")
        self.v, threshold = matched[1], self.number(matched[2], "threshold")
        code = group.event_codes.get("spike") or ""
        matched = re.fullmatch(r"\s*(\w+)\s*=\s*([^;\n]+?)\s*", code)
        if matched is None or matched[1] != self.v:
            raise ValueError(f"{name}: reset {code!r}, expected '{self.v} = number' and nothing else")
        reset = self.number(matched[2], "reset")
        for variable, equation in equations.items():
            if equation.type == "subexpression" and "constant over dt" in equation.flags:
                raise ValueError(f"{name}: {variable} is 'constant over dt', which is not read")
        self.names = sorted(equations.diff_eq_names)
        rows = [self._linear(variable) for variable in self.names]
        self.matrix, constant = np.array([row[0] for row in rows], dtype=object), [row[1] for row in rows]
        row = k = self.names.index(self.v)
        if np.any(self.matrix[k, k] >= 0):
            raise ValueError(f"{name}: d{self.v}/dt has no leak")
        tau = -1.0 / self.matrix[k, k]
        self.chains = {self._chain(j) for j in range(len(self.names)) if j != row and np.any(self.matrix[row, j] != 0)}
        used = {j for chain in self.chains for j in chain} | {row}
        if len(used) < len(self.names):
            raise ValueError(f"{name}: {[n for j, n in enumerate(self.names) if j not in used]} do not act on {self.v}")
        gains = {chain: self.matrix[row, chain[-1]] * tau for chain in self.chains}
        resistance = next(iter(gains.values()), 1.0)
        resistance = np.abs(resistance)
        self.scales = {
            chain: _one(gain / resistance, f"{name}: weights in d{self.v}/dt") for chain, gain in gains.items()
        }
        self.kernels = {chain: self._kernel(chain) for chain in self.chains}
        flagged = [v for v in self.names if "unless refractory" in group.equations[v].flags]
        held = self._held()
        if held and self.v not in flagged and "int(not_refractory)" not in str(group.equations):
            raise ValueError(f"{name}: {self.v} moves while refractory, which is not read; mark it (unless refractory)")
        if any(v != self.v for v in flagged):
            raise ValueError(f"{name}: {flagged} (unless refractory): receptors that rest are not read")
        for j, variable in enumerate(self.names):
            if j != row and np.any(group.variables[variable].get_value() != 0):
                raise ValueError(f"{name}: {variable} does not start at 0")
        rest = constant[row] * tau
        shape = dict(tau=tau, v_rest=rest, v_threshold=threshold, v_reset=reset, resistance=resistance)
        values: dict[str, Any] = {k: _shared(v) for k, v in shape.items()}
        model = LIF(**values, refractory=held * self.dt)
        self.receptors: dict[str, Any] = {
            self.names[chain[-1]]: kernel for chain, kernel in sorted(self.kernels.items())
        }
        self.model, self.start = model, np.array(group.variables[self.v].get_value(), dtype=float)

    def population(self):
        """The group, with the receptors that it has in itself and those that were asked for."""
        return Population(self.model, self.group.N, receptors=self.receptors, initial={"v": self.start})

    def _linear(self, variable):
        """Coefficients of all variables in one equation, and its constant: numbers or (n,)."""
        import sympy
        from brian2.parsing.sympytools import str_to_sympy

        where, equations = f"d{variable}/dt", self.group.equations
        code = dict(equations.get_substituted_expressions(self.group.variables))[variable].code
        expression = sympy.expand(str_to_sympy(code.replace("int(not_refractory)", "1")))
        known = {str(symbol): symbol for symbol in expression.free_symbols}
        states = [known.get(name, sympy.Symbol(name)) for name in self.names]
        for term in sympy.Add.make_args(expression):
            if not term.is_polynomial(*states) or sympy.Poly(term, *states).total_degree() > 1:
                raise ValueError(f"{self.group.name}: {where}: the term {term} is not linear; LIF neurons are read")
        row = [self.number(expression.coeff(state), where) for state in states]
        return row, self.number(expression.subs(dict.fromkeys(states, 0)), where)

    def number(self, expression, where):
        """The value of an expression of constants, a float or (n,)."""
        import sympy
        from brian2.parsing.sympytools import str_to_sympy

        expression = str_to_sympy(expression) if isinstance(expression, str) else sympy.sympify(expression)
        symbols = sorted(expression.free_symbols, key=str)
        for symbol in symbols:
            if str(symbol) in ("t", "i", *self.group.equations.diff_eq_names):
                raise ValueError(f"{self.group.name}: {where}: {expression} depends on {symbol}, which is not read")
        if functions := expression.atoms(sympy.Function) - expression.atoms(sympy.exp, sympy.log):
            raise ValueError(f"{self.group.name}: {where}: {sorted(map(str, functions))[0]} is not read")
        values = [self.look_up(str(symbol)) for symbol in symbols]
        value = sympy.lambdify(symbols, expression, "numpy")(*values)
        return np.asarray(value, dtype=float)[()]

    def _chain(self, last):
        """Rows from the one that spikes jump to the one that acts on v."""
        chain = [last]
        while True:
            feeds = [j for j in range(len(self.names)) if j != chain[0] and np.any(self.matrix[chain[0], j] != 0)]
            if not feeds:
                return tuple(chain)
            what = f"{self.group.name}: d{self.names[chain[0]]}/dt"
            if len(feeds) > 1 or feeds[0] in chain or self.names[feeds[0]] == self.v:
                raise ValueError(f"{what} depends on {[self.names[j] for j in feeds]}, which is not read")
            rate = _one(-self.matrix[feeds[0], feeds[0]], what)
            if not np.allclose(self.matrix[chain[0], feeds[0]], rate, rtol=1e-12):
                raise ValueError(f"{what}: the coefficient of {self.names[feeds[0]]} is not 1/its time constant")
            chain.insert(0, feeds[0])

    def _kernel(self, chain):
        taus = []
        for j in chain:
            rate = _one(-self.matrix[j, j], f"{self.group.name}: d{self.names[j]}/dt")
            if rate <= 0:
                raise ValueError(f"{self.group.name}: {self.names[j]} does not decay")
            taus.append(1.0 / rate)
        if len(chain) == 1:
            return Exponential(taus[0])
        if len(chain) == 2:
            return Alpha(taus[0]) if taus[0] == taus[1] else DualExponential(min(taus), max(taus))
        if len(chain) == 3 and len(set(taus)) == 1:
            return Gamma(taus[0], order=2)
        raise ValueError(f"{self.group.name}: the chain {[self.names[j] for j in chain]} is not read")

    def _held(self):
        """Whole steps for which Brian2 holds a neuron."""
        given = self.group._refractory
        if given is False:
            return 0
        seconds = self.number(given, "refractory") if isinstance(given, str) else float(given)
        seconds = _one(seconds, f"{self.group.name}: refractory")
        if isinstance(given, bool) or not isinstance(seconds, float):
            raise ValueError(f"{self.group.name}: refractory={given!r}, expected one time for all neurons")
        return max(int(np.floor(seconds / self.dt + 1e-3)) - 1, 0)

    def receptor(self, what, variable):
        """Name of the receptor whose first row is ``variable``, and the weight there of a jump of 1."""
        if variable == self.v:
            self.receptors["delta"] = Delta()
            return "delta", 1.0
        for chain, kernel in self.kernels.items():
            if self.names[chain[0]] == variable:
                return self.names[chain[-1]], self.scales[chain] / kernel.gain
        raise ValueError(f"{what}: {variable!r} is no receptor of {self.group.name}")


def _projections(synapses, readers, namespace):
    label = synapses.name
    events = synapses.event_driven
    if plastic := sorted({*synapses.equations.diff_eq_names, *(events.diff_eq_names if events else ())}):
        raise ValueError(f"{label}: {plastic}: synapses with equations of their own (plasticity) are not read")
    source, first = _whole(synapses.source, readers, label)
    target, second = _whole(synapses.target, readers, label)
    i, j = np.asarray(synapses.i[:]) + first, np.asarray(synapses.j[:]) + second
    order = np.lexsort((j, i))
    for number, pathway in enumerate(synapses._pathways):
        if pathway.prepost == "post":
            raise ValueError(f"{label}: on_post={pathway.code!r} is not read")
        code = re.sub(r"\*\s*int\(not_refractory_post\)", "", pathway.code)
        matched = re.fullmatch(r"\s*(\w+?)(?:_post)?\s*([+-])=\s*(.+?)\s*", code)
        if matched is None:
            raise ValueError(f"{label}: on_pre={pathway.code!r}, expected 'g_post += weight'")
        variable, sign, expression = matched.groups()
        if "timestep(" in expression:  # as `to_brian2` writes the refractory test of a jump
            expression = re.sub(r"\*\s*int\(timestep\(.*\)$", "", expression)
        receptor, scale = target.receptor(f"{label}: on_pre", variable)
        weight = _weight(synapses, expression, label, namespace) * (scale if sign == "+" else -scale)
        delay = np.asarray(
            pathway.delay.get_value()
            if hasattr(pathway.delay, "get_value")
            else pathway.variables["delay"].get_value(),
            float,
        )
        delay = np.rint(delay / target.dt) * target.dt
        delay = float(delay.flat[0]) if delay.size and np.ptp(delay) == 0 else delay[order] if delay.size else 0.0
        yield Projection(
            source.group.name,
            target.group.name,
            connect.from_matrix(_matrix(i, j, np.broadcast_to(weight, i.shape)[order], order, source, target)),
            delay=delay,
            receptor=receptor,
            name=label if number == 0 else f"{label} {pathway.name}",
        )


def _matrix(i, j, weights, order, source, target):
    from scipy.sparse import csr_array

    starts = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=source.group.N))])
    return csr_array((np.array(weights, float), j[order], starts), shape=(source.group.N, target.group.N))


def _weight(synapses, expression, label, namespace):
    import sympy
    from brian2.parsing.sympytools import str_to_sympy

    expression = str_to_sympy(expression)
    symbols = sorted(expression.free_symbols, key=str)
    for symbol in symbols:
        if str(symbol).endswith(("_post", "_pre")) or str(symbol) in ("t", "i", "j"):
            raise ValueError(f"{label}: on_pre: the weight {expression} depends on {symbol}, which is not read")
    if expression.atoms(sympy.Function):
        raise ValueError(f"{label}: on_pre: the weight {expression} is no constant, which is not read")
    values = [_value(synapses, str(symbol), namespace, label) for symbol in symbols]
    return np.asarray(sympy.lambdify(symbols, expression, "numpy")(*values), float)


def _value(group, symbol, namespace, where):
    """Number(s) in SI units that a name stands for."""
    from brian2.core.namespace import DEFAULT_UNITS as units

    if symbol in group.variables:
        return np.asarray(group.variables[symbol].get_value(), float)
    for names in (group.namespace, namespace, units):
        if symbol in names:
            try:
                return np.asarray(names[symbol], float)
            except (TypeError, ValueError):
                break
    raise ValueError(f"{where}: {symbol!r} is no number that is known here; give namespace={{{symbol!r}: ...}}")


def _whole(group, readers, label):
    """The reader of a group or of the group that it is a part of, and the offset."""
    whole = getattr(group, "source", group)
    if whole.name not in readers:
        raise ValueError(f"{label}: a {type(whole).__name__} ({whole.name!r}) is not read")
    return readers[whole.name], int(getattr(group, "start", 0))


def _one(values, what):
    if np.ptp(values) > 0:
        raise ValueError(f"{what} differ between neurons, which is not read")
    return float(np.ravel(values)[0])


def _shared(values):
    values = np.asarray(values, float)
    return float(values.flat[0]) if np.ptp(values) == 0 else values
