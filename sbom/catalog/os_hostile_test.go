package catalog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/sbom"
)

const debianRelease = "ID=debian\nVERSION_ID=12\n"

// TestHostileDatabases: what a package database claims costs neither memory nor
// time beyond its own bytes, and what is not taken from it is said.
func TestHostileDatabases(t *testing.T) {
	status := func(fields string) string {
		return "Package: first\nStatus: install ok installed\nVersion: 1\n\n" + fields + "\nPackage: last\nStatus: install ok installed\nVersion: 2\n"
	}
	folder := strings.Repeat("d/", 1500)
	for name, c := range map[string]struct {
		files map[string]string
		found string // names of the packages
		gap   sbom.UnknownKind
	}{
		"a line over the limit": {
			files: map[string]string{"var/lib/dpkg/status": "Package: " + strings.Repeat("a", maxOSDatabase)},
			gap:   sbom.Limit,
		},
		"a line below it": {
			files: map[string]string{"var/lib/dpkg/status": status("Package: long\nStatus: install ok installed\nVersion: " + strings.Repeat("1", 8<<20) + "\n")},
			found: "first last", gap: sbom.Unreadable,
		},
		"a list of nothing": {
			files: map[string]string{
				"var/lib/dpkg/status":          status(""),
				"var/lib/dpkg/info/first.list": strings.Repeat("\n", 15<<20),
			},
			found: "first last",
		},
		"a list of too many": {
			files: map[string]string{
				"var/lib/dpkg/status":          status(""),
				"var/lib/dpkg/info/first.list": strings.Repeat("/x\n", maxOSFiles+1),
			},
			found: "first last", gap: sbom.Limit,
		},
		"a path of many elements": {
			files: map[string]string{
				"var/lib/dpkg/status":          status(""),
				"var/lib/dpkg/info/first.list": "/" + strings.Repeat("a/", 5<<20) + "\n/" + strings.Repeat("b/", maxOSPath/2-2) + "c\n",
			},
			found: "first last",
		},
		"folders that link to one another": {
			files: map[string]string{
				"var/lib/dpkg/status":          status(""),
				"var/lib/dpkg/info/first.list": "/lib/a\n/lib64/a\n/self/a\n/out/a\n/file/a\n/../../etc/os-release\n",
				"lib":                          "-> lib64", "lib64": "-> lib", "self": "-> self", "out": "-> ../../..", "file": "text",
			},
			found: "first last", gap: sbom.Unreadable,
		},
		"one folder for many names": {
			files: map[string]string{"lib/apk/db/installed": "P:a\nV:1\nF:" + folder + "\n" + strings.Repeat("R:x\n", 1<<20) + "\nP:b\nV:1\n"},
			found: "a b", gap: sbom.Limit,
		},
		"a new folder for each name": {
			files: map[string]string{"lib/apk/db/installed": "P:a\nV:1\nF:" + folder + "\n" + numbered("R:%d/x\n", 20_000) + "\nP:b\nV:1\n"},
			found: "a b",
		},
		"packages in a ring": {
			files: map[string]string{"lib/apk/db/installed": "P:a\nV:1\no:b\nD:b\n\nP:b\nV:1\no:a\nD:a\n\nP:a\nV:1\no:b\nD:b\n"},
			found: "a b",
		},
		"a database that links to itself": {
			files: map[string]string{"lib/apk/db/installed": "-> installed"},
			gap:   sbom.Unreadable,
		},
		"an empty name": {
			files: map[string]string{"lib/apk/db/installed": "P:\nV:1\n\nP:b\nV:1\n"},
			found: "b", gap: sbom.Unreadable,
		},
		"a manifest with a short line": {
			files: map[string]string{"var/lib/rpmmanifest/container-manifest-2": "a\t1-2\n"},
			gap:   sbom.Unreadable,
		},
		"an rpm database cut short": {
			files: map[string]string{"var/lib/rpm/rpmdb.sqlite": string(rpmFixture(t, "rpmdb.sqlite")[:5000])},
			gap:   sbom.Unreadable,
		},
		"a release file without an end": {
			files: map[string]string{"var/lib/dpkg/status": status(""), "etc/os-release": strings.Repeat("ID=debian\n", maxRelease/8)},
			found: "first last", gap: sbom.Limit,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var files []txtar.File
			if _, ok := c.files["etc/os-release"]; !ok {
				files = append(files, txtar.File{Name: "function/etc/os-release", Data: []byte(debianRelease)})
			}
			for p, text := range c.files {
				files = append(files, txtar.File{Name: "function/" + p, Data: []byte(text)})
			}
			s := catalogueFiles(t, "", files)
			var names []string
			for _, n := range s.Components {
				names = append(names, n.Name)
			}
			if got := strings.Join(names, " "); got != c.found {
				t.Errorf("found %.200q, want %q", got, c.found)
			}
			gaps := map[sbom.UnknownKind]bool{}
			for _, u := range s.Unknowns {
				gaps[u.Kind] = true
				if !u.Code {
					t.Errorf("%s: a gap that does not count", u.Path)
				}
				if len(u.Reason) > 1000 {
					t.Errorf("a reason of %d bytes", len(u.Reason))
				}
			}
			if c.gap != "" && !gaps[c.gap] || c.gap == "" && len(gaps) > 0 {
				t.Errorf("gaps %v, want %q", s.Unknowns, c.gap)
			}
		})
	}
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// TestRPMText: a header of 6 MB can describe 4 GB of paths, with one folder for
// all names.
func TestRPMText(t *testing.T) {
	const names = 1 << 20
	be := binary.BigEndian
	var index, data []byte
	add := func(tag, typ, count uint32, value []byte) {
		index = be.AppendUint32(index, tag)
		index = be.AppendUint32(index, typ)
		index = be.AppendUint32(index, uint32(len(data)))
		index = be.AppendUint32(index, count)
		data = append(data, value...)
	}
	add(1000, 6, 1, []byte("bomb\x00"))
	add(1001, 6, 1, []byte("1\x00"))
	add(1118, 8, 1, []byte("/"+strings.Repeat("d", 4000)+"/\x00"))
	add(1117, 8, names, bytes.Repeat([]byte("x\x00"), names))
	add(1116, 4, names, make([]byte, 4*names))
	header := be.AppendUint32(nil, uint32(len(index)/16))
	header = be.AppendUint32(header, uint32(len(data)))
	header = append(append(header, index...), data...)

	le := binary.LittleEndian
	db := make([]byte, 4096)
	copy(db, "RpmP")
	le.PutUint32(db[12:], 1)
	for i := 32; i < len(db); i += 16 {
		copy(db[i:], "Slot")
	}
	le.PutUint32(db[32+4:], 1)
	le.PutUint32(db[32+8:], 4096/16)
	db = append(db, "BlbS\x01\x00\x00\x00\x00\x00\x00\x00"...)
	db = append(le.AppendUint32(db, uint32(len(header))), header...)
	got := purls(catalogueFiles(t, "", []txtar.File{{Name: "function/usr/lib/sysimage/rpm/Packages.db", Data: db}}))
	if got != "? limit code=true usr/lib/sysimage/rpm/Packages.db" {
		t.Errorf("got %.300s", got)
	}
}

// TestOutsideDistribution: an entry in the database does not take the function's
// own folder out of the audit.
func TestOutsideDistribution(t *testing.T) {
	got := purls(catalogueFiles(t, "", []txtar.File{
		{Name: "function/etc/os-release", Data: []byte(debianRelease)},
		{Name: "function/var/lib/dpkg/status", Data: []byte("Package: base-files\nStatus: install ok installed\nVersion: 12\nMaintainer: a@debian.org\n")},
		{Name: "function/var/lib/dpkg/info/base-files.list", Data: []byte("/var/task/node_modules/left-pad/package.json\n/var/task/run\n")},
		{Name: "function/var/task/node_modules/left-pad/package.json", Data: []byte(`{"name": "left-pad", "version": "1.3.0"}`)},
		{Name: "function/var/task/run", Data: elfWith(".text", []byte("code"), 0)},
	}))
	want := `pkg:deb/debian/base-files@12?distro=debian-12 "12" "Debian:12"
pkg:npm/left-pad@1.3.0 "1.3.0" "npm"
? opaque code=true var/task/run`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
