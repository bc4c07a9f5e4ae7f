package share

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// memory is a registry that a test can change behind our back. It verifies, as
// Registry demands.
type memory struct {
	manifests map[string][]byte // by tag and by digest
	blobs     map[string][]byte
	asked     []string // digests of blobs that were got
	put       []string // in the order of writing
}

func newMemory() *memory { return &memory{manifests: map[string][]byte{}, blobs: map[string][]byte{}} }

func (m *memory) Manifest(_ context.Context, id string) ([]byte, string, error) {
	b, ok := m.manifests[id]
	if !ok {
		return nil, "", fmt.Errorf("manifest %s: %w", id, fs.ErrNotExist)
	}
	if strings.HasPrefix(id, "sha256:") && digestOf(b) != id {
		return nil, "", errors.New("another digest")
	}
	return b, mediaManifest, nil
}

func (m *memory) Blob(_ context.Context, digest string, size int64, f *os.File) error {
	m.asked = append(m.asked, digest)
	b, ok := m.blobs[digest]
	if !ok {
		return fmt.Errorf("blob %s: %w", digest, fs.ErrNotExist)
	}
	if digestOf(b) != digest || int64(len(b)) != size {
		return errors.New("another digest")
	}
	_, err := f.Write(b)
	return err
}

func (m *memory) PutBlob(_ context.Context, digest string, _ int64, open func() (io.ReadCloser, error)) (bool, error) {
	if m.blobs[digest] != nil {
		return false, nil
	}
	rc, err := open()
	if err != nil {
		return false, err
	}
	defer rc.Close()
	b, err := io.ReadAll(rc)
	if err == nil && digestOf(b) != digest {
		err = errors.New("another digest")
	}
	m.blobs[digest] = b
	m.put = append(m.put, digest)
	return true, err
}

func (m *memory) PutManifest(_ context.Context, id, _ string, body []byte) error {
	m.manifests[id] = body
	m.put = append(m.put, id)
	return nil
}

func (m *memory) Referrers(_ context.Context, digest, artifactType string) ([]string, error) {
	var found []string
	for _, id := range slices.Sorted(maps.Keys(m.manifests)) {
		var r struct {
			ArtifactType string
			Subject      descriptor
		}
		if json.Unmarshal(m.manifests[id], &r) == nil && strings.HasPrefix(id, "sha256:") && r.ArtifactType == artifactType && r.Subject.Digest == digest {
			found = append(found, id)
		}
	}
	return found, nil
}

func (m *memory) clone() *memory {
	return &memory{manifests: maps.Clone(m.manifests), blobs: maps.Clone(m.blobs)}
}

// store builds a store with two ecosystems.
func store(t *testing.T, fixed string, at time.Time) string {
	t.Helper()
	dir := t.TempDir()
	var inputs []vulndb.Input
	for _, eco := range []string{"npm", "PyPI"} {
		path := filepath.Join(t.TempDir(), "all.zip")
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create("A-1.json")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(w, `{"id":"A-1","modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":%q,"name":"p"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`, eco, fixed)
		if err := errors.Join(z.Close(), os.WriteFile(path, b.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, vulndb.Input{Ecosystem: eco, Archive: path, AsOf: at})
	}
	if _, err := vulndb.Build(context.Background(), dir, inputs, vulndb.Options{Now: now()}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func now() time.Time      { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }
func day(n int) time.Time { return time.Date(2026, 5, n, 0, 0, 0, 0, time.UTC) }

// keys makes a signer of each kind.
func keys(t *testing.T) map[string]*Signer {
	t.Helper()
	list := map[string]*Signer{}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		list[name] = parsed(t, k)
	}
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	list["Ed25519"] = parsed(t, k)
	return list
}

// parsed passes a key through its file.
func parsed(t *testing.T, key crypto.PrivateKey) *Signer {
	t.Helper()
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseSigner(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignFile(t *testing.T) {
	text := []byte("a file that somebody signs")
	signers := keys(t)
	for name, s := range signers {
		sig, err := SignFile(s, bytes.NewReader(text))
		if err != nil {
			t.Fatal(name, err)
		}
		if again, err := SignFile(s, bytes.NewReader(text)); err != nil || !bytes.Equal(sig, again) {
			t.Errorf("%s: two signatures of one file differ: %v", name, err)
		}
		if d, err := VerifyFile(s.Verifier(), bytes.NewReader(text), sig); err != nil || d != digestOf(text) {
			t.Error(name, d, err)
		}
		if _, err := VerifyFile(s.Verifier(), strings.NewReader("a file that nobody signs"), sig); err == nil {
			t.Error(name, "verified another file")
		}
		for other, o := range signers {
			if other != name {
				if _, err := VerifyFile(o.Verifier(), bytes.NewReader(text), sig); err == nil {
					t.Errorf("the key %s verified a signature of %s", other, name)
				}
			}
		}
		raw, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(string(sig)))
		for i := range raw {
			bad := slices.Clone(raw)
			bad[i] ^= 1
			if _, err := VerifyFile(s.Verifier(), bytes.NewReader(text), []byte(base64.StdEncoding.EncodeToString(bad))); err == nil {
				t.Errorf("%s: byte %d of the signature does not matter", name, i)
			}
		}
	}
	v := signers["P-256"].Verifier()
	for _, bad := range []string{"", "\n", "no base64!", strings.Repeat("A", MaxSignature+4)} {
		if _, err := VerifyFile(v, bytes.NewReader(text), []byte(bad)); err == nil {
			t.Errorf("verified with %q", clip(bad, 20))
		}
	}
}

func TestParseKeys(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := x509.MarshalPKCS8PrivateKey(weak)
	public, _ := x509.MarshalPKIXPublicKey(weak.Public())
	good, _ := x509.MarshalPKIXPublicKey(keys(t)["P-256"].key.Public())
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	for text, want := range map[string]string{
		"":                             "no PEM",
		"-----BEGIN":                   "no PEM",
		block("PRIVATE KEY", []byte{}): "private key",
		block("PRIVATE KEY", private):  "not used",
		block("PUBLIC KEY", good):      "the public one",
		block("CERTIFICATE", good):     "is none",
		block("ENCRYPTED SIGSTORE PRIVATE KEY", good): "encrypted",
	} {
		if _, err := ParseSigner([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", clip(text, 40), err, want)
		}
	}
	for text, want := range map[string]string{
		"":                            "no PEM",
		block("PUBLIC KEY", public):   "not used",
		block("PUBLIC KEY", good[1:]): "public key",
		block("PUBLIC KEY", good) + block("PUBLIC KEY", good): "more than one key",
		block("PRIVATE KEY", private):                         "is none",
	} {
		if _, err := ParseVerifier([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", clip(text, 40), err, want)
		}
	}
	if _, err := ParseVerifier([]byte(block("PUBLIC KEY", good) + "\n\n")); err != nil {
		t.Error(err)
	}
}

func push(t *testing.T, dir string, reg Registry, o PushOptions) Pushed {
	t.Helper()
	if o.Tag == "" {
		o.Tag = "latest"
	}
	o.Repository = "registry.example/db"
	p, err := Push(context.Background(), dir, reg, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pull(dir string, reg Registry, o PullOptions) (Pulled, error) {
	if o.ID == "" {
		o.ID = "latest"
	}
	o.Adopt.Now = now()
	return Pull(context.Background(), dir, reg, o)
}

func TestPushPull(t *testing.T) {
	from := store(t, "2.0", day(1))
	for name, key := range keys(t) {
		reg := newMemory()
		p := push(t, from, reg, PushOptions{Signer: key})
		if q := push(t, from, newMemory(), PushOptions{}); q.Digest != p.Digest {
			t.Errorf("%s: the same store is %s and %s", name, p.Digest, q.Digest)
		}
		if last := reg.put[len(reg.put)-1]; last != "latest" {
			t.Errorf("%s: the tag was not written last: %v", name, reg.put)
		}
		dir := t.TempDir()
		got, err := pull(dir, reg, PullOptions{Verifier: key.Verifier()})
		if err != nil || got.Digest != p.Digest || got.Snapshot.ID != p.Snapshot.ID || got.Fetched != 2 {
			t.Fatal(name, got, err)
		}
		if damage, err := vulndb.Check(context.Background(), dir); err != nil || len(damage) > 0 {
			t.Error(name, damage, err)
		}
		if got, err = pull(dir, reg, PullOptions{Verifier: key.Verifier()}); err != nil || got.Fetched != 0 {
			t.Error(name, "fetched again:", got.Fetched, err)
		}
		// Signing again adds nothing.
		before := string(reg.manifests[signatureTag(p.Digest)])
		push(t, from, reg, PushOptions{Signer: key})
		if string(reg.manifests[signatureTag(p.Digest)]) != before {
			t.Error(name, "the second signature is another one")
		}
	}
}

// TestPushPullLists passes on lists: each is a layer of its own, also where only
// one of the ecosystems is asked for.
func TestPushPullLists(t *testing.T) {
	from := store(t, "2.0", day(1))
	u, err := vulndb.Begin(context.Background(), from, vulndb.Options{Now: now()})
	if err != nil {
		t.Fatal(err)
	}
	l := vulndb.NewList(vulndb.FeedKEV)
	if err := l.AddExploited("CVE-2021-44228", vulndb.Exploited{Added: day(1)}); err != nil {
		t.Fatal(err)
	}
	if err := u.PutFeed(l, vulndb.Feed{AsOf: day(1), URL: "https://lists.example/kev"}); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	u.Close()
	reg := newMemory()
	p := push(t, from, reg, PushOptions{})
	var m manifest
	if err := json.Unmarshal(reg.manifests[p.Digest], &m); err != nil || len(m.Layers) != 4 || m.Layers[3].MediaType != mediaFeed || m.Layers[3].Annotations[annotationFeed] != vulndb.FeedKEV {
		t.Fatalf("%+v, %v", m.Layers, err)
	}
	dir := t.TempDir()
	got, err := pull(dir, reg, PullOptions{ID: p.Digest, Adopt: vulndb.AdoptOptions{Ecosystems: []string{"npm"}}})
	if err != nil || got.Fetched != 2 || len(got.Snapshot.Feeds) != 1 {
		t.Fatal(got, err)
	}
	delete(reg.blobs, m.Layers[3].Digest)
	if _, err := pull(t.TempDir(), reg, PullOptions{ID: p.Digest}); err == nil {
		t.Error("pulled without the list that the snapshot names")
	}
	if got, err = pull(dir, reg, PullOptions{ID: p.Digest}); err != nil || got.Snapshot.ID != p.Snapshot.ID || got.Fetched != 1 {
		t.Error(got, err)
	}
}

func TestPullSubset(t *testing.T) {
	reg := newMemory()
	p := push(t, store(t, "2.0", day(1)), reg, PushOptions{})
	dir := t.TempDir()
	got, err := pull(dir, reg, PullOptions{ID: p.Digest, Adopt: vulndb.AdoptOptions{Ecosystems: []string{"npm"}, Via: "registry.example/db"}})
	if err != nil || got.Fetched != 1 || !slices.Equal(got.Snapshot.Ecosystems(), []string{"npm"}) {
		t.Fatal(got, err)
	}
	if src, _ := got.Snapshot.Source("npm"); src.Via != "registry.example/db" {
		t.Errorf("via %q", src.Via)
	}
	if got, err = pull(dir, reg, PullOptions{ID: p.Digest}); err != nil || got.Fetched != 1 || len(got.Snapshot.Sources) != 2 {
		t.Error(got, err)
	}
	// What was pulled is passed on as it was made.
	if again := push(t, dir, newMemory(), PushOptions{}); again.Digest != p.Digest {
		t.Errorf("%s became %s", p.Digest, again.Digest)
	}
	if _, err := pull(t.TempDir(), reg, PullOptions{ID: p.Digest, Adopt: vulndb.AdoptOptions{Ecosystems: []string{"Go"}}}); err == nil {
		t.Error("pulled an ecosystem that is not there")
	}
}

func TestTrust(t *testing.T) {
	signers := keys(t)
	key, other := signers["P-256"], signers["P-384"]
	good := newMemory()
	p := push(t, store(t, "2.0", day(1)), good, PushOptions{Signer: key})
	evil := newMemory()
	e := push(t, store(t, "9.0", day(2)), evil, PushOptions{Signer: other})
	sigs := signatureTag(p.Digest)

	// edit changes the manifest of the signatures.
	edit := func(change func(*manifest)) func(*memory) {
		return func(m *memory) {
			var sig manifest
			if err := json.Unmarshal(m.manifests[sigs], &sig); err != nil {
				t.Fatal(err)
			}
			change(&sig)
			b, err := json.Marshal(sig)
			if err != nil {
				t.Fatal(err)
			}
			m.manifests[sigs] = b
		}
	}
	// resigned replaces the payload by one that the key really signed.
	resigned := func(text []byte) func(*memory) {
		return func(m *memory) {
			sig, err := key.sign(whole(text))
			if err != nil {
				t.Fatal(err)
			}
			m.blobs[digestOf(text)] = text
			edit(func(s *manifest) {
				s.Layers = []descriptor{{MediaType: mediaSigning, Digest: digestOf(text), Size: int64(len(text)),
					Annotations: map[string]string{annotationSignature: base64.StdEncoding.EncodeToString(sig)}}}
			})(m)
		}
	}
	payloadOf := func(kind, digest string) []byte {
		return fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":"x"},"image":{"docker-manifest-digest":%q},"type":%q},"optional":null}`, digest, kind)
	}
	tests := map[string]struct {
		change func(*memory)
		o      PullOptions
		want   string // in the error; "" for none
	}{
		"as it is":                {o: PullOptions{Verifier: key.Verifier()}},
		"by its digest":           {o: PullOptions{ID: p.Digest}},
		"skipped":                 {o: PullOptions{InsecureSkipSignature: true}},
		"nothing to trust it by":  {want: "no key is given"},
		"another key":             {o: PullOptions{Verifier: other.Verifier()}, want: "none of the 1 signatures"},
		"another key, and skip":   {o: PullOptions{Verifier: other.Verifier(), InsecureSkipSignature: true}, want: "none of the 1 signatures"},
		"another key, and pinned": {o: PullOptions{Verifier: other.Verifier(), ID: p.Digest}, want: "none of the 1 signatures"},
		"no signature": {change: func(m *memory) { delete(m.manifests, sigs) },
			o: PullOptions{Verifier: key.Verifier()}, want: "is not signed"},
		"another store under the tag": {change: func(m *memory) {
			m.manifests["latest"] = evil.manifests["latest"]
			maps.Copy(m.blobs, evil.blobs)
		}, o: PullOptions{Verifier: key.Verifier()}, want: "is not signed"},
		"another store, with the signature of the first": {change: func(m *memory) {
			m.manifests["latest"] = evil.manifests["latest"]
			m.manifests[signatureTag(e.Digest)] = m.manifests[sigs]
			maps.Copy(m.blobs, evil.blobs)
		}, o: PullOptions{Verifier: key.Verifier()}, want: "none of the 1 signatures"},
		"another store, signed by another key": {change: func(m *memory) {
			maps.Copy(m.manifests, evil.manifests)
			maps.Copy(m.blobs, evil.blobs)
		}, o: PullOptions{Verifier: key.Verifier()}, want: "none of the 1 signatures"},
		"the pinned digest is another store": {change: func(m *memory) { m.manifests[p.Digest] = evil.manifests["latest"] },
			o: PullOptions{ID: p.Digest}, want: "another digest"},
		"signed over something else": {change: resigned(payloadOf(payloadType, e.Digest)), o: PullOptions{Verifier: key.Verifier()}, want: "none of the"},
		"signed for something else":  {change: resigned(payloadOf("a letter", p.Digest)), o: PullOptions{Verifier: key.Verifier()}, want: "none of the"},
		"signed no payload":          {change: resigned([]byte(p.Digest)), o: PullOptions{Verifier: key.Verifier()}, want: "none of the"},
		"signed under another name":  {change: resigned(payloadOf(payloadType, p.Digest)), o: PullOptions{Verifier: key.Verifier()}},
		"a signature of another media type": {change: edit(func(s *manifest) { s.Layers[0].MediaType = "text/plain" }),
			o: PullOptions{Verifier: key.Verifier()}, want: "none of the"},
		"junk before the signature": {change: edit(func(s *manifest) {
			s.Layers = append([]descriptor{{}, {MediaType: mediaSigning}, {MediaType: mediaSigning, Annotations: map[string]string{annotationSignature: "%%%"}}}, s.Layers...)
		}), o: PullOptions{Verifier: key.Verifier()}},
		"an empty list": {change: edit(func(s *manifest) { s.Layers = nil }), o: PullOptions{Verifier: key.Verifier()}, want: "none of the 0"},
		"a thousand signatures": {change: edit(func(s *manifest) { s.Layers = slices.Repeat(s.Layers, 1000) }),
			o: PullOptions{Verifier: key.Verifier()}, want: "1000 signatures, over 32"},
		"a payload of a gigabyte": {change: edit(func(s *manifest) { s.Layers[0].Size = 1 << 30 }),
			o: PullOptions{Verifier: key.Verifier()}, want: "are the limit"},
		"signatures that are no manifest": {change: func(m *memory) { m.manifests[sigs] = []byte("[]") }, o: PullOptions{Verifier: key.Verifier()}, want: "no manifest"},
		"a missing layer": {change: func(m *memory) {
			src, _ := p.Snapshot.Source("npm")
			delete(m.blobs, src.Digest)
		}, o: PullOptions{Verifier: key.Verifier()}, want: "npm: blob"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			reg := good.clone()
			if test.change != nil {
				test.change(reg)
			}
			dir := t.TempDir()
			_, err := pull(dir, reg, test.o)
			if test.want == "" && err != nil {
				t.Fatal(err)
			}
			if test.want == "" {
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if _, err := vulndb.ReadSnapshot(dir); !errors.Is(err, vulndb.ErrNoStore) {
				t.Errorf("and now there is a store: %v", err)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "eco", "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestForeignArtifact pulls what is signed and no store.
func TestForeignArtifact(t *testing.T) {
	good := newMemory()
	p := push(t, store(t, "2.0", day(1)), good, PushOptions{})
	var m manifest
	if err := json.Unmarshal(good.manifests[p.Digest], &m); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*manifest){
		"another type": func(m *manifest) { m.ArtifactType = "application/vnd.other" },
		"an image": func(m *manifest) {
			m.ArtifactType, m.Layers[0].MediaType = "", "application/vnd.oci.image.layer.v1.tar"
		},
		"no layers":                    func(m *manifest) { m.Layers = nil },
		"no snapshot":                  func(m *manifest) { m.Layers = m.Layers[1:] },
		"a huge snapshot":              func(m *manifest) { m.Layers[0].Size = 1 << 40 },
		"a negative snapshot":          func(m *manifest) { m.Layers[0].Size = -1 },
		"a layer less":                 func(m *manifest) { m.Layers = m.Layers[:2] },
		"a layer of another size":      func(m *manifest) { m.Layers[1].Size++ },
		"a snapshot that is none":      func(m *manifest) { m.Layers[0].Digest, m.Layers[0].Size = digestOf([]byte("{}")), 2 },
		"a snapshot that is not there": func(m *manifest) { m.Layers[0].Digest = "sha256:" + strings.Repeat("0", 64) },
	} {
		reg := good.clone()
		reg.blobs[digestOf([]byte("{}"))] = []byte("{}")
		changed := m
		changed.Layers = slices.Clone(m.Layers)
		change(&changed)
		b, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		reg.manifests["latest"] = b
		if _, err := pull(t.TempDir(), reg, PullOptions{InsecureSkipSignature: true}); err == nil {
			t.Errorf("%s: pulled", name)
		}
	}
}

func FuzzArtifact(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":2,"mediaType":"` + mediaManifest + `","artifactType":"` + ArtifactType + `","layers":[{"mediaType":"` + mediaSnapshot + `","size":2}]}`))
	f.Add([]byte(`{"critical":{"image":{"docker-manifest-digest":"sha256:x"},"type":"` + payloadType + `"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseArtifact(b); err == nil {
			if len(m.Layers) == 0 || m.Layers[0].Size > maxSnapshot {
				t.Fatal("no snapshot")
			}
			_ = m.matches(vulndb.Snapshot{})
		}
		if signs(b, "") && !bytes.Contains(b, []byte(payloadType[:4])) {
			t.Fatal("signs nothing")
		}
	})
}

// FuzzKeys reads keys and signatures: whatever they are, only a signature by
// the key over the bytes holds.
func FuzzKeys(f *testing.F) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		f.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	f.Add(text, []byte("AAAA\n"))
	f.Add([]byte("-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----"), []byte("%"))
	f.Fuzz(func(t *testing.T, key, sig []byte) {
		_, _ = ParseSigner(key)
		v, err := ParseVerifier(key)
		if err != nil {
			return
		}
		if v.KeyID() == "" {
			t.Fatal("a key without a name")
		}
		if _, err := VerifyFile(v, bytes.NewReader([]byte("content")), sig); err == nil && bytes.Equal(key, text) {
			t.Fatalf("%q signs without the private key", sig)
		}
	})
}

// TestReceipt keeps a receipt, and believes it only as long as everything is
// as it was.
func TestReceipt(t *testing.T) {
	dir := store(t, "2.0", day(1))
	s, err := vulndb.ReadSnapshot(dir)
	if err != nil {
		t.Fatal(err)
	}
	key := keys(t)["P-256"].Verifier()
	pull := Receipt{URL: "https://mirror.example/db.tar", Key: key.KeyID(), Ecosystems: []string{"npm"}}
	kept := pull
	kept.ETag, kept.Snapshot = `"x"`, s.ID
	if err := kept.Write(dir); err != nil {
		t.Fatal(err)
	}
	if got := ReadReceipt(dir, pull); got.ETag != `"x"` {
		t.Fatal(got)
	}
	for name, change := range map[string]func(*Receipt){
		"another address":    func(r *Receipt) { r.URL += "x" },
		"no key":             func(r *Receipt) { r.Key = (*Verifier)(nil).KeyID() },
		"another key":        func(r *Receipt) { r.Key = keys(t)["P-256"].Verifier().KeyID() },
		"all ecosystems":     func(r *Receipt) { r.Ecosystems = nil },
		"another mode":       func(r *Receipt) { r.Replace = true },
		"another ecosystem":  func(r *Receipt) { r.Ecosystems = []string{"PyPI"} },
		"one ecosystem more": func(r *Receipt) { r.Ecosystems = []string{"PyPI", "npm"} },
	} {
		other := pull
		change(&other)
		if got := ReadReceipt(dir, other); got.ETag != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	src, _ := s.Source("PyPI")
	b, err := os.ReadFile(src.Path(dir))
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(src.Path(dir), b, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := ReadReceipt(dir, pull); got.ETag != "" {
		t.Error("a damaged store:", got)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(src.Path(dir), b, 0o644); err != nil {
		t.Fatal(err)
	}
	// Somebody changed the store since.
	if _, err := vulndb.Adopt(context.Background(), dir, s, vulndb.AdoptOptions{Now: now(), Ecosystems: []string{"npm"}, Replace: true}, nil); err != nil {
		t.Fatal(err)
	}
	if got := ReadReceipt(dir, pull); got.ETag != "" {
		t.Error("another store:", got)
	}
	for _, bad := range []string{"", "[]", `{"url":1}`, strings.Repeat(" ", maxReceipt+1)} {
		if err := os.WriteFile(filepath.Join(dir, receiptName), []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := ReadReceipt(dir, pull); got.URL != "" {
			t.Errorf("%.10q: %+v", bad, got)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "eco", "*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
