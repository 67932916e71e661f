"""Bad calls of the public API, made from the valid ones of its docstrings, and what comes of them.

    python tests/contract/bad_calls.py physlearn.models.Hopfield     # a callable, a class, a module, a package
    python tests/contract/bad_calls.py --share 0.05 --seed 1                  # some of all

Each faulty answer is one line; totals follow.  Every module has a child process of its own, so that a crash or a
kernel that does not come back is a verdict as well.
"""

import argparse
import collections
import faulthandler
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.contract.valid_calls import collect, copied, public  # noqa: E402
from tests.contract.verdicts import FAULTS, attempt, has_nan, quiet, verdict  # noqa: E402
from tests.contract.wrong_values import Wrong, described, wrong  # noqa: E402

LIMIT = 2.0  # s, or ten times the valid call
MEMORY = 4 << 30  # bytes beyond what is taken
TRIES = 60  # restarts of one child


def cases(item):
    """(label, argument, wrong value, values of the call) of every bad call of one public callable."""
    lines, seen = described(item.doc), set()
    for values in item.calls:
        for name, parameter in item.signature.parameters.items():
            if name == item.receiver or name in seen or parameter.kind is parameter.VAR_POSITIONAL:
                continue
            if name not in values and len(item.calls) > 1 and values is not item.calls[-1]:
                continue  # another example passes it
            seen.add(name)
            if parameter.kind is parameter.VAR_KEYWORD:
                anything = "anything" in lines.get(name, ("", ""))[0]  # success is no fault, other errors are
                for key, value in values.get(name, {}).items():
                    for bad in wrong(key, value, *lines.get(key, ("", "")), False):
                        bad.must &= not anything
                        yield key, bad, {**values, name: {**values[name], key: bad.value}}
                continue
            value = values.get(name, None if parameter.default is parameter.empty else parameter.default)
            line, text = lines.get(name, ("", ""))
            for bad in wrong(name, value, line, text, parameter.default is None, item.attribute == "__init__"):
                yield name, bad, {**values, name: bad.value}
        first = [n for n, p in item.signature.parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD and n in values]
        first = [n for n in first if n != item.receiver][:2]
        if len(first) == 2 and "swapped" not in seen and type(values[first[0]]) is not type(values[first[1]]):
            seen.add("swapped")
            a, b = first
            yield a, Wrong(f"swapped with {b}", "type", values[b], must=False), {**values, a: values[b], b: values[a]}


def chosen(label, share, seed):
    """Whether a call belongs to the sample; the same on any machine."""
    return int(hashlib.sha256(f"{seed} {label}".encode()).hexdigest()[:8], 16) < share * 2**32


def child(options):
    """Make the bad calls of ``options.names`` that are not in the file yet; append a line each."""
    out = Path(options.out)
    done = {json.loads(line)["case"] for line in out.read_text().splitlines()}
    quiet()
    faulthandler.enable(open(os.devnull, "w"))
    items = collect(options.names, options.modules)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, resource.RLIM_INFINITY))

    def write(**line):
        with out.open("a") as file:
            file.write(json.dumps(line) + "\n")

    for full, item in items.items():
        if full in done:
            continue
        if not item.calls:
            write(case=full, callable=full, verdict="no example")
            continue
        first = attempt(lambda: item.call(copied(item.calls[0])), 60.0)  # noqa: B023
        if first[1] is not None:
            write(case=full, callable=full, verdict="not repeatable", seen=repr(first[1])[:300])
            continue
        limit, with_nan = max(LIMIT, 10 * first[2]), has_nan(first[0])
        for name, bad, values in cases(item):
            case = f"{full}({name} <- {bad.label})"
            if case in done or not chosen(case, options.share, options.seed):
                continue
            line = dict(case=case, callable=full, argument=name, label=bad.label, group=bad.group)
            write(**line, verdict="begun")
            original = [v.get(name) for v in item.calls]
            made = copied({**values, name: None} if name in values else values)
            if name in values:
                made[name] = values[name]
            swap = "swapped with "  # both are wrong: either may be named
            original += [{bad.label.removeprefix(swap): None}] if bad.label.startswith(swap) else []
            found, seen = verdict(name, [bad.value, *original], bad.must, lambda: item.call(made), limit, with_nan)  # noqa: B023
            write(**line, verdict=found, seen=seen)
        write(case=full, callable=full, verdict="done")


def run(names, share, seed, modules=()):
    """Lines of all bad calls of the callables below ``names``, one child after the other until all are made."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.jsonl"
        path.touch()
        command = [sys.executable, __file__, *names, "--child", "--out", str(path)]
        command += ["--share", str(share), "--seed", str(seed)]
        command += ["--modules", *modules] if modules else []
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        environment = os.environ | {"TMPDIR": folder, "MPLBACKEND": "Agg", "PYTHONPATH": paths}
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "start_new_session": True}
        for _ in range(TRIES):
            with open(Path(folder) / "stderr", "w") as stderr:
                running = subprocess.Popen(command, cwd=folder, env=environment, stderr=stderr, **streams)
                code = running.wait()
            try:
                os.killpg(running.pid, signal.SIGKILL)  # workers a bad call has left behind
            except ProcessLookupError:
                pass
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            if code == 0:
                break
            error = (Path(folder) / "stderr").read_text()
            if not lines or lines[-1]["verdict"] != "begun":
                raise RuntimeError(f"{names}: the child ended with {code}\n{error[-2000:]}")
            found = "hang" if "Timeout" in error else "crash"
            with path.open("a") as file:
                file.write(json.dumps(lines[-1] | {"verdict": found, "seen": f"process ended with {code}"}) + "\n")
        return [json.loads(line) for line in path.read_text().splitlines()]


def rates(lines):
    """{group: (refused by name, judged)}."""
    found = collections.Counter((line.get("group"), line["verdict"]) for line in lines)
    return {g: (found[g, "refused"], found[g, "refused"] + sum(found[g, f] for f in FAULTS)) for g in ("value", "type")}


def shown(lines):
    """Totals of some lines, in words."""
    parts = [f"{g}s {a}/{n} ({a / n:.0%})" for g, (a, n) in rates(lines).items() if n]
    faults = collections.Counter(line["verdict"] for line in lines)
    return "  ".join(parts) + "  [" + ", ".join(f"{f} {faults[f]}" for f in FAULTS if faults[f]) + "]"


def report(lines, every, quiet=False):
    """Print faults, and totals by callable and by module; ``every`` is what `public` gives."""
    for line in lines:
        if line["verdict"] in FAULTS and not quiet:
            print(f"{line['verdict']:8} {line['case']}: {line.get('seen', '')}".replace("\n", " ")[:240])
    for title, key in (
        ("callable", lambda line: line["callable"]),
        ("module", lambda line: every[line["callable"]].module),
        ("package", lambda line: line["callable"].partition(".")[0]),
    ):
        groups = collections.defaultdict(list)
        for line in lines:
            groups[key(line)].append(line)
        order = sorted(groups, key=lambda g: -sum(line["verdict"] in FAULTS for line in groups[g]))
        print(f"\nby {title}:")
        for group in order:
            if any("group" in line for line in groups[group]):
                print(f"  {group}: {shown(groups[group])}")
    for kind in ("no example", "not repeatable"):
        listed = [f"{line['callable']} {line.get('seen', '')}" for line in lines if line["verdict"] == kind]
        print(f"\n{kind} ({len(listed)}):", *sorted(listed), sep="\n  ")
    print("\nall:", shown(lines))


def resolve(names, every):
    """Names of callables or modules; ``physlearn.models`` and ``physlearn.models.Hopfield`` are written as users do."""
    found = []
    for name in names:
        if any(n == name or n.startswith(name + ".") for n in every):
            found.append(name)
            continue
        package, _, last = name.rpartition(".")
        matches = [n for n in every if n.endswith("." + last) and n.startswith(package)]
        matches = matches or [n for n in every if f".{'.'.join(name.split('.')[-2:])}" in n]
        if not matches:
            sys.exit(f"{name}: no public callable, class, module or package of that name")
        found += matches
    return found


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="callables, classes, modules or packages; none: all")
    parser.add_argument("--module", action="append", default=[], help="the same as a name")
    parser.add_argument("--modules", nargs="*", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--share", type=float, default=1.0, help="share of the bad calls, drawn by their names")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", help="append every line to this file (JSON lines)")
    parser.add_argument("--quiet", action="store_true", help="totals only")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options)
    every = public()
    names = resolve([*options.names, *options.module], every) or list(every)
    homes = {every[n].module for n in every if any(n == m or n.startswith(m + ".") for m in names)}
    lines = []
    for home in sorted(homes):
        whole = any(home == n or home.startswith(n + ".") for n in names)
        within = [home] if whole else [n for n in names if n.startswith(home + ".")]
        print(home, file=sys.stderr, flush=True)
        try:
            made = {line["case"]: line for line in run(within, options.share, options.seed)}
        except RuntimeError as error:
            print(error, file=sys.stderr)
            continue
        lines += made.values()
        if options.out:
            with open(options.out, "a") as file:
                file.writelines(json.dumps(line) + "\n" for line in made.values())
    report(lines, every, options.quiet)


if __name__ == "__main__":
    main()
