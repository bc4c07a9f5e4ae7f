#!/usr/bin/env python3
"""Holds the README to the program: every console block is what the command prints.

  readme.py BIN SHARED DB OUT [--write]

BIN is the program, SHARED the folder with osv/, DB a store made from it, OUT a
folder for what the commands read and write. Keys are made anew, so that key ids
and the digests that depend on them are compared by their form only. --write puts
what is printed into the README instead. The block of vet shows answers of a real
registry, and is left out.
"""
import base64, hashlib, json, os, re, shutil, subprocess, sys, zipfile

from held import hold, summary

BIN, SHARED, DB, OUT = (os.path.abspath(p) for p in sys.argv[1:5])
WRITE = "--write" in sys.argv[5:]
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FUNCTIONS = os.path.join(ROOT, "testdata", "functions")
at = lambda *names: os.path.join(OUT, *names)
ENV = dict(os.environ, NO_COLOR="1", FNAUDIT_DB=DB, PATH=at("bin") + os.pathsep + os.environ["PATH"], npm_config_registry="", NPM_CONFIG_USERCONFIG=os.devnull, HOME=at("home"))


def run(command, cwd=OUT, env=ENV, ok=(0,)):
    p = subprocess.run(command, shell=isinstance(command, str), cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ok and p.returncode not in ok:
        sys.exit(f"{command}: exit status {p.returncode}\n{p.stdout}")
    return p.stdout


def key(name):
    run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", name + ".pem"])
    run(["openssl", "pkey", "-in", name + ".pem", "-pubout", "-out", name + ".pub"])


def sign(file, name):
    """A bundle about file as cosign sign-blob with a key writes it."""
    run(["openssl", "dgst", "-sha256", "-sign", name + ".pem", "-out", at("signature"), file])
    der = subprocess.run(["openssl", "pkey", "-pubin", "-in", at(name + ".pub"), "-outform", "DER"], check=True, stdout=subprocess.PIPE).stdout
    b64 = lambda b: base64.b64encode(b).decode()
    digest = hashlib.sha256(open(at(file), "rb").read()).digest()
    with open(at(file + ".sigstore.json"), "w") as f:
        json.dump({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {"publicKey": {"hint": b64(hashlib.sha256(der).digest())}},
                   "messageSignature": {"messageDigest": {"algorithm": "SHA2_256", "digest": b64(digest)}, "signature": b64(open(at("signature"), "rb").read())}}, f)


def prepare(readme):
    """What the commands of the README find in their folder."""
    shutil.rmtree(OUT, ignore_errors=True)
    for d in ("bin", "home", "reports"):
        os.makedirs(at(d))
    os.symlink(BIN, at("bin", "fnaudit"))
    os.symlink(os.path.join(ROOT, "testdata"), at("testdata"))
    key("build"), key("gate")
    shutil.copy(os.path.join(FUNCTIONS, "status.zip"), at("status.zip"))
    sign("status.zip", "build")
    data = bytearray(open(at("status.zip"), "rb").read())
    data[100] ^= 1
    open(at("changed.zip"), "wb").write(data)
    with zipfile.ZipFile(os.path.join(FUNCTIONS, "report-py.zip")) as old, zipfile.ZipFile(at("tampered.zip"), "w", zipfile.ZIP_DEFLATED) as new:
        for i in old.infolist():
            new.writestr(i, old.read(i) + (b"import this\n" if i.filename == "charset_normalizer/api.py" else b""))
    open(at("release.yaml"), "w").write(re.search(r"```yaml\n(# release.yaml\n.*?)```", readme, re.S).group(1))
    # the store as it was in spring, and what it said then
    for eco in ("npm", "PyPI", "Go"):
        os.makedirs(at("feed", eco))
        with zipfile.ZipFile(os.path.join(SHARED, "osv", eco, "all.zip")) as old, zipfile.ZipFile(at("feed", eco, "all.zip"), "w", zipfile.ZIP_DEFLATED) as new:
            for i in old.infolist():
                if json.loads(old.read(i))["modified"] < "2026-04-29":
                    new.writestr(i, old.read(i))
    run(["fnaudit", "db", "update", "-q", "--from", at("feed"), "--db", at("spring")])
    for name, flags in (("report-py", []), ("status", ["--runtime", "nodejs20.x", "--platform", "aws-lambda"])):
        run(["fnaudit", "scan", f"testdata/functions/{name}.zip", "--db", at("spring"), "--at", "2026-04-29", "-q", "-o", f"json=reports/{name}.json"] + flags, ok=(0, 1, 3))


def printed(command):
    """What a command prints, from the folder and with the store that the README means."""
    if not command.startswith("go run "):
        return run(command, ok=None).replace(SHARED + os.sep, "")
    env = {k: v for k, v in ENV.items() if k != "FNAUDIT_DB"}
    return run(command.replace("go run ./cmd/fnaudit", "fnaudit"), cwd=ROOT, env=dict(env, XDG_CACHE_HOME=at("nocache")), ok=None)


def plain(text):
    """Text without what differs from key to key, and from zip library to zip library."""
    text = re.sub(r"[0-9A-Za-z+/]{43}=", "KEY", text)
    return re.sub(r"sha256:[0-9a-f]{64}", "DIGEST", text)


def main():
    path = os.path.join(ROOT, "README.md")
    readme = open(path, encoding="utf-8").read()
    prepare(readme)

    def block(m):
        command, shown = m.group(1), m.group(2)
        if re.match(r"fnaudit vet ", command):
            print("  left out, for it asks a registry: " + command)
            return m.group(0)
        got = printed(command)
        if shown.startswith("...\n"):  # the end of it
            got = "...\n" + got[max(got.find(shown[4:].split("\n", 1)[0]), 0):]
        hold(WRITE or plain(got) == plain(shown), command, "the README shows\n" + shown + "and it prints\n" + got)
        hold(SHARED not in got and OUT not in got, command, "a path of this machine is printed")
        return m.group(0) if plain(got) == plain(shown) else f"```console\n$ {command}\n{got}```\n"

    new = re.sub(r"```console\n\$ ([^\n]*)\n(.*?)```\n", block, readme, flags=re.S)
    if WRITE:
        open(path, "w", encoding="utf-8").write(new)
    sys.exit(summary("README"))


main()
