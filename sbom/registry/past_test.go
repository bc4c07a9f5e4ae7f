package registry

import (
	"testing"
	"time"
)

func TestPast(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	const ci, ada, bob = "ci", "ada", "bob"
	for _, test := range []struct {
		name     string
		system   System
		versions []Version
		of       string
		want     Past
	}{
		{name: "the first", versions: []Version{{Version: "1.0.0", Attested: Known, Publisher: ada}}, of: "1.0.0"},
		{name: "nothing told", versions: []Version{{Version: "1.0.0"}, {Version: "1.0.1"}}, of: "1.0.1"},
		{name: "right before", of: "1.0.2", versions: []Version{{Version: "1.0.0", Attested: Known, Publisher: ci}, {Version: "1.0.1", Attested: Known, Publisher: ci}, {Version: "1.0.2", Publisher: bob}},
			want: Past{Attested: Release{Version: "1.0.1"}, Run: 2, Publishers: 2}},
		{name: "one in between was taken back", of: "1.0.2", versions: []Version{{Version: "1.0.0", Attested: Known}, {Version: "1.0.1", Yanked: "no longer published"}, {Version: "1.0.2"}},
			want: Past{Attested: Release{Version: "1.0.0"}, Run: 1}},
		{name: "given up before", of: "1.0.2", versions: []Version{{Version: "1.0.0", Attested: Known, Publisher: ci}, {Version: "1.0.1", Attested: Absent, Publisher: bob}, {Version: "1.0.2", Publisher: bob}},
			want: Past{Attested: Release{Version: "1.0.0"}, Publishers: 2, Known: true}},
		{name: "a later one of an older line", of: "2.0.0", versions: []Version{{Version: "1.0.0", Published: day(1), Publisher: ada}, {Version: "1.0.1", Published: day(9), Attested: Known, Publisher: ci}, {Version: "2.0.0", Published: day(2), Publisher: ada}},
			want: Past{Publishers: 1, Known: true}},
		{name: "previews do not count for a stable one", of: "2.0.0", versions: []Version{{Version: "1.0.0", Attested: Absent}, {Version: "2.0.0-rc.1", Attested: Known, Publisher: ci}, {Version: "2.0.0"}}},
		{name: "previews count for previews", of: "2.0.0-rc.2", versions: []Version{{Version: "2.0.0-rc.1", Attested: Known}, {Version: "2.0.0-rc.2"}},
			want: Past{Attested: Release{Version: "2.0.0-rc.1"}, Run: 1}},
		{name: "previews of Python", system: PyPI, of: "2.0", versions: []Version{{Version: "1.0.post1", Attested: Known}, {Version: "2.0rc1", Attested: Absent}, {Version: "2.0.dev3", Attested: Absent}, {Version: "2.0"}},
			want: Past{Attested: Release{Version: "1.0.post1"}, Run: 1}},
		{name: "what comes after says nothing", of: "1.0.0", versions: []Version{{Version: "1.0.0"}, {Version: "1.0.1", Attested: Known, Publisher: ada}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := Facts{Package: Package{System: test.system, Name: "x"}, Answer: Known, Versions: test.versions}
			if f.Package.System == "" {
				f.Package.System = NPM
			}
			if got := f.Standing(test.of).Past; got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
