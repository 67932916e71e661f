"""Expressions: ngspice 39's meaning of each, recorded from it, and derivatives against differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits.expressions.constant import value_of
from circuits.expressions.dual import evaluate, form_of
from circuits.expressions.grammar import parse
from circuits.expressions.text import text_of


def source(text, **volts):
    form, variables, numbers = form_of(parse(text, "source"))
    u = np.array([volts[name] for _, name, *_ in variables]).reshape(1, 1, -1)
    return evaluate(form, u, np.array([numbers]))[0][0, 0]


# What ngspice 39.3 printed for V=... in a B source, with v(a) = -2 and v(b) = 3.
SOURCES = {
    "-2**2": -4.0,
    "2**3**2": 64.0,
    "2^3^2": 64.0,
    "(-2)**3": 8.0,
    "v(a)**3": 8.0,
    "pow(v(a),3)": 8.0,
    "pwr(v(a),3)": -8.0,
    "-v(a)**2": -4.0,
    "2**-1**2": 0.5,
    "2^-2^2": 0.0625,
    "-2^-2": -0.25,
    "2*-v(b)": -6.0,
    "2--3**2": 11.0,
    "1mil": 25.4e-6,
    "1m": 1e-3,
    "1M": 1e-3,
    "2.5megohm": 2.5e6,
    "1a": 1.0,
    "1>0 && 0>1": 0.0,
    "3>2>1": 0.0,
    "!0+1": 2.0,
    "1||0&&0": 1.0,
    "0?2:0?3:4": 4.0,
    "v(b)>2 ? v(a)>0 ? 1 : 2 : 3": 2.0,
    "u(v(b)-3)": 0.5,
    "uramp(v(a))": 0.0,
    "min(v(a),v(b))+max(v(a),v(b))": 1.0,
    "nint(2.5)+nint(3.5)": 6.0,
    "floor(v(a)/4)": -1.0,
    "v(b,a)": 5.0,
    "exp(800)": 1e99,
    "1/0": 1e32,
    "0/0": 0.0,
    "ternary_fcn(v(a),1,2)": 1.0,
    "sgn(v(a))*log10(100)": -2.0,
}
# The same for .param x={...} with q = 3.
PARAMETERS = {
    "-2**2": -4.0,
    "2**3**2": 64.0,
    "2**-1**2": 0.25,
    "2*-3**2": 18.0,
    "2--3**2": -7.0,
    "max(-2**2,1)": 1.0,
    "1?-2**2:0": 4.0,
    "1>-2**2": 0.0,
    "--2**2": -4.0,
    "(-2)**0.5": 2**0.5,
    "pow(-2,3)": -8.0,
    "pwr(-2,3)": 8.0,
    "1mil": 1e-3,
    "7\\2": 3.0,
    "-7\\2": -3.0,
    "-7%3": -1.0,
    "7.5%2": 1.5,
    "2*5%3": 1.0,
    "int(-2.7)": -2.0,
    "nint(0.5)": 0.0,
    "q=3": 1.0,
    "1<>1": 0.0,
    "q**q**q": 19683.0,
    "2kohm*2": 4000.0,
    "arctan(1)": np.pi / 4,
}


@pytest.mark.parametrize("text, value", SOURCES.items())
def test_sources(text, value):
    if "(b,a)" in text:
        form, variables, _ = form_of(parse(text))
        assert variables == [("v", "b", "a")] and form == ("u", 0)
        return
    assert_allclose(source(text, a=-2.0, b=3.0), value, rtol=1e-14)


@pytest.mark.parametrize("text, value", PARAMETERS.items())
def test_parameters(text, value):
    assert_allclose(value_of(parse(text, "param"), {"q": 3.0}.__getitem__), value, rtol=1e-14)


@pytest.mark.parametrize("text", SOURCES)
def test_texts_give_the_same_tree(text):
    tree = parse(text)
    assert parse(text_of(tree)) == tree


@pytest.mark.parametrize(
    "text, message",
    [
        ("2*", "the expression ends"),
        ("(1+2", r"expected '\)'"),
        ("1+2)", "is left over"),
        ("10k5", "is no number"),
        ("foo(1)", "no function 'foo'"),
        ("min(1,2,3)", "takes 2"),
        ("v(a,b,c)", "v\\(node\\)"),
        ("__import__('os')", "column"),
        ("(" * 500 + "1" + ")" * 500, "nested"),
        ("-" * 5000 + "1", "nested"),
        ("1 2", "left over"),
        ("", "the expression ends"),
        ("5 % 3", "left over"),
        ("é", "no meaning"),
    ],
)
def test_faults_are_named(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


@pytest.mark.parametrize(
    "text", ["2*-sqrt(4)**2", "q*-q**2", "2*+3", "1/0", "ln(0)", "sqrt(-1)", "pow(-2,0.5)", "1e308*10"]
)
def test_what_ngspice_reads_by_mistake_or_refuses_is_refused(text):
    with pytest.raises(ValueError):
        value_of(parse(text, "param"), {"q": 3.0}.__getitem__)


SMOOTH = "sqrt exp ln log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh abs".split()


@pytest.mark.parametrize(
    "text",
    [f"{name}(v(x)*v(y)+{1.5 if name == 'acosh' else 0.1})" for name in SMOOTH]
    + [
        "v(x)**v(y)",
        "pwr(-v(x),v(y))",
        "v(x)/(v(y)-3)",
        "v(x)>v(y) ? v(x)**2 : -v(y)",
        "min(v(x),v(y))*max(2,v(x))",
        "u2(v(x))",
    ],
)
def test_derivatives(text, tol):
    form, _, numbers = form_of(parse(text))
    p, u, h = np.array([numbers]), np.array([[[0.61, 0.83]]]), 1e-6
    _, slope = evaluate(form, u, p)
    for k in range(u.shape[2]):
        step = h * np.eye(u.shape[2])[k]
        found = (evaluate(form, u + step, p)[0] - evaluate(form, u - step, p)[0]) / (2 * h)
        assert_allclose(slope[..., k], found, rtol=tol.GRADIENT, atol=1e-8)
