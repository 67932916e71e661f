"""Tasks that workers import by name; each leaves a mark of its every run where SCAN_LOG says."""

import ctypes
import os
import subprocess
import time

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator

from physlearn.study import Task


def _mark(params):
    if folder := os.environ.get("SCAN_LOG"):
        log = os.open(folder, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(log, f"{params['a']}\n".encode())
        os.close(log)


def draw(params, rng):
    return {"value": params["a"] + rng.uniform(), "curve": rng.normal(size=5), "count": int(rng.integers(9))}


def echo(params, rng):
    return {"total": sum(params.values()) + rng.uniform(), **{f"its_{name}": v for name, v in params.items()}}


def slow(params, rng):
    _mark(params)
    time.sleep(0.004)
    return {"value": rng.uniform(), "curve": rng.normal(size=50)}


def nothing(params, rng):
    return {"x": 1.0}


class Rude(BaseException):
    pass


def poison(params, rng):
    match params["a"]:
        case 1:
            ctypes.string_at(0)
        case 2:
            os._exit(0)
        case 3:
            os._exit(7)
        case 4:
            while True:
                pass
        case 5:
            return {"value": np.ones(2 * 10**9).sum()}
        case 6:
            raise RuntimeError("six")
        case 7:
            return {"value": np.zeros(3)}
        case 8:
            return {"value": lambda: 8}
        case 9:
            return [1.0]
        case 10:
            raise SystemExit(0)
        case 20:
            raise KeyboardInterrupt("not the user's")
        case 21:
            raise GeneratorExit
        case 22:
            raise Rude("neither Exception nor exit")
    return {"value": rng.uniform()}


def large(params, rng):
    return {"field": rng.normal(size=200_000), "z": complex(params["a"], 1.0), "word": "ab" * params["a"]}


def shapes(params, rng):
    return {"all": np.arange(params["a"]), "sum": params["a"]}


def step(params, rng):
    return {"m": float(params["x"] + params["y"] > 1.3), "noise": rng.uniform()}


def diverging(params, rng):
    return {"m": float("inf") if params["x"] > 1.3 else 1.0 + 0.1 * rng.uniform(), "trace": np.arange(3.0)}


def threads(params, rng):
    import numba
    from threadpoolctl import threadpool_info

    return {"numba": numba.get_num_threads(), "blas": max(pool["num_threads"] for pool in threadpool_info())}


def odd(params, rng):
    """What a labelled array cannot hold; the first of the plan is right."""
    odd = [1.0, "text", None, 2**70, np.ma.masked_array([1.0], [True]), np.longdouble(1), np.datetime64("2020")]
    return {"value": odd[params["a"]]} if params["a"] < len(odd) else {"a/b": 1.0}


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def unspeakable(params, rng):
    """Errors and names that are no text."""
    match params["a"]:
        case 1:
            raise ValueError("bad name \udcff")
        case 2:
            raise Mute
        case 3:
            return {"y\udcff": 1.0}
        case 4:
            return {"y": "\udcff"}
    return {"value": 1.0}


def environment(params, rng):
    return {"value": os.environ.get("SCAN_WORD", "")}


def late(params, rng):
    """Shapes that differ; the first task of the plan may come last."""
    if params["a"] == 0 and os.environ.get("SCAN_WORD"):
        time.sleep(60)
    return {"value": np.zeros(1 + params["a"] % 2)}


def nap(params, rng):
    time.sleep(0.05)
    return {"value": params["a"]}


def program(params, rng):
    subprocess.run(["sleep", "987.125"])
    return {}


warmings = []


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int = Field(ge=0)
    b: float = 1.0


class Awkward(BaseModel):
    """What is given under another name, is endless, or follows from the rest."""

    model_config = ConfigDict(extra="forbid")
    a: float = Field(default=1.0, alias="lambda")
    limit: float = float("inf")

    @computed_field
    def twice(self) -> float:
        return 2 * self.a


class Millivolts(BaseModel):
    a: float

    @field_validator("a")
    @classmethod
    def volts(cls, value):
        return 1e-3 * value


def checked(params, rng):
    return {"value": params.a * params.b + rng.uniform()}


modelled = Task(run=checked, params=Params, units={"a": "V", "value": "A"})
awkward = Task(run=lambda params, rng: {"value": params.twice, "limit": params.limit}, params=Awkward)
unsettled = Task(run=lambda params, rng: {"value": params.a}, params=Millivolts)
headed = Task(run=draw, headline={"value": "a drawn value"}, dims={"curve": ("step",)}, version="7")
renewed = Task(run=checked, params=Params, version="2")
rough = Task(run=shapes, ragged=("all",))
unpicklable = [lambda params, rng: {}]
warmed = Task(run=threads, warm=lambda: warmings.append(os.getpid()))


def compiled(params, rng):
    import numba

    double = numba.njit(lambda x: 2 * x)
    return {"y": double(params["a"]), "threads": numba.get_num_threads()}


def where(params, rng):
    import physlearn

    return {"home": physlearn.__file__}


def clashing(params, rng):
    """Names that the dataset's own would hide."""
    return {"z": 1 + 2j, "z_real": 99.0, "cost": np.arange(3.0), "a": np.zeros(2), "a_0": 1.0}


def profile(params, rng):
    return {"profile": np.arange(4.0)}


def growing(params, rng):
    """A curve as long as asked for, whole numbers, and a table."""
    n = params["n"]
    return {"curve": np.arange(n), "table": np.ones((n, 2), dtype=complex), "last": n - 1}


def timed(params, rng):
    time = np.linspace(0.0, 1.0, 6)
    return {"trace": np.exp(-time), "time": time * params.get("stretch", 1.0)}


profiled = Task(run=profile, dims={"profile": ("T",)})
padded = Task(run=growing, dims={"curve": ("step",)}, padded=("curve", "table"))
traced = Task(run=timed, dims={"trace": ("time",), "time": ("time",)}, units={"time": "s"})
briefly_traced = Task(run=timed, dims={"trace": ("time",)}, units={"time": "s"})


def anything(params, rng):
    """One number, whatever the parameter."""
    return {"y": 1.0}


def odd_seed(params, rng):
    """A large integer, missing where the parameter is even."""
    if params["a"] % 2 == 0:
        raise ValueError("even")
    return {"seed": 2**60 + 1}
