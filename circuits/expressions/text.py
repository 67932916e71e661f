"""Trees of expressions as texts that give the same tree again."""

from __future__ import annotations


def text_of(tree) -> str:
    """Text of a tree of the dialect "source"; numbers keep all digits.

    >>> from circuits.expressions.grammar import parse
    >>> text_of(parse("-v(a)**2 + 1k"))
    '((-(v(a)**2.0))+1000.0)'
    """
    kind = tree[0]
    if kind == "number":
        return repr(float(tree[1]))
    if kind == "v":
        return f"v({tree[1]})" if tree[2] is None else f"v({tree[1]},{tree[2]})"
    if kind == "i":
        return f"i({tree[1]})"
    if kind == "name":
        return tree[1]
    if kind == "call":
        return f"{tree[1]}({','.join(map(text_of, tree[2]))})"
    if kind in ("neg", "not"):
        return f"({'-' if kind == 'neg' else '!'}{text_of(tree[1])})"
    if kind == "if":
        return f"({text_of(tree[1])} ? {text_of(tree[2])} : {text_of(tree[3])})"
    return f"({text_of(tree[1])}{kind}{text_of(tree[2])})"
