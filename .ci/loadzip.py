#!/usr/bin/env python3
"""Makes the package that speed is measured on: about 24 MB, 13,000 files, 384 npm packages, real files of the corpus.

  loadzip.py SHARED OUT.zip
"""
import json, os, sys, zipfile

PACKAGES, FILES, BYTES = 384, 13_000, 24 << 20
shared, out = sys.argv[1:3]
case_dir = os.path.join(shared, "corpus", "open")
cases = [c for c in sorted(os.listdir(case_dir)) if c.startswith("node-")]
packages, spare = [], []
for round_ in range(4):
    for case in cases:
        truth = json.load(open(os.path.join(case_dir, case, "truth.json"), encoding="utf-8"))
        archive = zipfile.ZipFile(os.path.join(case_dir, case, "function.zip"))
        names = [n for n in archive.namelist() if not n.endswith("/")]
        if round_ == 0:
            spare += [(archive, n) for n in names if n.endswith((".js", ".ts", ".map", ".md"))]
        for p in truth["packages"]:
            packages.append((round_, case, archive, p["path"], names))
packages = packages[:PACKAGES]
written, files = set(), 0
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
    def put(name, content):
        global files
        if name in written:
            return
        written.add(name)
        info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        z.writestr(info, content)
        files += 1
    put("index.js", b"exports.handler = async () => 1;\n")
    for round_, case, archive, path, names in packages:
        for n in names:
            rest = n[len(path) + 1:] if n.startswith(path + "/") else None
            if rest and "node_modules/" not in rest:
                put(f"services/{case}-{round_}/{n}", archive.read(n))
    at = 0
    while files < FILES:
        archive, n = spare[at % len(spare)]
        put(f"assets/{at // len(spare)}/{at % len(spare)}-{os.path.basename(n)}", archive.read(n))
        at += 1
    while z.fp.tell() < BYTES:                     # data that does not compress, as pictures do
        put(f"assets/blob-{files}.bin", os.urandom(1 << 18))
print(f"{out}: {os.path.getsize(out) / 1e6:.1f} MB, {files} files, {len(packages)} packages")
