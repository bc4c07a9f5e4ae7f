package attest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// envelopeOf is an unsigned envelope of a statement about the digests.
func envelopeOf(t *testing.T, digests ...map[string]string) []byte {
	t.Helper()
	st := Statement{Type: statementV1, PredicateType: "https://example.test/p", Predicate: json.RawMessage("{}")}
	for _, d := range digests {
		st.Subject = append(st.Subject, Descriptor{Name: "x", Digest: d})
	}
	payload, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(map[string]any{"payloadType": payloadInToto, "payload": base64.StdEncoding.EncodeToString(payload),
		"signatures": []map[string]string{{"sig": "AA=="}}})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func subjectFrom(text string) *Subject {
	return &Subject{Name: "x", Bytes: strings.NewReader(text), Size: int64(len(text))}
}

func mustDigest(t *testing.T, s *Subject, alg string) string {
	t.Helper()
	d, err := s.Digest(alg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func sources(list []Evidence) (out []string) {
	for _, ev := range list {
		out = append(out, filepath.Base(ev.Source))
	}
	return out
}

func TestBeside(t *testing.T) {
	dir := t.TempDir()
	s := subjectFrom("the bytes")
	sum := mustDigest(t, s, "sha256")
	path := write(t, dir, "f.zip", []byte("the bytes"))
	write(t, dir, "f.zip.sigstore.json", []byte("{}"))
	write(t, dir, "f.zip.sig", []byte("x"))
	write(t, dir, "f.zip.pem", []byte("certificate"))
	write(t, dir, "g.zip.sig", []byte("of another file"))
	write(t, dir, "provenance.json", envelopeOf(t, map[string]string{"sha256": strings.Repeat("00", 32)}))
	write(t, dir, "sha256-"+sum+".jsonl", append(append(envelopeOf(t, map[string]string{"sha256": sum}), '\n'), envelopeOf(t, map[string]string{"sha256": strings.Repeat("11", 32)})...))

	got, err := Beside(path, s)
	if err != nil {
		t.Fatal(err)
	}
	want := "f.zip.sigstore.json f.zip.sig sha256-" + sum + ".jsonl, document 1"
	if strings.Join(sources(got), " ") != want {
		t.Errorf("found %q\nwant  %q", strings.Join(sources(got), " "), want)
	}
	if string(got[1].Certificate) != "certificate" {
		t.Errorf("the certificate beside the signature was not found: %q", got[1].Certificate)
	}

	write(t, dir, "provenance.json", envelopeOf(t, map[string]string{"sha512": strings.ToUpper(mustDigest(t, s, "sha512"))}))
	if got, err = Beside(path, s); err != nil || len(got) != 4 {
		t.Errorf("a provenance.json about the artifact: %v, %v", sources(got), err)
	}
	if err := os.Mkdir(path+".bundle", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Beside(path, s); err != nil {
		t.Errorf("a folder with the name of a signature: %v", err)
	}
}

func TestBesideTooLarge(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "f.zip", []byte("x"))
	big := write(t, dir, "f.zip.sigstore.json", nil)
	if err := os.Truncate(big, maxBeside+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Beside(path, subjectFrom("x")); err == nil || !strings.Contains(err.Error(), "--bundle") {
		t.Errorf("%v: want an error that says what to do", err)
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	a, b := subjectFrom("a"), subjectFrom("b")
	one := envelopeOf(t, map[string]string{"sha256": mustDigest(t, a, "sha256")}, map[string]string{"sha512": mustDigest(t, b, "sha512")})
	two := envelopeOf(t, map[string]string{"sha256": mustDigest(t, b, "sha256")})
	write(t, dir, "sub/one.json", one)
	write(t, dir, "two.jsonl", append(append(one, '\n'), two...))
	write(t, dir, "README.md", []byte("no attestation"))
	f, err := OpenFolder(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Skipped) != 1 || filepath.Base(f.Skipped[0]) != "README.md" {
		t.Errorf("skipped %q, want README.md", f.Skipped)
	}
	for _, c := range []struct {
		name string
		s    *Subject
		want string
	}{
		{"by sha256", a, "one.json two.jsonl, document 1"},
		{"by sha512 and sha256", b, "one.json two.jsonl, document 1 two.jsonl, document 2"},
		{"of nothing", subjectFrom("c"), ""},
		{"by digest only", &Subject{Digests: map[string]string{"sha256": mustDigest(t, a, "sha256")}}, "one.json two.jsonl, document 1"},
		{"by the index", &Subject{Digests: map[string]string{"sha256": strings.Repeat("0", 64)}, Also: map[string]string{"sha256:" + mustDigest(t, a, "sha256"): "image index"}}, "one.json two.jsonl, document 1"},
	} {
		got, err := f.About(c.s)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if s := strings.Join(sources(got), " "); s != c.want {
			t.Errorf("%s: %q, want %q", c.name, s, c.want)
		}
	}
	if err := os.Remove(filepath.Join(dir, "sub", "one.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.About(a); err == nil {
		t.Error("an attestation that is gone is not an error")
	}
}
