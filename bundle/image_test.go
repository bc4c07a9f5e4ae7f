package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLayers applies layers to one another. Rules: OCI image specification 1.1,
// layer.md.
func TestLayers(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 20_000) // more than a head and than a block of the keeper
	for _, tt := range []struct {
		name   string
		layers [][]tent
		want   string
	}{
		{"one", [][]tent{files("a", "1", "b/c", "22", "empty", "")}, "a@0 \"1\"\nb/c@0 \"22\"\nempty@0 \"\"\n"},
		{"dots and slashes", [][]tent{files("./a", "1", "/b", "2")}, "a@0 \"1\"\nb@0 \"2\"\n?path-traversal b\n"},
		{"large", [][]tent{files("big", big, "z", "1")}, fmt.Sprintf("big@0 %q\nz@0 \"1\"\n", big)},
		{"replaced", [][]tent{files("a", "1", "b", "1"), files("a", "2")}, "a@1 \"2\"\nb@0 \"1\"\n"},
		{"whiteout", [][]tent{files("a", "1", "d/x", "2", "d/y", "3"), files(".wh.a", "", "d/.wh.x", "")}, "d/y@0 \"3\"\n"},
		{"whiteout of a folder", [][]tent{files("d/e/x", "1", "d/y", "2"), files("d/.wh.e", "")}, "d/y@0 \"2\"\n"},
		{"whiteout of nothing there", [][]tent{files("a", "1"), files(".wh.b", "", "c/.wh.d", "")}, "a@0 \"1\"\n"},
		{"whiteout and file in one layer", [][]tent{files("a", "1"), files("a", "2", ".wh.a", "")}, "a@1 \"2\"\n"},
		{"whiteout before file in one layer", [][]tent{files("a/x", "1"), append(files(".wh.a", ""), files("a/y", "2")...)}, "a/y@1 \"2\"\n"},
		{"whiteout in the first layer", [][]tent{files("a", "1", ".wh.a", "")}, "a@0 \"1\"\n"},
		{"and back again", [][]tent{files("a", "1"), files(".wh.a", ""), files("a", "3")}, "a@2 \"3\"\n"},
		{"opaque", [][]tent{files("d/x", "1", "d/e/y", "2", "z", "3"), files("d/.wh..wh..opq", "", "d/n", "4")}, "d/n@1 \"4\"\nz@0 \"3\"\n"},
		{"opaque last in its layer", [][]tent{files("d/x", "1"), files("d/n", "4", "d/.wh..wh..opq", "")}, "d/n@1 \"4\"\n"},
		{"opaque root", [][]tent{files("d/x", "1"), files(".wh..wh..opq", "", "n", "4")}, "n@1 \"4\"\n"},
		{"opaque of a folder that is not there", [][]tent{files("a", "1"), files("d/.wh..wh..opq", "")}, "a@0 \"1\"\n"},
		{"AUFS bookkeeping", [][]tent{files("a", "1", ".wh..wh.plnk", "", ".wh..wh.aufs", "")}, "a@0 \"1\"\n?special-file .wh..wh.aufs\n?special-file .wh..wh.plnk\n"},
		{"whiteout of dots", [][]tent{files("a/x", "1"), files("a/.wh...", "", "a/.wh.", "")}, "a/x@0 \"1\"\n!invalid-name a/.wh.\n!invalid-name a/.wh...\n"},
		{"file becomes folder", [][]tent{files("a", "1"), files("a/b", "2")}, "a/b@1 \"2\"\n"},
		{"folder becomes file", [][]tent{files("a/b", "1"), files("a", "2")}, "a@1 \"2\"\n"},
		{"folder again is no loss", [][]tent{files("a/b", "1"), {tdir("a/")}}, "a/b@0 \"1\"\n"},
		{"link becomes folder entry", [][]tent{{tlink("lib", "usr/lib")}, files("lib/x", "1")}, "lib@0 -> usr/lib\nusr/lib/x@1 \"1\"\n"},
		{"through a link, replacing", [][]tent{append(files("usr/lib/x", "1"), tlink("lib", "usr/lib")), files("lib/x", "2")},
			"lib@0 -> usr/lib\nusr/lib/x@1 \"2\"\nolder usr/lib/x \"1\"\n!duplicate-name usr/lib/x\n"},
		{"whiteout through a link", [][]tent{append(files("usr/lib/x", "1"), tlink("lib", "usr/lib")), files("lib/.wh.x", "")},
			"lib@0 -> usr/lib\nusr/lib/x@0 \"1\"\n?write-through-link lib/x\n"},
		{"whiteout of a link", [][]tent{append(files("usr/lib/x", "1"), tlink("lib", "usr/lib")), files(".wh.lib", "")}, "usr/lib/x@0 \"1\"\n"},
		{"link in a link", [][]tent{{tlink("a", "b"), tlink("b", "/c/../d")}, files("a/x", "1")}, "a@0 -> b\nb@0 -> /c/../d\nd/x@1 \"1\"\n"},
		{"link above the root", [][]tent{{tlink("a", "../../../../etc")}, files("a/x", "1")}, "a@0 -> ../../../../etc\netc/x@1 \"1\"\n"},
		{"links in a loop", [][]tent{{tlink("a", "b"), tlink("b", "a")}, files("a/x", "1")}, "a@0 -> b\na%2F/x@1 \"1\"\nb@0 -> a\n?symlink-loop a\n!write-through-link a%2F/x\n!write-through-link a/x\n?symlink-loop b\n"},
		{"through a link to a folder with an odd name", [][]tent{append([]tent{tlink("l", "od\x16\x92")}, files("l/x", "1")...)}, "l@0 -> od\x16\x92\nl%2F/x@0 \"1\"\n!write-through-link l%2F/x\n!write-through-link l/x\n"},
		{"through a link of the same layer", [][]tent{append([]tent{tlink("out", "/tmp")}, files("out/x", "1")...)}, "out@0 -> /tmp\ntmp/x@0 \"1\"\n?write-through-link tmp/x\n"},
		{"hard link", [][]tent{append(files("a", "1"), thard("d/b", "a"))}, "a@0 \"1\"\nd/b@0 \"1\"\n"},
		{"hard link to a lower layer", [][]tent{files("a", "1"), {thard("b", "/a")}}, "a@0 \"1\"\nb@1 \"1\"\n"},
		{"hard link to what a later layer replaces", [][]tent{append(files("a", "1"), thard("b", "a")), files("a", "2")}, "a@1 \"2\"\nb@0 \"1\"\n"},
		{"hard link outside", [][]tent{{thard("b", "../../etc/passwd"), thard("c", "nowhere")}, files("a", "1")}, "a@1 \"1\"\n!symlink-escape b\n!image-mismatch c\n"},
		{"hard link to itself", [][]tent{append(files("x", "1"), thard("a", "a"))}, "x@0 \"1\"\n!image-mismatch a\n"},
		{"hard link to a link", [][]tent{append(files("x", "1"), tlink("l", "x"), thard("h", "l"))}, "h@0 -> x\nl@0 -> x\nx@0 \"1\"\n"},
		{"twice alike", [][]tent{files("a", "1", "a", "1")}, "a@0 \"1\"\n?duplicate-name a\n"},
		{"twice different", [][]tent{files("a", "1", "a", "2")}, "a@0 \"2\"\nolder a \"1\"\n!duplicate-name a\n"},
		{"twice in one layer over a lower one", [][]tent{files("a", "0"), files("a", "1", "a", "2")}, "a@1 \"2\"\nolder a \"1\"\n!duplicate-name a\n"},
		{"climbing name", [][]tent{files("../../x", "1", "a", "2")}, "%2E%2E/%2E%2E/x@0 \"1\"\na@0 \"2\"\n!path-traversal %2E%2E/%2E%2E/x\n"},
		{"backslash", [][]tent{files(`etc/system-systemd\x2dcryptsetup.slice`, "1")}, "etc/system-systemd%5Cx2dcryptsetup.slice@0 \"1\"\n"},
		{"devices", [][]tent{append(files("a", "1"), tent{name: "dev/null", kind: tar.TypeChar}, tent{name: "p", kind: tar.TypeFifo})}, "a@0 \"1\"\n?special-file dev/null\n?special-file p\n"},
		{"whiteout as a device", [][]tent{files("a", "1", "b", "2"), {tent{name: ".wh.a", kind: tar.TypeChar}}}, "b@0 \"2\"\n"},
		{"global comment", [][]tent{append([]tent{{kind: tar.TypeXGlobalHeader, pax: map[string]string{"comment": "c0ffee"}}}, files("a", "1")...)}, "a@0 \"1\"\n"},
		{"global path", [][]tent{append([]tent{{kind: tar.TypeXGlobalHeader, pax: map[string]string{"path": "b"}}}, files("a", "1")...)}, "a@0 \"1\"\n!header-mismatch \n"},
		{"case counts", [][]tent{files("A", "1", "a", "2")}, "A@0 \"1\"\na@0 \"2\"\n"},
		{"links loop", [][]tent{{tlink("a", "a")}}, "a@0 -> a\n?symlink-loop a\n"},
		{"nothing", [][]tent{{}}, "?empty \n"},
		{"nothing left", [][]tent{files("a", "1"), files(".wh.a", "")}, "?empty \n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, pack := range []string{"gzip", "", "zstd"} {
				var i img
				for _, ents := range tt.layers {
					i.layers = append(i.layers, lay{ents: ents, pack: pack})
				}
				if got := sameEverywhere(t, i); got != tt.want {
					t.Fatalf("packed %q:\n%s\nwant\n%s", pack, got, tt.want)
				}
			}
		})
	}
}

// TestImageFaults opens images that are not what they say.
func TestImageFaults(t *testing.T) {
	good, more := lay{ents: files("a", "1"), pack: "gzip"}, lay{ents: files("b", "2"), pack: "gzip"}
	with := func(change func(l *lay)) lay {
		l := more
		change(&l)
		return l
	}
	whole := more.shipped()
	corrupt := bytes.Clone(whole)
	corrupt[len(corrupt)-6] ^= 1 // CRC
	random := make([]byte, 4096)
	for i := range random {
		random[i] = byte(i*7919 + i>>3)
	}
	cutTar := tarOf(files("b", "2", "c", strings.Repeat("3", 3000))...)
	cutTar = cutTar[:len(cutTar)-2048]
	for _, tt := range []struct {
		name string
		bad  lay
		want string
	}{
		{"good", more, "a@0 \"1\"\nb@1 \"2\"\n"},
		{"missing", with(func(l *lay) { l.missing = true }), "a@0 \"1\"\n!image-mismatch \n"},
		{"foreign, not distributed", with(func(l *lay) {
			l.missing, l.media = true, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
		}), "a@0 \"1\"\n!image-mismatch \n"},
		{"unknown media type, known content", with(func(l *lay) { l.media = "application/x-unknown" }), "a@0 \"1\"\nb@1 \"2\"\n"},
		{"media type of another compression", with(func(l *lay) { l.pack, l.media = "zstd", "application/vnd.oci.image.layer.v1.tar+gzip" }), "a@0 \"1\"\nb@1 \"2\"\n"},
		{"unknown content", with(func(l *lay) { l.blob = random }), "a@0 \"1\"\n!image-mismatch \n"},
		{"bzip2", with(func(l *lay) { l.blob = append([]byte("BZh91AY&SY"), random...) }), "a@0 \"1\"\n!unsupported-method \n"},
		{"wrong digest", with(func(l *lay) { l.digest = digestOfBytes([]byte("x")) }), "a@0 \"1\"\n!image-mismatch \n"},
		{"digest that is a path", with(func(l *lay) { l.digest = "sha256:../../../../etc/passwd" }), "a@0 \"1\"\n!image-mismatch \n"},
		{"digest of another kind", with(func(l *lay) { l.digest = Digest("sha512:" + strings.Repeat("0", 128)) }), "a@0 \"1\"\n!image-mismatch \n"},
		{"wrong size", with(func(l *lay) { l.size = 7 }), "a@0 \"1\"\n!image-mismatch \n"},
		{"negative size", with(func(l *lay) { l.size = -1 }), "a@0 \"1\"\n!image-mismatch \n"},
		{"wrong diff id", with(func(l *lay) { l.diff = digestOfBytes([]byte("x")) }), "a@0 \"1\"\n!image-mismatch \n"},
		{"diff id that is none", with(func(l *lay) { l.diff = "sha256:short" }), "a@0 \"1\"\n!image-mismatch \n"},
		{"gzip cut off", with(func(l *lay) { l.blob = whole[:len(whole)-20] }), "a@0 \"1\"\nb@1 \"2\"\n!truncated \n"},
		{"gzip cut in the header", with(func(l *lay) { l.blob = whole[:5] }), "a@0 \"1\"\n!truncated \n"},
		{"gzip with a wrong sum", with(func(l *lay) { l.blob = corrupt }), "a@0 \"1\"\nb@1 \"2\"\n?corrupt \n"},
		{"gzip cut in its sum", with(func(l *lay) { l.blob = whole[:len(whole)-6] }), "a@0 \"1\"\nb@1 \"2\"\n?hidden-entry \n"},
		{"data behind the gzip", with(func(l *lay) { l.blob = append(bytes.Clone(whole), "tail"...) }), "a@0 \"1\"\nb@1 \"2\"\n?hidden-entry \n"},
		{"two gzip members", with(func(l *lay) {
			half := len(l.unpacked()) / 2
			l.blob = append(gzipped(l.unpacked()[:half]), gzipped(l.unpacked()[half:])...)
		}), "a@0 \"1\"\nb@1 \"2\"\n"},
		{"data behind the tar", with(func(l *lay) { l.tar = append(tarOf(files("b", "2")...), tarOf(files("c", "3")...)...) }), "a@0 \"1\"\nb@1 \"2\"\n!hidden-entry \n"},
		{"tar cut within a file", with(func(l *lay) { l.tar = cutTar }), "a@0 \"1\"\nb@1 \"2\"\n!truncated \n!truncated c\n"},
		{"tar without end blocks", with(func(l *lay) { b := tarOf(files("b", "2")...); l.tar = b[:len(b)-1024] }), "a@0 \"1\"\nb@1 \"2\"\n"},
		{"no tar", with(func(l *lay) { l.tar = append([]byte("not a tar at all"), random...) }), "a@0 \"1\"\n!corrupt \n"},
		{"empty tar", with(func(l *lay) { l.tar = make([]byte, 1024) }), "a@0 \"1\"\n"},
		{"empty blob", with(func(l *lay) { l.pack, l.tar = "", []byte{} }), "a@0 \"1\"\n"},
		{"the same layer again", good, "a@1 \"1\"\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := oci(good, tt.bad)
			for _, ref := range []string{s.dir(t), tmp(t, "oci.tar", s.tar()), tmp(t, "oci.tar.gz", gzipped(s.tar()))} {
				f, err := openImage(t, ref, Spec{})
				if err != nil {
					t.Fatalf("%s: %v", filepath.Base(ref), err)
				}
				got := shown(t, f)
				if got != tt.want {
					t.Errorf("%s:\n%s\nwant\n%s", filepath.Base(ref), got, tt.want)
				}
				if out := strings.Contains(got, "!image-mismatch"); out != (f.Code.Digest == "") {
					t.Errorf("digest %q of an image with notices %+v: it is that of what was judged", f.Code.Digest, f.Notices())
				}
				f.Close()
			}
			// without any other layer, what is not there is no image
			if strings.HasPrefix(tt.want, "a@0 \"1\"\n!image-mismatch") {
				if f, err := openImage(t, oci(tt.bad).dir(t), Spec{}); !errors.Is(err, ErrUnreadable) {
					t.Errorf("alone: %v, %v", f, err)
				}
			}
		})
	}
}

// TestImageChoice chooses among several images and platforms.
func TestImageChoice(t *testing.T) {
	one := func(platform, body string) img {
		return img{platform: platform, layers: []lay{{ents: files("a", body), pack: "gzip"}}}
	}
	multi := func(s store) m {
		att := s.add(img{layers: []lay{{ents: files("attestation", "1")}}})
		att["platform"] = m{"os": "unknown", "architecture": "unknown"}
		att["annotations"] = map[string]string{annotationReference: "attestation-manifest"}
		return s.index(s.add(one("linux/arm64", "arm")), s.add(one("linux/amd64", "amd")), s.add(one("windows/amd64", "win")), att)
	}
	deep := func(s store, n int) m {
		d := s.add(one("", "deep"))
		for range n {
			d = s.index(d)
		}
		return d
	}
	for _, tt := range []struct {
		name  string
		build func(s store)
		arch  string
		image string
		want  string // content of a, or of the error
	}{
		{"amd64 first", func(s store) { s.top(multi(s)) }, "", "", "amd"},
		{"chosen", func(s store) { s.top(multi(s)) }, "arm64", "", "arm"},
		{"chosen by the platform's name", func(s store) { s.top(multi(s)) }, "x86_64", "", "amd"},
		{"not there", func(s store) { s.top(multi(s)) }, "s390x", "", "error no image for linux/s390x; there are linux/amd64, linux/arm64, windows/amd64"},
		{"only other ones", func(s store) { s.top(s.index(s.add(one("linux/arm64", "arm")), s.add(one("linux/s390x", "z")))) }, "", "", "error no image for linux/amd64, the default; there are linux/arm64, linux/s390x"},
		{"the only one", func(s store) { s.top(s.index(s.add(one("linux/arm64", "arm")))) }, "", "", "arm"},
		{"the only one is another", func(s store) { s.top(s.add(one("linux/arm64", "arm"))) }, "x86_64", "", "error no image for linux/amd64"},
		{"platform of the configuration", func(s store) {
			d := s.add(one("linux/arm64", "arm"))
			delete(d, "platform")
			s.top(d)
		}, "x86_64", "", "error no image for linux/amd64"},
		{"flat index.json", func(s store) { s.top(s.add(one("linux/arm64", "arm")), s.add(one("linux/amd64", "amd"))) }, "arm64", "", "arm"},
		{"two images", func(s store) { s.top(named(s.add(one("", "1")), "app:1"), named(s.add(one("", "2")), "app:2")) }, "", "", "error there are several images: append one of their names to the path, as in image.tar#NAME: app:1, app:2"},
		{"two images, one meant", func(s store) { s.top(named(s.add(one("", "1")), "app:1"), named(s.add(one("", "2")), "app:2")) }, "", "app:2", "2"},
		{"by the tag alone", func(s store) {
			s.top(named(s.add(one("", "1")), "registry.example/app:1"), named(s.add(one("", "2")), "registry.example/app:2"))
		}, "", "2", "2"},
		{"by the digest", func(s store) { s.top(s.add(one("", "1")), s.add(one("", "2"))) }, "", "DIGEST1", "1"},
		{"no such name", func(s store) { s.top(named(s.add(one("", "1")), "app:1")) }, "", "app:3", "error no image is called \"app:3\"; there are app:1"},
		{"two names of one image", func(s store) { d := s.add(one("", "1")); s.top(named(d, "a:1"), named(d, "a:latest")) }, "", "", "1"},
		{"platforms that were not saved", func(s store) {
			arm := s.add(one("linux/arm64", "arm"))
			d := s.index(s.add(one("linux/amd64", "amd")), arm)
			delete(s, "blobs/sha256/"+string(arm["digest"].(Digest))[7:])
			s.top(d)
		}, "", "", "amd"},
		{"the one asked for was not saved", func(s store) {
			arm := s.add(one("linux/arm64", "arm"))
			d := s.index(s.add(one("linux/amd64", "amd")), arm)
			delete(s, "blobs/sha256/"+string(arm["digest"].(Digest))[7:])
			s.top(d)
		}, "arm64", "", "error read manifest"},
		{"an artifact beside it", func(s store) {
			s.top(s.add(one("", "1")), s.add(img{configMedia: "application/vnd.cncf.helm.config.v1+json", layers: []lay{{ents: files("chart", "1")}}}))
		}, "", "", "1"},
		{"an artifact alone", func(s store) {
			s.top(s.add(img{configMedia: "application/vnd.cncf.helm.config.v1+json", layers: []lay{{ents: files("chart", "1")}}}))
		}, "", "", `error an artifact of type "application/vnd.cncf.helm.config.v1+json", no container image`},
		{"the type of the configuration in the descriptor", func(s store) {
			d := s.add(one("", "1"))
			d["artifactType"] = typeOCIConfig
			s.top(d)
		}, "", "", "1"},
		{"a referrer beside it", func(s store) {
			i := one("", "sbom")
			i.artifact = "application/spdx+json"
			d := s.add(i)
			d["artifactType"] = i.artifact
			s.top(s.add(one("", "1")), d)
		}, "", "", "1"},
		{"indexes in one another", func(s store) { s.top(deep(s, 2)) }, "", "", "deep"},
		{"too deep", func(s store) { s.top(deep(s, 5)) }, "", "", "error indexes lie more than 4 deep"},
		{"an index of itself", func(s store) {
			d := m{"mediaType": typeOCIIndex, "digest": "sha256:" + strings.Repeat("1", 64), "size": 0}
			body := []byte(fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":"sha256:%s","size":400}]}`, typeOCIIndex, typeOCIIndex, strings.Repeat("1", 64)))
			body = append(body, bytes.Repeat([]byte(" "), 400-len(body))...)
			s["blobs/sha256/"+strings.Repeat("1", 64)] = body
			d["size"] = 400
			s.top(d)
		}, "", "", "error has the digest"},
		{"too many", func(s store) {
			var all []m
			for i := range 300 {
				all = append(all, named(s.add(one("", fmt.Sprint(i))), fmt.Sprint("n", i)))
			}
			s.top(all...)
		}, "", "", "error more manifests than MaxManifests, 256"},
		{"none", func(s store) { s.top() }, "", "", "error index.json names no image"},
		{"giant manifest", func(s store) {
			d, n := s.json(m{"schemaVersion": 2, "config": m{}, "x": strings.Repeat("x", 5<<20)})
			s.top(m{"mediaType": typeOCIManifest, "digest": d, "size": n})
		}, "", "", "error over the limit MaxManifestBytes"},
		{"giant index.json", func(s store) { s.top(s.add(one("", "1"))); s["index.json"] = bytes.Repeat([]byte(" "), 5<<20) }, "", "", "error over the limit MaxManifestBytes"},
		{"index.json is nothing", func(s store) { s.top(); s["index.json"] = nil }, "", "", "error read index.json"},
		{"index.json twice over", func(s store) { s.top(s.add(one("", "1"))); s["index.json"] = append(s["index.json"], "{}"...) }, "", "", "error more than one JSON value"},
		{"index and manifest in one", func(s store) {
			d := s.add(one("", "1"))
			e, n := s.json(m{"schemaVersion": 2, "mediaType": typeOCIManifest, "manifests": []m{d}, "config": m{}, "layers": []m{}})
			s.top(m{"mediaType": typeOCIManifest, "digest": e, "size": n})
		}, "", "", "error one document is an index and a manifest"},
		{"schema 1", func(s store) {
			e, n := s.json(m{"schemaVersion": 1, "fsLayers": []m{}})
			s.top(m{"mediaType": typeDockerSchema1 + "+json", "digest": e, "size": n})
		}, "", "", "error schema 1"},
		{"manifest without configuration", func(s store) {
			e, n := s.json(m{"schemaVersion": 2, "layers": []m{}})
			s.top(m{"mediaType": typeOCIManifest, "digest": e, "size": n})
		}, "", "", "error has no configuration"},
		{"wrong digest of the manifest", func(s store) {
			d := s.add(one("", "1"))
			name := "blobs/sha256/" + string(d["digest"].(Digest))[7:]
			s[name] = bytes.Replace(s[name], []byte("application"), []byte("Application"), 1)
			s.top(d)
		}, "", "", "error has the digest"},
		{"too many layers", func(s store) {
			i := img{}
			for range 1001 {
				i.layers = append(i.layers, lay{ents: files("a", "1")})
			}
			s.top(s.add(i))
		}, "", "", "error over the limit MaxImageLayers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := store{}
			tt.build(s)
			if tt.image == "DIGEST1" {
				other := store{}
				tt.image = string(other.add(one("", "1"))["digest"].(Digest))
			}
			for _, ref := range []string{s.dir(t), tmp(t, "oci.tar", s.tar())} {
				if tt.image != "" {
					ref += "#" + tt.image
				}
				f, err := openImage(t, ref, Spec{Arch: tt.arch})
				if want, bad := strings.CutPrefix(tt.want, "error "); bad {
					if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, ErrUnreadable) && !errors.Is(err, ErrUnknownKind) {
						t.Errorf("%s: %v, want %q", filepath.Base(ref), err, want)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", filepath.Base(ref), err)
					continue
				}
				if b, err := f.Tree.ReadFile("a"); err != nil || string(b) != tt.want {
					t.Errorf("%s: %q, %v, want %q", filepath.Base(ref), b, err, tt.want)
				}
				f.Close()
			}
		})
	}
}

// TestDockerArchive opens what docker save writes.
func TestDockerArchive(t *testing.T) {
	i := img{layers: []lay{{ents: files("a", "1")}, {ents: files("b", "2")}}}
	change := func(f func(s store)) []byte { s := docker(i, "app:1"); f(s); return s.tar() }
	two := docker(img{layers: []lay{{ents: files("a", "other")}}}, "other:1")
	both := docker(i, "app:1")
	other := two["manifest.json"]
	for name, b := range two {
		if name != "manifest.json" {
			both["o/"+name] = b
		}
	}
	both["manifest.json"] = fmt.Appendf(nil, "%s,%s]", bytes.TrimSuffix(both["manifest.json"], []byte("]")),
		strings.NewReplacer(`"layer0`, `"o/layer0`, `"Config":"`, `"Config":"o/`).Replace(strings.TrimPrefix(string(other), "[")[:len(other)-2]))
	for _, tt := range []struct {
		name, image, want string
		tar               []byte
	}{
		{"good", "", "a@0 \"1\"\nb@1 \"2\"\n", docker(i, "app:1").tar()},
		{"layers in gzip", "", "a@0 \"1\"\n", docker(img{layers: []lay{{ents: files("a", "1"), pack: "gzip"}}}).tar()},
		{"named", "app:1", "a@0 \"1\"\nb@1 \"2\"\n", docker(i, "registry.example/app:1").tar()},
		{"several", "", "error app:1, other:1", both.tar()},
		{"one of several", "other:1", "a@0 \"other\"\n", both.tar()},
		{"none of several", "third", `error no image is called "third"; there are app:1, other:1`, both.tar()},
		{"links between layers, as older versions save space", "", "a@0 \"1\"\nb@1 \"2\"\n", func() []byte {
			s := docker(i)
			body := s["layer1/layer.tar"]
			delete(s, "layer1/layer.tar")
			return append(bytes.TrimSuffix(s.tar(), make([]byte, 1024)), tarOf(tlink("layer1/layer.tar", "../real/layer.tar"), tent{name: "real/layer.tar", body: string(body)})...)
		}()},
		{"links in a loop", "", "error no layer can be read", func() []byte {
			s := docker(img{layers: i.layers[:1]})
			delete(s, "layer0/layer.tar")
			return append(bytes.TrimSuffix(s.tar(), make([]byte, 1024)), tarOf(tlink("layer0/layer.tar", "../x"), tlink("x", "layer0/layer.tar"))...)
		}()},
		{"layers outside", "", "error no layer can be read", change(func(s store) {
			s["manifest.json"] = bytes.ReplaceAll(s["manifest.json"], []byte(`layer0/layer.tar`), []byte(`../../../../etc/passwd`))
			s["manifest.json"] = bytes.ReplaceAll(s["manifest.json"], []byte(`layer1/layer.tar`), []byte(`/etc/passwd`))
		})},
		{"layer missing", "", "b@1 \"2\"\n!image-mismatch \n", change(func(s store) { delete(s, "layer0/layer.tar") })},
		{"layer changed", "", "a@0 \"1\"\n!image-mismatch \n", change(func(s store) { s["layer1/layer.tar"] = tarOf(files("evil", "1")...) })},
		{"configuration changed", "", "error has the digest", change(func(s store) {
			for name := range s {
				if strings.HasSuffix(name, ".json") && name != "manifest.json" {
					s[name] = append(s[name], ' ')
				}
			}
		})},
		{"fewer layers than the configuration says", "", "error the configuration lists 2 layers, the manifest 1", change(func(s store) {
			s["manifest.json"] = bytes.Replace(s["manifest.json"], []byte(`,"layer1/layer.tar"`), nil, 1)
		})},
		{"no configuration", "", "error read configuration", change(func(s store) {
			s["manifest.json"] = bytes.Replace(s["manifest.json"], []byte(`"Config":"`), []byte(`"Config":"x`), 1)
		})},
		{"empty list", "", "error manifest.json names no image", change(func(s store) { s["manifest.json"] = []byte("[]") })},
		{"manifest.json is an object", "", "error read manifest.json", change(func(s store) { s["manifest.json"] = []byte("{}") })},
		{"manifest.json twice", "", "a@0 \"1\"\nb@1 \"2\"\n!duplicate-name \n", func() []byte {
			s := docker(i)
			return append(bytes.TrimSuffix(tarOf(tent{name: "manifest.json", body: "[]"}), make([]byte, 1024)), s.tar()...)
		}()},
		{"neither", "", "error no container image", tarOf(files("hello", "world")...)},
		{"a source tarball", "", "error no container image", tarOf(files("package/package.json", "{}")...)},
		{"cut off", "", "error", docker(i).tar()[:3000]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, b := range [][]byte{tt.tar, gzipped(tt.tar)} {
				ref := tmp(t, "image.tar", b)
				if tt.image != "" {
					ref += "#" + tt.image
				}
				f, err := openImage(t, ref, Spec{})
				if want, bad := strings.CutPrefix(tt.want, "error"); bad {
					if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
						t.Errorf("%v, want %q", err, want)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := shown(t, f); got != tt.want {
					t.Errorf("%s\nwant\n%s", got, tt.want)
				}
				f.Close()
			}
		})
	}
}

// TestLayoutLinks: a layout folder cannot make the program read what lies
// outside of it, nor wait for a pipe.
func TestLayoutLinks(t *testing.T) {
	s := oci(lay{ents: files("a", "1")})
	dir := s.dir(t)
	outside := tmp(t, "index.json", s["index.json"])
	index := filepath.Join(dir, "index.json")
	if err := os.Remove(index); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, index); err != nil {
		t.Skip("no symbolic links here")
	}
	if f, err := openImage(t, "oci:"+dir, Spec{}); err == nil {
		t.Errorf("opened through a link that leads out: %+v", f)
	}
}

func TestImageLimits(t *testing.T) {
	body := strings.Repeat("0123456789", 100_000)
	s := oci(lay{ents: files("a", "1"), pack: "gzip"}, lay{ents: files("b", body, "c", "3"), pack: "gzip"})
	for _, tt := range []struct {
		name string
		lim  Limits
		want string // of a notice or an error
	}{
		{"MaxRatio", Limits{MaxRatio: 5, RatioGrace: 1 << 10}, "MaxRatio"},
		{"MaxLayerBytes", Limits{MaxLayerBytes: 500_000}, "MaxLayerBytes"},
		{"MaxLayersBytes", Limits{MaxLayersBytes: 500_000}, "error MaxLayersBytes"},
		{"MaxEntries", Limits{MaxEntries: 2}, "error MaxEntries"},
		{"MaxPathBytes", Limits{MaxPathBytes: 2}, "error MaxPathBytes"},
		{"MaxImageBytes", Limits{MaxImageBytes: 1000}, "error MaxImageBytes"},
		{"MaxImageLayers", Limits{MaxImageLayers: 1}, "error MaxImageLayers"},
		{"MaxConfigBytes", Limits{MaxConfigBytes: 10}, "error MaxConfigBytes"},
		{"MaxManifestBytes", Limits{MaxManifestBytes: 10}, "error MaxManifestBytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, b := range [][]byte{s.tar(), gzipped(s.tar())} {
				o := Opener{Limits: tt.lim}
				f, err := o.Open(context.Background(), Spec{Ref: tmp(t, "oci.tar", b)})
				if want, bad := strings.CutPrefix(tt.want, "error "); bad {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("error %v", err)
					}
					continue
				}
				if err != nil { // all of the archive is one stream
					if !strings.Contains(err.Error(), tt.want) {
						t.Error(err)
					}
					continue
				}
				found := false
				for _, n := range f.Notices() {
					found = found || n.Kind == NoticeLimit && n.Unread && strings.Contains(n.Detail, tt.want)
				}
				if !found {
					t.Errorf("notices %+v", f.Notices())
				}
				f.Close()
			}
		})
	}
}

// TestImageReadLater reads files of compressed layers that were not kept, in a
// bad order, from several goroutines.
func TestImageReadLater(t *testing.T) {
	var ents []tent
	for i := range 300 {
		ents = append(ents, tent{name: fmt.Sprintf("f%03d", i), body: strings.Repeat(fmt.Sprint(i, " "), 5000)})
	}
	s := oci(lay{ents: ents, pack: "gzip"}, lay{ents: files("f000", "new"), pack: "zstd"})
	for _, ref := range []string{s.dir(t), tmp(t, "oci.tar.gz", gzipped(s.tar()))} {
		o := Opener{Wanted: func(string, int64, []byte) bool { return false }}
		f, err := o.Open(context.Background(), Spec{Ref: ref})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() }) // when the parallel ones are done
		for g := range 3 {
			t.Run(fmt.Sprint(g), func(t *testing.T) {
				t.Parallel()
				for i := range 300 {
					n := (i*(97+2*g) + g) % 300
					want := strings.Repeat(fmt.Sprint(n, " "), 5000)
					if n == 0 {
						want = "new"
					}
					if b, err := f.Tree.ReadFile(fmt.Sprintf("f%03d", n)); err != nil || string(b) != want {
						t.Fatalf("f%03d: %d bytes, %v", n, len(b), err)
					}
				}
			})
		}
	}
}

// TestImageChanged: a file that is swapped while it is open is noticed.
func TestImageChanged(t *testing.T) {
	body := strings.Repeat("0123456789", 200_000)
	path := tmp(t, "docker.tar", docker(img{layers: []lay{{ents: files("a", body)}}}).tar())
	f, err := openImage(t, path, Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(raw, []byte("0123456789"), []byte("9876543210")), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := f.Tree.ReadFile("a"); !errors.Is(err, ErrUnreadable) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestImageCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := oci(lay{ents: files("a", "1"), pack: "gzip"})
	for _, ref := range []string{s.dir(t), tmp(t, "a.tar", s.tar()), tmp(t, "a.tar.gz", gzipped(s.tar()))} {
		if _, err := new(Opener).Open(ctx, Spec{Ref: ref}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", filepath.Base(ref), err)
		}
	}
}
