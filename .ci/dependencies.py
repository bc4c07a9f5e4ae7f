#!/usr/bin/env python3
"""What each dependency really is, end to end, over real packages.

  dependencies.py BIN SHARED DB OUT

BIN is the program, SHARED the folder with corpus/, DB a store made from
SHARED/osv, OUT a folder for the outputs. What is held:

- the untouched corpus, with every byte read (--deep): no finding of kind
  untrusted of severity medium or above but those in TRUE below, each with the
  reason why it is true;
- a registry on this machine that publishes the very packages of a real case:
  scanned online, then offline from the cache, the report is the same; with a
  file changed, added, or another archive published, exactly that is found;
- deprecated, archived, young, look-alike and downgraded packages are found;
- names that the policy calls private are not asked for;
- at most 8 connections at a time; 400 packages of a registry that answers in
  50 ms in under 30 s. What the warm cache and --deep cost is printed.

Exit status 1 when anything fails; the list of what failed is printed last.
"""
import base64, fnmatch, hashlib, http.server, io, json, os, resource, shutil, subprocess, sys, tarfile, threading, time, zipfile

BIN, SHARED, DB, OUT = sys.argv[1:5]
OPEN = os.path.join(SHARED, "corpus", "open")
AT = "2026-11-22T00:00:00Z"
# case, rule, package -> why it is true
TRUE = [
    ("python-wheels*", "integrity-changed", "pkg:pypi/certifi@*", "cacert.pem has other bytes than its RECORD says: a certificate was added where the wheels were made"),
]
from held import hold, summary


def run(args, env=None, cwd=None):
    """Runs the program; returns status, seconds, CPU seconds, stdout, stderr."""
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.run([BIN] + args, capture_output=True, env=dict(os.environ, NO_COLOR="1", **(env or {})), cwd=cwd or OUT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return p.returncode, time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, p.stdout, p.stderr


def scan(case, target, *more, env=None, db=None, at=AT):
    """One scan as JSON; returns its functions and the whole result."""
    out = os.path.join(OUT, case + ".json")
    if os.path.exists(out):
        os.remove(out)
    args = ["scan", target, "--db", db or DB, "--db-max-age", "876000h", "--at", at, "-o", "json=" + out, *more]
    result = run(args, env)
    if not hold(result[0] in (0, 1, 3) and os.path.exists(out), case, f"exit status {result[0]}: {result[4][-300:]!r}"):
        return [], result
    return json.load(open(out, encoding="utf-8"))["functions"], result


def findings(functions, kinds=("untrusted", "stale")):
    return [f for fn in functions for f in fn["findings"] if f["kind"] in kinds]


def grave(fs):
    return [f for f in fs if f["kind"] == "untrusted" and f["severity"] in ("medium", "high", "critical", "unknown")]


def untouched():
    """The corpus as it is."""
    rules = {}
    for case in sorted(os.listdir(OPEN)):
        if case.startswith("hostile-"):
            continue
        truth = json.load(open(os.path.join(OPEN, case, "truth.json"), encoding="utf-8"))
        layers = truth.get("layers", [])
        for artefact in [a for a in truth["artefacts"] if a not in layers]:
            more = ["--deep", "--offline"]
            for layer in layers:
                more += ["--layer", os.path.join(OPEN, case, layer)]
            functions, result = scan(case, os.path.join(OPEN, case, artefact), *more)
            fs = findings(functions)
            for f in fs:
                key = f["kind"], f["rule"], f["severity"]
                rules[key] = rules.get(key, 0) + 1
            for f in grave(fs):
                known = [why for c, r, p, why in TRUE if fnmatch.fnmatch(case, c) and r == f["rule"] and fnmatch.fnmatch(f["component"], p)]
                hold(known, case, f"{f['severity']} {f['rule']} {f['component']}: {f['title']}")
                if known:
                    print(f"  true: {case} {f['severity']} {f['rule']} {f['component']}: {f['title']} ({known[0]})")
            for fn in functions:
                states = {c["check"]: c for c in fn["checks"]}
                for name in ("stale", "trust", "integrity"):
                    hold(states.get(name, {}).get("state") == "ran", case, f"check {name}: {states.get(name)}")
    for (kind, rule, severity), n in sorted(rules.items()):
        print(f"  corpus: {kind} {rule} {severity}: {n}")


class Registry(http.server.ThreadingHTTPServer):
    """An npm registry that publishes what it is given, in the registry's own forms."""
    daemon_threads, request_queue_size = True, 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.packages, self.archives, self.asked, self.delay = {}, {}, [], 0
        self.lock, self.now, self.most = threading.Lock(), 0, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.env = {"NPM_CONFIG_REGISTRY": self.url, "NPM_CONFIG_USERCONFIG": os.devnull, "NPM_CONFIG_GLOBALCONFIG": os.devnull, "GOPROXY": "off", "GONOSUMDB": "*", "GOFLAGS": ""}

    def handle_error(self, *_):
        pass                          # whoever scans may hang up

    def publish(self, name, versions, **fields):
        doc = {"_id": name, "name": name, "versions": {}, "time": {"created": "2015-01-01T00:00:00.000Z"}, "maintainers": [{"name": "alice", "email": "a@example.org"}], "dist-tags": {}}
        for version, (published, manifest, archive) in versions.items():
            entry = dict({"name": name, "version": version, "license": "MIT"}, **manifest)
            if archive is not None:
                file = f"/{name}/-/{name.split('/')[-1]}-{version}.tgz"
                self.archives[file] = archive
                entry["dist"] = {"tarball": self.url.rstrip("/") + file, "shasum": hashlib.sha1(archive).hexdigest(),
                                 "integrity": "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode(), **manifest.get("dist", {})}
            doc["versions"][version] = entry
            doc["time"][version] = published
            doc["dist-tags"]["latest"] = version
        doc.update(fields)
        self.packages[name] = json.dumps(doc).encode()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        with self.server.lock:
            self.server.now += 1
            self.server.most = max(self.server.most, self.server.now)

    def finish(self):
        super().finish()
        with self.server.lock:
            self.server.now -= 1

    def do_GET(self):
        import urllib.parse
        path = urllib.parse.unquote(self.path)
        with self.server.lock:
            self.server.asked.append(path)
        time.sleep(self.server.delay)
        body, kind = self.server.packages.get(path.lstrip("/")), "application/json"
        if body is None:
            body, kind = self.server.archives.get(path), "application/octet-stream"
        if body is None:
            self.send_response(404)
            body, kind = b'{"error":"Not found"}', "application/json"
        else:
            tag = '"' + hashlib.sha256(body).hexdigest()[:32] + '"'
            if self.headers.get("If-None-Match") == tag:
                self.send_response(304)
                self.send_header("ETag", tag)
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("ETag", tag)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def tgz(files):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as t:
        for path, data in sorted(files.items()):
            info = tarfile.TarInfo("package/" + path)
            info.size, info.mode = len(data), 0o644
            t.addfile(info, io.BytesIO(data))
    return raw.getvalue()


def installed(path):
    """The packages in a zip's node_modules: folder -> {path in it: bytes}, nested ones apart."""
    with zipfile.ZipFile(path) as z:
        files = {i.filename: z.read(i) for i in z.infolist() if not i.is_dir()}
    folders = {}
    for name, data in files.items():
        at = name.rfind("node_modules/")
        if at < 0:
            continue
        parts = name[at + len("node_modules/"):].split("/")
        n = 2 if parts[0].startswith("@") else 1
        if parts[0].startswith(".") or len(parts) <= n:
            continue
        folder = name[:at] + "node_modules/" + "/".join(parts[:n])
        folders.setdefault(folder, {})["/".join(parts[n:])] = data
    return files, folders


def rezip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in sorted(files.items()):
            z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


def store(name):
    """A store of its own with the advisories of DB: the cache of facts lies in it."""
    path = os.path.join(OUT, name)
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(DB, path, ignore=shutil.ignore_patterns("facts"))
    return path


def fresh(registry, folders):
    """Publishes what is installed, unchanged, as the only version of each package."""
    byname = {}
    for folder, files in folders.items():
        try:
            manifest = json.loads(files["package.json"])
            name, version = manifest["name"], manifest["version"]
        except (KeyError, ValueError):
            continue
        byname.setdefault(name, {})[version] = ("2021-05-01T00:00:00.000Z", {k: v for k, v in manifest.items() if k in ("scripts", "license", "repository", "dependencies")}, tgz(files))
    for name, versions in byname.items():
        registry.publish(name, versions)
    return byname


def planted():
    """A real case and the registry that published it, with one thing wrong at a time."""
    case = next(c for c in sorted(os.listdir(OPEN)) if c.startswith("node-npm-lock"))
    truth = json.load(open(os.path.join(OPEN, case, "truth.json"), encoding="utf-8"))
    whole = os.path.join(OPEN, case, truth["artefacts"][0])
    files, folders = installed(whole)
    registry = Registry()
    byname = fresh(registry, folders)
    db = store("db-planted")
    plain = os.path.join(OUT, "planted.zip")
    # the lockfile speaks of the archives that were really published, not of those that are made here
    nolock = {n: d for n, d in files.items() if os.path.basename(n) not in ("package-lock.json", ".package-lock.json")}
    rezip(plain, nolock)
    functions, _ = scan("planted-online", plain, "--deep", "--online", env=registry.env, db=db)
    hold(not grave(findings(functions)), "planted-online", f"untouched: {[(f['rule'], f['component']) for f in grave(findings(functions))]}")
    hold(registry.most <= 8, "planted-online", f"{registry.most} connections at a time")
    checked = {c["check"]: c for fn in functions for c in fn["checks"]}
    hold(checked.get("facts", {}).get("state") == "ran" and checked.get("integrity", {}).get("state") == "ran", "planted-online", f"checks {checked.get('facts')} {checked.get('integrity')}")
    print(f"  planted: {len(byname)} packages, {len(registry.asked)} requests, {registry.most} connections, integrity: {checked.get('integrity')}")
    asked = len(registry.asked)
    def best(args):
        times = []
        for _ in range(5):
            start = time.monotonic()
            subprocess.run(args, capture_output=True, env=dict(os.environ, **registry.env))
            times.append(time.monotonic() - start)
        return 1000 * min(times)
    base = [BIN, "scan", plain, "--db", db, "--db-max-age", "876000h", "--at", AT, "--offline", "-o", "json=" + os.path.join(OUT, "deep.json")]
    print(f"  deep: {best(base + ['--deep']) - best(base):+.0f} ms on a scan of {best(base):.0f} ms; unzip -tq {best(['unzip', '-tq', plain]):.0f} ms")
    again, _ = scan("planted-offline", plain, "--deep", "--offline", env=registry.env, db=db)
    hold(len(registry.asked) == asked, "planted-offline", "asked the network")
    hold(json.dumps(functions) == json.dumps(again), "planted-offline", "the cache gives another report than the network")

    victim = sorted(f for f, c in folders.items() if any(p.endswith(".js") for p in c) and "package.json" in c and f.count("node_modules/") == 1)
    def expect(name, change, rule, purl, *more, env=None):
        changed = dict(nolock)
        change(changed)
        path = os.path.join(OUT, name + ".zip")
        rezip(path, changed)
        functions, _ = scan(name, path, "--deep", "--offline", *more, env=env or registry.env, db=db)
        hits = [f for f in findings(functions) if f["rule"] in rule and fnmatch.fnmatch(f["component"], purl)]
        others = [f for f in grave(findings(functions)) if f not in hits]
        hold(hits, name, f"not found: {rule} {purl}; found {[(f['rule'], f['component'], f['severity']) for f in findings(functions)][:8]}")
        hold(not others, name, f"more than that: {[(f['rule'], f['component'], f['title']) for f in others][:5]}")
        for f in hits[:2]:
            print(f"  planted: {name}: {f['severity']} {f['rule']} {f['component']}: {f['title']}")

    folder = victim[0]
    manifest = json.loads(folders[folder]["package.json"])
    purl = f"pkg:npm/{manifest['name'].replace('@', '%40')}@*"
    script = sorted(p for p in folders[folder] if p.endswith(".js"))[0]
    expect("planted-changed", lambda z: z.__setitem__(f"{folder}/{script}", z[f"{folder}/{script}"] + b"\nrequire('child_process')\n"), ("integrity-changed",), purl)
    expect("planted-added", lambda z: z.__setitem__(f"{folder}/lib/telemetry.js", b"module.exports = 1\n"), ("integrity-added", "integrity-unlisted"), purl)


def told():
    """What only a registry tells, one made package for each rule, all in one function."""
    registry = Registry()
    old, last = "2021-05-01T00:00:00.000Z", "2026-11-20T00:00:00.000Z"
    sha512 = lambda data: "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    def package(name, version, **manifest):
        return {"package.json": json.dumps(dict({"name": name, "version": version, "main": "index.js", "license": "MIT"}, **manifest)).encode(), "index.js": f"module.exports = '{name}'\n".encode()}
    claimed = {"dist": {"attestations": {"url": registry.url + "-/npm/v1/attestations/lost@1.0.0", "provenance": {"predicateType": "https://slsa.dev/provenance/v1"}}}}
    signed = {"dist": {"signatures": [{"keyid": "SHA256:none", "sig": "MEUCIQ=="}]}}
    want, files, lock = {}, {"index.js": b"require('old-thing')\n"}, {"lockfileVersion": 3, "name": "told", "packages": {"": {"name": "told", "dependencies": {}}}}
    def install(name, version, *versions, locked=None, resolved=None):
        content = package(name, version)
        for path, data in content.items():
            files[f"node_modules/{name}/{path}"] = data
        archive = tgz(content)
        if versions:
            registry.publish(name, {v: (when, manifest, archive if v == version else tgz(package(name, v))) for v, when, manifest in versions})
        base = resolved or registry.url
        lock["packages"][""]["dependencies"][name] = version
        lock["packages"]["node_modules/" + name] = {"version": version, "resolved": f"{base}{name}/-/{name.split('/')[-1]}-{version}.tgz", "integrity": locked or sha512(archive)}
    install("old-thing", "1.0.0", ("1.0.0", old, {"deprecated": "use new-thing"}))
    want["deprecated"] = "pkg:npm/old-thing@1.0.0"
    install("far-behind", "1.0.0", ("1.0.0", old, {}), ("1.1.0", "2022-05-01T00:00:00.000Z", {}), ("2.0.0", last, {}))
    want["behind"] = "pkg:npm/far-behind@1.0.0"
    install("lost", "1.0.1", ("1.0.0", "2026-05-01T00:00:00.000Z", dict(claimed)), ("1.0.1", "2026-09-01T00:00:00.000Z", signed))
    want["provenance-lost"] = "pkg:npm/lost@1.0.1"
    install("sold", "2.0.0", ("1.0.0", old, {"_npmUser": {"name": "alice"}}), ("2.0.0", "2026-09-01T00:00:00.000Z", {"_npmUser": {"name": "mallory"}}))
    want["publisher-changed"] = "pkg:npm/sold@2.0.0"
    install("young", "1.0.1", ("1.0.0", old, {}), ("1.0.1", "2026-11-21T00:00:00.000Z", {}))
    want["version-young"] = "pkg:npm/young@1.0.1"
    install("expresss", "1.0.0", ("1.0.0", "2026-11-10T00:00:00.000Z", {}))
    want["look-alike"] = "pkg:npm/expresss@1.0.0"
    install("never-published-anywhere", "1.0.0")
    want["unknown-name"] = "pkg:npm/never-published-anywhere@1.0.0"
    install("swapped", "1.0.0", ("1.0.0", old, {}), locked=sha512(b"another archive"))
    want["integrity-swapped"] = "pkg:npm/swapped@1.0.0"
    install("@corp/secret-name", "1.0.0", resolved="https://registry.stranger.example/")
    want["dependency-confusion"] = "pkg:npm/%40corp/secret-name@1.0.0"
    files["package.json"] = json.dumps({"name": "told", "version": "1.0.0", "dependencies": lock["packages"][""]["dependencies"]}).encode()
    files["package-lock.json"] = json.dumps(lock).encode()
    policy, path, db = os.path.join(OUT, "told.yaml"), os.path.join(OUT, "told.zip"), store("db-told")
    with open(policy, "w") as f:
        f.write('version: 1\nfail: {untrusted: none}\ndependencies:\n  private: ["@corp/*"]\n  registries: {npm: ["%s", "https://npm.corp.example/"]}\n  cool_down: 3d\n' % registry.url)
    rezip(path, files)
    more = ["--deep", "--policy", policy, "--runtime", "nodejs16.x", "--platform", "aws-lambda"]
    functions, _ = scan("told", path, "--online", *more, env=registry.env, db=db)
    for rule, purl in want.items():
        hits = [f for f in findings(functions) if f["rule"] == rule and f["component"] == purl]
        hold(hits, "told", f"{rule} {purl} is not found; about it: {[(f['rule'], f['severity']) for f in findings(functions) if f['component'] == purl]}")
        for f in hits[:1]:
            print(f"  told: {f['severity']} {rule} {purl}: {f['title']}")
    extra = [(f["rule"], f["component"], f["title"]) for f in grave(findings(functions)) if want.get(f["rule"]) != f["component"]]
    hold(not extra, "told", f"and more: {extra}")
    hold(any(f["kind"] == "runtime" for fn in functions for f in fn["findings"]), "told", "the runtime past its end is not found")
    hold(any(fn.get("calendar") for fn in functions), "told", "the calendar is empty")
    hold(not [a for a in registry.asked if "corp" in a or "secret" in a], "told", "a private name was sent")
    again, _ = scan("told-offline", path, "--offline", *more, env=registry.env, db=db)
    hold(json.dumps(functions) == json.dumps(again), "told-offline", "the cache gives another report than the network")


def many():
    """400 packages: cold, and from the warm cache."""
    registry = Registry()
    files = {"index.js": b"require('p0')\n", "package.json": b'{"name":"many","version":"1.0.0"}'}
    for i in range(400):
        files[f"node_modules/pkg-{i}-of-many/package.json"] = json.dumps({"name": f"pkg-{i}-of-many", "version": "1.0.3", "main": "index.js", "license": "MIT"}).encode()
        files[f"node_modules/pkg-{i}-of-many/index.js"] = b"module.exports = %d\n" % i
        registry.publish(f"pkg-{i}-of-many", {f"{a}.{b}.{c}": (f"20{10 + a}-0{1 + b}-{10 + c}T00:00:00.000Z", {}, b"") for a in range(6) for b in range(5) for c in range(5)})
    path, registry.delay = os.path.join(OUT, "many.zip"), 0.05
    rezip(path, files)
    db = store("db-many")
    functions, cold = scan("many-cold", path, "--online", env=registry.env, db=db)
    hold(cold[1] < 30, "many-cold", f"{cold[1]:.1f} s")
    hold(registry.most <= 8, "many-cold", f"{registry.most} connections at a time")
    known = sum(1 for fn in functions for c in fn["components"] if c.get("facts", {}).get("state") == "known")
    hold(known >= 400, "many-cold", f"facts of {known} packages")
    nobody = dict(registry.env, NPM_CONFIG_REGISTRY="http://127.0.0.1:1/")          # of which the cache knows nothing
    runs = [(scan("many-bare", path, "--offline", env=nobody, db=db)[1], scan("many-warm", path, "--offline", env=registry.env, db=db)[1]) for _ in range(9)]
    wall, cpu = ([1000 * min(r[k][i] for r in runs) for k in (0, 1)] for i in (1, 2))
    print(f"  400 packages, 150 versions each: cold {cold[1]:.1f} s ({len(registry.asked)} requests, {registry.most} connections, 50 ms each); "
          f"warm {wall[1]:.0f} ms, {cpu[1]:.0f} ms CPU, without facts {wall[0]:.0f} ms, {cpu[0]:.0f} ms CPU: {wall[1] - wall[0]:+.0f} ms, {cpu[1] - cpu[0]:+.0f} ms CPU")


def main():
    os.makedirs(OUT, exist_ok=True)
    untouched()
    planted()
    told()
    many()
    sys.exit(summary("dependencies"))


main()
