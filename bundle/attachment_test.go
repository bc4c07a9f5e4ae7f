package bundle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const (
	testSimple = "application/vnd.dev.cosign.simplesigning.v1+json"
	testBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
)

// app is an image with one layer that holds a file of a name.
func app(name string) img { return img{layers: []lay{{ents: files(name, name)}}} }

// sigs stores a manifest as cosign writes one for signatures.
func (s store) sigs(body string) m {
	return s.add(img{layers: []lay{{blob: []byte(body), media: testSimple}}})
}

// refers stores a manifest that refers to another one.
func (s store) refers(to any, body string) m {
	d := s.put([]byte(body))
	doc, n := s.json(m{"schemaVersion": 2, "mediaType": typeOCIManifest, "artifactType": testBundle,
		"config": m{"mediaType": "application/vnd.oci.empty.v1+json", "digest": s.put([]byte("{}")), "size": 2},
		"layers": []m{{"mediaType": testBundle, "digest": d, "size": len(body)}}, "subject": to})
	return m{"mediaType": typeOCIManifest, "digest": doc, "size": n}
}

func kind(desc m, kind string) m {
	desc = maps.Clone(desc)
	desc["annotations"] = map[string]string{annotationKind: kind}
	return desc
}

func digestIn(desc m) Digest { return desc["digest"].(Digest) }

func tagOf(desc m, suffix string) string {
	return strings.Replace(string(digestIn(desc)), ":", "-", 1) + suffix
}

// everyLayout opens a layout in each of its forms.
func everyLayout(t *testing.T, s store, check func(t *testing.T, l *Layout)) {
	t.Helper()
	for name, path := range map[string]string{"folder": s.dir(t), "tar": tmp(t, "oci.tar", s.tar()), "tar.gz": tmp(t, "oci.tar.gz", gzipped(s.tar()))} {
		t.Run(name, func(t *testing.T) {
			l, err := OpenLayout(context.Background(), path, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			check(t, l)
		})
	}
}

// attachedTo lists what is attached to the only image, or to one with a digest.
func attachedTo(t *testing.T, l *Layout, digest Digest) (*ImageManifest, []Attachment) {
	t.Helper()
	image, err := l.Image(context.Background(), "", digest)
	if err != nil {
		t.Fatal(err)
	}
	digests := []Digest{image.Digest}
	for _, i := range image.Indexes {
		digests = append(digests, i.Digest)
	}
	list, err := l.Attachments(context.Background(), digests)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if (a.Err == nil) != (a.Manifest != nil) || a.Err == nil && digestOfBytes(a.Manifest) != a.Digest {
			t.Errorf("attachment %s: %d bytes, %v", a.Digest, len(a.Manifest), a.Err)
		}
	}
	return image, list
}

// TestAttachments puts signatures at every place where tools keep them, and
// things beside them that are none.
func TestAttachments(t *testing.T) {
	type made struct {
		image   m
		want    []m
		digest  Digest
		indexes []Digest
	}
	for name, build := range map[string]func(s store) made{
		"none": func(s store) made {
			i := s.add(app("a"))
			s.top(i)
			return made{image: i}
		},
		"as cosign save writes it": func(s store) made {
			i, sig := s.add(app("a")), s.sigs("sig")
			ref := s.refers(i, "bundle")
			s.top(kind(i, "dev.cosignproject.cosign/image"), kind(sig, "dev.cosignproject.cosign/sigs"))
			return made{image: i, want: []m{sig, ref}}
		},
		"under tags": func(s store) made {
			i, sig, att := s.add(app("a")), s.sigs("sig"), s.sigs("att")
			s.top(named(i, "v1"), named(sig, tagOf(i, ".sig")), named(att, "host/app:"+tagOf(i, ".att")))
			return made{image: i, want: []m{sig, att}}
		},
		"under the tag for referrers": func(s store) made {
			i := s.add(app("a"))
			ref := s.refers(i, "bundle")
			s.top(named(i, "v1"), named(s.index(ref), tagOf(i, "")))
			return made{image: i, want: []m{ref}, digest: digestIn(i)}
		},
		"signatures without a name": func(s store) made {
			i, sig := s.add(app("a")), s.sigs("sig")
			s.top(i)
			return made{image: i, want: []m{sig}}
		},
		"of another image": func(s store) made {
			i, o := s.add(app("a")), s.add(app("b"))
			sig := s.sigs("sig")
			s.refers(o, "bundle")
			s.top(named(i, "a"), named(o, "b"), named(sig, tagOf(o, ".sig")))
			return made{image: i, digest: digestIn(i)}
		},
		"bills of materials nobody signed": func(s store) made {
			i := s.add(app("a"))
			sbom := s.add(img{layers: []lay{{blob: []byte("x"), media: "text/spdx"}}})
			s.top(named(i, "a"), named(sbom, tagOf(i, ".sbom")))
			return made{image: i}
		},
		"of an index": func(s store) made {
			i, o := s.add(img{layers: app("a").layers, platform: "linux/amd64"}), s.add(img{layers: app("b").layers, platform: "linux/arm64"})
			inner := s.index(i, o)
			outer := s.index(inner)
			a, b, c := s.refers(i, "manifest"), s.refers(inner, "index"), s.refers(outer, "outer")
			s.refers(o, "other platform")
			s.top(named(outer, "v1"))
			return made{image: i, want: []m{a, b, c}, indexes: []Digest{digestIn(inner), digestIn(outer)}}
		},
		"the index itself": func(s store) made {
			i := s.add(img{layers: app("a").layers, platform: "linux/amd64"})
			inner := s.index(i)
			s.refers(i, "manifest")
			b := s.refers(inner, "index")
			s.top(named(inner, "v1"))
			return made{image: inner, want: []m{b}, digest: digestIn(inner)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := store{}
			c := build(s)
			everyLayout(t, s, func(t *testing.T, l *Layout) {
				image, list := attachedTo(t, l, c.digest)
				if image.Digest != digestIn(c.image) || digestOfBytes(image.Body) != image.Digest || image.MediaType != c.image["mediaType"] {
					t.Errorf("image %s, %s, want %s", image.Digest, image.MediaType, digestIn(c.image))
				}
				var above []Digest
				for _, i := range image.Indexes {
					if above = append(above, i.Digest); i.MediaType != typeOCIIndex || i.Size == 0 {
						t.Errorf("index %+v", i)
					}
				}
				slices.Sort(c.indexes)
				if !slices.Equal(above, c.indexes) {
					t.Errorf("indexes %v, want %v", above, c.indexes)
				}
				var got, want []Digest
				for _, a := range list {
					if a.Err != nil {
						t.Errorf("%s: %v", a.Digest, a.Err)
					}
					got = append(got, a.Digest)
				}
				for _, d := range c.want {
					want = append(want, digestIn(d))
				}
				if slices.Sort(want); !slices.Equal(got, want) {
					t.Errorf("attached %v, want %v", got, want)
				}
			})
		})
	}
}

// TestAttachmentFaults demands that what is not what its name says is told, and
// never handed out.
func TestAttachmentFaults(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(s store, image, ref, sig m)
		say   string
	}{
		"a changed referrer": {func(s store, _, ref, _ m) {
			n := "blobs/sha256/" + string(digestIn(ref))[7:]
			s[n] = append(s[n], ' ')
		}, "its content was changed"},
		"changed signatures": {func(s store, _, _, sig m) {
			n := "blobs/sha256/" + string(digestIn(sig))[7:]
			s[n] = append(s[n], ' ')
		}, "its content was changed"},
		"signatures that are not there": {func(s store, _, _, sig m) {
			delete(s, "blobs/sha256/"+string(digestIn(sig))[7:])
		}, "there is no blob"},
		"signatures that are no manifest": {func(s store, image, _, _ m) {
			d := s.put([]byte("text"))
			s.top(named(image, "v1"), named(m{"digest": d, "mediaType": typeOCIManifest, "size": 4}, tagOf(image, ".sig")))
		}, "is no manifest"},
		"a list of referrers that is none": {func(s store, image, _, _ m) {
			s.top(named(image, "v1"), named(image, tagOf(image, "")))
		}, "is no index"},
	} {
		t.Run(name, func(t *testing.T) {
			s := store{}
			i, sig := s.add(app("a")), s.sigs("sig")
			ref := s.refers(i, "bundle")
			s.top(named(i, "v1"), named(sig, tagOf(i, ".sig")))
			c.spoil(s, i, ref, sig)
			everyLayout(t, s, func(t *testing.T, l *Layout) {
				_, list := attachedTo(t, l, digestIn(i))
				if !slices.ContainsFunc(list, func(a Attachment) bool {
					return a.Err != nil && strings.Contains(a.Err.Error(), c.say) && errors.Is(a.Err, ErrUnreadable)
				}) {
					t.Errorf("nothing of %d says %q", len(list), c.say)
				}
			})
		})
	}
}

// TestLayoutImage asks for images that are not there, or of which there are too many.
func TestLayoutImage(t *testing.T) {
	s := store{}
	a, b := s.add(app("a")), s.add(app("b"))
	s.top(named(a, "one"), named(b, "two"))
	s["blobs/sha256/"+strings.Repeat("0", 64)] = []byte(`{"schemaVersion":2}`)
	everyLayout(t, s, func(t *testing.T, l *Layout) {
		ctx := context.Background()
		var several *SeveralImages
		if _, err := l.Image(ctx, "", ""); !errors.As(err, &several) || !slices.Equal(several.Names, []string{"one", "two"}) {
			t.Errorf("two images: %v", err)
		}
		if m, err := l.Image(ctx, "two", ""); err != nil || m.Digest != digestIn(b) {
			t.Errorf("by name: %+v, %v", m, err)
		}
		for _, d := range []Digest{Digest("sha256:" + strings.Repeat("0", 64)), Digest("sha256:" + strings.Repeat("1", 64)), "sha256:../../index.json", "sha512:00"} {
			if m, err := l.Image(ctx, "", d); !errors.Is(err, ErrUnreadable) {
				t.Errorf("%s: %+v, %v", d, m, err)
			}
		}
		if _, err := l.Content(ctx, digestIn(a), 1); !errors.Is(err, ErrUnreadable) {
			t.Errorf("a blob that is longer: %v", err)
		}
		if _, err := l.Content(ctx, digestIn(a), 1<<20); !errors.Is(err, ErrUnreadable) {
			t.Errorf("a blob that is shorter: %v", err)
		}
	})
}

// TestLayoutHostile opens layouts that were made to do harm.
func TestLayoutHostile(t *testing.T) {
	ctx := context.Background()
	t.Run("no layout", func(t *testing.T) {
		for _, path := range []string{save(t, "a", "b"), tmp(t, "docker.tar", docker(app("a"), "a:1").tar())} {
			if _, err := OpenLayout(ctx, path, Limits{}); !errors.Is(err, ErrNoLayout) {
				t.Errorf("%v", err)
			}
			if IsLayout(ctx, path) {
				t.Errorf("%s is taken for a layout", path)
			}
		}
		for _, b := range [][]byte{nil, []byte("x"), gzipped(nil), gzipped([]byte("x")), gzipped(tarOf(files("package/index.json", "{}")...)), zstded([]byte("x"))} {
			if IsLayout(ctx, tmp(t, "file", b)) {
				t.Errorf("%q is taken for a layout", b)
			}
		}
		s := oci(app("a").layers...)
		for _, path := range []string{s.dir(t), tmp(t, "oci.tar", s.tar()), tmp(t, "oci.tgz", gzipped(s.tar())), tmp(t, "oci.tar.zst", zstded(s.tar()))} {
			if !IsLayout(ctx, path) {
				t.Errorf("%s is not taken for a layout", path)
			}
		}
	})
	t.Run("links out", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("no links")
		}
		s := store{}
		i := s.add(app("a"))
		ref := s.refers(i, "bundle")
		s.top(i)
		dir, outside := s.dir(t), t.TempDir()
		blob := filepath.Join(dir, "blobs", "sha256", string(digestIn(ref))[7:])
		body, err := os.ReadFile(blob)
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(outside, "x")
		if err := errors.Join(os.WriteFile(target, body, 0o666), os.Remove(blob), os.Symlink(target, blob)); err != nil {
			t.Fatal(err)
		}
		l, err := OpenLayout(ctx, dir, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if list, err := l.Attachments(ctx, []Digest{digestIn(i)}); err != nil || len(list) != 0 {
			t.Errorf("%v, %v", list, err)
		}
	})
	t.Run("too much", func(t *testing.T) {
		s := store{}
		i := s.add(app("a"))
		for n := range maxAttachments + 1 {
			s.refers(i, fmt.Sprint(n))
		}
		s.top(i)
		l, err := OpenLayout(ctx, tmp(t, "oci.tar", s.tar()), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, err := l.Attachments(ctx, []Digest{digestIn(i)}); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "over 1000") {
			t.Errorf("%v", err)
		}
	})
	t.Run("deep and many indexes", func(t *testing.T) {
		s := store{}
		i := s.add(app("a"))
		at := i
		for range maxIndexDepth + 2 {
			at = s.index(at)
		}
		s.top(at)
		l, err := OpenLayout(ctx, tmp(t, "oci.tar", s.tar()), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		image, err := l.Image(ctx, "", digestIn(i))
		if err != nil || len(image.Indexes) != 0 { // what leads to it lies too deep to be seen
			t.Errorf("%+v, %v", image, err)
		}
		s = store{}
		i = s.add(app("a"))
		var many []map[string]any
		for n := range 300 {
			d, size := s.json(m{"schemaVersion": 2, "manifests": []any{}, "n": n})
			many = append(many, m{"mediaType": typeOCIIndex, "digest": d, "size": size})
		}
		s.top(many...)
		if l, err = OpenLayout(ctx, tmp(t, "oci.tar", s.tar()), Limits{}); err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, err := l.Image(ctx, "", digestIn(i)); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "MaxManifests") {
			t.Errorf("%v", err)
		}
	})
}

// FuzzLayout demands of any archive that what is handed out has its digest.
func FuzzLayout(f *testing.F) {
	s := store{}
	i, sig := s.add(app("a")), s.sigs("sig")
	s.refers(i, "bundle")
	s.top(named(i, "v1"), named(sig, tagOf(i, ".sig")), named(s.index(i), tagOf(i, "")))
	f.Add(s.tar())
	f.Add(oci(app("b").layers...).tar())
	f.Fuzz(func(t *testing.T, b []byte) {
		lim := smallImage().withDefaults()
		a, err := listArchive(context.Background(), memory(b), lim, &noticeLog{max: 1})
		if err != nil {
			return
		}
		l := &Layout{ref: "fuzz", files: archiveFiles{a, memory(b)}, lim: lim}
		image, err := l.Image(context.Background(), "", "")
		if err != nil {
			return
		}
		if digestOfBytes(image.Body) != image.Digest {
			t.Fatalf("image %s", image.Digest)
		}
		list, _ := l.Attachments(context.Background(), []Digest{image.Digest})
		for _, a := range list {
			if a.Manifest != nil && digestOfBytes(a.Manifest) != a.Digest {
				t.Fatalf("attachment %s", a.Digest)
			}
		}
	})
}
