package gate

import (
	"encoding/json"
	"testing"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// FuzzSummary reads summaries as another program may write them, and as they lie
// where nobody has verified them yet.
func FuzzSummary(f *testing.F) {
	f.Add([]byte(`{"dsseEnvelope":{"payloadType":"x","payload":"e30=","signatures":[{"sig":""}]}}`))
	f.Add([]byte(`{"timeVerified":"2026-11-20T12:00:00Z","fnaudit":{"layers":[{"digest":{"sha256":"aa"}}],"database":{"id":"x","ecosystems":{"npm":"2026-11-20T12:00:00Z"}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		about(data)
		s, err := ReadSummary(&attest.Statement{PredicateType: SummaryType, Predicate: data})
		if err != nil {
			return
		}
		s.Extension.Database.Older(finding.Database{ID: "y", Ecosystems: map[string]finding.Ecosystem{"npm": {}}})
		if s.Extension.OtherLayers(nil) == "" && len(s.Extension.Layers) > 0 {
			t.Error("layers that are the same as none")
		}
		s.Extension.LayerOf("sha256:")
	})
}

// FuzzIndex adds to indexes of layouts and registries.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"digest":"sha256:aa"}],"annotations":{}}`))
	f.Add([]byte(`{"manifests":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d := describe(mediaManifest, []byte("x"))
		out, err := appendTo(text, []Descriptor{d})
		if err != nil {
			return
		}
		var index struct{ Manifests []json.RawMessage }
		if err := json.Unmarshal(out, &index); err != nil || len(index.Manifests) == 0 {
			t.Errorf("%s: %v", out, err)
		}
		if again, err := appendTo(out, []Descriptor{d}); err != nil || string(again) != string(out) {
			t.Errorf("%s and %s, %v", out, again, err)
		}
	})
}
