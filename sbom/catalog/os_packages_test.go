package catalog

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// rpmFixture is a database that rpm made (../rpmdb/testdata/recipe.sh).
func rpmFixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "rpmdb", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func purls(s *sbom.SBOM) string {
	var out []string
	for _, c := range s.Components {
		out = append(out, fmt.Sprintf("%s %q %q", c.PURL, c.Version, c.Ecosystem))
	}
	for _, u := range s.Unknowns {
		out = append(out, fmt.Sprintf("? %s code=%v %s", u.Kind, u.Code, u.Path))
	}
	return strings.Join(out, "\n")
}

func TestRPM(t *testing.T) {
	release := txtar.File{Name: "function/etc/os-release", Data: []byte("ID=\"amzn\"\nVERSION_ID=\"2023\"\n")}
	for _, dir := range []string{"var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"} {
		got := purls(catalogueFiles(t, "", []txtar.File{release, {Name: "function/" + dir + "rpmdb.sqlite", Data: rpmFixture(t, "rpmdb.sqlite")}}))
		want := `pkg:rpm/amzn/alpha@1.2.3-4.el9?arch=x86_64&distro=amzn-2023&upstream=alpha-1.2.3-4.el9.src.rpm "1.2.3-4.el9" ""
pkg:rpm/amzn/beta@0.9-1.el9?arch=x86_64&distro=amzn-2023&epoch=2&upstream=beta-0.9-1.el9.src.rpm "2:0.9-1.el9" ""
pkg:rpm/amzn/gamma@7-0.1.rc2.el9?arch=x86_64&distro=amzn-2023&epoch=0&upstream=gamma-7-0.1.rc2.el9.src.rpm "7-0.1.rc2.el9" ""`
		if got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", dir, got, want)
		}
	}
}

// TestRPMLog: the database of an image is often one that nobody closed.
func TestRPMLog(t *testing.T) {
	files := []txtar.File{
		{Name: "function/etc/os-release", Data: []byte("ID=rocky\nVERSION_ID=9.4\n")},
		{Name: "function/var/lib/rpm/rpmdb.sqlite", Data: rpmFixture(t, "wal.sqlite")},
		{Name: "function/var/lib/rpm/rpmdb.sqlite-wal", Data: rpmFixture(t, "wal.sqlite-wal")},
	}
	s := catalogueFiles(t, "", files)
	if got := purls(s); strings.Contains(got, "beta") || !strings.Contains(got, "alpha") || s.Components[0].Ecosystem != "Rocky Linux:9" {
		t.Errorf("got\n%s", got)
	}
	files = append(files, txtar.File{Name: "function/var/lib/rpm/rpmdb.sqlite-journal", Data: []byte(journalMark + "and so on")})
	if got := purls(catalogueFiles(t, "", files)); got != "? unreadable code=true var/lib/rpm/rpmdb.sqlite" {
		t.Errorf("with an unfinished transaction: got\n%s", got)
	}
}

// TestOwnedPrograms: native code that a package of the distribution put there is
// accounted for; what lies beside it is not.
func TestOwnedPrograms(t *testing.T) {
	program := elfWith(".text", []byte("code"), 0)
	got := render(catalogueFiles(t, "", []txtar.File{
		{Name: "function/etc/os-release", Data: []byte("ID=debian\nVERSION_ID=12\n")},
		{Name: "function/bin", Data: []byte("-> usr/bin")},
		{Name: "function/var/lib/dpkg/status", Data: []byte("Package: tool\nStatus: install ok installed\nVersion: 1\nMaintainer: a@debian.org\nArchitecture: amd64\n")},
		{Name: "function/var/lib/dpkg/info/tool.list", Data: []byte("/.\n/bin\n/bin/tool\n/usr/bin/missing\n")},
		{Name: "function/usr/bin/tool", Data: program},
		{Name: "function/usr/bin/other", Data: program},
	}))
	want := `live app pkg:deb/debian/tool@1?arch=amd64&distro=debian-12 tool=1 ecosystem="Debian:12" source=@
    live 0 var/lib/dpkg/status
? opaque code=true 0 usr/bin/other: executable without package information
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOSRelease(t *testing.T) {
	for text, want := range map[string]string{
		"ID=debian\nVERSION_ID=\"12\"": "debian-12 Debian:12",
		"ID=debian\nPRETTY_NAME=\"Debian GNU/Linux forky/sid\"\nVERSION_CODENAME=forky": "debian-14 Debian:14",
		"ID=debian\nVERSION_CODENAME=sid":                                               "debian ",
		"ID=ubuntu\nVERSION_ID='22.04'":                                                 "ubuntu-22.04 Ubuntu:22.04:LTS",
		"ID=ubuntu\nVERSION_ID='24.10'":                                                 "ubuntu-24.10 Ubuntu:24.10",
		"ID=alpine\nVERSION_ID=3.20.3":                                                  "alpine-3.20.3 Alpine:v3.20",
		"ID=alpine\nVERSION_ID=3.21.0_alpha20240807":                                    "alpine-3.21.0_alpha20240807 ",
		"ID=\"rhel\"\nVERSION_ID=\"9.4\"":                                               "rhel-9.4 Red Hat:enterprise_linux:9",
		"ID=\"rocky\"\nVERSION_ID=\"8.10\"":                                             "rocky-8.10 Rocky Linux:8",
		"ID=\"almalinux\"\nVERSION_ID=\"9.4\"":                                          "almalinux-9.4 AlmaLinux:9",
		"ID=\"opensuse-leap\"\nVERSION_ID=\"15.6\"":                                     "opensuse-leap-15.6 openSUSE:Leap 15.6",
		"ID=\"opensuse-tumbleweed\"\nVERSION_ID=\"20260101\"":                           "opensuse-tumbleweed-20260101 openSUSE:Tumbleweed",
		"ID=\"sles\"\nVERSION_ID=\"15.5\"":                                              "sles-15.5 ",
		"ID=\"amzn\"\nVERSION_ID=\"2\"":                                                 "amzn-2 ",
		"ID=wolfi\nVERSION_ID=20230201":                                                 "wolfi-20230201 Wolfi",
		"ID=chainguard\nVERSION_ID=20230214":                                            "chainguard-20230214 Chainguard",
		"ID=photon\nVERSION_ID=5.0":                                                     "photon-5.0 Photon OS:5.0",
		"ID=mariner\nVERSION_ID=\"2.0\"":                                                "mariner-2.0 Azure Linux:2",
		"# ID=debian\nID=fedora\nVERSION_ID=40":                                         "fedora-40 ",
		"ID=\"de bian\"\nVERSION_ID=12":                                                 " ",
		"":                                                                              " ",
	} {
		r := parseOSRelease([]byte(text))
		if got := r.distro() + " " + sbom.Ecosystem("deb", r.distro()); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for line, want := range map[string]string{
		"CentOS release 6.10 (Final)":                  "centos-6.10",
		"Red Hat Enterprise Linux release 8.9 (Ootpa)": "rhel-8.9",
		"Amazon Linux release 2 (Karoo)":               "amzn-2",
		"":                                             "",
	} {
		if r := parseOldRelease("", line); r.distro() != want {
			t.Errorf("%q: got %q, want %q", line, r.distro(), want)
		}
	}
	if r := parseOldRelease("debian", "bookworm/sid"); r.distro() != "debian-12" {
		t.Errorf("got %q", r.distro())
	}
}

// BenchmarkOSPackages: ten times the packages take ten times as long.
func BenchmarkOSPackages(b *testing.B) {
	for _, n := range []int{300, 3000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var status strings.Builder
			files := []txtar.File{{Name: "etc/os-release", Data: []byte("ID=debian\nVERSION_ID=12\n")}, {Name: "lib", Data: []byte("-> usr/lib")}}
			for i := range n {
				fmt.Fprintf(&status, "Package: p%d\nStatus: install ok installed\nVersion: 1.%d\nMaintainer: a@debian.org\n\n", i, i)
				var list strings.Builder
				for j := range 50 {
					fmt.Fprintf(&list, "/lib/p%d/f%d\n", i, j)
					if j%5 == 0 {
						files = append(files, txtar.File{Name: fmt.Sprintf("usr/lib/p%d/f%d", i, j), Data: []byte("text")})
					}
				}
				files = append(files, txtar.File{Name: fmt.Sprintf("var/lib/dpkg/info/p%d.list", i), Data: []byte(list.String())})
			}
			files = append(files, txtar.File{Name: "var/lib/dpkg/status", Data: []byte(status.String())})
			p := filepath.Join(b.TempDir(), "system.zip")
			writeZip(b, p, files)
			fn, err := (&bundle.Opener{}).Open(b.Context(), bundle.Spec{Ref: p})
			if err != nil {
				b.Fatal(err)
			}
			defer fn.Close()
			for b.Loop() {
				s, err := New(Options{}).Run(context.Background(), fn)
				if err != nil || len(s.Components) != n || len(s.Unknowns) > 0 {
					b.Fatalf("%d packages, %v, %v", len(s.Components), s.Unknowns, err)
				}
			}
		})
	}
}

// FuzzOSPackages: whatever the texts are, what is found has a name and a
// version, or there is an unknown.
func FuzzOSPackages(f *testing.F) {
	f.Add([]byte("Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: b\nVersion: 2\n"), uint8(0))
	f.Add([]byte("P:a\nV:1\nF:usr\nR:b\nZ:Q1SLkS9hBidUbPwwrw+XR0Whv3ww8=\n\nP:c\n"), uint8(1))
	f.Add([]byte("a\t1-2\t\t\tv\t(none)\t1\tx86_64\t0\ta-1-2.src.rpm\n"), uint8(2))
	f.Add([]byte("ID=debian\nVERSION_ID=12\n"), uint8(3))
	f.Add([]byte("/.\n/usr/bin/a\n/../../a\n//\n"), uint8(4))
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		files := map[string][]byte{
			"var/lib/dpkg/status":                      []byte("Package: a\nStatus: install ok installed\nVersion: 1\n"),
			"lib/apk/db/installed":                     nil,
			"var/lib/rpmmanifest/container-manifest-2": nil,
			"etc/os-release":                           nil,
			"var/lib/dpkg/info/a.list":                 nil,
		}
		names := []string{"var/lib/dpkg/status", "lib/apk/db/installed", "var/lib/rpmmanifest/container-manifest-2", "etc/os-release", "var/lib/dpkg/info/a.list"}
		files[names[int(kind)%len(names)]] = data
		dir := t.TempDir()
		for name, data := range files {
			p := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		fn, err := (&bundle.Opener{}).Open(context.Background(), bundle.Spec{Ref: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer fn.Close()
		s, err := New(Options{}).Run(context.Background(), fn)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Components {
			if c.Name == "" || c.Version == "" || c.PURL == "" {
				t.Errorf("incomplete: %+v", c)
			}
		}
		if len(s.Components) == 0 && len(s.Unknowns) == 0 && kind%5 != 0 {
			t.Errorf("the database is lost: %q in %s", data, names[int(kind)%len(names)])
		}
	})
}

// TestOwnedDatabase: a package that claims the database itself does not swallow
// the packages that the database names, nor what is said about it.
func TestOwnedDatabase(t *testing.T) {
	s := catalogueFiles(t, "", []txtar.File{
		{Name: "function/etc/os-release", Data: []byte(debianRelease)},
		{Name: "function/var/lib/dpkg/info/a.list", Data: []byte("/var/lib/dpkg/status\n")},
		{Name: "function/var/lib/dpkg/status", Data: []byte("Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: b\nStatus: install ok installed\nVersion: 2\n\nrubbish\n")},
	})
	var names []string
	for _, c := range s.Components {
		names = append(names, c.Name)
	}
	if strings.Join(names, " ") != "a b" {
		t.Errorf("found %q, want a and b", names)
	}
	if len(s.Unknowns) != 1 || !s.Unknowns[0].Code {
		t.Errorf("unknowns %+v, want the line that is no field", s.Unknowns)
	}
}
