"""A Brian2 `NeuronGroup` read as a population of LIF neurons: SymPy parses its equations, every term is accounted for.

The equations must be linear in all variables.  Row v of their matrix gives tau and the constant terms v_rest; each
other variable must belong to one chain of decays that ends in v, which is a receptor.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from circuits.neurons.cells.lif import LIF
from circuits.neurons.population import Population
from circuits.neurons.synapses.receptors import Alpha, Delta, DualExponential, Exponential, Gamma


class Group:
    """One NeuronGroup: its population, and where spikes may go."""

    def __init__(self, group, namespace):
        self.group, self.dt, name = group, float(group.clock.dt), group.name
        self.look_up = lambda symbol: value_of(group, symbol, namespace, name)
        self._refuse_unread()
        self.v, threshold, reset = self._spike()
        self.names = sorted(group.equations.diff_eq_names)
        rows = [self._linear(variable) for variable in self.names]
        self.matrix, constant = np.array([row[0] for row in rows], dtype=object), [row[1] for row in rows]
        v = self.names.index(self.v)
        if np.any(self.matrix[v, v] >= 0):
            raise ValueError(f"{name}: d{self.v}/dt has no leak")
        tau = -1.0 / self.matrix[v, v]
        resistance = self._read_chains(v, tau)
        held = self._held()
        self._refuse_unread_refractoriness(held)
        for j, variable in enumerate(self.names):
            if j != v and np.any(group.variables[variable].get_value() != 0):
                raise ValueError(f"{name}: {variable} does not start at 0")
        rest = constant[v] * tau
        shape = dict(tau=tau, v_rest=rest, v_threshold=threshold, v_reset=reset, resistance=resistance)
        values: dict[str, Any] = {k: _shared(value) for k, value in shape.items()}
        self.model = LIF(**values, refractory=held * self.dt)
        self.receptors: dict[str, Any] = {
            self.names[chain[-1]]: kernel for chain, kernel in sorted(self.kernels.items())
        }
        self.start = np.array(group.variables[self.v].get_value(), dtype=float)

    def _refuse_unread(self):
        """Refuse noise, linked variables, further events and values held over a step."""
        group, name = self.group, self.group.name
        if group.equations.is_stochastic:
            raise ValueError(f"{name}: noise (xi) in the equations is not read")
        for variable, equation in group.equations.items():
            if "linked" in equation.flags:
                raise ValueError(f"{name}: {variable} is linked to another group, which is not read")
        chosen = group.method_choice
        if (chosen if isinstance(chosen, str) else next(iter(chosen), "exact")) not in (
            "exact",
            "linear",
            "independent",
        ):
            raise ValueError(f"{name}: method={chosen!r} is not read; linear equations are solved exactly: 'exact'")
        if more := [event for event in group.event_codes if event != "spike"]:
            raise ValueError(f"{name}: what the event {more[0]!r} does is not read; spikes are")
        for variable, equation in group.equations.items():
            if equation.type == "subexpression" and "constant over dt" in equation.flags:
                raise ValueError(f"{name}: {variable} is 'constant over dt', which is not read")

    def _spike(self):
        """Name of the membrane potential, its threshold and its reset."""
        group, name = self.group, self.group.name
        matched = re.fullmatch(r"\s*(\w+)\s*(?:>=|>)\s*(.+?)\s*", group.events.get("spike", ""))
        if matched is None or matched[1] not in group.equations.diff_eq_names or re.search(r"\b(and|or)\b", matched[2]):
            raise ValueError(f"{name}: threshold {group.events.get('spike')!r}, expected 'v > number'")
        v, threshold = matched[1], self.number(matched[2], "threshold")
        code = group.event_codes.get("spike") or ""
        matched = re.fullmatch(r"\s*(\w+)\s*=\s*([^;\n]+?)\s*", code)
        if matched is None or matched[1] != v:
            raise ValueError(f"{name}: reset {code!r}, expected '{v} = number' and nothing else")
        return v, threshold, self.number(matched[2], "reset")

    def _read_chains(self, v, tau):
        """Find the chains that end in row v, their kernels and scales; return the membrane's resistance."""
        name = self.group.name
        self.chains = {self._chain(j) for j in range(len(self.names)) if j != v and np.any(self.matrix[v, j] != 0)}
        used = {j for chain in self.chains for j in chain} | {v}
        if len(used) < len(self.names):
            raise ValueError(f"{name}: {[n for j, n in enumerate(self.names) if j not in used]} do not act on {self.v}")
        gains = {chain: self.matrix[v, chain[-1]] * tau for chain in self.chains}
        resistance = np.abs(next(iter(gains.values()), 1.0))
        self.scales = {
            chain: _one(gain / resistance, f"{name}: weights in d{self.v}/dt") for chain, gain in gains.items()
        }
        self.kernels = {chain: self._kernel(chain) for chain in self.chains}
        return resistance

    def _refuse_unread_refractoriness(self, held):
        """Refuse neurons that are refractory now, and variables that a refractory period does not hold as here."""
        group, name = self.group, self.group.name
        if held and np.any(np.rint((group.t_ - np.array(group.lastspike_)) / self.dt) <= held):
            raise ValueError(
                f"{name}: neurons are in their refractory period, which is not read; read the network before it runs, "
                "or when all have left it"
            )
        flagged = [v for v in self.names if "unless refractory" in group.equations[v].flags]
        if held and self.v not in flagged and "int(not_refractory)" not in str(group.equations):
            raise ValueError(f"{name}: {self.v} moves while refractory, which is not read; mark it (unless refractory)")
        if any(v != self.v for v in flagged):
            raise ValueError(f"{name}: {flagged} (unless refractory): receptors that rest are not read")

    def population(self):
        """The group, with its own receptors and those that synapses have asked for."""
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
            if (
                not term.is_commutative
                or not term.is_polynomial(*states)
                or sympy.Poly(term, *states).total_degree() > 1
            ):
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
            return Alpha(taus[0]) if np.isclose(*taus, rtol=1e-8, atol=0) else DualExponential(min(taus), max(taus))
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


def value_of(group, symbol, namespace, where):
    """Number(s) in SI units that a name stands for."""
    from brian2.core.namespace import DEFAULT_UNITS as units

    if symbol in group.variables:
        if not hasattr(group.variables[symbol], "get_value") or hasattr(group.variables[symbol], "expr"):
            raise ValueError(f"{where}: {symbol!r} is an expression of its own, which is not read here; write it out")
        return np.asarray(group.variables[symbol].get_value(), float)
    for names in (group.namespace, namespace, units):
        if symbol in names:
            try:
                return np.asarray(names[symbol], float)
            except (TypeError, ValueError):
                break
    raise ValueError(f"{where}: {symbol!r} is no number that is known here; give namespace={{{symbol!r}: ...}}")


def _one(values, what):
    if np.ptp(values) > 0:
        raise ValueError(f"{what} differ between neurons, which is not read")
    return float(np.ravel(values)[0])


def _shared(values):
    values = np.asarray(values, float)
    return float(values.flat[0]) if np.ptp(values) == 0 else values
