package trust

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

var (
	popularFrom = flag.String("popular", "", "npm=FILE or pypi=FILE: names one a line, most downloaded first")
	popularAsOf = flag.String("as-of", "", "day of that file, as 2026-11-01")
)

// How many names of each system are worth imitating, and down to which place a
// name is in wide use, so that it is nobody's imitation.
var popularCounts = map[registry.System]struct{ imitated, used int }{
	registry.NPM:  {5000, 50_000}, // about 11 million and 50,000 downloads a month
	registry.PyPI: {3000, 15_000},
}

// TestRefreshPopular writes a list anew:
//
//	go test ./sbom/trust -run TestRefreshPopular -popular npm=names.txt -as-of 2026-11-01
//
// from names in the order of their downloads, as public counts of downloads
// give them. Without the flag it does nothing.
func TestRefreshPopular(t *testing.T) {
	if *popularFrom == "" {
		t.Skip("no -popular")
	}
	typ, file, _ := strings.Cut(*popularFrom, "=")
	system := registry.System(typ)
	counts := popularCounts[system]
	names := readLines(t, file)
	if len(names) < counts.imitated {
		t.Fatalf("%s has %d names, fewer than %d", file, len(names), counts.imitated)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# as_of: %s\n# source: the %d most downloaded packages of %s\n", *popularAsOf, counts.imitated, typ)
	seen := map[string]bool{}
	for _, name := range names[:counts.imitated] {
		if name = spelling(system, name); !seen[name] && len(name) <= maxListed {
			seen[name] = true
			b.WriteString(name + "\n")
		}
	}
	list := newNameList(system, b.String())
	fmt.Fprintf(&b, "# siblings: names that look like one of those, of the %d most downloaded\n", counts.used)
	for _, name := range names[counts.imitated:min(counts.used, len(names))] {
		if name = spelling(system, name); seen[name] {
			continue
		} else if _, ok := list.resembles(name); ok {
			seen[name] = true
			b.WriteString(name + "\n")
		}
	}
	if err := os.WriteFile(filepath.Join("popular", typ+".txt"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readLines(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	for s := bufio.NewScanner(f); s.Scan(); {
		out = append(out, s.Text())
	}
	return out
}
