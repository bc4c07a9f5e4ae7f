package gate

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Summary is what a verification summary says beyond what package attest judges.
// The zero Extension is that of a summary that another program wrote.
type Summary struct {
	TimeVerified time.Time
	ResourceURI  string
	Verifier     string // its id
	Policy       attest.Descriptor
	Levels       []string
	Extension    Extension
}

// ReadSummary reads the predicate of a verified summary.
func ReadSummary(st *attest.Statement) (Summary, error) {
	var s Summary
	if st == nil || st.PredicateType != SummaryType {
		return s, fmt.Errorf("not a verification summary (%s)", SummaryType)
	}
	doc, err := st.Document()
	if err != nil {
		return s, fmt.Errorf("read the verification summary: %w", err)
	}
	if s, err = summaryFrom(doc); err != nil {
		return Summary{}, fmt.Errorf("read the verification summary: %w", err)
	}
	return s, nil
}

// Older says which part of today's store is older than what a summary was made
// with, in plain words; "" when none is. Judging anew with such a store would
// forget what was known.
func (d Database) Older(today finding.Database) string {
	if d.ID == today.ID {
		return ""
	}
	var names []string
	for name := range d.Ecosystems {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		now, there := today.Ecosystems[name]
		if was := d.Ecosystems[name]; there && now.AsOf.Before(was) {
			return fmt.Sprintf("its advisories of %s are as of %s, those of the summary as of %s", name, now.AsOf.UTC().Format(time.RFC3339), was.UTC().Format(time.RFC3339))
		}
	}
	for _, now := range today.Feeds {
		if was, there := d.Feeds[now.Name]; there && now.AsOf.Before(was) {
			return fmt.Sprintf("its list %s is as of %s, that of the summary as of %s", now.Name, now.AsOf.UTC().Format(time.RFC3339), was.UTC().Format(time.RFC3339))
		}
	}
	return ""
}

// OtherLayers compares the layers that a function is to be deployed with, by
// their digests in merge order, with those that it was judged with. It returns
// what differs in plain words; "" when nothing does.
func (e Extension) OtherLayers(given []finding.Artifact) string {
	var have, want []string
	for _, a := range given {
		have = append(have, a.Digest)
	}
	for _, l := range e.Layers {
		want = append(want, "sha256:"+l.Digest["sha256"])
	}
	if slices.Equal(have, want) {
		return ""
	}
	return fmt.Sprintf("it was judged with the layers %s, and these are %s", names(want), names(have))
}

func names(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// LayerOf says whether a digest is that of a layer that the summary's function
// was judged with.
func (e Extension) LayerOf(digest string) bool {
	return slices.ContainsFunc(e.Layers, func(l Layer) bool { return "sha256:"+l.Digest["sha256"] == digest })
}

// maxSummary bounds in bytes a summary beside an artifact.
const maxSummary = 16 << 20

// About says which digest the summary in a file is about, without asking who
// signed it: for files that lie where the gate would write its own. A link is
// followed, as gate check follows it. "" when there is no file, or one that is no summary.
func About(path string) string {
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() || st.Size() > maxSummary {
		return ""
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return about(data)
}

// about is what the text of a bundle says that its summary is about.
func about(bundle []byte) string {
	s, err := attest.UnverifiedStatement(bundle)
	if err != nil || s.PredicateType != SummaryType {
		return ""
	}
	return "sha256:" + s.Subject[0].Digest["sha256"]
}
