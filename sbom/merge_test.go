package sbom

import (
	"maps"
	"reflect"
	"testing"
)

func TestConfidence(t *testing.T) {
	piece := func(method string, c float64) Evidence { return Evidence{Method: method, Confidence: c} }
	other := piece("licence-comment", 0.9)
	other.Differs = true
	for _, test := range []struct {
		name string
		list []Evidence
		want float64
	}{
		{"none", nil, 0},
		{"one", []Evidence{piece("lockfile", 0.9)}, 0.9},
		{"two kinds", []Evidence{piece("source-map", 0.8), piece("lockfile", 0.5)}, 0.9},
		{"one kind twice", []Evidence{piece("lockfile", 0.9), piece("lockfile", 0.8)}, 0.9},
		{"many kinds", []Evidence{piece("a", 0.9), piece("b", 0.9), piece("c", 0.9)}, 0.99},
		{"sure already", []Evidence{piece("build-info", 1), piece("b", 0.9)}, 1},
		{"another version", []Evidence{piece("source-map", 0.8), other}, 0.8},
		{"out of range", []Evidence{piece("a", 7), piece("b", -1)}, 1},
	} {
		if got := Confidence(test.list); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestMerge(t *testing.T) {
	in := []Component{
		{PURL: "pkg:npm/b@1", Name: "b", State: Live, Origin: OriginApp},
		{PURL: "pkg:npm/a@1", Name: "a", State: Shadowed, Origin: OriginLayer, Main: true, Requires: []string{"z", "y"}, Hashes: map[string]string{"sha1": "x"},
			Occurrences: []Occurrence{{Artifact: 1, Path: "p", State: Shadowed}}, Evidence: []Evidence{{Method: MethodLockfile, Confidence: 0.9}}},
		{PURL: "pkg:npm/a@1", Name: "a", State: Live, Origin: OriginApp, Requires: []string{"y"}, Hashes: map[string]string{"sha1": "other", "sha512": "s"}, Licenses: []string{"MIT"},
			Occurrences: []Occurrence{{Artifact: 0, Path: "p", State: Live}, {Artifact: 0, Path: "p", State: Live}}, Evidence: []Evidence{{Method: MethodInstalled, Confidence: 1}}},
	}
	want := []Component{
		{Ref: "pkg:npm/a@1", PURL: "pkg:npm/a@1", Name: "a", State: Live, Origin: OriginApp, Requires: []string{"y", "z"}, Licenses: []string{"MIT"},
			Hashes:      map[string]string{"sha1": "x", "sha512": "s"},
			Occurrences: []Occurrence{{Artifact: 0, Path: "p", State: Live}, {Artifact: 1, Path: "p", State: Shadowed}},
			Evidence:    []Evidence{{Method: MethodInstalled, Confidence: 1}, {Method: MethodLockfile, Confidence: 0.9}}, Confidence: 1},
		{Ref: "pkg:npm/b@1", PURL: "pkg:npm/b@1", Name: "b", State: Live, Origin: OriginApp},
	}
	before := len(in[1].Hashes)
	if got := Merge(in); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if len(in[1].Hashes) != before || in[1].Requires[0] != "z" {
		t.Error("the input was changed")
	}
}

func TestMergeKeepsComponentsWithoutPURL(t *testing.T) {
	if got := Merge([]Component{{Name: "a"}, {Name: "b"}}); len(got) != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestStateOrder(t *testing.T) {
	order := []State{"", Declared, Provided, Shadowed, Live}
	for i := 1; i < len(order); i++ {
		if Strongest(order[i-1], order[i]) != order[i] || Strongest(order[i], order[i-1]) != order[i] {
			t.Errorf("%q is not stronger than %q", order[i], order[i-1])
		}
	}
}

func TestSortUnknownsKeepsTheOneThatConcernsCode(t *testing.T) {
	got := SortUnknowns([]Unknown{
		{Path: "b", Kind: Opaque, Reason: "r"},
		{Path: "b", Kind: Opaque, Reason: "r", Code: true},
		{Path: "a", Kind: Limit, Reason: "r"},
	})
	want := []Unknown{{Path: "a", Kind: Limit, Reason: "r"}, {Path: "b", Kind: Opaque, Reason: "r", Code: true}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

// TestMergeOpen: the candidates for one bundle's package say nothing about that
// of another bundle, whose version nobody knows.
func TestMergeOpen(t *testing.T) {
	part := func(state State, versions ...string) Component {
		return Component{PURL: "pkg:npm/lodash", Name: "lodash", State: state, Versions: versions, Disputed: len(versions) > 0}
	}
	for _, tt := range []struct {
		name  string
		parts []Component
		want  int
	}{
		{"two bundles that dispute", []Component{part(Live, "1", "2"), part(Live, "2", "3")}, 3},
		{"one that does not know", []Component{part(Live, "1", "2"), part(Live)}, 0},
		{"in another order", []Component{part(Live), part(Live, "1", "2"), part(Live, "3", "4")}, 0},
		{"a manifest that asks for it", []Component{part(Live, "1", "2"), part(Declared)}, 2},
	} {
		got := Merge(tt.parts)
		if len(got) != 1 || len(got[0].Versions) != tt.want || !got[0].Disputed {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// TestMergeRanges: what two parts of a component say differently is not told,
// whatever a third one says.
func TestMergeRanges(t *testing.T) {
	part := func(ranges map[string]string) Component {
		return Component{PURL: "pkg:npm/a@1", Name: "a", Ranges: ranges}
	}
	first := map[string]string{"b": "^1", "c": "^2"}
	got := Merge([]Component{part(first), part(map[string]string{"b": "^1", "c": "^3", "d": "*"}), part(map[string]string{"c": "^2"}), part(nil)})
	if want := map[string]string{"b": "^1", "d": "*"}; len(got) != 1 || !maps.Equal(got[0].Ranges, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if len(first) != 2 || first["c"] != "^2" {
		t.Errorf("the input was changed: %v", first)
	}
}
