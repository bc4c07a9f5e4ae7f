#!/usr/bin/env python3
"""What independent tools say, against what the program says.

  trusttools.py BIN CASES DB

Both ways: each case that is expected to be verified is checked by the tool that
its format comes from (cosign, openssl, minisign, jarsigner); and what these tools
sign here, with keys made here, the program must verify, and refuse once a byte
of the artifact changed. What the gate signs, cosign must verify, for files and for
images in a registry. DB is an advisory store. A tool that is not installed is named and counted as
skipped; the last line says how many. Exit status 1 when a tool and the
program disagree.
"""
import base64, hashlib, json, os, shlex, shutil, socket, subprocess, sys, tempfile, time, zipfile

BIN, CASES, DB = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3]
HERE = os.path.dirname(os.path.abspath(__file__))
PREDICATES = {"vsa": "https://slsa.dev/verification_summary/v1", "vulns": "https://in-toto.io/attestation/vulns/v0.2", "cdx": "https://cyclonedx.org/bom"}
checks, failures, skipped = 0, [], []
SF = "META_INF/aws_signer_signature_v1.0.SF"


def have(tool, what):
    if shutil.which(tool):
        return True
    print(f"!!! SKIPPED: {tool} is not installed: {what}")
    skipped.append(tool)
    return False


def run(*args, cwd=None, env=None, stdin=None):
    p = subprocess.run(args, capture_output=True, cwd=cwd, env=dict(os.environ, **(env or {})), input=stdin, timeout=120)
    return p.returncode, (p.stdout + p.stderr).decode(errors="replace")


def hold(ok, what, said=""):
    global checks
    checks += 1
    print(f"{'ok  ' if ok else 'FAIL'} {what}")
    if not ok:
        failures.append(what)
        print("     " + said.strip()[:400].replace("\n", "\n     "))


def awssigner(folder, case):
    with zipfile.ZipFile(os.path.join(folder, case["artifact"])) as z:
        digest, sf = hashlib.sha384(), None
        for info in z.infolist():
            if info.filename == SF:
                sf = z.read(info)
            else:
                digest.update(info.filename.encode() + z.read(info))
    with tempfile.TemporaryDirectory() as tmp:
        paths = {"sf": sf, "content": digest.digest()}
        for name, data in paths.items():
            open(os.path.join(tmp, name), "wb").write(data)
        return run("openssl", "cms", "-verify", "-binary", "-inform", "PEM", "-in", os.path.join(tmp, "sf"), "-content", os.path.join(tmp, "content"),
                   "-CAfile", os.path.join(folder, case["trusted_root"]), "-purpose", "any", "-no_check_time", "-out", os.devnull)


def regsig(folder, case):
    keys = json.load(open(os.path.join(folder, case["trusted_root"])))["keys"]
    sig = json.load(open(os.path.join(folder, case["packument"])))["dist"]["signatures"][0]
    der = next(base64.b64decode(k["publicKey"]["rawBytes"]) for k in keys if k["keyId"] == sig["keyid"] and k["keyUsage"] == "npm:signatures")
    with tempfile.TemporaryDirectory() as tmp:
        for name, data in {"key": der, "sig": base64.b64decode(sig["sig"]), "text": case["signed_message"].encode()}.items():
            open(os.path.join(tmp, name), "wb").write(data)
        return run("openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", "key", "-signature", "sig", "text", cwd=tmp)


def theirs():
    """Each positive case by the tool of its format."""
    for name in sorted(os.listdir(CASES)):
        folder = os.path.join(CASES, name)
        try:
            case = json.load(open(os.path.join(folder, "expect.json")))
        except OSError:
            continue
        if case["expect"] != "verified":
            continue
        kind = case["kind"]
        if kind == "aws-signer-zip" and have("openssl", name):
            code, said = awssigner(folder, case)
        elif kind == "minisign" and have("minisign", name):
            code, said = run("minisign", "-Vm", case["artifact"], "-x", case["signature"], "-p", case["key"], cwd=folder)
        elif kind == "detached-key" and have("openssl", name):
            code, said = run("openssl", "dgst", "-" + case.get("hash", "sha256"), "-verify", case["key"], "-signature", case["signature"], case["artifact"], cwd=folder)
        elif kind == "jar-signature" and have("jarsigner", name):
            code, said = run("jarsigner", "-verify", case["artifact"], cwd=folder)
        elif kind == "npm-registry-signature" and have("openssl", name):
            code, said = regsig(folder, case)
        elif kind in ("sigstore-bundle", "cosign-oci-layout") and case.get("cosign", {}).get("verdict") == "verified":
            if not have("cosign", name):
                continue
            code, said = run(*shlex.split(case["cosign"]["command"]), cwd=folder)
        else:
            if kind not in ("aws-signer-zip", "minisign", "detached-key", "jar-signature", "npm-registry-signature"):
                print(f"--- no tool for {kind}: {name}")
            continue
        hold(code == 0, f"{kind}: {name}", said)


def verify(*args):
    return run(BIN, "verify", "--offline", *args)


def both(what, artifact, *args):
    """The artifact verifies; with one byte changed it does not."""
    code, said = verify(*args, artifact)
    hold(code == 0, f"{what} verifies", said)
    data = bytearray(open(artifact, "rb").read())
    data[len(data) // 2] ^= 1
    changed = os.path.join(os.path.dirname(artifact), "changed-" + os.path.basename(artifact))
    open(changed, "wb").write(data)
    code, said = verify(*args, changed)
    hold(code in (1, 3), f"{what} with a changed byte does not", said)


def ours(tmp):
    """What the tools sign here, the program verifies."""
    blob = os.path.join(tmp, "artifact.bin")
    open(blob, "wb").write(os.urandom(100_000))
    at = lambda name: os.path.join(tmp, name)
    if have("openssl", "own detached signatures"):
        for name, args, dgst in [("ec256", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "-sha256"), ("ec384", ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "-sha384"),
                                 ("rsa", ["rsa", "-pkeyopt", "rsa_keygen_bits:3072"], "-sha256"), ("ed25519", ["ed25519"], None)]:
            run("openssl", "genpkey", "-algorithm", *args, "-out", at(name + ".key"))
            run("openssl", "pkey", "-in", at(name + ".key"), "-pubout", "-out", at(name + ".pub"))
            if dgst:
                run("openssl", "dgst", dgst, "-sign", at(name + ".key"), "-out", at(name + ".sig"), blob)
            else:
                run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", at(name + ".key"), "-in", blob, "-out", at(name + ".sig"))
            both(f"openssl {name}", blob, "--signature", at(name + ".sig"), "--key", at(name + ".pub"))
        run("openssl", "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sign", at("rsa.key"), "-out", at("pss.sig"), blob)
        both("openssl rsa-pss", blob, "--signature", at("pss.sig"), "--key", at("rsa.pub"))
    if have("minisign", "own minisign signatures"):
        run("minisign", "-G", "-W", "-p", at("mini.pub"), "-s", at("mini.key"))
        for name, flags in [("prehashed", []), ("legacy", ["-l"])]:
            run("minisign", "-S", *flags, "-s", at("mini.key"), "-x", at(name + ".minisig"), "-m", blob)
            both(f"minisign {name}", blob, "--signature", at(name + ".minisig"), "--key", at("mini.pub"))
    if have("signify-openbsd", "own signify signatures"):
        run("signify-openbsd", "-G", "-n", "-p", at("fy.pub"), "-s", at("fy.sec"))
        run("signify-openbsd", "-S", "-s", at("fy.sec"), "-m", blob, "-x", at("fy.sig"))
        both("signify", blob, "--signature", at("fy.sig"), "--key", at("fy.pub"))
    if have("gpg", "own OpenPGP signatures"):
        home = {"GNUPGHOME": at("gnupg")}
        os.mkdir(at("gnupg"), 0o700)
        for name, algo in [("pgp-rsa", "rsa3072"), ("pgp-ed25519", "ed25519"), ("pgp-p256", "nistp256")]:
            run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", f"{name}@example.test", algo, "sign", "never", env=home)
            run("gpg", "--armor", "--output", at(name + ".pub"), "--export", f"{name}@example.test", env=home)
            for form, flags in [("armored", ["--armor"]), ("binary", [])]:
                sig = at(f"{name}-{form}.sig")
                run("gpg", "--batch", "--yes", "--local-user", f"{name}@example.test", *flags, "--output", sig, "--detach-sign", blob, env=home)
                both(f"gpg {name} {form}", blob, "--signature", sig, "--key", at(name + ".pub"))
    if have("jarsigner", "own signed jars") and have("keytool", "own signed jars"):
        with zipfile.ZipFile(at("app.jar"), "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n\r\n")
            z.writestr("a/A.class", os.urandom(5000))
        run("keytool", "-genkeypair", "-alias", "a", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=release@example.test", "-validity", "30",
            "-keystore", at("ks"), "-storepass", "secret1", "-keypass", "secret1")
        run("keytool", "-exportcert", "-rfc", "-alias", "a", "-keystore", at("ks"), "-storepass", "secret1", "-file", at("jar.pem"))
        code, said = run("jarsigner", "-keystore", at("ks"), "-storepass", "secret1", at("app.jar"), "a")
        hold(code == 0, "jarsigner signs", said)
        code, said = verify("--trusted-root", at("jar.pem"), "--identity", "release@example.test", at("app.jar"))
        hold(code == 0, "jarsigner's jar verifies", said)
        with zipfile.ZipFile(at("app.jar"), "a") as z:
            z.writestr("a/B.class", b"added")
        code, said = verify("--trusted-root", at("jar.pem"), "--identity", "release@example.test", at("app.jar"))
        hold(code == 1, "the jar with an added class does not", said)
    if have("cosign", "own cosign signatures"):
        cosign(tmp, blob)


def cosign(tmp, blob):
    at = lambda name: os.path.join(tmp, name)
    env = {"COSIGN_PASSWORD": "secret", "FNAUDIT_KEY_PASSWORD": "secret", "TUF_ROOT": at("tuf"), "HOME": tmp}
    code, said = run("cosign", "generate-key-pair", "--output-key-prefix", at("cos"), env=env)
    hold(code == 0, "cosign makes a key", said)
    # No log and no timestamp: a signing configuration that names no service.
    open(at("signing.json"), "w").write(json.dumps({"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "caUrls": [], "oidcUrls": [], "rekorTlogUrls": [],
                                                    "tsaUrls": [], "rekorTlogConfig": {"selector": "ANY"}, "tsaConfig": {"selector": "ANY"}}))
    code, said = run("cosign", "sign-blob", "--yes", "--key", at("cos.key"), "--signing-config", at("signing.json"), "--bundle", at("blob.sigstore.json"), blob, env=env)
    hold(code == 0, "cosign signs a blob", said)
    both("cosign sign-blob", blob, "--bundle", at("blob.sigstore.json"), "--key", at("cos.pub"))
    open(at("predicate.json"), "w").write('{"builder": {"id": "https://example.test/builder"}}')
    code, said = run("cosign", "attest-blob", "--yes", "--key", at("cos.key"), "--signing-config", at("signing.json"), "--predicate", at("predicate.json"),
                     "--type", "https://example.test/predicate/v1", "--bundle", at("att.sigstore.json"), blob, env=env)
    hold(code == 0, "cosign attests a blob", said)
    both("cosign attest-blob", blob, "--bundle", at("att.sigstore.json"), "--key", at("cos.pub"))
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", at("gate-ed.key"))
    run("openssl", "genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", at("gate-ec.key"))
    for name in ("gate-ed", "gate-ec"):
        run("openssl", "pkey", "-in", at(name + ".key"), "-pubout", "-out", at(name + ".pub"))
    package = at("status.zip")
    shutil.copy(os.path.join(HERE, "..", "testdata", "functions", "status.zip"), package)
    for key in ("gate-ed", "gate-ec", "cos"):
        code, said = gate(package, at(key + ".key"), "--offline", env=env)
        hold(code == 0, f"the gate signs with {key}", said)
        for word, predicate in PREDICATES.items():
            code, said = run("cosign", "verify-blob-attestation", "--key", at(key + ".pub"), "--bundle", f"{package}.{word}.sigstore.json", "--type", predicate,
                             "--insecure-ignore-tlog", package, env=env)
            hold(code == 0, f"cosign verifies the gate's {word} by {key}", said)
    if have("crane", "images that cosign signed"):
        image(tmp, env)


def gate(target, key, *args, env=None):
    return run(BIN, "gate", target, "--policy", "builtin:report", "--key", key, "--verifier-id", "https://acme.example/fnaudit", "--db", DB, *args, env=env)


def image(tmp, env):
    """An image in a registry of this machine, signed in both of cosign's forms, and by the gate."""
    at = lambda name: os.path.join(tmp, name)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % s.getsockname()[1]
    registry = subprocess.Popen(["crane", "registry", "serve", "--address", address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        run(sys.executable, os.path.join(HERE, "mkimage.py"), at("image"), "200000")
        for _ in range(50):
            code, said = run("crane", "push", "--insecure", at("image"), address + "/app:1")
            if code == 0:
                break
            time.sleep(0.2)
        hold(code == 0, "crane pushes an image", said)
        ref = address + "/app@" + run("crane", "digest", "--insecure", address + "/app:1")[1].strip()
        for form, flags in [("referrer", ["--signing-config", at("signing.json")]), ("tag", ["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false"])]:
            code, said = run("cosign", "sign", "--yes", "--key", at("cos.key"), *flags, "--allow-http-registry", ref, env=env)
            hold(code == 0, f"cosign signs an image, {form}", said)
            code, said = run(BIN, "verify", "image:" + ref, "--key", at("cos.pub"))
            hold(code == 0, f"the image in the registry verifies, {form}", said)
            code, said = run(BIN, "verify", "image:" + ref, "--key", at("gate-ec.pub"))
            hold(code == 1, f"and not by another key, {form}", said)
        code, said = run("cosign", "save", "--dir", at("layout"), "--allow-http-registry", ref, env=env)
        hold(code == 0, "cosign saves a layout", said)
        code, said = verify("--key", at("cos.pub"), at("layout"))
        hold(code == 0, "the layout that cosign saved verifies", said)
        code, said = gate("image:" + ref, at("gate-ec.key"), "--attach", env=env)
        hold(code == 0, "the gate attaches to an image in a registry", said)
        for word, predicate in PREDICATES.items():
            code, said = run("cosign", "verify-attestation", "--key", at("gate-ec.pub"), "--type", predicate, "--insecure-ignore-tlog", "--allow-http-registry", ref, env=env)
            hold(code == 0, f"cosign verifies the gate's {word} of the image", said)
    finally:
        registry.kill()


def main():
    theirs()
    with tempfile.TemporaryDirectory() as tmp:
        ours(tmp)
    print(f"trusttools: {checks} checks, {len(failures)} failed; not installed: {', '.join(sorted(set(skipped))) or 'none'}")
    for f in failures:
        print("  " + f)
    return 1 if failures or not checks else 0


if __name__ == "__main__":
    sys.exit(main())
