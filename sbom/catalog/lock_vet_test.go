package catalog

import (
	"fmt"
	"strings"
	"testing"
)

func TestLocked(t *testing.T) {
	for _, tt := range []struct{ name, data, want, dev string }{
		{"package-lock.json", `{"lockfileVersion":3,"packages":{"":{"name":"fn"},"node_modules/a":{"version":"1.0.0"},"node_modules/b":{"version":"2.0.0","dev":true}}}`,
			"pkg:npm/a@1.0.0", "pkg:npm/a@1.0.0 pkg:npm/b@2.0.0"},
		{"renamed.lock", `{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}`, "pkg:npm/a@1.0.0", "pkg:npm/a@1.0.0"},
		{"Pipfile.lock", `{"_meta":{},"default":{"re-quests":{"version":"==2.0"}},"develop":{"py-test":{"version":"==8"}}}`, "pkg:pypi/re-quests@2.0", "pkg:pypi/py-test@8 pkg:pypi/re-quests@2.0"},
		{"go.mod", "module example.com/a\n\nrequire example.com/b v1.2.3\n", "pkg:golang/example.com/b@v1.2.3", "pkg:golang/example.com/b@v1.2.3"},
		{"requirements-prod.txt", "a==1.0\nb>=2\n", "pkg:pypi/a@1.0 pkg:pypi/b", "pkg:pypi/a@1.0 pkg:pypi/b"},
		{"requirements.txt", "a==1.0\n-r more.txt\n%%%\n", "pkg:pypi/a@1.0 more.txt requirements.txt", "pkg:pypi/a@1.0 more.txt requirements.txt"},
	} {
		for dev, want := range map[bool]string{false: tt.want, true: tt.dev} {
			bom, err := Locked(tt.name, []byte(tt.data), nil, dev)
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			var got []string
			for _, c := range bom.Components {
				got = append(got, c.PURL)
			}
			seen := map[string]bool{}
			for _, u := range bom.Unknowns {
				seen[u.Path] = true
				if !u.Code {
					t.Errorf("%s: an unknown that no verdict sees: %+v", tt.name, u)
				}
			}
			for _, path := range []string{"more.txt", "requirements.txt"} {
				if seen[path] {
					got = append(got, path)
				}
			}
			if s := strings.Join(got, " "); s != want {
				t.Errorf("%s, dev %v: got %s, want %s", tt.name, dev, s, want)
			}
		}
	}
	for name, data := range map[string]string{"package-lock.json": "{", "notes.txt": "", "index.js": "module.exports = 1", "go.mod": "x", "deep.json": strings.Repeat("[", 1<<20)} {
		if bom, err := Locked(name, []byte(data), nil, false); err == nil {
			t.Errorf("%s: no error, %s", name, fmt.Sprint(bom.Components))
		}
	}
}
