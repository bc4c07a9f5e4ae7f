package attest

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"
)

// TestEmbeddedRoots holds the roots to the copies that the documentation names.
func TestEmbeddedRoots(t *testing.T) {
	for name, c := range map[string]struct {
		sum                       string
		logs, ctlogs, authorities bool
	}{
		"public-good": {"6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66", true, true, true},
		"github":      {"484cdfe1a7c65479c5ba2a22193d1be90f0020db1997de696ab207434c62fbb7", false, false, true},
	} {
		r, err := EmbeddedRoot(name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(r.Sigstore); hexOf(sum[:]) != c.sum {
			t.Errorf("%s: sha256 %x", name, sum)
		}
		req := &Request{Demand: Demand{Root: r}}
		s := req.sigstoreRoot()
		if s.err != nil {
			t.Fatal(s.err)
		}
		if logs, ctlogs, authorities := s.knows(); logs != c.logs || ctlogs != c.ctlogs || authorities != c.authorities {
			t.Errorf("%s: logs %v, certificate logs %v, authorities %v", name, logs, ctlogs, authorities)
		}
		for after, want := range map[time.Duration]string{-time.Hour: "0 days old", 48 * time.Hour: "2 days old", rootAge + 25*time.Hour: "warning: "} {
			notes := s.notes(r.Dated.Add(after))
			if len(notes) != 1 || !strings.Contains(notes[0], want) || strings.Contains(notes[0], "warning") != (after > rootAge) {
				t.Errorf("%s, %v later: %q", name, after, notes)
			}
		}
		if req.sigstoreRoot() != s {
			t.Errorf("%s: the root is read twice", name)
		}
	}
	for _, name := range []string{"", "other", "../roots/github", "github.trusted_root.json"} {
		if _, err := EmbeddedRoot(name); err == nil {
			t.Errorf("%q is a root", name)
		}
	}
	if s := (&Request{}).sigstoreRoot(); s.err != nil || !strings.HasPrefix(s.from.Source, "embedded public-good") {
		t.Errorf("no root: %+v", s)
	}
	if s := (&Request{Demand: Demand{Root: Root{Source: "empty.json", Sigstore: []byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`)}}}).sigstoreRoot(); s.err == nil {
		t.Error("an empty root is one")
	}
}
