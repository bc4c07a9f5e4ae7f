package feed

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fnaudit/fnaudit/vulndb"
)

// folderOf writes files into a new folder.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestNothingIsHidden: a record of one's own that no package would ever find is
// refused, and the others of the folder are read.
func TestNothingIsHidden(t *testing.T) {
	good := recordOf("ACME-1", "npm", "right")
	both := strings.Replace(recordOf("ACME-2", "npm", "other"), `"affected":[`, `"affected":[{"package":{"ecosystem":"PyPI","name":"right"},"versions":["1"]},`, 1)
	for name, c := range map[string]struct {
		files map[string]string
		want  string
		read  bool // good is in the store
	}{
		"good, flat":                 {map[string]string{"a.json": good}, "", true},
		"good, by ecosystem":         {map[string]string{"npm/a.json": good, ".git/x/y.json": good}, "", true},
		"folder in another case":     {map[string]string{"NPM/a.json": good}, "", true},
		"takes another's place":      {map[string]string{"npm/a.json": good, "npm/b.json": `{"id":"GHSA-1","modified":"2026-01-02T03:04:05Z"}`}, "", true},
		"unknown ecosystem, flat":    {map[string]string{"a.json": good, "b.json": recordOf("ACME-2", "npmm", "x")}, `b.json names the ecosystem "npmm": OSV has no such`, true},
		"unknown ecosystem, alone":   {map[string]string{"b.json": recordOf("ACME-2", "npmm", "x")}, `"npmm"`, false},
		"unknown ecosystem, beside":  {map[string]string{"npm/a.json": good, "npmm/b.json": recordOf("ACME-2", "npmm", "x")}, "update npmm: build npmm: OSV has no such", true},
		"unknown ecosystem, inside":  {map[string]string{"npm/a.json": good, "npm/b.json": recordOf("ACME-2", "npmm", "x")}, `record b.json: it names the ecosystem "npmm"`, false},
		"another ecosystem's folder": {map[string]string{"npm/a.json": good, "npm/b.json": recordOf("ACME-2", "PyPI", "x")}, "record b.json: it names PyPI and lies among the records of npm", false},
		"no package, flat":           {map[string]string{"a.json": good, "b.json": `{"id":"ACME-2","modified":"2026-01-02T03:04:05Z"}`}, "b.json names no package", true},
		"too deep":                   {map[string]string{"npm/a.json": good, "npm/2026/b.json": good}, "b.json lies too deep", false},
		"too deep, two":              {map[string]string{"npm/a.json": good, "x/2026/b.json": good, "x/2025/07/c.json": good}, "c.json and 1 other files lie too deep", true},
		"too deep, all":              {map[string]string{"osv/npm/a.json": good}, "a.json lies too deep", false},
		"too deep, an archive":       {map[string]string{"npm/a.json": good, "osv/npm/all.zip": "PK"}, "all.zip lies too deep", true},
		"beside an archive":          {map[string]string{"npm/a.json": good, "npm/all.zip": "PK"}, "all.zip lies beside .json files", false},
		"two ecosystems, flat":       {map[string]string{"a.json": good, "b.json": both}, "", true},
		"two ecosystems, two copies": {map[string]string{"npm/a.json": good, "npm/b.json": both, "PyPI/b.json": both}, "", true},
		"two ecosystems, one copy":   {map[string]string{"npm/a.json": good, "npm/b.json": both}, "b.json names PyPI, too", true},
		"no record, beside":          {map[string]string{"npm/a.json": good, "index.json": `{"name":"x","version":1}`, "list.json": `[1]`}, "", true},
		"no record, inside":          {map[string]string{"npm/a.json": good, "npm/index.json": `{"name":"x"}`}, "", true},
		"no record, flat":            {map[string]string{"a.json": good, "index.json": `{"name":"x"}`}, "", true},
		"no record, in a folder":     {map[string]string{"npm/a.json": good, "docs/index.json": `{"name":"x"}`}, "", true},
		"nothing but strays":         {map[string]string{"npm/index.json": `{"name":"x"}`}, "there is no advisory in the export", false},
		"half a record, beside":      {map[string]string{"npm/a.json": good, "b.json": `{"ID":"ACME-2"}`}, "b.json lies beside the folders", true},
		"half a record, inside":      {map[string]string{"npm/a.json": good, "npm/b.json": `{"affected":[]}`}, "such as b.json", false},
		"cut off, beside":            {map[string]string{"npm/a.json": good, "b.json": `{"name":"x`}, "b.json lies beside the folders", true},
		"cut off, inside":            {map[string]string{"npm/a.json": good, "npm/b.json": `{"name":"x`}, "such as b.json", false},
		"cut off, in a folder":       {map[string]string{"npm/a.json": good, "docs/b.json": `{"name":"x`}, "update docs", true},
		"two folders":                {map[string]string{"npm/a.json": good, "Npm/b.json": good}, "two folders of npm", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "two folders" && runtime.GOOS != "linux" {
				t.Skip("names that differ by case are one here")
			}
			dir := t.TempDir()
			o := options(folderOf(t, map[string]string{"npm/a.json": recordOf("GHSA-1", "npm", "left")}))
			o.Sources = []vulndb.Origin{{Name: "acme", From: folderOf(t, c.files)}}
			_, err := Update(context.Background(), dir, o)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if n := matches(t, dir, "npm", "right"); (n == 1) != c.read {
				t.Errorf("%d matches of what is right", n)
			}
		})
	}
}

// TestStray: files that are no records are named, once each and some of many.
func TestStray(t *testing.T) {
	files := map[string]string{"a.json": recordOf("GHSA-1", "npm", "left"), "b.json": recordOf("GHSA-2", "PyPI", "left"), "index.json": "{}", "cut.json.txt": "{"}
	for _, c := range []struct{ n, want int }{{0, 1}, {20, maxStrays + 1}} { // in this order: files gains what is added
		for i := range c.n {
			files[fmt.Sprintf("list%d.json", i)] = "[]"
		}
		var mu sync.Mutex
		var told []string
		o := options(folderOf(t, files))
		o.Notice = func(s string) { mu.Lock(); told = append(told, s); mu.Unlock() }
		s, err := Update(context.Background(), t.TempDir(), o)
		if err != nil || len(told) != c.want || !strings.HasPrefix(told[0], "warning: ") || s.Sources[0].Unread != 0 {
			t.Error(told, s.Sources, err)
		}
	}
}

// TestNewEcosystem: the export may have an ecosystem that is newer than this
// program. It is stored, and said.
func TestNewEcosystem(t *testing.T) {
	from := folderOf(t, map[string]string{"npm/a.json": recordOf("GHSA-1", "npm", "left"), "Newest/b.json": recordOf("NEW-1", "Newest", "x")})
	var told []string
	o := options(from)
	o.Notice = func(s string) { told = append(told, s) }
	s, err := Update(context.Background(), t.TempDir(), o)
	if err != nil || !slices.Equal(s.Ecosystems(), []string{"Newest", "npm"}) || len(told) != 1 || !strings.HasPrefix(told[0], "Newest: OSV has no such") {
		t.Error(s.Ecosystems(), told, err)
	}
	// What lies too deep for it is said here, too, whatever was asked for.
	from = folderOf(t, map[string]string{"npm/a.json": recordOf("GHSA-1", "npm", "left"), "npm/sub/b.json": recordOf("GHSA-2", "npm", "left")})
	for _, asked := range [][]string{nil, {"npm"}} {
		if _, err := Update(context.Background(), t.TempDir(), options(from, asked...)); err == nil || !strings.Contains(err.Error(), "too deep") {
			t.Error(asked, err)
		}
	}
}
