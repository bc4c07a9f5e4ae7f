#!/usr/bin/env python3
"""Every trust case through the command line.

  trust.py [--strace] BIN CASES [NAME...]

CASES is a folder of cases, one folder each, with an expect.json whose fields name
the inputs and say what is expected. The command line of a case follows from its
fields alone, and is the same for every kind. A case that is expected to be
verified exits 0 and says so in its JSON; any other exits 1 or 3, and its JSON
holds no verified check of what was asked for. Exit status 1 when a case is not
as expected; NAME restricts the run to those cases. With --strace each case runs
traced, and a network call in any of them fails it. The slowest case is said.
"""
import json, os, re, subprocess, sys, tempfile, time

FILES = {"bundle": "--bundle", "signature": "--signature", "certificate": "--certificate", "packument": "--packument",
         "trusted_root": "--trusted-root", "key": "--key", "descriptor": "--descriptor"}
WORDS = {"identity": "--identity", "identity_regexp": "--identity-regexp", "issuer": "--issuer", "builder": "--builder-id",
         "source_uri": "--source-uri", "source_tag": "--source-tag", "purl": "--purl", "key_id": "--key-id", "verify_at": "--at",
         "verifier_id": "--verifier-id", "resource_uri": "--resource-uri", "allowed_profiles": "--signing-profile", "verified_levels": "--level",
         "image_digest": "--digest"}


def command(case, folder):
    args = []
    for field, flag in FILES.items():
        if field in case:
            args += [flag, os.path.join(folder, case[field])]
    for field, flag in WORDS.items():
        values = case.get(field, [])
        for value in values if isinstance(values, list) else [values]:
            args += [flag, value]
    if "requires" in case:
        args += ["--require", ",".join(f"{k.replace('_', '-')}={v}" for k, v in case["requires"].items())]
    if case["kind"] == "notation":
        args += ["--notation-policy", os.path.join(folder, case["policy"])]
    for field in ("artifact", "layout"):
        if field in case:
            args.append(os.path.join(folder, case[field]))
    for field in ("artifact_digest", "subject_digest"):
        if field in case:
            args.append("digest:" + case[field])
    return args


def main():
    traced = sys.argv[1] == "--strace"
    binary, cases, *names = sys.argv[1 + traced:]
    binary = os.path.abspath(binary)
    names = names or sorted(os.listdir(cases))
    failed, run, slowest, calls = [], 0, (0, ""), 0
    for name in names:
        folder = os.path.join(cases, name)
        if not os.path.exists(os.path.join(folder, "expect.json")):
            continue
        case = json.load(open(os.path.join(folder, "expect.json")))
        args = [binary, "verify", "--offline", "-o", "json"] + command(case, folder)
        log = tempfile.NamedTemporaryFile(mode="r") if traced else None
        if traced:
            args = ["strace", "-f", "-q", "-e", "trace=network", "-o", log.name] + args
        start = time.monotonic()
        p = subprocess.run(args, capture_output=True, text=True, timeout=60)
        slowest = max(slowest, (time.monotonic() - start, name))
        run += 1
        if traced:
            found = [line for line in log if re.search(r"\b(socket|connect|bind|listen|accept|send|recv|getsockname|getpeername|setsockopt)[a-z0-9]*\(", line)]
            if found:
                failed.append(name + ": network call: " + found[0].strip())
            calls += len(found)
        try:
            said = json.loads(p.stdout)
        except ValueError:
            said = {"status": "no JSON", "checks": []}
        want = case["expect"] == "verified"
        right = (p.returncode == 0 and said["status"] == "verified") if want else (p.returncode in (1, 3) and said["status"] in ("rejected", "missing", "unverifiable"))
        worst = [c for c in said["checks"] if c["status"] != "verified"][:1]
        why = "; ".join(f"{c['kind']} {c.get('step', '')}: {c.get('reason', '')}" for c in worst)
        print(f"{'ok  ' if right else 'FAIL'} {name:50} expected {case['expect']:9} exit {p.returncode} {said['status']:13} {why[:150]}")
        if not right:
            failed.append(name)
            print("     case says: " + case["reason"][:200])
            if p.stderr:
                print("     " + p.stderr.strip()[:300])
    print(f"trust: {run} cases, {len(failed)} not as expected, slowest {slowest[0] * 1000:.0f} ms ({slowest[1]})" + (f", {calls} network calls" if traced else ""))
    for name in failed:
        print("  " + name)
    return 1 if failed or not run else 0


if __name__ == "__main__":
    sys.exit(main())
