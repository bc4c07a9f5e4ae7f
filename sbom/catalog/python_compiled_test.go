package catalog

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestUncheckedCode has files of Python 3.11 that note the hash of "x = 1\n".
func TestUncheckedCode(t *testing.T) {
	const hash = "4c0372aa93f75252"
	pyc := func(flags string) string {
		head, err := hex.DecodeString("a70d0d0a" + flags + hash)
		if err != nil {
			t.Fatal(err)
		}
		return string(head) + "\xe3rest"
	}
	for name, c := range map[string]struct {
		flags, source string
		want          bool
	}{
		"of this source":            {"01000000", "x = 1\n", false},
		"of another source":         {"01000000", "x = 2\n", true},
		"of no text without a mark": {"01000000", "\xef\xbb\xbfx = 1\n", true},
		"checked":                   {"03000000", "x = 2\n", false},
		"by time and size":          {"00000000", "x = 2\n", false},
	} {
		for _, owned := range []bool{false, true} {
			files := []txtar.File{
				{Name: "function/pkg/__init__.py", Data: []byte(c.source)},
				{Name: "function/pkg/__pycache__/__init__.cpython-311.pyc", Data: []byte(pyc(c.flags))},
			}
			if owned {
				files = append(files, txtar.File{Name: "function/pkg-1.0.dist-info/METADATA", Data: []byte("Name: pkg\nVersion: 1.0\n")})
			}
			got := render(catalogueFiles(t, "python3.11", files))
			if said := strings.Contains(got, "? opaque code=true 0 pkg/__pycache__/__init__.cpython-311.pyc: Python loads it without a look at __init__.py"); said != c.want || !said && strings.Contains(got, "?") {
				t.Errorf("%s, owned %v:\n%s", name, owned, got)
			}
		}
	}
}

// TestUnreadableCompiled: the name of a package whose compiled code is broken is
// not all that is said of it.
func TestUnreadableCompiled(t *testing.T) {
	for _, p := range []string{"yaml/__init__.pyc", "yaml/__pycache__/__init__.cpython-311.pyc", "six.pyc"} {
		got := render(catalogueFiles(t, "python3.11", []txtar.File{{Name: "function/" + p, Data: []byte("\xa7\x0d\x0d\x0a0123456789ab\xe3cut")}}))
		if !strings.Contains(got, "? unreadable code=true 0 "+p+": ") {
			t.Errorf("%s:\n%s", p, got)
		}
	}
	beside := []txtar.File{{Name: "function/yaml/__init__.py", Data: []byte("__version__ = '6.0'\n")}, {Name: "function/yaml/__pycache__/__init__.cpython-311.pyc", Data: []byte("broken and never loaded")}}
	if got := render(catalogueFiles(t, "python3.11", beside)); strings.Contains(got, "?") || !strings.Contains(got, "pyyaml@6.0") {
		t.Errorf("beside its source:\n%s", got)
	}
}
