package main

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/rogpeppe/go-internal/testscript"
)

// serve gives each script servers of its own, on this machine:
//
//	$REGISTRY       a registry
//	$REGISTRY_AUTH  the same, for the user "robot" with the password "secret" only
//	$REGISTRY_DOWN  the same, but it answers everything with 503 (and Retry-After: 3600)
//	$REGISTRY_BAD   the same, but a byte of each blob is another one
//	$WEB            the address of a plain server of the folder www; see "asked"
func serve(env *testscript.Env) {
	quiet := log.New(io.Discard, "", 0)
	reg := registry.New(registry.Logger(quiet))
	start := func(name string, h http.Handler) string {
		s := httptest.NewServer(h)
		s.Config.ErrorLog = quiet
		env.Defer(s.Close)
		env.Setenv(name, strings.TrimPrefix(s.URL, "http://"))
		return s.URL
	}
	start("REGISTRY", reg)
	start("REGISTRY_AUTH", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, pass, ok := r.BasicAuth(); !ok || user != "robot" || pass != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}`, http.StatusUnauthorized)
			return
		}
		reg.ServeHTTP(w, r)
	}))
	start("REGISTRY_DOWN", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		http.Error(w, "out for lunch", http.StatusServiceUnavailable)
	}))
	start("REGISTRY_BAD", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
			reg.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		reg.ServeHTTP(rec, r)
		b := rec.Body.Bytes()
		if len(b) > 0 {
			b[len(b)/2] ^= 1
		}
		w.WriteHeader(rec.Code)
		w.Write(b)
	}))
	var asked atomic.Int64
	www := http.FileServer(http.Dir(filepath.Join(env.WorkDir, "www")))
	web := start("WEB", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		www.ServeHTTP(w, r)
	}))
	env.Setenv("WEB", web)
	env.Values["asked"] = &asked
}

// asked demands that the plain server was asked for something since the last
// time, as often as said if that is said, or with "!" that it was not.
func asked(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) > 1 || neg && len(args) > 0 {
		ts.Fatalf("usage: [!] asked [TIMES]")
	}
	n := ts.Value("asked").(*atomic.Int64).Swap(0)
	if neg == (n > 0) || len(args) == 1 && args[0] != fmt.Sprint(n) {
		ts.Fatalf("the server was asked %d times", n)
	}
}

// backdate makes files, and all in folders, some days old, for servers and for those who look at dates.
func backdate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: backdate DAYS FILE...")
	}
	days, err := strconv.Atoi(args[0])
	ts.Check(err)
	at := time.Now().AddDate(0, 0, -days)
	for _, name := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(name), func(path string, _ fs.DirEntry, err error) error {
			return cmp.Or(err, os.Chtimes(path, at, at))
		}))
	}
}

// mkbundle signs a file with a P-256 key as "cosign sign-blob --key --bundle" does.
func mkbundle(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: mkbundle KEY FILE BUNDLE")
	}
	block, _ := pem.Decode([]byte(ts.ReadFile(args[0])))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	ts.Check(err)
	sum := sha256.Sum256([]byte(ts.ReadFile(args[1])))
	sig, err := ecdsa.SignASN1(rand.Reader, key.(*ecdsa.PrivateKey), sum[:])
	ts.Check(err)
	text := base64.StdEncoding.EncodeToString
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), fmt.Appendf(nil, `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"}},`+
		`"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":%q},"signature":%q}}`, text(sum[:]), text(sig)), 0o644))
}

// mkdsse signs a statement with a key as a DSSE envelope. "@SHA256@" in the
// statement becomes the digest of the artifact.
func mkdsse(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: mkdsse KEY STATEMENT ARTIFACT ENVELOPE")
	}
	block, _ := pem.Decode([]byte(ts.ReadFile(args[0])))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	ts.Check(err)
	artifact := sha256.Sum256([]byte(ts.ReadFile(args[2])))
	payload := strings.ReplaceAll(ts.ReadFile(args[1]), "@SHA256@", fmt.Sprintf("%x", artifact))
	const payloadType = "application/vnd.in-toto+json"
	signed := fmt.Sprintf("DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
	var sig []byte
	switch key := key.(type) {
	case ed25519.PrivateKey:
		sig = ed25519.Sign(key, []byte(signed))
	case *ecdsa.PrivateKey:
		sum := sha256.Sum256([]byte(signed))
		sig, err = ecdsa.SignASN1(rand.Reader, key, sum[:])
		ts.Check(err)
	}
	text := base64.StdEncoding.EncodeToString
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), fmt.Appendf(nil, `{"payloadType":%q,"payload":%q,"signatures":[{"keyid":"release-1","sig":%q}]}`+"\n",
		payloadType, text([]byte(payload)), text(sig)), 0o644))
}

// pinned sets a variable to the first line of a file, in which "db push" names
// what it pushed by its digest.
func pinned(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pinned VARIABLE FILE")
	}
	line, _, _ := strings.Cut(ts.ReadFile(args[1]), "\n")
	ts.Setenv(args[0], line)
}

// dockerlogin writes the docker configuration of somebody who is logged in.
func dockerlogin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: dockerlogin REGISTRY USER PASSWORD")
	}
	auth := base64.StdEncoding.EncodeToString([]byte(args[1] + ":" + args[2]))
	dir := ts.MkAbs(".docker")
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, "config.json"), fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, args[0], auth), 0o600))
}

// expand replaces $VARIABLE in a file.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: expand FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(os.Expand(ts.ReadFile(args[0]), ts.Getenv)), 0o644))
}

// spoil changes a byte in the middle of the first file in a folder.
func spoil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: spoil DIR")
	}
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	path := filepath.Join(ts.MkAbs(args[0]), entries[0].Name())
	b, err := os.ReadFile(path)
	ts.Check(err)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(path, b, 0o644))
}

// pinfile sets a variable to the digest of a file.
func pinfile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pinfile VARIABLE FILE")
	}
	b, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	ts.Setenv(args[0], fmt.Sprintf("sha256:%x", sha256.Sum256(b)))
}
