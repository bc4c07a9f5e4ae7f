package catalog

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestEmptyDatabases: a database that was emptied or overwritten must not pass
// for a system without packages.
func TestEmptyDatabases(t *testing.T) {
	const (
		entry  = "Package: a\nStatus: install ok installed\nVersion: 1\nDescription: x\n continued\n .\n\tmore\n"
		status = "var/lib/dpkg/status"
	)
	amazon := "ID=amzn\nVERSION_ID=2023\n"
	for name, c := range map[string]struct {
		release string
		files   map[string]string
		want    string // the unknowns, each "PATH: REASON"
	}{
		"dpkg of nothing":      {debianRelease, map[string]string{status: ""}, status + ": " + errNoPackage.Error()},
		"dpkg of empty lines":  {debianRelease, map[string]string{status: "\n\n\r\n"}, status + ": " + errNoPackage.Error()},
		"dpkg of rubbish":      {debianRelease, map[string]string{status: "garbage no colon"}, status + `: a line without a field: "garbage no colon"`},
		"dpkg of other fields": {debianRelease, map[string]string{status: "Some: field\n"}, status + ": " + errNoPackage.Error()},
		"dpkg with all removed": {
			debianRelease, map[string]string{status: "Package: a\nStatus: deinstall ok config-files\nVersion: 1\n"}, status + ": " + errNoPackage.Error(),
		},
		"dpkg with rubbish after a package": {
			debianRelease, map[string]string{status: entry + "\nrubbish\n"}, status + `: a line without a field: "rubbish"`,
		},
		"dpkg with rubbish in a package": {
			debianRelease, map[string]string{status: strings.Replace(entry, "Version", "rubbish\nVersion", 1)}, status + `: a line without a field: "rubbish"`,
		},
		"dpkg":              {debianRelease, map[string]string{status: entry}, ""},
		"dpkg from Windows": {debianRelease, map[string]string{status: strings.ReplaceAll(entry, "\n", "\r\n")}, ""},
		"distroless":        {debianRelease, map[string]string{status: "", "var/lib/dpkg/status.d/a": "Package: a\nVersion: 1\n"}, ""},
		"distroless, one emptied": {
			debianRelease, map[string]string{status: "", "var/lib/dpkg/status.d/a": "Package: a\nVersion: 1\n", "var/lib/dpkg/status.d/b": ""},
			"var/lib/dpkg/status.d/b: " + errNoPackage.Error(),
		},
		"apk of nothing":          {"ID=alpine\nVERSION_ID=3.20.3\n", map[string]string{"lib/apk/db/installed": ""}, "lib/apk/db/installed: " + errNoPackage.Error()},
		"dpkg on Alpine":          {"ID=alpine\nVERSION_ID=3.20.3\n", map[string]string{"lib/apk/db/installed": "P:a\nV:1\n", status: ""}, ""},
		"Alpine's own emptied":    {"ID=alpine\nVERSION_ID=3.20.3\n", map[string]string{"lib/apk/db/installed": "", status: entry}, "lib/apk/db/installed: " + errNoPackage.Error()},
		"rpm's ndb of nothing":    {amazon, map[string]string{"usr/lib/sysimage/rpm/Packages.db": ""}, "usr/lib/sysimage/rpm/Packages.db: " + errNoPackage.Error()},
		"rpm's SQLite, nothing":   {amazon, map[string]string{"var/lib/rpm/rpmdb.sqlite": ""}, "var/lib/rpm/rpmdb.sqlite: " + errNoPackage.Error()},
		"rpm's BDB of nothing":    {amazon, map[string]string{"var/lib/rpm/Packages": ""}, "var/lib/rpm/Packages: " + errNoPackage.Error()},
		"rpm's former format":     {amazon, map[string]string{"var/lib/rpm/Packages": "", "var/lib/rpm/rpmdb.sqlite": string(rpmFixture(t, "rpmdb.sqlite"))}, ""},
		"an unknown distribution": {"ID=mine\n", map[string]string{status: ""}, status + ": " + errNoPackage.Error()},
		"no distribution":         {"", map[string]string{status: ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, app := range []bool{true, false} { // without anything else there is nothing whose package could lack
				var files []txtar.File
				if app {
					files = append(files, txtar.File{Name: "function/etc/issue", Data: []byte("welcome\n")})
				}
				if c.release != "" {
					files = append(files, txtar.File{Name: "function/etc/os-release", Data: []byte(c.release)})
				}
				for p, text := range c.files {
					files = append(files, txtar.File{Name: "function/" + p, Data: []byte(text)})
				}
				var got []string
				for _, u := range catalogueFiles(t, "", files).Unknowns {
					if got = append(got, u.Path+": "+u.Reason); !u.Code {
						t.Errorf("%s: a gap that does not count", u.Path)
					}
				}
				want := c.want
				if !app && strings.HasSuffix(want, errNoPackage.Error()) && !strings.Contains(want, "status.d") {
					want = ""
				}
				if s := strings.Join(got, "\n"); s != want {
					t.Errorf("got %q, want %q", s, want)
				}
			}
		})
	}
}
