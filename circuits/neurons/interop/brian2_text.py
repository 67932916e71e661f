"""A neuron from text as Brian2 equations: the same tree, written in Brian2's words.

Brian2 checks units and we compute in SI numbers, so the membrane potential is a number of volts, every other name is a
number, and slopes are numbers a second.
"""

from __future__ import annotations

from circuits.neurons.cells.equations import CURRENT, assignments, read, tree_of

# what Brian2 or a synapse's equations mean by a name (e is Euler's number there whatever a namespace says)
TAKEN = {"w", "N", "i", "j", "t", "dt", "xi", "lastspike", "not_refractory", "t_in_timesteps", "v", "I_injected"}
TAKEN |= {"volt", "amp", "second", "e", "E", "pi", "inf"}
METHODS = {"auto": "rk4", "rk4": "rk4", "euler": "euler"}


def written(model, name):
    """Equations, threshold, reset, parameters and state rows of a `Neuron` made from text.

    Raises
    ------
    ValueError
        A neuron of plain functions, or a name that Brian2 has taken.
    """
    if model.text is None:
        raise ValueError(f"{name}: a Neuron of plain functions is not translated; write it by Neuron.from_equations")
    found, parameters = read(model.text.equations, tuple(model.parameters)), tuple(model.parameters)
    first, *rest = found.variables
    parts = [part for part, _ in found.lines if not part.startswith("d/dt ")]
    spelt = {part: f"{part}_cell" if part in TAKEN else part for part in (*rest, *parameters, *parts)}
    spelt |= {first: "(v/volt)", CURRENT: "(I_injected/amp)"}
    lines = []
    for part, tree in found.lines:
        variable, text = part.removeprefix("d/dt "), brian2(tree, spelt)
        if variable == part:
            lines.append(f"{spelt[part]} = {text} : 1")
        else:
            left, unit = ("v", "volt") if variable == first else (spelt[variable], "1")
            lines.append(f"d{left}/dt = {text}{'*volt' * (variable == first)}/second : {unit}")
    threshold = None
    if model.text.threshold is not None:
        threshold = brian2(tree_of(model.text.threshold, [*found.variables, *parameters], "threshold"), spelt)
    reset = None
    if model.text.reset is not None:
        made = assignments(model.text.reset, (found.variables, parameters))
        texts = [(variable, brian2(tree, spelt)) for variable, tree in made]
        changes = [
            f"v = {text}*volt" if variable == first else f"{spelt[variable]} = {text}" for variable, text in texts
        ]
        reset = "\n".join(changes)
    values = {spelt[part]: (value, "1") for part, value in model.parameters.items()}
    rows = [("v", "volt"), *((spelt[variable], "1") for variable in rest)]
    return lines, threshold, reset, values, rows


def brian2(tree, spelt) -> str:
    """A tree in Brian2's words.

    Examples
    --------
    >>> tree = ("if", (">", ("name", "v"), ("number", 0.0)), ("number", 1.0), ("name", "a"))
    >>> brian2(tree, {"v": "(v/volt)", "a": "a"})
    '(int((v/volt) > 0.0)*1.0 + int(not ((v/volt) > 0.0))*a)'
    """
    kind = tree[0]
    if kind == "number":
        return repr(float(tree[1]))
    if kind == "name":
        return spelt[tree[1]]
    if kind == "call":
        parts = [brian2(part, spelt) for part in tree[2]]
        if tree[1] in ("min", "max"):
            return f"clip({parts[0]}, -inf, {parts[1]})" if tree[1] == "min" else f"clip({parts[0]}, {parts[1]}, inf)"
        return f"{tree[1]}({', '.join(parts)})"
    if kind == "neg":
        return f"(-{brian2(tree[1], spelt)})"
    if kind == "not":
        return f"not ({brian2(tree[1], spelt)})"
    if kind == "if":
        test, yes, no = (brian2(part, spelt) for part in tree[1:])
        return f"(int({test})*{yes} + int(not ({test}))*{no})"
    left, right = brian2(tree[1], spelt), brian2(tree[2], spelt)
    if kind in ("&&", "||"):
        return f"({left} {'and' if kind == '&&' else 'or'} {right})"
    test = kind in ("<", "<=", ">", ">=", "==", "!=")
    return f"{left} {kind} {right}" if test else f"({left} {kind} {right})"
