package catalog

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestStaleVersion: code whose version nobody counted up is what the metadata
// says, as long as RECORD has the hashes of both.
func TestStaleVersion(t *testing.T) {
	metadata := "Metadata-Version: 2.1\nName: requests\nVersion: 2.31.0\n"
	code := "\xef\xbb\xbf__version__ = '2.19.0'\n"
	row := func(name, content string) string {
		sum := sha256.Sum256([]byte(content))
		return fmt.Sprintf("%s,sha256=%s,%d\r\n", name, base64.RawURLEncoding.EncodeToString(sum[:]), len(content))
	}
	vouched := row("requests/__init__.py", code) + row("requests-2.31.0.dist-info/METADATA", metadata)
	for name, c := range map[string]struct {
		record string
		both   bool
	}{
		"vouched for":            {vouched, false},
		"metadata was changed":   {row("requests/__init__.py", code) + row("requests-2.31.0.dist-info/METADATA", metadata+"x"), true},
		"code was changed":       {row("requests/__init__.py", code+"#") + row("requests-2.31.0.dist-info/METADATA", metadata), true},
		"metadata is not listed": {row("requests/__init__.py", code), true},
		"no hashes":              {"requests/__init__.py,,\nrequests-2.31.0.dist-info/METADATA,,\n", true},
		"said twice":             {vouched + "requests/__init__.py,sha256=AAAA,1\n", false},
	} {
		s := catalogueFiles(t, "python3.12", []txtar.File{
			{Name: "function/requests-2.31.0.dist-info/METADATA", Data: []byte(metadata)},
			{Name: "function/requests-2.31.0.dist-info/RECORD", Data: []byte(c.record)},
			{Name: "function/requests/__init__.py", Data: []byte(code)},
		})
		if len(s.Components) != 1 {
			t.Fatalf("%s: %d components", name, len(s.Components))
		}
		got := s.Components[0]
		if both := got.Version == "" && strings.Join(got.Versions, " ") == "2.19.0 2.31.0"; both != c.both {
			t.Errorf("%s: version %q, candidates %q", name, got.Version, got.Versions)
		}
		if text := render(s); !strings.Contains(text, "the code says version 2.19.0") || !strings.Contains(text, "? unmatched code=false 0 requests/__init__.py") {
			t.Errorf("%s: the disagreement is not shown:\n%s", name, text)
		}
	}
}
