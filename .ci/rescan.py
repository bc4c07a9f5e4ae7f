#!/usr/bin/env python3
"""What a stored report is worth: judged from it, a function comes out as from its bytes.

  rescan.py BIN SHARED DB OUT

BIN is the program, SHARED the folder with corpus/, DB a store made from
SHARED/osv, OUT a folder for the outputs. Every case of the corpus, open and
hostile, with layers and with lockfiles, is scanned to a JSON report, and the
report is judged again with the same store, policy and clock, under each of the
built-in policies. What is held, for each case and policy:

- findings (every field), unknowns, checks, components, coverage, calendar,
  verdict, reasons and warnings are the same, and so is the exit status; what
  differs is only what must: since when a finding is known, and that a result is
  an earlier one's;
- nothing is said to have changed;
- judged a second time, the second report is the first, byte for byte.

Exit status 1 when anything fails; the list of what failed is printed last.
"""
import json, os, subprocess, sys

from held import hold, summary

BIN, SHARED, DB, OUT = sys.argv[1:5]
OPEN = os.path.join(SHARED, "corpus", "open")
COMMON = ["--db", DB, "--offline", "--db-max-age", "876000h", "--at", "2026-11-23T12:00:00Z"]
POLICIES = ["builtin:ci", "builtin:release", "builtin:report"]


def run(args):
    p = subprocess.run([BIN] + args, stdin=subprocess.DEVNULL, capture_output=True, env=dict(os.environ, NO_COLOR="1"))
    return p.returncode, p.stderr.decode(errors="replace")


def same(report):
    """A function without what a second judgement must say otherwise."""
    out = json.loads(json.dumps(report))
    for f in out["findings"]:
        f.pop("firstSeen", None)
    for c in out["checks"]:
        c.pop("at", None)
    return out


def differing(a, b, path=""):
    """The places in which two values differ."""
    if type(a) is not type(b):
        return [path]
    if isinstance(a, dict):
        return [p for k in sorted(set(a) | set(b)) for p in (differing(a[k], b[k], f"{path}.{k}") if k in a and k in b else [f"{path}.{k}"])]
    if isinstance(a, list):
        if len(a) != len(b):
            return [f"{path}[{len(a)} and {len(b)}]"]
        return [p for i, (x, y) in enumerate(zip(a, b)) for p in differing(x, y, f"{path}[{i}]")]
    return [] if a == b else [f"{path}: {str(a)[:80]!r} and {str(b)[:80]!r}"]


def scans(case):
    """Name and arguments of each scan of a case."""
    truth = json.load(open(os.path.join(OPEN, case, "truth.json"), encoding="utf-8"))
    layers = truth.get("layers", [])
    at = lambda name: os.path.join(OPEN, case, name)
    more = [x for l in layers for x in ("--layer", at(l))]
    runtime = truth["runtime"]
    if runtime and " " not in runtime and runtime != "image":
        more += ["--runtime", runtime]
    for artefact in truth["artefacts"]:
        if artefact in layers:
            continue
        name = case + "." + artefact.replace("/", "_")
        yield name, [at(artefact)] + more
        if os.path.exists(at("package-lock.json")):
            yield name + ".locked", [at(artefact), "--lockfile", at("package-lock.json")] + more


def check(name, args):
    first, again, third = (os.path.join(OUT, f"{name}.{n}.json") for n in ("scan", "rescan", "third"))
    for policy in POLICIES:
        common = COMMON + ["--policy", policy]
        code, err = run(["scan"] + args + common + ["-o", "json=" + first])
        if not hold(os.path.exists(first), name, f"{policy}: scan wrote nothing: exit {code} {err[-200:]}"):
            continue
        rescanned, err = run(["rescan", first] + common + ["-o", "json=" + again])
        hold(code == rescanned, name, f"{policy}: exit {code} from the bytes, {rescanned} from the report {err[-200:]}")
        a, b = json.load(open(first, encoding="utf-8")), json.load(open(again, encoding="utf-8"))
        hold(len(a["functions"]) == len(b["functions"]), name, f"{policy}: {len(a['functions'])} functions, {len(b['functions'])} from the report")
        for x, y in zip(a["functions"], b["functions"]):
            diff = differing(same(x), same(y))
            hold(not diff, name, f"{policy}: differs in {diff[:6]} ({len(diff)})")
        changes = b["delta"]["changes"]
        hold(not changes, name, f"{policy}: says that it changed: {changes[:2]}")
        run(["rescan", again] + common + ["-o", "json=" + third])
        hold(open(again, "rb").read() == open(third, "rb").read(), name, f"{policy}: a second judgement differs from the first")


def main():
    os.makedirs(OUT, exist_ok=True)
    n = 0
    for case in sorted(os.listdir(OPEN)):
        for name, args in scans(case):
            n += 1
            check(name, args)
    print(f"rescan: {n} functions under {len(POLICIES)} policies")
    hold(n > 100, "corpus", f"only {n} functions")
    return summary("rescan")


if __name__ == "__main__":
    sys.exit(main())
