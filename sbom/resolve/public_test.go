package resolve

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// TestPublicIndex holds whom a tree is asked for where pip has an index besides
// its own: deps.dev hears of a name only when that index answers that it has no
// such project.
func TestPublicIndex(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		switch {
		case r.URL.Path == "/simple/down/":
			w.WriteHeader(http.StatusForbidden)
		case r.URL.Path == "/simple/own/":
			fmt.Fprint(w, `<a href="own-1.0-py3-none-any.whl" data-core-metadata="true">own-1.0-py3-none-any.whl</a>`)
		case r.URL.Path == "/simple/own/own-1.0-py3-none-any.whl.metadata":
			fmt.Fprint(w, "Name: own\nVersion: 1.0\nRequires-Dist: public\n\n")
		case strings.Contains(r.URL.Path, "dependencies"):
			fmt.Fprint(w, `{"nodes":[{"versionKey":{"system":"PYPI","name":"public","version":"1.0"},"relation":"SELF"},{"versionKey":{"system":"PYPI","name":"dep","version":"2.0"},"relation":"DIRECT"}],"edges":[{"fromNode":0,"toNode":1}]}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	env := registry.Environment{Getenv: func(name string) string {
		return map[string]string{"PIP_EXTRA_INDEX_URL": server.URL + "/simple"}[name]
	}}
	c := &registry.Client{Dir: t.TempDir(), Online: true, Config: registry.ReadConfig(env), DepsDev: server.URL + "/"}
	for _, tt := range []struct{ name, want, source string }{
		{"public", "dep@2.0!", "deps.dev"},
		{"own", "[public: no configured index has it, and pip's own is written nowhere]", "registry"},
		{"down", "403", ""},
	} {
		asked = nil
		tree, err := Of(t.Context(), c, registry.Package{System: registry.PyPI, Name: tt.name}, "1.0", Limits{Time: 20 * time.Second})
		if err != nil || !strings.Contains(tree.String(), tt.want) || tree.Source != tt.source {
			t.Errorf("%s: %s by %q, %v", tt.name, tree, tree.Source, err)
		}
		for _, path := range asked {
			if tt.name != "public" && !strings.HasPrefix(path, "/simple/") && !strings.HasPrefix(path, "/pypi/") {
				t.Errorf("for %s %s was asked for", tt.name, path)
			}
		}
	}
}
