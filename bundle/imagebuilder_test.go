package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// tent is one entry of a tar made for a test; kind 0 is a file.
type tent struct {
	name, body, link string
	kind             byte
	pax              map[string]string
}

func tlink(name, target string) tent { return tent{name: name, link: target, kind: tar.TypeSymlink} }
func thard(name, target string) tent { return tent{name: name, link: target, kind: tar.TypeLink} }
func tdir(name string) tent          { return tent{name: name, kind: tar.TypeDir} }

// files makes entries of name, content, name, content, ...
func files(nameBody ...string) []tent {
	var out []tent
	for i := 0; i < len(nameBody); i += 2 {
		out = append(out, tent{name: nameBody[i], body: nameBody[i+1]})
	}
	return out
}

func tarOf(ents ...tent) []byte {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range ents {
		h := &tar.Header{Name: e.name, Linkname: e.link, Typeflag: e.kind, Mode: 0o644, Size: int64(len(e.body)), PAXRecords: e.pax}
		if e.kind == tar.TypeXGlobalHeader {
			h = &tar.Header{Typeflag: e.kind, PAXRecords: e.pax}
		}
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			panic(err)
		}
	}
	w.Close()
	return buf.Bytes()
}

func gzipped(b []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(b)
	w.Close()
	return buf.Bytes()
}

func zstded(b []byte) []byte {
	w, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	return w.EncodeAll(b, nil)
}

// lay is one layer of an image made for a test. Zero fields come out right.
type lay struct {
	ents    []tent
	tar     []byte // instead of ents
	pack    string // "", "gzip", "zstd"
	blob    []byte // instead of the packed tar
	diff    Digest // what the configuration says instead
	digest  Digest // what the manifest says instead
	size    int64  // the same
	media   string
	missing bool
}

func (l lay) unpacked() []byte {
	if l.tar != nil {
		return l.tar
	}
	return tarOf(l.ents...)
}

func (l lay) shipped() []byte {
	switch {
	case l.blob != nil:
		return l.blob
	case l.pack == "gzip":
		return gzipped(l.unpacked())
	case l.pack == "zstd":
		return zstded(l.unpacked())
	}
	return l.unpacked()
}

// img is an image made for a test.
type img struct {
	layers      []lay
	platform    string // "": linux/amd64
	config      m
	history     []m
	annotations map[string]string
	configMedia string
	artifact    string
}

// store is a layout in memory: names and contents.
type store map[string][]byte

func (s store) put(b []byte) Digest {
	d := digestOfBytes(b)
	s["blobs/sha256/"+string(d)[7:]] = b
	return d
}

func (s store) json(v any) (Digest, int) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return s.put(b), len(b)
}

type m = map[string]any

func (i img) doc() m {
	goos, arch, _ := strings.Cut(i.platform, "/")
	if i.platform == "" {
		goos, arch = "linux", "amd64"
	}
	diffs := []Digest{}
	for _, l := range i.layers {
		d := l.diff
		if d == "" {
			d = digestOfBytes(l.unpacked())
		}
		diffs = append(diffs, d)
	}
	cfg := m{"os": goos, "architecture": arch, "rootfs": m{"type": "layers", "diff_ids": diffs}, "config": i.config}
	if i.history != nil {
		cfg["history"] = i.history
	}
	return cfg
}

// add stores an image and returns the descriptor of its manifest.
func (s store) add(i img) m {
	c, n := s.json(i.doc())
	media := i.configMedia
	if media == "" {
		media = typeOCIConfig
	}
	layers := []m{}
	for _, l := range i.layers {
		b := l.shipped()
		d, size := digestOfBytes(b), int64(len(b))
		if !l.missing {
			s.put(b)
		}
		if l.digest != "" {
			d = l.digest
		}
		if l.size != 0 {
			size = l.size
		}
		mt := l.media
		if mt == "" {
			mt = "application/vnd.oci.image.layer.v1.tar" + map[string]string{"gzip": "+gzip", "zstd": "+zstd"}[l.pack]
		}
		layers = append(layers, m{"mediaType": mt, "digest": d, "size": size})
	}
	doc := m{"schemaVersion": 2, "mediaType": typeOCIManifest, "config": m{"mediaType": media, "digest": c, "size": n}, "layers": layers}
	if i.annotations != nil {
		doc["annotations"] = i.annotations
	}
	if i.artifact != "" {
		doc["artifactType"] = i.artifact
	}
	d, size := s.json(doc)
	desc := m{"mediaType": typeOCIManifest, "digest": d, "size": size}
	if i.platform != "" {
		goos, arch, _ := strings.Cut(i.platform, "/")
		desc["platform"] = m{"os": goos, "architecture": arch}
	}
	return desc
}

// index stores an index of descriptors and returns its own.
func (s store) index(descs ...m) m {
	d, n := s.json(m{"schemaVersion": 2, "mediaType": typeOCIIndex, "manifests": descs})
	return m{"mediaType": typeOCIIndex, "digest": d, "size": n}
}

// top writes index.json.
func (s store) top(descs ...m) store {
	b, _ := json.Marshal(m{"schemaVersion": 2, "manifests": descs})
	s["index.json"], s["oci-layout"] = b, []byte(`{"imageLayoutVersion":"1.0.0"}`)
	return s
}

func named(desc m, name string) m {
	desc = maps.Clone(desc)
	desc["annotations"] = map[string]string{annotationRefName: name}
	return desc
}

func (s store) tar() []byte {
	var ents []tent
	for _, name := range slices.Sorted(maps.Keys(s)) {
		ents = append(ents, tent{name: name, body: string(s[name])})
	}
	return tarOf(ents...)
}

func (s store) dir(t testing.TB) string {
	t.Helper()
	var nameBody []string
	for name, b := range s {
		nameBody = append(nameBody, name, string(b))
	}
	return save(t, nameBody...)
}

// oci is a layout of one image.
func oci(layers ...lay) store {
	s := store{}
	return s.top(s.add(img{layers: layers}))
}

// docker is what docker save writes of an image.
func docker(i img, tags ...string) store {
	s := store{}
	cfg, _ := json.Marshal(i.doc())
	name := string(digestOfBytes(cfg))[7:] + ".json"
	s[name] = cfg
	layers := []string{}
	for n, l := range i.layers {
		file := fmt.Sprintf("layer%d/layer.tar", n)
		if !l.missing {
			s[file] = l.shipped()
		}
		layers = append(layers, file)
	}
	s["manifest.json"], _ = json.Marshal([]m{{"Config": name, "RepoTags": tags, "Layers": layers}})
	return s
}

// tmp writes a file and returns its path.
func tmp(t testing.TB, name string, b []byte) string {
	t.Helper()
	return filepath.Join(save(t, name, string(b)), name)
}

func openImage(t testing.TB, ref string, spec Spec) (*Function, error) {
	t.Helper()
	spec.Ref = ref
	return new(Opener).Open(context.Background(), spec)
}

// shown writes an image down: each file, its layer, its content or target, the
// copies that were replaced, and what was noticed.
func shown(t testing.TB, f *Function) string {
	t.Helper()
	var out strings.Builder
	for v, before := f.Volumes[0], ""; v != nil; v, before = v.Older, "older " {
		for i, file := range v.Files() {
			fmt.Fprintf(&out, "%s%s", before, file.Path)
			if before == "" {
				fmt.Fprintf(&out, "@%d", v.ImageLayer(i))
			}
			if file.Mode != 0 {
				fmt.Fprintf(&out, " -> %s\n", file.Link)
				continue
			}
			b, err := v.readAll(i)
			if err != nil {
				fmt.Fprintf(&out, " error\n")
				continue
			}
			fmt.Fprintf(&out, " %q\n", b)
		}
	}
	for _, n := range f.Notices() {
		mark := "?"
		if n.Unread {
			mark = "!"
		}
		fmt.Fprintf(&out, "%s%s %s\n", mark, n.Kind, n.Path)
	}
	return out.String()
}

// sameEverywhere opens an image in every way that it can be shipped in, demands
// the same result of all, and returns it.
func sameEverywhere(t *testing.T, i img) string {
	t.Helper()
	s := store{}
	s.top(s.add(i))
	d := docker(i, "test:1")
	first := ""
	for _, ref := range []string{
		s.dir(t), tmp(t, "oci.tar", s.tar()), tmp(t, "oci.tar.gz", gzipped(s.tar())), tmp(t, "oci.tar.zst", zstded(s.tar())),
		tmp(t, "docker.tar", d.tar()), tmp(t, "docker.tar.gz", gzipped(d.tar())),
	} {
		for _, keep := range []int64{0, 1} { // 1: nothing is kept, so that all is inflated again
			o := Opener{Limits: Limits{MaxKeptBytes: keep}}
			f, err := o.Open(context.Background(), Spec{Ref: ref})
			if err != nil {
				t.Fatalf("%s: %v", filepath.Base(ref), err)
			}
			got := shown(t, f)
			checkFiles(t, f.Tree.Files())
			f.Close()
			if first == "" {
				first = got
			}
			if got != first {
				t.Fatalf("%s, keep %d:\n%s\nbut a layout:\n%s", filepath.Base(ref), keep, got, first)
			}
		}
	}
	return first
}
