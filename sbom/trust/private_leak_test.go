package trust

import (
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// recorder answers every request with "not found" and keeps what was asked.
type recorder struct {
	mu    sync.Mutex
	asked []string
}

func (r *recorder) RoundTrip(q *http.Request) (*http.Response, error) {
	text := q.Method + " " + q.URL.String()
	for name, values := range q.Header {
		text += "\n" + name + ": " + strings.Join(values, ", ")
	}
	if q.Body != nil {
		b, err := io.ReadAll(q.Body)
		if err != nil {
			return nil, err
		}
		text += "\n" + string(b)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, text)
	return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody, Request: q}, nil
}

// TestPrivateStays asks a registry client about private names, in all spellings
// that mean them, and public ones beside: no request and no file of the cache
// names a private one.
func TestPrivateStays(t *testing.T) {
	private, err := ParseNames([]string{"@secretco/*", "secretco-*", "go.secretco.example/*", "com.secretco"})
	if err != nil {
		t.Fatal(err)
	}
	dir, rec := t.TempDir(), &recorder{}
	c := &registry.Client{Dir: dir, Online: true, Private: private.Match, HTTP: &http.Client{Transport: rec}, Now: func() time.Time { return noveltyNow }}
	packages := []registry.Package{
		{System: registry.NPM, Name: "@secretco/pay"}, {System: registry.NPM, Name: "@SecretCo/Pay"}, {System: registry.NPM, Name: "secretco-log"},
		{System: registry.PyPI, Name: "SecretCo_Log"}, {System: registry.PyPI, Name: "secretco.log"}, {System: registry.Cargo, Name: "secretco_log"},
		{System: registry.Go, Name: "go.secretco.example/a/b"}, {System: registry.Maven, Name: "com.secretco.pay:core"}, {System: registry.NuGet, Name: "SecretCo-Log"}, {System: registry.RubyGems, Name: "secretco-log"},
		{System: registry.NPM, Name: "planted-public"},
	}
	facts, err := c.Facts(t.Context(), packages)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range facts[:len(facts)-1] {
		if f.Answer != registry.Unknown || f.Reason == "" {
			t.Errorf("%s: answer %d, reason %q", packages[i], f.Answer, f.Reason)
		}
	}
	if len(rec.asked) == 0 {
		t.Fatal("the public name was not asked for: nothing was tested")
	}
	for _, q := range rec.asked {
		if strings.Contains(strings.ToLower(q), "secretco") {
			t.Errorf("a private name left: %s", q)
		}
	}
	err = fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && strings.Contains(strings.ToLower(p), "secretco") {
			t.Errorf("the cache names it: %s", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
