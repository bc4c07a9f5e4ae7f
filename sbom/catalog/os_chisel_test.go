package catalog

import (
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/txtar"
)

const chiselWall = `{"jsonwall":"1.0","schema":"1.0","count":8}
{"kind":"content","slice":"libacme1_libs","path":"/usr/lib/libacme.so.1"}
{"kind":"package","name":"base-files","version":"13ubuntu10","sha256":"00","arch":"amd64"}
{"kind":"package","name":"libacme1","version":"1:3.0-2ubuntu1","sha256":"00","arch":"amd64"}
{"kind":"path","path":"/usr/lib/","mode":"0755"}
{"kind":"path","path":"/usr/lib/libacme.so.1","mode":"0644","slices":["libacme1_libs"],"sha256":"00","size":4}
{"kind":"path","path":"/var/lib/chisel/manifest.wall","mode":"0644","slices":["base-files_chisel"]}
{"kind":"slice","name":"libacme1_libs"}
`

func packZstd(t testing.TB, text string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll([]byte(text), nil)
}

// TestChisel reads the manifest of a chiselled Ubuntu. What cannot be read of
// it must not look like a system without packages.
func TestChisel(t *testing.T) {
	const (
		at     = "var/lib/chisel/manifest.wall"
		source = "chisel's manifest does not name source packages: advisories were looked up under the packages' own names only"
	)
	both := []string{"pkg:deb/ubuntu/base-files@13ubuntu10?arch=amd64&distro=ubuntu-24.04", "pkg:deb/ubuntu/libacme1@1:3.0-2ubuntu1?arch=amd64&distro=ubuntu-24.04"}
	cut := strings.SplitAfter(chiselWall, "\n")
	for _, tt := range []struct {
		name  string
		data  []byte
		found []string
		want  string // reason of the only unknown
	}{
		{"whole", packZstd(t, chiselWall), both, source},
		{"lines missing", packZstd(t, strings.Join(cut[:5], "")), both, "it has 5 of 8 lines"},
		{"a line broken", packZstd(t, strings.Replace(chiselWall, `{"kind":"path"`, `{"kind":`, 1)), both, "line 5"},
		{"a package twice", packZstd(t, strings.Replace(chiselWall, "base-files", "libacme1", 1)), []string{"pkg:deb/ubuntu/libacme1@13ubuntu10?arch=amd64&distro=ubuntu-24.04"}, "comes twice"},
		{"a package without a version", packZstd(t, strings.Replace(chiselWall, `"version":"13ubuntu10"`, `"x":"y"`, 1)), nil, "without a name or a version"},
		{"another format", packZstd(t, strings.Replace(chiselWall, `"jsonwall":"1.0"`, `"jsonwall":"2.0"`, 1)), nil, "a format that is not known"},
		{"no package", packZstd(t, `{"jsonwall":"1.0","schema":"1.0","count":1}`), nil, errNoPackage.Error()},
		{"truncated", packZstd(t, chiselWall)[:60], nil, "read manifest of chisel"},
		{"not compressed", []byte(chiselWall), nil, "read manifest of chisel"},
		{"empty", nil, nil, "it is empty"},
		{"a bomb", packZstd(t, `{"jsonwall":"1.0","count":9}`+"\n"+strings.Repeat("{}\n", maxChiselLines)), nil, "lines, over the limit"},
		{"a bomb of blanks", packZstd(t, `{"jsonwall":"1.0","count":9}`+"\n"+strings.Repeat(strings.Repeat(" ", 60<<10)+"{}\n", 1100)), nil, "bytes of a manifest, over the limit"},
		{"a long line", packZstd(t, `{"jsonwall":"1.0","count":9}`+"\n"+strings.Repeat(" ", maxChiselLine+1)), nil, "token too long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := catalogueFiles(t, "", []txtar.File{
				{Name: "function/etc/os-release", Data: []byte("ID=ubuntu\nVERSION_ID=\"24.04\"\n")},
				{Name: "function/usr/lib/libacme.so.1", Data: []byte("\x7fELF")},
				{Name: "function/" + at, Data: tt.data},
			})
			var found []string
			for _, c := range s.Components {
				found = append(found, c.PURL)
			}
			if strings.Join(found, " ") != strings.Join(tt.found, " ") {
				t.Errorf("found %q, want %q", found, tt.found)
			}
			said := false
			for _, u := range s.Unknowns {
				said = said || u.Path == at && u.Code && strings.Contains(u.Reason, tt.want)
			}
			if !said {
				t.Errorf("unknowns %+v, want %q", s.Unknowns, tt.want)
			}
		})
	}
}

func FuzzChisel(f *testing.F) {
	f.Add([]byte(chiselWall))
	f.Add([]byte(`{"jsonwall":"1.0","count":2}` + "\n" + `{"kind":"path","path":"/","slices":["a_b","_",""]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := chiselManifest{at: "x", packages: map[string]*osPackage{}}
		_ = m.read(t.Context(), strings.NewReader(string(data)))
		for name, p := range m.packages {
			if name == "" || p.version == "" {
				t.Errorf("package %q of version %q", name, p.version)
			}
		}
	})
}
