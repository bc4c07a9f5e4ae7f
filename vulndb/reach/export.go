package reach

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// The file layout that x/vuln reads (https://go.dev/doc/security/vuln/database,
// "API", v1): index/db.json, index/modules.json, index/vulns.json, ID/<id>.json.

type entry struct {
	SchemaVersion string     `json:"schema_version"`
	ID            string     `json:"id"`
	Modified      time.Time  `json:"modified"`
	Published     time.Time  `json:"published"`
	Withdrawn     *time.Time `json:"withdrawn,omitempty"`
	Aliases       []string   `json:"aliases,omitempty"`
	Summary       string     `json:"summary,omitempty"`
	Details       string     `json:"details"`
	Affected      []affected `json:"affected"`
}

type affected struct {
	Package struct {
		Name      string `json:"name"`
		Ecosystem string `json:"ecosystem"`
	} `json:"package"`
	Ranges            []versionRange `json:"ranges"`
	EcosystemSpecific struct {
		Imports []imported `json:"imports,omitempty"`
	} `json:"ecosystem_specific"`
}

type versionRange struct {
	Type   string              `json:"type"`
	Events []map[string]string `json:"events"`
}

type imported struct {
	Path    string   `json:"path"`
	GOOS    []string `json:"goos,omitempty"`
	GOARCH  []string `json:"goarch,omitempty"`
	Symbols []string `json:"symbols,omitempty"`
}

type indexed struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Aliases  []string  `json:"aliases,omitempty"`
}

type indexedModule struct {
	Path  string    `json:"path"`
	Vulns []indexed `json:"vulns"`
}

// export writes advisories in the layout below dir. An advisory whose id is no
// file name everywhere is left out.
func export(dir string, advisories []*vulndb.Advisory) error {
	for _, d := range []string{"index", "ID"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return fmt.Errorf("write advisories: %w", err)
		}
	}
	var newest time.Time
	vulns, modules := []indexed{}, map[string][]indexed{}
	for _, a := range advisories {
		if !plainID(a.ID) {
			continue
		}
		if a.Modified.After(newest) {
			newest = a.Modified
		}
		if err := writeJSON(filepath.Join(dir, "ID", a.ID+".json"), convert(a)); err != nil {
			return err
		}
		vulns = append(vulns, indexed{a.ID, a.Modified, a.Aliases})
		for i := range a.Affected {
			name := a.Affected[i].Name
			// No fixed version here: the index only saves look-ups, the ranges decide.
			if of := modules[name]; len(of) == 0 || of[len(of)-1].ID != a.ID {
				modules[name] = append(of, indexed{ID: a.ID, Modified: a.Modified})
			}
		}
	}
	list := []indexedModule{}
	for path, of := range modules {
		list = append(list, indexedModule{path, of})
	}
	slices.SortFunc(list, func(a, b indexedModule) int { return strings.Compare(a.Path, b.Path) })
	for name, v := range map[string]any{"db": indexed{Modified: newest}, "modules": list, "vulns": vulns} {
		if err := writeJSON(filepath.Join(dir, "index", name+".json"), v); err != nil {
			return err
		}
	}
	return nil
}

// plainID says whether an id is a file name on every system: GO-2021-0113.
func plainID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		if !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' && i > 0) {
			return false
		}
	}
	return true
}

func convert(a *vulndb.Advisory) entry {
	e := entry{SchemaVersion: "1.3.1", ID: a.ID, Modified: a.Modified, Published: a.Published, Aliases: a.Aliases, Summary: a.Summary, Affected: []affected{}}
	if !a.Withdrawn.IsZero() {
		e.Withdrawn = &a.Withdrawn
	}
	for i := range a.Affected {
		from := &a.Affected[i]
		if from.Ecosystem != "Go" {
			continue
		}
		var to affected
		to.Package.Name, to.Package.Ecosystem = from.Name, from.Ecosystem
		for _, r := range from.Ranges {
			if r.Type != vulndb.SemVer {
				continue // x/vuln knows no other
			}
			out := versionRange{Type: string(r.Type)}
			for _, ev := range r.Events {
				out.Events = append(out.Events, map[string]string{string(ev.Kind): ev.Version})
			}
			to.Ranges = append(to.Ranges, out)
		}
		for _, im := range from.Imports {
			to.EcosystemSpecific.Imports = append(to.EcosystemSpecific.Imports, imported{Path: im.Path, GOOS: im.GOOS, GOARCH: im.GOARCH, Symbols: im.Symbols})
		}
		e.Affected = append(e.Affected, to)
	}
	return e
}

func writeJSON(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(name), err)
	}
	if err := os.WriteFile(name, b, 0o600); err != nil {
		return fmt.Errorf("write advisories: %w", err)
	}
	return nil
}
