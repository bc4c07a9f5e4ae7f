#!/usr/bin/env python3
"""A store of a quarter of a million records, and what it costs.

  scale.py BIN FEED SMALLDB PACKAGE OUT [OSV_SCANNER]

BIN is the program, FEED a folder with npm/all.zip and expect.json (made by the
corpus's generator), SMALLDB a store made from the 26,535 real records, PACKAGE
a function package, OUT a folder for what is made here. OSV_SCANNER is the peer's
program: it reads the same archive on every run.

What is held: every purl of expect.json matches the records that it must and
none that it must not; the store is no larger than 1.2 times the archive; the
build needs less than 256 MB; a scan against the large store needs at most 16 MB
more than against the small one. Times are printed, never held.
"""
import json, os, shutil, subprocess, sys, time

BIN, FEED, SMALL, PACKAGE, OUT = sys.argv[1:6]
PEER = sys.argv[6] if len(sys.argv) > 6 else None
DB = os.path.join(OUT, "db")
failures = []


def hold(ok, text):
    if not ok:
        failures.append(text)
        print("  FAIL " + text, flush=True)


def run(args, ok=(0,), env=None, runs=1):
    """Runs a program several times; returns the smallest wall seconds, CPU seconds and MB, and the last output."""
    best = None
    for _ in range(runs):
        start = time.monotonic()
        with open(os.path.join(OUT, "stdout"), "w+b") as out, open(os.path.join(OUT, "stderr"), "w+b") as err:
            p = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=dict(os.environ, **(env or {})))
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0), err.seek(0)
            text, complaint = out.read(), err.read()
        if p.returncode not in ok:
            sys.exit(f"{args[:4]}: exit status {p.returncode}: {complaint[-500:]!r}")
        now = (time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
        best = now if best is None else tuple(map(min, best, now))
    return best + (text,)


def show(name, figures, more=""):
    print(f"{name:44} {figures[0]:7.3f} s wall {figures[1]:7.3f} s CPU {figures[2]:6.0f} MB{more}", flush=True)


def size(folder):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(folder) for f in fs)


archive = os.path.getsize(os.path.join(FEED, "npm", "all.zip"))
shutil.rmtree(DB, ignore_errors=True)
built = run([BIN, "db", "update", "--quiet", "--from", FEED, "--ecosystem", "npm", "--db", DB])
records = json.loads(run([BIN, "db", "status", "-o", "json", "--db", DB], ok=(0, 3))[3])["records"]
show("db update", built, f"  {records} records, {records / built[0]:,.0f} a second; {size(DB) / 1e6:.1f} MB of {archive / 1e6:.1f} MB zipped")
hold(records > 0 and built[2] <= 256, f"the build took {built[2]:.0f} MB")
hold(size(DB) <= 1.2 * archive, f"the store has {size(DB)} bytes, the archive {archive}")
show("db update, nothing new", run([BIN, "db", "update", "--quiet", "--from", FEED, "--ecosystem", "npm", "--db", DB]))
for purl, want in json.load(open(os.path.join(FEED, "expect.json"))).items():
    looked = run([BIN, "db", "lookup", purl, "--db", DB, "-o", "json"], ok=(0, 3), runs=3)
    got = looked[3].decode()
    missing = [i for i in want["match"] if i not in got]
    extra = [i for i in want["no_match"] if i in got]
    hold(not missing and not extra, f"{purl}: missing {missing}, extra {extra}")
    show("db lookup " + purl, looked)
scan = [BIN, "scan", PACKAGE, "--offline", "--db-max-age", "876000h", "-o", "json=" + os.path.join(OUT, "scan.json"), "--db"]
large, small = (run(scan + [d], ok=(0, 1, 3), runs=3) for d in (DB, SMALL))
show("scan, this store", large)
show("scan, the store of the real records", small)
hold(large[2] <= small[2] + 16, f"a scan took {large[2]:.0f} MB against the large store, {small[2]:.0f} MB against the small one")
if PEER:
    cache = os.path.join(OUT, "peer")
    shutil.rmtree(cache, ignore_errors=True)
    os.makedirs(os.path.join(cache, "osv-scalibr", "npm"))
    os.link(os.path.join(FEED, "npm", "all.zip"), os.path.join(cache, "osv-scalibr", "npm", "all.zip"))
    purls = list(json.load(open(os.path.join(FEED, "expect.json"))))
    bom = os.path.join(OUT, "peer.cdx.json")
    json.dump({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [
        {"type": "library", "name": p.split("/", 1)[1].rsplit("@", 1)[0], "version": p.rsplit("@", 1)[1], "purl": p} for p in purls]}, open(bom, "w"))
    own = run([BIN, "scan", "sbom:" + bom, "--offline", "--db-max-age", "876000h", "--db", DB, "-o", "json=" + os.path.join(OUT, "own.json")], ok=(0, 1, 3), runs=3)
    show(f"scan of an SBOM of {len(purls)} packages", own)
    peer = run([PEER, "scan", "source", "--offline", "--format", "json", "-L", bom], ok=(0, 1), env={"OSV_SCALIBR_LOCAL_DB_CACHE_DIRECTORY": cache}, runs=1)
    show("osv-scanner on the same", peer)
    hold(b"GHSA-" in peer[3], "osv-scanner found nothing: the comparison is of no worth")
print(f"scale: {len(failures)} failed")
sys.exit(1 if failures else 0)
