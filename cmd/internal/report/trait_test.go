package report

import (
	"reflect"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// TestTraitsComeBack: what a report keeps of how a component came here is what
// a later run judges by.
func TestTraitsComeBack(t *testing.T) {
	noted := []finding.Trait{{Kind: "git", Artifact: 1, Path: "poetry.lock", Detail: "git+https://host.example/o/a.git#0123456"}}
	want := []sbom.Trait{{Kind: sbom.TraitGit, Artifact: 1, Path: "poetry.lock", Detail: "git+https://host.example/o/a.git#0123456"}}
	if got := toComponent(finding.Component{PURL: "pkg:pypi/a@1", Traits: noted}).Traits; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	f := toFunction(&finding.Report{Traits: noted})
	if !reflect.DeepEqual(f.SBOM.Traits, want) {
		t.Errorf("got %v", f.SBOM.Traits)
	}
}
