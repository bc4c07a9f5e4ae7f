package registry

import "strings"

// Past is what a registry says of the versions before one, as far as it tells
// whether the one got worse. The zero value says nothing.
//
// Before means: lower in number, and not published later. A fix for an old line
// that comes out years after the next line began is not what that began with. A
// stable version is compared with stable ones, since previews are often built by
// a machine of their own.
type Past struct {
	Attested   Release // the newest that has an attestation of its build; zero: none, or not told
	Run        int     // how many have one, right before this version and without a gap
	Publishers int     // of how many the publisher is told
	Known      bool    // one of them is by the publisher of this version
}

// past looks at the versions before one of them.
func (f *Facts) past(v *Version) Past {
	var p Past
	at, unbroken := 0, true
	for at < len(f.Versions) && &f.Versions[at] != v {
		at++
	}
	for i := at - 1; i >= 0; i-- {
		e := &f.Versions[i]
		if !v.Published.IsZero() && e.Published.After(v.Published) || preview(f.Package.System, e.Version) && !preview(f.Package.System, v.Version) {
			continue
		}
		if e.Publisher != "" {
			p.Publishers++
			p.Known = p.Known || e.Publisher == v.Publisher
		}
		switch e.Attested {
		case Unknown: // as of a version that was taken back
			continue
		case Absent:
			unbroken = false
			continue
		}
		if p.Attested.Version == "" {
			p.Attested = Release{Version: e.Version, Published: e.Published}
		}
		if unbroken {
			p.Run++
		}
	}
	return p
}

// preview says whether a version is one before a release, as its system spells
// those: "1.0.0-rc.1" (Semantic Versioning 2.0.0, section 9), "1.0rc1", "1.0.dev3"
// (Python packaging specifications, "Version specifiers").
func preview(s System, version string) bool {
	if s == PyPI {
		public, _, _ := strings.Cut(strings.ToLower(version), "+")
		for _, mark := range []string{".post", "post", "v"} {
			public = strings.ReplaceAll(public, mark, "")
		}
		return strings.ContainsAny(public, "abcdefghijklmnopqrstuvwxyz")
	}
	core, _, _ := strings.Cut(version, "+")
	return strings.Contains(core, "-")
}
