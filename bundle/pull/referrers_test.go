package pull

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestReferrers asks registries that can list what refers to a manifest, and
// such that cannot.
func TestReferrers(t *testing.T) {
	subject, one, two := digestOf([]byte("s")), digestOf([]byte("1")), digestOf([]byte("2"))
	index := func(entries ...string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, mediaIndex, strings.Join(entries, ","))
	}
	entry := func(digest, kind string) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"artifactType":%q}`, mediaManifest, digest, kind)
	}
	api, tag := "/v2/team/app/referrers/"+subject, "/v2/team/app/manifests/"+strings.Replace(subject, ":", "-", 1)
	var many []string
	for n := range maxReferrers + 1 {
		many = append(many, entry(digestOf([]byte(fmt.Sprint(n))), "sig"))
	}
	for name, c := range map[string]struct {
		answers map[string]string
		status  int // for what has no answer; 0: 404
		want    []string
		err     string
	}{
		"none":           {nil, 0, nil, ""},
		"listed":         {map[string]string{api: index(entry(one, "sig"), entry(two, "sbom"))}, 0, []string{one}, ""},
		"listed, empty":  {map[string]string{api: index(), tag: index(entry(one, "sig"))}, 0, nil, ""},
		"under the tag":  {map[string]string{tag: index(entry(one, "sig"), entry(two, "sig"), entry(one, "sig"))}, 0, []string{one, two}, ""},
		"an odd refusal": {map[string]string{tag: index(entry(one, "sig"))}, http.StatusMethodNotAllowed, []string{one}, ""},
		"no digests":     {map[string]string{api: index(entry("../x", "sig"))}, 0, nil, ""},
		"too many":       {map[string]string{api: index(many...)}, 0, nil, "65 manifests refer to"},
		"no list":        {map[string]string{api: "<html>"}, 0, nil, "the list of what refers to"},
		"who are you":    {nil, http.StatusForbidden, nil, "403"},
		"it is broken":   {nil, http.StatusNotImplemented, nil, "501"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v2/" {
					return
				}
				if b, ok := c.answers[r.URL.Path]; ok {
					w.Header().Set("Content-Type", mediaIndex)
					fmt.Fprint(w, b)
				} else if c.status != 0 {
					w.WriteHeader(c.status)
				} else {
					http.NotFound(w, r)
				}
			}))
			defer srv.Close()
			client := quick()
			ref, err := client.ParseReference(strings.TrimPrefix(srv.URL, "http://") + "/team/app:v1")
			if err != nil {
				t.Fatal(err)
			}
			r, err := client.Repository(ref)
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.Referrers(context.Background(), subject, "sig")
			if c.err == "" && (err != nil || !slices.Equal(got, c.want)) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%v, %v, want %v, %q", got, err, c.want, c.err)
			}
		})
	}
}
