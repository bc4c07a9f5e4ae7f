package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree lists the files of a folder with their contents.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func three(base, text string) []File {
	return Files(base, []Attestation{{Suffix: SummarySuffix, Bundle: []byte(text + "vsa")}, {Suffix: SBOMSuffix, Bundle: []byte(text + "cdx")}, {Suffix: VulnerabilitySuffix, Bundle: []byte(text + "vulns")}})
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	base := filepath.Join(dir, "a.zip")
	for _, text := range []string{"old ", "new "} { // what is there is replaced
		if err := Write(three(base, text)); err != nil {
			t.Fatal(err)
		}
		got := tree(t, dir)
		if len(got) != 3 || got["a.zip"+SummarySuffix] != text+"vsa" || got["a.zip"+SBOMSuffix] != text+"cdx" || got["a.zip"+VulnerabilitySuffix] != text+"vulns" {
			t.Errorf("%v", got)
		}
	}
	if st, err := os.Stat(base + SummarySuffix); err != nil || st.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

// TestWriteFails lets every file in turn be one that cannot be written: nothing
// of the run is left.
func TestWriteFails(t *testing.T) {
	for _, suffix := range Suffixes() {
		for _, second := range []string{"a.zip", "b.zip"} {
			dir := t.TempDir()
			blocked := filepath.Join(dir, second+suffix)
			if err := os.Mkdir(blocked, 0o755); err != nil {
				t.Fatal(err)
			}
			err := Write(append(three(filepath.Join(dir, "a.zip"), ""), three(filepath.Join(dir, "b.zip"), "")...))
			if err == nil || !strings.Contains(err.Error(), blocked) || strings.Contains(err.Error(), ".tmp") {
				t.Errorf("%s%s: %v", second, suffix, err)
			}
			if left := tree(t, dir); len(left) != 0 {
				t.Errorf("%s%s: left %v", second, suffix, left)
			}
		}
	}
	err := Write(three(filepath.Join(t.TempDir(), "none", "a.zip"), ""))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestSummaryLast: a rename that fails takes back the ones before it, and the
// summaries come after everything else.
func TestSummaryLast(t *testing.T) {
	dir := t.TempDir()
	files := append(three(filepath.Join(dir, "a.zip"), ""), three(filepath.Join(dir, "b.zip"), "")...)
	err := write(files, func(from, to string) error {
		for _, f := range files {
			if _, err := os.Stat(f.Path); err == nil && isSummary(f.Path) && !isSummary(to) {
				t.Errorf("%s is there before %s", f.Path, to)
			}
		}
		if to == files[3].Path {
			return errors.New("no")
		}
		return os.Rename(from, to)
	})
	if err == nil {
		t.Fatal("written")
	}
	if left := tree(t, dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

// layoutOf makes an image layout of one manifest.
func layoutOf(t *testing.T) (dir, digest string) {
	t.Helper()
	dir = t.TempDir()
	body := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}`)
	digest = describe("", body).Digest
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(blobPath(dir, digest), body, 0o644),
		os.WriteFile(filepath.Join(dir, "index.json"), fmt.Appendf(nil, `{"schemaVersion":2,"annotations":{"of":"mine"},"manifests":[{"digest":%q,"size":%d,"platform":{"os":"linux"}}]}`, digest, len(body)), 0o644)); err != nil {
		t.Fatal(err)
	}
	return dir, digest
}

func TestLayout(t *testing.T) {
	dir, digest := layoutOf(t)
	list, err := run(t).Attest(t.Context(), passed())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same again changes nothing
		if err := Layout(dir, digest, list); err != nil {
			t.Fatal(err)
		}
		got := tree(t, dir)
		if len(got) != 2+1+2*3 {
			t.Errorf("%d files", len(got))
		}
		index := got["index.json"]
		if strings.Count(index, mediaBundle) != 3 || !strings.Contains(index, `"of":"mine"`) || !strings.Contains(index, `"platform":{"os":"linux"}`) {
			t.Error(index)
		}
		for name, text := range got {
			if hex, ok := strings.CutPrefix(name, "blobs/sha256/"); ok && describe("", []byte(text)).Digest != "sha256:"+hex {
				t.Errorf("%s is something else", name)
			}
		}
	}
}

func TestLayoutFails(t *testing.T) {
	list, err := run(t).Attest(t.Context(), passed())
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(dir, digest string) error{
		"no index":      func(dir, _ string) error { return os.Remove(filepath.Join(dir, "index.json")) },
		"index is text": func(dir, _ string) error { return os.WriteFile(filepath.Join(dir, "index.json"), []byte("x"), 0o644) },
		"index is no list": func(dir, _ string) error {
			return os.WriteFile(filepath.Join(dir, "index.json"), []byte(`{"manifests":{}}`), 0o644)
		},
		"no manifest":      func(dir, digest string) error { return os.Remove(blobPath(dir, digest)) },
		"manifest changed": func(dir, digest string) error { return os.WriteFile(blobPath(dir, digest), []byte("{}"), 0o644) },
		"manifest is big":  func(dir, digest string) error { return os.Truncate(blobPath(dir, digest), maxManifest+1) },
		"index is a folder": func(dir, _ string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "index.json")), os.Mkdir(filepath.Join(dir, "index.json"), 0o755))
		},
	} {
		dir, digest := layoutOf(t)
		if err := spoil(dir, digest); err != nil {
			t.Fatal(err)
		}
		before := tree(t, dir)
		if err := Layout(dir, digest, list); err == nil {
			t.Errorf("%s: no error", name)
		}
		if after := tree(t, dir); len(after) != len(before) {
			t.Errorf("%s: left %d files of %d", name, len(after), len(before))
		}
	}
	if err := Layout(t.TempDir(), "sha256:../../etc/passwd", list); err == nil {
		t.Error("a path is no digest")
	}
}

// memory is a registry.
type memory struct {
	blobs, manifests map[string][]byte
	types            map[string]string
	lists            bool   // it can list referrers
	refuse           string // the digest or tag that cannot be written
	order            []string
}

func (m *memory) Manifest(_ context.Context, id string) ([]byte, string, error) {
	b, ok := m.manifests[id]
	if !ok {
		return nil, "", fs.ErrNotExist
	}
	return b, m.types[id], nil
}

func (m *memory) PutBlob(_ context.Context, digest string, size int64, open func() (io.ReadCloser, error)) (bool, error) {
	r, err := open()
	if err != nil {
		return false, err
	}
	b, err := io.ReadAll(r)
	if int64(len(b)) != size || describe("", b).Digest != digest {
		return false, errors.New("not what was announced")
	}
	m.blobs[digest] = b
	return true, err
}

func (m *memory) PutManifest(_ context.Context, id, mediaType string, body []byte) error {
	if m.refuse != "" && strings.HasPrefix(id, m.refuse) {
		return errors.New("denied")
	}
	m.manifests[id], m.types[id] = body, mediaType
	m.order = append(m.order, id)
	return nil
}

func (m *memory) Referrers(_ context.Context, digest, artifactType string) ([]string, error) {
	var out []string
	for id, b := range m.manifests {
		if m.lists && bytes.Contains(b, []byte(`"subject"`)) && bytes.Contains(b, []byte(digest)) && bytes.Contains(b, []byte(artifactType)) {
			out = append(out, id)
		}
	}
	return out, nil
}

func TestAttach(t *testing.T) {
	list, err := run(t).Attest(t.Context(), passed())
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"schemaVersion":2,"config":{},"layers":[]}`)
	digest := describe("", body).Digest
	tag := strings.Replace(digest, ":", "-", 1)
	start := func() *memory {
		return &memory{blobs: map[string][]byte{}, manifests: map[string][]byte{digest: body}, types: map[string]string{digest: mediaManifest}}
	}
	with := start()
	with.lists = true
	if err := Attach(t.Context(), with, digest, list); err != nil || len(with.order) != 3 || len(with.blobs) != 4 {
		t.Errorf("%v, %d manifests, %d blobs", err, len(with.order), len(with.blobs))
	}
	last := with.manifests[with.order[2]]
	if !bytes.Contains(last, []byte(SummaryType)) || !bytes.Contains(last, []byte(digest)) || !bytes.Contains(last, []byte(mediaManifest)) {
		t.Errorf("last: %s", last)
	}
	without := start()
	if err := Attach(t.Context(), without, digest, list); err != nil || len(without.order) != 6 || bytes.Count(without.manifests[tag], []byte(`"artifactType"`)) != 3 {
		t.Errorf("%v, %v, %s", err, without.order, without.manifests[tag])
	}
	for name, change := range map[string]func(*memory){
		"no image":        func(m *memory) { delete(m.manifests, digest) },
		"other image":     func(m *memory) { m.manifests[digest] = []byte("{}") },
		"denied":          func(m *memory) { m.refuse = "sha256:" },
		"no list":         func(m *memory) { m.refuse = tag },
		"tag is no list":  func(m *memory) { m.manifests[tag], m.types[tag] = []byte("{}"), mediaManifest },
		"list is no list": func(m *memory) { m.manifests[tag], m.types[tag] = []byte("[]"), mediaIndex },
	} {
		m := start()
		change(m)
		if err := Attach(t.Context(), m, digest, list); err == nil {
			t.Errorf("%s: no error", name)
		}
		for id, b := range m.manifests {
			if bytes.Contains(b, []byte(SummaryType)) {
				t.Errorf("%s: the summary is there: %s", name, id)
			}
		}
	}
}
