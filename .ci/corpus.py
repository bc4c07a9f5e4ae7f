#!/usr/bin/env python3
"""End to end over real and hostile packages whose contents are known.

  corpus.py BIN SHARED DB OUT

BIN is the program, SHARED the folder with corpus/ (cases and their scorer), DB
a store made from SHARED/osv, OUT a folder for the outputs. Every case runs as
a user would run it. What is held:

- node, python (with metadata and without), go, ruby, rust, layers, images, Java
  with metadata or file names: recall and precision of name+version at least
  0.99 over all, no case under 0.95;
- bundles: BUNDLES below, by what the bundler left and whether the lockfile is
  given; what is said to be left out is not inside;
- the bytes of code add up: own, attributed and unknown are all there are;
- what nobody can read (UPX), bundles without their lockfile, and images and jars
  with known findings, never exit 0;
- hostile cases: no panic, at most 20 s and 512 MB, nothing written outside and
  nothing left in the temporary folder; `reject` never exits 0, `handle` names
  the right packages, `escape` holds none of the forbidden text in any format.

Exit status 1 when anything fails; the list of what failed is printed last.
"""
import json, os, re, resource, shutil, subprocess, sys, tempfile, time

FORMATS = ["table", "json", "jsonl", "sarif", "cyclonedx-json", "spdx-json", "osv-json", "openvex", "html", "junit", "markdown", "github", "ics"]
SCORED = ("node-", "python-", "go-arm64", "go-called", "go-imported", "ruby-", "rust-", "layers-", "image-", "java-lib", "java-fat")
NEVER_CLEAN = ("bundle-", "python-slim", "go-upx", "image-", "java-",
               # hostile ones that hold code or manifests that nobody can read, or two files under one name
               "hostile-wrong-crc", "hostile-empty-zip", "hostile-corrupt-deflate", "hostile-unknown-method", "hostile-elf-lies", "hostile-dup-names")
SECONDS, MEGABYTES = 20, 512          # of one hostile case
MICRO, EACH = 0.99, 0.95
BARE = ("bundle-esbuild-minify-b", "bundle-esbuild-external", "bundle-esbuild-nolegal", "bundle-webpack-prod-b", "bundle-ncc", "bundle-rollup")   # minified: no map, no comments, no keys
# kind of bundle, lockfile given -> at least: name, name+version, precision. A bare
# bundle with a lockfile holds what the lockfile says at most, which is no precision.
BUNDLES = {("marked", False): (0.99, 0.35, 0.99), ("marked", True): (0.99, 0.99, 0.99),
           ("bare", False): (0.30, 0.10, 0.98), ("bare", True): (0.99, 0.99, 0)}

BIN, SHARED, DB, OUT = sys.argv[1:5]
OPEN = os.path.join(SHARED, "corpus", "open")
sys.path.insert(0, os.path.join(SHARED, "corpus"))
import score                                                    # the scorer beside the cases

from held import hold, summary


def run(case, args, seconds):
    """Runs the program in a folder and a temporary folder of its own; returns status (None: killed), seconds, MB, stdout, stderr."""
    tmp = tempfile.mkdtemp(prefix="fnaudit-tmp-")
    cwd = tempfile.mkdtemp(prefix="fnaudit-cwd-")
    env = dict(os.environ, TMPDIR=tmp, NO_COLOR="1")
    start = time.monotonic()
    with tempfile.TemporaryFile() as so, tempfile.TemporaryFile() as se:
        process = subprocess.Popen([BIN] + args, stdin=subprocess.DEVNULL, stdout=so, stderr=se, cwd=cwd, env=env)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - start > seconds:
                process.kill()
                _, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(0.005)
        process.returncode = os.waitstatus_to_exitcode(status)
        so.seek(0), se.seek(0)
        out, err = so.read(), se.read()
    left = sorted(os.path.join(d, f) for root in (tmp, cwd) for d, _, fs in os.walk(root) for f in fs)
    hold(not left, case, f"files left behind: {left[:3]}")
    shutil.rmtree(tmp, ignore_errors=True), shutil.rmtree(cwd, ignore_errors=True)
    code = process.returncode if process.returncode >= 0 else None
    return code, time.monotonic() - start, usage.ru_maxrss / 1024, out, err


def scan(case, truth, artefact, layers, seconds, lockfile=None):
    """One scan with every format at once; returns the result of run and the path of each output."""
    folder = os.path.join(OUT, case + (".locked" if lockfile else ""))
    os.makedirs(folder, exist_ok=True)
    paths = {f: os.path.join(folder, artefact.replace("/", "_") + "." + f) for f in FORMATS}
    args = ["scan", os.path.join(OPEN, case, artefact), "--db", DB, "--offline", "--db-max-age", "876000h"]
    for layer in layers:
        args += ["--layer", os.path.join(OPEN, case, layer)]
    if truth["runtime"] and " " not in truth["runtime"] and truth["runtime"] != "image":
        args += ["--runtime", truth["runtime"]]
    if lockfile:
        args += ["--lockfile", lockfile]
    for f in FORMATS:
        args += ["-o", f"{f}={paths[f]}"]
    return run(case, args, seconds), paths


def sane(case, result, paths):
    """What holds for every run, whatever the input."""
    code, seconds, mb, out, err = result
    if not hold(code is not None, case, f"killed or crashed after {seconds:.1f} s: {err[-300:]!r}"):
        return False
    hold(b"panic:" not in err and b"goroutine " not in err, case, f"panic: {err[:300]!r}")
    hold(code in (0, 1, 3), case, f"exit status {code}: {err[-300:]!r}")
    hold(all(os.path.exists(p) for p in paths.values()), case, "an output is missing")
    if os.path.exists(paths["json"]):
        try:
            verdict = [f["verdict"]["decision"] for f in json.load(open(paths["json"], encoding="utf-8"))["functions"]]
            want = 1 if "fail" in verdict else 3 if "incomplete" in verdict else 0
            hold(code == want and set(verdict) <= {"pass", "fail", "incomplete"}, case, f"exit status {code}, verdicts {verdict}")
        except (ValueError, KeyError) as e:
            hold(False, case, f"JSON report: {e}")
    return True


def read(path):
    try:
        return score.read(path)
    except (OSError, ValueError, KeyError) as e:
        return [f"pkg:unreadable/{type(e).__name__}@0"]


def covered(case, path):
    """The bytes of code add up, over the function and in each bundle."""
    for function in json.load(open(path, encoding="utf-8"))["functions"]:
        c = function.get("coverage")
        for part in ([c] + c.get("bundles", []) if c else []):
            hold(part["codeBytes"] == part["attributedBytes"] + part["ownBytes"] + part["unknownBytes"], case, f"code does not add up: { {k: v for k, v in part.items() if isinstance(v, (int, str))} }")


def bundle(case, truth, artefact, got, sums):
    """Adds a bundle to the sums of its kind: as it was scanned, and again with its lockfile."""
    kind = "bare" if case.startswith(BARE) else "marked"
    def add(key, got):
        n = sums.setdefault(key, [0, 0, 0, 0])
        for i, v in enumerate((got["tp"], got["truth"], got["fp"], round((got["name_recall"] or 0) * got["truth"]))):
            n[i] += v
    add((kind, False), got)
    lockfile = os.path.join(OPEN, case, "package-lock.json")
    result, paths = scan(case, truth, artefact, [], 120, lockfile)
    if not sane(case, result, paths):
        return
    covered(case, paths["json"])
    add((kind, True), score.score(truth, read(paths["cyclonedx-json"])))
    inside = {score.key(p["purl"]) for p in truth["packages"]}
    for function in json.load(open(paths["json"], encoding="utf-8"))["functions"]:
        wrong = [a["purl"] for a in function.get("absent", []) if score.key(a["purl"]) in inside]
        hold(not wrong, case, f"said to be left out, and inside: {wrong}")


def states(path):
    """purl -> set of states, from the JSON report."""
    found = {}
    try:
        for function in json.load(open(path, encoding="utf-8"))["functions"]:
            for c in function["components"]:
                found.setdefault(score.key(c["purl"]), set()).add(c["state"])
    except (OSError, ValueError, KeyError):
        return {}                     # sane() has said so; every state below is then missing
    return found


def main():
    cases = sorted(os.listdir(OPEN))
    total = [0, 0, 0]
    worst = (0, 0)
    bundles = {}
    for case in cases:
        truth = json.load(open(os.path.join(OPEN, case, "truth.json"), encoding="utf-8"))
        layers = truth.get("layers", [])
        hostile = case.startswith("hostile-")
        artefacts = [a for a in truth["artefacts"] if a not in layers]
        for artefact in artefacts:
            result, paths = scan(case, truth, artefact, layers, SECONDS if hostile else 120)
            code, seconds, mb, out, err = result
            line = f"{case:38} {artefact[:18]:18} exit {code} {seconds:6.2f} s {mb:6.0f} MB"
            if not sane(case, result, paths):
                print(line, flush=True)
                continue
            covered(case, paths["json"])
            got = score.score(truth, read(paths["cyclonedx-json"]))
            if case.startswith("bundle-"):
                bundle(case, truth, artefact, got, bundles)
            line += f"  truth {got['truth']:3} found {got['found']:3} recall {got['recall']} precision {got['precision']}"
            if case.startswith(SCORED):
                total = [total[0] + got["tp"], total[1] + got["fn"], total[2] + got["fp"]]
                hold((got["recall"] or 0) >= EACH and (got["precision"] or 0) >= EACH, case,
                     f"recall {got['recall']} precision {got['precision']} missing {got['missing'][:5]} extra {got['extra'][:5]}")
                for other in ("spdx-json", "json"):              # every format tells the same packages
                    if other == "spdx-json":
                        same = score.score(truth, read(paths[other]))
                        hold(same["recall"] == got["recall"], case, f"{other}: recall {same['recall']}, CycloneDX {got['recall']}")
            if case.startswith(NEVER_CLEAN):
                hold(code != 0, case, "exit status 0 for what cannot be read")
            if truth.get("absent"):
                there = {score.key(p if isinstance(p, str) else p[0]) for p in read(paths["cyclonedx-json"])}
                wrong = [p for p in truth["absent"] if score.key(p) in there]
                hold(not wrong, case, f"reports what is not there: {wrong}")
            if truth.get("shadowed"):
                seen = states(paths["json"])
                for purl in truth["shadowed"]:
                    hold("live" not in seen.get(score.key(purl), set()), case, f"{purl} is shadowed, reported {seen.get(score.key(purl))}")
                # what the function's own require() gets is live; a copy that only other code could get may be either
                for purl in [r["purl"] for r in truth.get("resolved", [])]:
                    hold("live" in seen.get(score.key(purl), set()), case, f"{purl} is live, reported {seen.get(score.key(purl))}")
            if hostile:
                worst = max(worst[0], seconds), max(worst[1], mb)
                hold(seconds <= SECONDS and mb <= MEGABYTES, case, f"{seconds:.1f} s, {mb:.0f} MB")
                hold(not any(os.path.exists(p) for p in truth.get("forbid", [])), case, "wrote outside")
                expect = truth["expect"]
                if expect == "reject" or artefact.endswith(".tar"):
                    hold(code != 0, case, f"exit status 0, expected {expect}")
                if expect == "handle" and artefact.endswith(".zip"):
                    missed = got["missing"] or got["extra"]
                    said = "bzip2-lzma" in case and code == 3    # a clear refusal is accepted there
                    hold(not missed or said, case, f"missing {got['missing']} extra {got['extra']}")
                for text in truth.get("must_not_contain", []):
                    raw = text.encode("utf-8")
                    for name, content in [(f, open(p, "rb").read()) for f, p in paths.items()] + [("stdout", out), ("stderr", err)]:
                        if name == "html":   # without its own script, of which the page's policy allows no other
                            content = re.sub(rb"(?s)<script(>| type=\"application/gzip\"[^>]*>).*?</script>", b"", content)
                        hold(raw not in content, case, f"{name} holds {text!r}")
            print(line, flush=True)
    for key, (tp, all, fp, names) in sorted(bundles.items()):
        name, version, precision = names / all, tp / all, tp / max(1, tp + fp)
        print(f"bundles, {key[0]}, {'with' if key[1] else 'without'} the lockfile: {all} packages, name {name:.4f}, name+version {version:.4f}, {fp} wrong, precision {precision:.4f}")
        least = BUNDLES[key]
        hold(name >= least[0] and version >= least[1] and precision >= least[2], f"bundles {key}", f"under {least}")
    hold(len(bundles) == len(BUNDLES), "bundles", f"only {sorted(bundles)} were scored")
    tp, fn, fp = total
    recall, precision = tp / max(1, tp + fn), tp / max(1, tp + fp)
    print(f"scored kinds: {tp} right, {fn} missing, {fp} wrong: recall {recall:.4f}, precision {precision:.4f}")
    print(f"hostile: slowest {worst[0]:.2f} s, largest {worst[1]:.0f} MB")
    hold(tp > 0 and recall >= MICRO and precision >= MICRO, "all scored kinds", f"recall {recall:.4f} precision {precision:.4f}")
    return summary("corpus")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
