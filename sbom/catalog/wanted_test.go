package catalog

import "testing"

func TestWanted(t *testing.T) {
	for p, want := range map[string]bool{
		"var/task/index.js":                                true,
		"var/task/index.js.map":                            true,
		"var/task/node_modules/a/index.js":                 false,
		"var/task/node_modules/a/package.json":             true,
		"var/task/node_modules/a/build/addon.node":         true,
		"var/task/types.d.ts":                              false,
		"var/lib/dpkg/status":                              true,
		"var/lib/dpkg/status.d/libc6":                      true,
		"var/lib/dpkg/info/libc6:amd64.list":               true,
		"lib/apk/db/installed":                             true,
		"usr/lib/sysimage/rpm/rpmdb.sqlite":                true,
		"usr/lib/sysimage/rpm/rpmdb.sqlite-wal":            true,
		"usr/lib/os-release":                               true,
		"opt/x/site-packages/requests/__init__.py":         true,
		"opt/x/site-packages/requests/api.py":              false,
		"opt/x/a-1.dist-info/METADATA":                     true,
		"opt/x/a-1.egg-info":                               true,
		"usr/lib/ruby/gems/3.2.0/specifications/a.gemspec": true,
		"usr/share/doc/a/changelog.gz":                     false,
		"usr/bin/python3.12":                               true,
		"app/lib/a.jar":                                    true,
		"var/task/poetry.lock":                             true,
		"usr/share/fonts/a.ttf":                            false,
	} {
		if got := Wanted(p, 4000, []byte("head")); got != want {
			t.Errorf("%s: %v", p, got)
		}
	}
	if Wanted("var/task/index.js", 4, []byte("head")) {
		t.Error("a file that is all in its first bytes needs no room")
	}
}
