package catalog

import (
	"strings"
	"testing"
)

// FuzzNamesAndTails: what is read from folder names and from the ends of files
// must neither panic nor make up anything.
func FuzzNamesAndTails(f *testing.F) {
	f.Add([]byte("requests-2.19.0.dist-info"))
	f.Add([]byte("http-2-0.10.1-x86_64-linux"))
	f.Add(zipOf(f, "a"))
	f.Add(gzipped(f, []byte("\x7fELF")))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, split := range []func(string) (string, string){gemFolder, pythonFolder} {
			name, version := split(string(data))
			if (name == "") != (version == "") {
				t.Errorf("name %q, version %q", name, version)
			}
			if name != "" && !strings.HasPrefix(string(data), name+"-"+version) {
				t.Errorf("%q: name %q, version %q", data, name, version)
			}
		}
		if zipEnd(data) && len(data) < 22 {
			t.Error("an end record in less than its size")
		}
		_ = insideGzip(data)
		_, _, _ = scanRequirements(data)
	})
}
