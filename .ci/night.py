#!/usr/bin/env python3
"""A night: thousands of stored reports against a store that was updated since.

  night.py BIN SHARED DB OUT [OSV_SCANNER]

BIN is the program, SHARED the folder with corpus/ and osv/, DB a store made from
SHARED/osv, OUT a folder for what is made here. OSV_SCANNER is the peer's program,
which reads the same packages as bills of materials.

4,000 reports of 400 packages at most are put together from reports of the
corpus that were judged with an earlier store: the records that had changed by
the last day of April. They are judged again with DB; then together with a list
of 4,000 deployed functions, of which one in fifty runs other bytes; and 4,000
small ones are joined with the summaries that a gate signed. What is held: every
function is judged, what is deployed is told apart, and no run needs more than 300
MB, whatever it writes, or, on whatever machine this is, 60 s (180 s for long outputs).
The times are printed.
"""
import base64, hashlib, json, os, random, shutil, subprocess, sys, time, zipfile

from held import hold, summary

BIN, SHARED, DB, OUT = sys.argv[1:5]
PEER = sys.argv[5] if len(sys.argv) > 5 else None
OPEN = os.path.join(SHARED, "corpus", "open")
COUNT, PACKAGES, SAMPLE = 4000, 400, 8
COMMON = ["--offline", "--db-max-age", "876000h", "--at", "2026-11-23T12:00:00Z"]
at = lambda *names: os.path.join(OUT, *names)


def run(args, ok, env=None):
    """Runs a program; returns wall seconds, CPU seconds, MB and what it printed."""
    start = time.monotonic()
    with open(at("stdout"), "w+b") as out, open(at("stderr"), "w+b") as err:
        p = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=dict(os.environ, NO_COLOR="1", **(env or {})))
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        text, said = out.read(), err.read()
    if p.returncode not in ok:
        sys.exit(f"{args[:4]}: exit status {p.returncode}: {said[-500:]!r}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text


def show(name, f, seconds=60):
    print(f"{name:52} {f[0]:7.2f} s wall {f[1]:7.2f} s CPU {f[2]:6.0f} MB", flush=True)
    hold(f[0] < seconds and f[2] < 300, name, f"{f[0]:.1f} s, {f[2]:.0f} MB")


def earlier_store():
    """The store as it was in spring, as far as the export tells."""
    for eco in sorted(os.listdir(os.path.join(SHARED, "osv"))):
        source = os.path.join(SHARED, "osv", eco, "all.zip")
        if not os.path.exists(source):
            continue
        os.makedirs(at("feed", eco), exist_ok=True)
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(at("feed", eco, "all.zip"), "w", zipfile.ZIP_DEFLATED) as new:
            kept = 0
            for name in old.namelist():
                data = old.read(name)
                if json.loads(data)["modified"] < "2026-05":
                    new.writestr(name, data)
                    kept += 1
        if not kept:
            shutil.rmtree(at("feed", eco))
    run([BIN, "db", "update", "-q", "--from", at("feed"), "--db", at("db")], (0,))


def reports():
    """Reports of the corpus, and from them many; returns how many packages they have."""
    docs = []
    for case in sorted(os.listdir(OPEN)):
        if case.startswith("hostile-"):
            continue
        truth = json.load(open(os.path.join(OPEN, case, "truth.json"), encoding="utf-8"))
        for artefact in truth["artefacts"]:
            run([BIN, "scan", os.path.join(OPEN, case, artefact), "--db", at("db"), "-q", "-o", "json=" + at("one.json")] + COMMON, (0, 1, 3))
            doc = json.load(open(at("one.json"), encoding="utf-8"))
            if doc["functions"][0]["components"]:
                docs.append(doc)
    os.makedirs(at("reports"))
    pick, packages = random.Random(7), 0
    for i in range(COUNT):
        several = pick.sample(docs, pick.choice([1, 1, 2, 3, 4]))
        doc = json.loads(json.dumps(several[0]))
        r = doc["functions"][0]
        r["name"], r["target"] = f"fn-{i:04d}", f"dist/fn-{i:04d}.zip"
        for a in r["artifacts"][:1]:
            a["digest"], a["kind"] = "sha256:" + digest(i).hex(), "zip"
        have = {c["purl"] for c in r["components"]}
        for other in several[1:]:
            q, new = other["functions"][0], set()
            for c in q["components"]:
                if c["purl"] not in have and len(have) < PACKAGES:
                    have.add(c["purl"]), new.add(c["purl"])
                    r["components"].append(c)
            r["findings"] += [f for f in q["findings"] if f["component"] in new]
            r["unknowns"] += [u for u in q["unknowns"] if u.get("component") in new]
        packages += len(r["components"])
        json.dump(doc, open(at("reports", r["name"] + ".json"), "w", encoding="utf-8"), indent=2)
    return packages


def digest(i, other=b""):
    return hashlib.sha256(b"%d" % i + other).digest()


def exported():
    """What "aws lambda list-functions" says of them."""
    functions = [{
        "FunctionName": f"fn-{i:04d}", "FunctionArn": f"arn:aws:lambda:eu-west-1:{111122223333 + i % 5}:function:fn-{i:04d}", "Version": "$LATEST",
        "Runtime": "nodejs22.x", "PackageType": "Zip", "CodeSize": 1000, "LastModified": "2026-11-20T10:11:12.123+0000", "Layers": [],
        "CodeSha256": base64.b64encode(digest(i, b"" if i % 50 else b"other")).decode(),
    } for i in range(COUNT)]
    json.dump({"Functions": functions}, open(at("prod.json"), "w"), indent=1)


def gated():
    """4,000 functions of one file: a gate signs a summary of each, and each is verified and joined with its report."""
    os.makedirs(at("small"))
    functions = []
    for i in range(COUNT):
        name = at("small", f"fn-{i:04d}.zip")
        with zipfile.ZipFile(name, "w") as z:
            z.writestr(zipfile.ZipInfo("index.py", (2026, 1, 1, 0, 0, 0)), f"def handler(event, context):\n    return {i}\n")
        with open(name, "rb") as f:
            code = base64.b64encode(hashlib.sha256(f.read()).digest()).decode()
        functions.append({"FunctionName": f"fn-{i:04d}", "FunctionArn": f"arn:aws:lambda:eu-west-1:111122223333:function:fn-{i:04d}", "Version": "$LATEST",
            "Runtime": "python3.13", "Handler": "index.handler", "PackageType": "Zip", "CodeSize": 1000, "LastModified": "2026-11-20T10:11:12.123+0000", "Layers": [], "CodeSha256": code})
    json.dump({"Functions": functions}, open(at("small.json"), "w"), indent=1)
    with open(at("policy.yaml"), "w", encoding="utf-8") as f:
        f.write("version: 1\nextends: builtin:report\ngate:\n  emit: {verifier_id: https://acme.example/fnaudit}\n")
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", at("gate.pem")], capture_output=True, check=False)
    if key.returncode:
        sys.exit(f"openssl makes no key: {key.stderr[-300:]!r}")
    subprocess.run(["openssl", "pkey", "-in", at("gate.pem"), "-pubout", "-out", at("gate.pub")], check=True)
    about = ["--runtime", "python3.13", "--platform", "aws-lambda", "--db", DB, "-q"] + COMMON
    run([BIN, "gate", "--each", at("small"), "--out", at("summaries"), "--policy", at("policy.yaml"), "--key", at("gate.pem")] + about, (0,))
    run([BIN, "scan", "--each", at("small"), "-o", "jsonl=" + at("small.jsonl")] + about, (0,))
    join = [BIN, "rescan", at("small.jsonl"), "lambda-export:" + at("small.json"), "--db", DB] + COMMON
    show("4,000 small reports and a list", run(join, (0, 1, 3)))
    join += ["--summaries", at("summaries"), "--key", at("gate.pub"), "--verifier-id", "https://acme.example/fnaudit"]
    for _ in range(3):
        f = run(join, (0, 1, 3))
        show("the same, and 4,000 signed summaries verified", f)
    doc = json.loads(run(join + ["-o", "json", "-q"], (0, 1, 3))[3])
    gates = [all(d.get("gated") for d in r.get("deployed") or [{}]) for r in doc["functions"]]
    hold(len(gates) == COUNT and all(gates), "summaries", f"{sum(gates)} of {len(gates)} functions are known as gated")


def peer():
    """The same packages, read by osv-scanner from bills of materials."""
    cache = at("peer")
    for eco in os.listdir(os.path.join(SHARED, "osv")):
        if not os.path.isdir(os.path.join(SHARED, "osv", eco)):
            continue
        os.makedirs(os.path.join(cache, "osv-scalibr", eco), exist_ok=True)
        shutil.copy(os.path.join(SHARED, "osv", eco, "all.zip"), os.path.join(cache, "osv-scalibr", eco, "all.zip"))
    total = 0
    for i in range(0, COUNT, COUNT // SAMPLE):
        run([BIN, "convert", at("reports", f"fn-{i:04d}.json"), "-o", "cyclonedx-json=" + at("one.cdx.json")], (0,))
        total += run([PEER, "scan", "source", "--offline", "--format", "json", "-L", at("one.cdx.json")], (0, 1, 127, 128), {"OSV_SCALIBR_LOCAL_DB_CACHE_DIRECTORY": cache})[0]
    print(f"osv-scanner, {SAMPLE} of them as CycloneDX: {total:.1f} s, so {total / SAMPLE * COUNT:,.0f} s for all, one after another", flush=True)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    earlier_store()
    packages = reports()
    size = sum(os.path.getsize(at("reports", f)) for f in os.listdir(at("reports")))
    print(f"{COUNT} reports, {packages / COUNT:.0f} packages on average, {size / 1e6:.0f} MB", flush=True)
    rescan = [BIN, "rescan", at("reports"), "--db", DB, "-q"] + COMMON
    for _ in range(2):
        f = run(rescan, (1,))
        show("rescan after an update", f)
    hold(b"New advisory" in f[3] and b"FAIL" in f[3], "rescan", "nothing changed")
    show("rescan, and the new set written", run(rescan + ["--write", at("set")], (1,)))
    hold(len([n for n in os.listdir(at("set")) if n.endswith(".json")]) >= COUNT, "rescan --write", "the set is not whole")
    for form in ("json", "html", "sarif", "markdown", "github", "openvex", "cyclonedx-json", "spdx-json", "osv-json"):
        show("rescan -o " + form, run(rescan + ["-o", form + "=" + at("night." + form)], (1,)), 180)
        os.remove(at("night." + form))
    exported()
    show("rescan with a list of what is deployed", run(rescan + ["lambda-export:" + at("prod.json")], (1,)))
    alone = run([BIN, "rescan", "lambda-export:" + at("prod.json"), "--db", DB] + COMMON, (1, 3))
    show("the list alone", alone)
    hold(b"4,000" in alone[3], "lambda-export", "not every deployed function is there")
    gated()
    if PEER:
        peer()
    return summary("night")


if __name__ == "__main__":
    sys.exit(main())
