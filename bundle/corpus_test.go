package bundle

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestCorpus opens and reads whole every zip and jar of the shared corpus and
// holds the result against the truth beside it, as far as this package can tell.
func TestCorpus(t *testing.T) {
	root := os.Getenv("FNAUDIT_SHARED")
	if root == "" {
		t.Skip("FNAUDIT_SHARED is not set: the corpus of real and hostile packages was NOT read")
	}
	files, err := filepath.Glob(filepath.Join(root, "corpus", "open", "*", "*.*"))
	if err != nil || len(files) < 50 {
		t.Fatalf("corpus of %d files: %v", len(files), err)
	}
	// what is special about a hostile case must be noticed
	notices := map[string]NoticeKind{
		"hostile-bomb-overlap": NoticeOverlap, "hostile-bomb-ratio": NoticeLimit, "hostile-bzip2-lzma": NoticeMethod,
		"hostile-cd-lfh-mismatch": NoticeHeader, "hostile-comment-eocd": NoticeHidden, "hostile-corrupt-deflate": NoticeCorrupt,
		"hostile-count-lies": NoticeHeader, "hostile-declared-2gb": NoticeSize, "hostile-declared-small": NoticeSize,
		"hostile-dup-names": NoticeDuplicate, "hostile-empty-zip": NoticeEmpty, "hostile-encrypted": NoticeEncrypted,
		"hostile-escapes": NoticeName, "hostile-hidden-entry": NoticeHidden, "hostile-long-names": NoticeLimit,
		"hostile-nul-names": NoticeName, "hostile-same-offset": NoticeOverlap, "hostile-sfx-prefix": NoticeHidden,
		"hostile-slip-absolute": NoticeTraversal, "hostile-slip-backslash": NoticeTraversal, "hostile-slip-relative": NoticeTraversal,
		"hostile-symlink-escape": NoticeLinkEscape, "hostile-symlink-loop": NoticeLinkLoop, "hostile-unknown-method": NoticeMethod,
		"hostile-wrong-crc": NoticeCRC, "hostile-big-package-json": NoticeLimit,
		// nothing is odd about the archive itself
		"hostile-data-descriptor": "", "hostile-zip64": "", "hostile-unicode-names": "", "hostile-deep-json": "", "hostile-elf-lies": "",
		"hostile-bomb-nested": "", "hostile-jar-depth": "", "hostile-js-monster": "", "hostile-malformed-metadata": "", "hostile-map-monster": "",
		"hostile-odd-manifests": "", "hostile-xml-bomb": "", "hostile-yaml-bomb": "",
	}
	for _, file := range files {
		dir, name := filepath.Split(file)
		if ext := filepath.Ext(name); ext != ".zip" && ext != ".jar" {
			continue
		}
		c := filepath.Base(dir)
		t.Run(c+"/"+name, func(t *testing.T) {
			var truth struct {
				Expect   string
				Forbid   []string `json:"must_not_contain"`
				Packages []struct{ Path, How string }
			}
			raw, err := os.ReadFile(filepath.Join(dir, "truth.json"))
			if err == nil {
				err = json.Unmarshal(raw, &truth)
			}
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var o Opener
			f, err := o.Open(context.Background(), Spec{Ref: file})
			if err != nil {
				if truth.Expect != "reject" {
					t.Errorf("expect %q, error %v", truth.Expect, err)
				}
				return
			}
			defer f.Close()
			checkFiles(t, f.Tree.Files())
			for _, file := range f.Tree.Files() {
				if c, err := f.Tree.Content(file.Path); err == nil {
					io.Copy(io.Discard, c)
					c.Close()
				}
			}
			runtime.ReadMemStats(&after)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			if grew := int64(after.HeapAlloc) - int64(before.HeapAlloc); grew > 256<<20 {
				t.Errorf("the heap grew by %d bytes", grew)
			}
			unread, kinds := false, map[NoticeKind]bool{}
			var shown strings.Builder
			for _, n := range f.Notices() {
				unread, kinds[n.Kind] = unread || n.Unread, true
				shown.WriteString(n.Path + n.Detail)
			}
			for _, file := range f.Tree.Files() {
				shown.WriteString(file.Path)
			}
			want, listed := notices[c]
			switch {
			case strings.HasPrefix(c, "hostile-") && !listed:
				t.Errorf("case without an expectation here; notices %+v", f.Notices())
			case want == "" && len(kinds) > 0:
				t.Errorf("notices about a good archive: %+v", f.Notices())
			case want != "" && !kinds[want]:
				t.Errorf("no notice of kind %q: %+v", want, f.Notices())
			}
			if truth.Expect == "reject" && !unread {
				t.Errorf("must be rejected, and nothing is unread")
			}
			for _, s := range truth.Forbid {
				if s != "<script" && s != "<svg" && s != "<img" && strings.Contains(shown.String(), s) { // markup is for whoever prints
					t.Errorf("%q comes out", s)
				}
			}
			for _, p := range truth.Packages {
				if p.How == "installed" && strings.HasPrefix(p.Path, "node_modules/") && name == "function.zip" && !strings.HasPrefix(c, "layers-") {
					if _, err := f.Tree.Stat(f.Layers[0].Mount + "/" + p.Path); err != nil {
						t.Errorf("package not listed: %v", err)
					}
				}
			}
		})
	}
}

// TestCorpusImages opens the images of the shared corpus. What is hostile about
// one must be noticed, or keep it from being opened.
func TestCorpusImages(t *testing.T) {
	root := os.Getenv("FNAUDIT_SHARED")
	if root == "" {
		t.Skip("FNAUDIT_SHARED is not set: the corpus of real and hostile images was NOT read")
	}
	files, err := filepath.Glob(filepath.Join(root, "corpus", "open", "*", "image*"))
	if err != nil || len(files) < 15 {
		t.Fatalf("corpus of %d files: %v", len(files), err)
	}
	notices := map[string]NoticeKind{
		"hostile-tar-devices": NoticeSpecial, "hostile-tar-hardlink": NoticeLinkEscape, "hostile-tar-pax": NoticeHeader, "hostile-tar-sizes": NoticeCorrupt,
		"hostile-tar-slip": NoticeTraversal, "hostile-oci-many-layers": NoticeImage, "hostile-layer-gzbomb": NoticeLimit,
	}
	for _, file := range files {
		dir, name := filepath.Split(file)
		c := filepath.Base(dir)
		t.Run(c+"/"+name, func(t *testing.T) {
			var truth struct {
				Expect   string
				Packages []struct{ Path string }
			}
			raw, err := os.ReadFile(filepath.Join(dir, "truth.json"))
			if err == nil {
				err = json.Unmarshal(raw, &truth)
			}
			if err != nil {
				t.Fatal(err)
			}
			f, err := new(Opener).Open(context.Background(), Spec{Ref: file})
			if err != nil {
				if truth.Expect != "reject" {
					t.Errorf("expect %q, error %v", truth.Expect, err)
				}
				return
			}
			defer f.Close()
			if truth.Expect == "reject" {
				t.Errorf("must be rejected; notices %+v", f.Notices())
			}
			checkFiles(t, f.Tree.Files())
			kinds := map[NoticeKind]bool{}
			for _, n := range f.Notices() {
				kinds[n.Kind] = true
			}
			if want := notices[c]; want != "" && !kinds[want] {
				t.Errorf("no notice of kind %q: %+v", want, f.Notices())
			} else if want == "" && len(kinds) > 0 {
				t.Errorf("notices about a good image: %+v", f.Notices())
			}
			for _, p := range truth.Packages {
				if _, err := f.Tree.Stat(p.Path); err != nil {
					t.Errorf("package not listed: %v", err)
				}
			}
		})
	}
}
