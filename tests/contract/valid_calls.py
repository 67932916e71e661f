"""The public callables, and the calls of them that the docstrings' examples make."""

import contextlib
import copy
import doctest
import functools
import importlib
import inspect
import io
import sys
import tempfile
import warnings
from dataclasses import dataclass, field

import numpy as np

NAMESPACES = (
    "physlearn", "physlearn.models", "physlearn.learning", "physlearn.terms", "physlearn.study", "physlearn.io",
    "physlearn.plot", "physlearn.sklearn", "physlearn.analysis", "physlearn.claims", "circuits", "circuits.neurons",
    "circuits.neurons.connect",
)  # fmt: skip
OURS = ("physlearn.", "circuits.")
EXAMPLE = "<example>"
KEPT = 3  # calls of one callable


@dataclass
class Public:
    """A function, a method of ``owner``, or its constructor (``attribute`` __init__)."""

    name: str
    module: str
    owner: type | None
    attribute: str
    signature: inspect.Signature
    doc: str
    calls: list = field(default_factory=list)  # (arguments, {name: value} with self; the names passed)
    where: str = ""

    @property
    def bound(self):
        """Whether the first argument is the object or the class."""
        return self.owner is not None and self.attribute != "__init__" and self.receiver is not None

    @property
    def written(self):
        """How a call looks in an example."""
        method = self.owner is not None and self.attribute != "__init__"
        return f".{self.attribute}(" if method else f"{self.name.rpartition('.')[2]}("

    @property
    def receiver(self):
        """Name of the argument that is no argument: self or cls."""
        first = next(iter(self.signature.parameters), None)
        return first if self.owner is not None and first in ("self", "cls") else None

    def call(self, values):
        """Call with every argument given by name where that is possible."""
        values, args, kwargs = dict(values), [], {}
        me = values.pop(self.receiver, None)
        starred = any(p.kind is p.VAR_POSITIONAL and values.get(n) for n, p in self.signature.parameters.items())
        for name, parameter in self.signature.parameters.items():
            if name not in values:
                continue
            if parameter.kind is parameter.VAR_POSITIONAL:
                args += values[name]
            elif parameter.kind is parameter.VAR_KEYWORD:
                kwargs |= values[name]
            elif parameter.kind is parameter.POSITIONAL_ONLY or (
                starred and parameter.kind is not parameter.KEYWORD_ONLY
            ):
                args.append(values[name])
            else:
                kwargs[name] = values[name]
        if self.owner is None:
            return getattr(sys.modules[self.module], self.attribute)(*args, **kwargs)
        if self.attribute == "__init__":
            made = self.owner(*args, **kwargs)
            if hasattr(made, "get_params"):  # an estimator's settings are by convention looked at when it fits
                made.fit(np.eye(4))
            return made
        return getattr(self.owner if me is None else me, self.attribute)(*args, **kwargs)


def public():
    """Every public function, constructor and public method of our own classes, once, by full name."""
    found = {}
    for namespace in NAMESPACES:
        module = importlib.import_module(namespace)
        names = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
        for name in names:
            item = getattr(module, name)
            home = getattr(item, "__module__", "") or ""
            if not (home + ".").startswith(OURS) or not (inspect.isfunction(item) or inspect.isclass(item)):
                continue
            if "__all__" not in vars(module) and home != namespace:
                continue
            if inspect.isfunction(item):
                full = f"{home}.{item.__name__}"
                found[full] = Public(full, home, None, item.__name__, inspect.signature(item), item.__doc__ or "")
            elif not issubclass(item, BaseException):
                found |= methods(item, home)
    return found


def methods(owner, home):
    """Constructor and public methods of a class."""
    found, full = {}, f"{home}.{owner.__qualname__}"
    if owner.__init__ is not object.__init__:
        signature = inspect.signature(owner.__init__)
        found[full] = Public(full, home, owner, "__init__", signature, owner.__doc__ or "")
    for base in owner.__mro__:
        if not (base.__module__ + ".").startswith(OURS):
            continue
        for attribute, item in vars(base).items():
            plain = item.__func__ if isinstance(item, classmethod | staticmethod) else item
            name = f"{full}.{attribute}"
            if attribute.startswith("_") or not inspect.isfunction(plain) or name in found:
                continue
            found[name] = Public(name, home, owner, attribute, inspect.signature(plain), plain.__doc__ or "")
    return found


def copied(values):
    """A deep copy; what cannot be copied (axes, generators of examples) is shared."""
    with contextlib.suppress(Exception):
        return copy.deepcopy(values)
    result = {}
    for name, value in values.items():
        result[name] = value
        with contextlib.suppress(Exception):
            result[name] = copy.deepcopy(value)
    return result


def recorder(item, plain, own):
    """Wrap a function so that a call made by an example itself is kept in ``item``."""

    @functools.wraps(plain)
    def wrapper(*args, **kwargs):
        if sys._getframe(1).f_code.co_filename != EXAMPLE:
            return plain(*args, **kwargs)
        values = None
        with contextlib.suppress(TypeError):
            values = dict(item.signature.bind(*args, **kwargs).arguments)
        if values is None or (
            item.owner is not None and item.attribute == "__init__" and type(args[0]) is not item.owner
        ):
            return plain(*args, **kwargs)
        if item.attribute == "__init__":
            del values[item.receiver]
        kept = copied(values) if len(item.calls) < KEPT else None
        result = plain(*args, **kwargs)
        if kept is not None:
            item.calls.append(kept)
            item.where = item.where or own[0]
        return result

    return wrapper


@contextlib.contextmanager
def recorded(items, own):
    """Within: calls by examples are kept.  Afterwards everything is as it was."""
    undo = []
    for item in items:
        if item.owner is None:
            plain = getattr(sys.modules[item.module], item.attribute)
            wrapper = recorder(item, plain, own)
            for name, module in list(sys.modules.items()):
                shows = name == item.module or (name + ".").startswith(OURS) and hasattr(module, "__path__")
                if shows and vars(module).get(item.attribute) is plain:
                    setattr(module, item.attribute, wrapper)
                    undo.append((module, item.attribute, plain))
            continue
        there = item.attribute in vars(item.owner)
        raw = inspect.getattr_static(item.owner, item.attribute)
        plain = raw.__func__ if isinstance(raw, classmethod | staticmethod) else raw
        wrapper = recorder(item, plain, own)
        setattr(item.owner, item.attribute, type(raw)(wrapper) if plain is not raw else wrapper)
        undo.append((item.owner, item.attribute, raw if there else None))
    try:
        yield
    finally:
        for target, attribute, plain in reversed(undo):
            delattr(target, attribute) if plain is None else setattr(target, attribute, plain)


def run_examples(module, own, only=None):
    """Run the examples of a module's docstrings; a failing one ends its docstring only."""
    tests = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module))
    keep, sys.displayhook = sys.displayhook, lambda value: None
    try:
        for test in tests:
            if not test.examples or (only is not None and not any(o in e.source for o in only for e in test.examples)):
                continue
            own[0], space = test.name, dict(test.globs)
            vars_now = vars(sys.modules[module])
            space.update({k: v for k, v in vars_now.items() if k in space})
            with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for example in test.examples:
                    try:
                        exec(compile(example.source, EXAMPLE, "single"), space)
                    except Exception:
                        if example.exc_msg is None:
                            raise
    finally:
        sys.displayhook = keep


def collect(wanted, modules):
    """The public callables whose name begins with one of ``wanted``, with calls by the examples of ``modules``."""
    every = public()
    items = {n: p for n, p in every.items() if any(n == w or n.startswith(w + ".") for w in wanted)}
    for directory in (tempfile.TemporaryDirectory,):  # what an example writes is still there when its call is repeated
        directory.cleanup = lambda self: None
        directory._cleanup = classmethod(lambda cls, *args, **kwargs: None)
    own = [""]
    with recorded(items.values(), own):
        ran = modules or list(dict.fromkeys(item.module for item in items.values()))
        for module in ran:
            run_examples(module, own)
        missing = [] if modules else [item for item in items.values() if not item.calls]
        packages = {item.module.rpartition(".")[0] for item in missing}
        for other in sorted({p.module for p in every.values()} - set(ran)):  # shown elsewhere in the package
            if other.rpartition(".")[0] in packages:
                run_examples(other, own, [item.written for item in missing if not item.calls])
    return items
