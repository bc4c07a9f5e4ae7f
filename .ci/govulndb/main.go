// Command govulndb writes the Go records of an OSV export in the file layout
// that govulncheck reads (https://go.dev/doc/security/vuln/database, API v1):
//
//	govulndb Go/all.zip OUT
//
// index/db.json, index/modules.json, index/vulns.json and ID/GO-….json. Only
// records of the Go vulnerability database itself (GO-…) are written.
package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

type record struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Aliases  []string  `json:"aliases"`
	Affected []struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
		Ranges []struct {
			Type   string `json:"type"`
			Events []struct {
				Fixed string `json:"fixed"`
			} `json:"events"`
		} `json:"ranges"`
	} `json:"affected"`
}

type moduleVuln struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Fixed    string    `json:"fixed,omitempty"`
}

type module struct {
	Path  string       `json:"path"`
	Vulns []moduleVuln `json:"vulns"`
}

type vuln struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Aliases  []string  `json:"aliases,omitempty"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: govulndb Go/all.zip OUT")
		os.Exit(2)
	}
	n, err := export(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "govulndb:", err)
		os.Exit(1)
	}
	fmt.Printf("govulndb: %d records\n", n)
}

// export returns how many records it wrote; none is an error.
func export(from, out string) (int, error) {
	archive, err := zip.OpenReader(from)
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", from, err)
	}
	defer archive.Close()
	for _, dir := range []string{"index", "ID"} {
		if err := os.MkdirAll(filepath.Join(out, dir), 0o755); err != nil {
			return 0, err
		}
	}
	var vulns []vuln
	var newest time.Time
	modules := map[string][]moduleVuln{}
	for _, entry := range archive.File {
		if strings.ContainsAny(entry.Name, `/\`) || !strings.HasPrefix(entry.Name, "GO-") || !strings.HasSuffix(entry.Name, ".json") {
			continue
		}
		content, err := read(entry)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", entry.Name, err)
		}
		var r record
		if err := json.Unmarshal(content, &r); err != nil {
			return 0, fmt.Errorf("parse %s: %w", entry.Name, err)
		}
		if r.ID+".json" != entry.Name {
			return 0, fmt.Errorf("parse %s: its id is %q", entry.Name, r.ID)
		}
		if err := os.WriteFile(filepath.Join(out, "ID", entry.Name), content, 0o644); err != nil {
			return 0, err
		}
		if r.Modified.After(newest) {
			newest = r.Modified
		}
		vulns = append(vulns, vuln{r.ID, r.Modified, r.Aliases})
		fixed := map[string]string{}
		for _, a := range r.Affected {
			fixed[a.Package.Name] = "" // a module with no fix is listed too
			for _, g := range a.Ranges {
				for _, e := range g.Events {
					if g.Type == "SEMVER" && e.Fixed != "" {
						fixed[a.Package.Name] = e.Fixed // events are sorted: the last fix is the highest
					}
				}
			}
		}
		for path, version := range fixed {
			modules[path] = append(modules[path], moduleVuln{r.ID, r.Modified, version})
		}
	}
	if len(vulns) == 0 {
		return 0, fmt.Errorf("read %s: no GO- record in it", from)
	}
	var list []module
	for path, of := range modules {
		slices.SortFunc(of, func(a, b moduleVuln) int { return strings.Compare(a.ID, b.ID) })
		list = append(list, module{path, of})
	}
	slices.SortFunc(list, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(vulns, func(a, b vuln) int { return strings.Compare(a.ID, b.ID) })
	for name, value := range map[string]any{
		"db.json":      map[string]time.Time{"modified": newest},
		"modules.json": list,
		"vulns.json":   vulns,
	} {
		content, err := json.Marshal(value)
		if err != nil {
			return 0, err
		}
		if err := os.WriteFile(filepath.Join(out, "index", name), content, 0o644); err != nil {
			return 0, err
		}
	}
	return len(vulns), nil
}

func read(entry *zip.File) ([]byte, error) {
	r, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
