"""Models of diodes and transistors."""

from __future__ import annotations

from circuits.spice.scopes import Scope
from circuits.spice.tokens import settings, tokens

# What acts in no operating point: charges, noise, and what only other temperatures than the nominal one need.
DIODE_CHARGES = ("cjo", "cj0", "cj", "vj", "m", "mj", "tt", "fc", "cjsw", "vjsw", "php", "mjsw", "fcs")
MOS_CHARGES = ("cbd", "cbs", "cgso", "cgdo", "cgbo", "cj", "mj", "cjsw", "mjsw", "fc", "pb")
INERT = ("kf", "af", "eg", "xti", "tnom", "tref")
DIODE = {"is": 1e-14, "n": 1.0, "rs": 0.0}
MOS = {"vto": 0.0, "kp": 2e-5, "gamma": 0.0, "phi": 0.6, "lambda": 0.0, "is": 1e-14}
SPELT = {"vt0": "vto", "js": "is"}


def read_model(line, scope: Scope, notes):
    """A .model line as (name, kind, {parameter: value})."""
    found = tokens(line)
    if len(found) < 3 or found[1].braced or found[2].braced:
        line.refuse(".model needs a name and a type: .model name D(is=1e-14)")
    name, kind = found[1].text, found[2].text
    known = {"d": DIODE, "nmos": MOS, "pmos": MOS}
    if kind not in known:
        line.refuse(f"model type {kind!r} is not known; those that are: D, NMOS, PMOS")
    given = settings(line, found[3:])
    level = given.pop("level", None)
    if level is not None and scope.number(line, level, "level") != 1:
        line.refuse(f"level={level.text} is not modelled; level 1 is")
    values = dict(known[kind])
    for key, token in given.items():
        value = scope.number(line, token, f"model parameter {key!r}")
        if key in (DIODE_CHARGES if kind == "d" else MOS_CHARGES):
            notes.append(f"{line.place}: {key} of model {name} is a charge, which acts in no operating point")
        elif key in INERT:
            continue
        elif kind == "d" and SPELT.get(key, key) in values:
            values[SPELT.get(key, key)] = value
        elif kind != "d" and key != "js" and SPELT.get(key, key) in values:
            values[SPELT.get(key, key)] = value
        elif kind != "d" and key in ("js", "rd", "rs", "rsh", "ld", "nss") and value == 0:
            continue
        else:
            line.refuse(
                f"model parameter {key!r} of a {kind.upper()} is not modelled; those that are: {', '.join(values)}"
            )
    return name, kind, values
