package registry

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
func (f *Facts) past(o *order, v *Version) Past {
	var p Past
	at, unbroken := 0, true
	for at < len(f.Versions) && &f.Versions[at] != v {
		at++
	}
	own := o.number(v.Version)
	for i := at - 1; i >= 0; i-- {
		e := &f.Versions[i]
		if e.Publisher == "" && e.Attested == Unknown || !v.Published.IsZero() && e.Published.After(v.Published) {
			continue
		}
		if n := o.number(e.Version); own.stable && !n.stable {
			continue
		}
		if e.Publisher != "" {
			p.Publishers++
			p.Known = p.Known || e.Publisher == v.Publisher
		}
		switch e.Attested {
		case Absent:
			unbroken = false
		case Known:
			if p.Attested.Version == "" {
				p.Attested = Release{Version: e.Version, Published: e.Published}
			}
			if unbroken {
				p.Run++
			}
		}
	}
	return p
}
