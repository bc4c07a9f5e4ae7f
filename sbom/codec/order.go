package codec

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/fnaudit/fnaudit/sbom"
)

func compareEvidence(a, b sbom.Evidence) int {
	return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.Method, b.Method),
		cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Detail, b.Detail))
}

func compareOccurrence(a, b sbom.Occurrence) int {
	return cmp.Or(cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Path, b.Path),
		cmp.Compare(a.State, b.State), cmp.Compare(a.Layer, b.Layer))
}

func compareUnknown(a, b sbom.Unknown) int {
	return cmp.Or(cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Path, b.Path),
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reason, b.Reason))
}

// listed is one component with the reference that is unique in the document.
type listed struct {
	sbom.Component
	ref string
}

// list returns the components of a function sorted by PURL, then Ref, then
// name and version, each with a reference that no other has: prefix and Ref,
// else PURL, else name, with a number when that is taken. taken is filled.
func list(bom *sbom.SBOM, prefix string, taken map[string]bool) []listed {
	if bom == nil {
		return nil
	}
	out := make([]listed, len(bom.Components))
	for i, c := range bom.Components {
		out[i].Component = c
	}
	slices.SortStableFunc(out, func(a, b listed) int {
		return cmp.Or(cmp.Compare(a.PURL, b.PURL), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	for i := range out {
		c := &out[i]
		c.ref = unique(prefix+cmp.Or(c.Ref, c.PURL, c.Name, "component"), taken)
		c.Occurrences = slices.Clone(c.Occurrences)
		slices.SortStableFunc(c.Occurrences, compareOccurrence)
		c.Evidence = sortedEvidence(c.Evidence)
		c.Licenses = slices.Clone(c.Licenses)
		slices.Sort(c.Licenses)
		c.Licenses = slices.Compact(c.Licenses)
	}
	return out
}

// unknowns returns the sorted unknowns of a function.
func unknowns(bom *sbom.SBOM) []sbom.Unknown {
	if bom == nil {
		return nil
	}
	out := slices.Clone(bom.Unknowns)
	slices.SortStableFunc(out, compareUnknown)
	return out
}

// unique returns s, or s with the lowest number that makes it new, and takes it.
func unique(s string, taken map[string]bool) string {
	out := s
	for n := 2; taken[out]; n++ {
		out = s + "#" + itoa(n)
	}
	taken[out] = true
	return out
}

func itoa(n int) string { return strconv.Itoa(n) }

// isHex says whether s is lower-case hexadecimal of n bytes.
func isHex(s string, n int) bool {
	if len(s) != 2*n {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// sortedFunctions returns the functions sorted by name, then by digest of their code.
func sortedFunctions(fs []Function) []Function {
	out := slices.Clone(fs)
	slices.SortStableFunc(out, func(a, b Function) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(subject(a), subject(b)))
	})
	return out
}

// subject is the digest of the function's code, "" when it is not known.
func subject(f Function) string {
	if f.SBOM != nil && f.SBOM.Subject != "" {
		return string(f.SBOM.Subject)
	}
	if len(f.Artifacts) > 0 {
		return string(f.Artifacts[0].Digest)
	}
	return ""
}

// absent returns the packages of lockfiles that are not there, sorted.
func absent(bom *sbom.SBOM) []sbom.Absent {
	if bom == nil {
		return nil
	}
	out := slices.Clone(bom.Absent)
	slices.SortStableFunc(out, func(a, b sbom.Absent) int {
		return cmp.Or(cmp.Compare(a.PURL, b.PURL), cmp.Compare(a.Lockfile, b.Lockfile))
	})
	return out
}
