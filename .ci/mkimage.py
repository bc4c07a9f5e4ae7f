#!/usr/bin/env python3
"""mkimage.py OUT BYTES: an OCI layout in the folder OUT, of eight gzipped layers with about BYTES of files in all.

Text, scripts and what begins like an executable, of the sizes that a real image has; the same bytes on each run of
one version of Python and zlib. No package is in it: it is there to be read."""
import gzip, hashlib, io, json, os, random, sys, tarfile
out, total = sys.argv[1], int(sys.argv[2])
r = random.Random(1)
words = [bytes(r.choices(b"abcdefghijklmnopqrstuvwxyz_(){}=;. ", k=r.randint(3, 12))) for _ in range(4000)]
def text(n):
    b = bytearray()
    while len(b) < n: b += r.choice(words) + b" "
    return bytes(b[:n])
pool = [text(1 << 20) for _ in range(24)]
layers, diffs = [], []
for l in range(8):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as t:
        n, i = 0, 0
        while n < total // 8:
            kind = r.random()
            size = r.randint(200, 20000) if kind < .9 else r.randint(100_000, 4_000_000)
            p = r.choice(pool); o = r.randrange(len(p)); body = (p[o:] + p)[:size]
            if kind > .97: body = b"\x7fELF\x02\x01\x01" + r.randbytes(size)
            if size > len(body): body += r.randbytes(size - len(body))
            info = tarfile.TarInfo(f"usr/lib/l{l}/d{i % 300}/f{i}" + r.choice((".js", ".so", ".py", ".txt", ""))); info.size = len(body)
            t.addfile(info, io.BytesIO(body)); n += len(body); i += 1
    raw = raw.getvalue()
    diffs.append("sha256:" + hashlib.sha256(raw).hexdigest())
    layers.append(gzip.compress(raw, 6, mtime=0))
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["app.handler"]}, "rootfs": {"type": "layers", "diff_ids": diffs}}).encode()
os.makedirs(out, exist_ok=True); os.makedirs(out + "/blobs/sha256", exist_ok=True)
def blob(b):
    d = hashlib.sha256(b).hexdigest(); open(f"{out}/blobs/sha256/{d}", "wb").write(b); return {"digest": "sha256:" + d, "size": len(b)}
m = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **blob(config)},
     "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **blob(b)} for b in layers]}
idx = {"schemaVersion": 2, "manifests": [{"mediaType": m["mediaType"], **blob(json.dumps(m).encode())}]}
open(out + "/index.json", "w").write(json.dumps(idx)); open(out + "/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
