package bundle

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// linkZip writes a zip of one file and one link.
func linkZip(t *testing.T, name, link, to string) string {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for path, content := range map[string]string{"a.js": "1", link: to} {
		if path == "" {
			continue
		}
		h := &zip.FileHeader{Name: path}
		h.SetMode(0o644)
		if path == link {
			h.SetMode(0o777 | os.ModeSymlink)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMountedLinks: a link into a layer that nobody gave leads to code that
// nobody has seen.
func TestMountedLinks(t *testing.T) {
	for _, tt := range []struct {
		name, to string
		layer    bool
		platform Platform
		unread   bool
	}{
		{"a layer that is there", "/opt/a.js", true, PlatformAWS, false},
		{"a layer that is not", "/opt/a.js", false, PlatformAWS, true},
		{"another file of it", "/opt/b.js", true, PlatformAWS, true},
		{"a folder of a layer", "/opt", true, PlatformAWS, false},
		{"the function itself", "/var/task/a.js", false, PlatformAWS, false},
		{"nothing in the function", "/var/task/../task/b.js", false, PlatformAWS, true},
		{"the function, on no platform", "/var/task/a.js", false, PlatformNone, false},
		{"out of it all", "/etc/passwd", true, PlatformAWS, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := Spec{Ref: linkZip(t, "f.zip", "index.js", tt.to), Platform: tt.platform}
			if tt.layer {
				spec.Layers = []string{linkZip(t, "l.zip", "", "")}
			}
			f, err := new(Opener).Open(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			unread := false
			for _, n := range f.Notices() {
				unread = unread || n.Unread && n.Path == "index.js" && n.Kind == NoticeLinkEscape && strings.Contains(n.Detail, "link to")
			}
			if unread != tt.unread {
				t.Errorf("unread %v, want %v: %+v", unread, tt.unread, f.Notices())
			}
		})
	}
}
