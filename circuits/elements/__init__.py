"""Elements of circuits: one file each, with its law, its numbers and its limits.

An element has no nodes of its own: a `circuits.Circuit` says which nodes its ``pins`` are joined to, so that one diode
serves a thousand places.  ``place(name, nodes, net)`` writes it into the equations (`circuits.nodal.net`):

    net.edge(name, a, b, siemens)                     a conductance
    net.voltage / net.current(name, a, b, value)      independent sources, amperes from a to b through the element
    net.branch(name, a, b) -> row                     a voltage whose current is an unknown of its own
    net.entry(row, plus, minus, value)                a linear dependence: the row receives value (x_plus - x_minus)
    net.device(name, element, out, into, drops)       a nonlinear law of the drops

Nonlinear elements have ``law``, a plain function (u, p, d) -> i of the drops u and the numbers p that writes the
derivatives di/du into d; it is compiled once.  ``numbers(net)`` gives p.  An element whose law is the gradient of a
scalar has ``cocontent(u, p)``, the integral of i du (watts).
"""
