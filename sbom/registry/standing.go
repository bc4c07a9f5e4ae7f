package registry

import "time"

// Standing is what a registry says of one version of a package, as much of it
// as judgements need. It depends on no clock.
//
// Only stable versions are recommended: no pre-release, none that its publisher
// deprecated or took back, none of another scheme of numbers. Below 1.0 the
// second number takes the place of the first, because that is where breaking
// changes are made there (SemVer 2.0.0, item 4, and what npm's and Cargo's
// caret ranges do).
type Standing struct {
	Source  string
	AsOf    time.Time
	Answer  Answer // Absent: no such package
	Version bool   // the registry has this version
	Reason  string // why the answer is Unknown

	Published             time.Time
	First                 time.Time // of the package; zero unless every version is dated
	Last                  Release   // published last, whatever its number; zero when a version without a date may be later
	Newest, Major, Minor  Release   // highest stable; with the same first number; with the same first two
	Behind                int       // stable versions above this one
	MajorsBack, MinorBack int       // of which have another first number each; have the same first two numbers
	Unordered             int       // versions whose numbers cannot be read: in none of the above
	Deprecated, Yanked    string
	Archived              string
	Licenses, Scripts     []string
	Integrity             map[string]string
	Repository, Publisher string
	Attested              Answer
	Previous              *Version // the version before this one; nil when it is the first, or not known
	Maintainers           []string
	Signatures            []Signature // of the registry, over this version
	Past                  Past        // of the versions before it
}

// Release is a version and when it was published; zero when there is none.
type Release struct {
	Version   string
	Published time.Time
}

// Standing says how a version stands among those of its package. It takes time
// that grows with the number of versions, and holds no pointer into f.Versions.
func (f *Facts) Standing(version string) Standing {
	s := Standing{Source: f.Source, AsOf: sane(f.AsOf, time.Time{}), Answer: f.Answer, Reason: f.Reason, Archived: f.Archived, Maintainers: f.Maintainers}
	if f.Answer != Known || version == "" {
		return s
	}
	o := orderOf(f.Package)
	own := o.number(version)
	v := f.Find(version)
	if v == nil && own.ok {
		v = f.findNumber(o, &own)
	}
	if v != nil {
		s.Version = true
		s.Published, s.Deprecated, s.Yanked = sane(v.Published, s.AsOf), v.Deprecated, v.Yanked
		s.Licenses, s.Scripts, s.Integrity = v.Licenses, v.Scripts, v.Integrity
		s.Repository, s.Publisher, s.Attested = v.Repository, v.Publisher, v.Attested
		s.Signatures, s.Past = v.Signatures, f.past(o, v)
	}
	f.dates(&s, o)
	if own.ok {
		f.place(&s, o, &own)
	} else {
		s.Unordered++
	}
	return s
}

// findNumber returns the version with the same number in another spelling: "1.0"
// for "1.0.0", "v1.2.3" for "1.2.3".
func (f *Facts) findNumber(o *order, own *number) *Version {
	for i := range f.Versions {
		if n := o.number(f.Versions[i].Version); n.ok && o.compare(&n, own) == 0 {
			return &f.Versions[i]
		}
	}
	return nil
}

// dates fills when the project began and when it last published. A registry
// that tells the dates of some versions only must not make a project look
// given up: then the last release is known only if none without a date has a
// higher number.
func (f *Facts) dates(s *Standing, o *order) {
	latest := latestSane(s.AsOf)
	var first, last int64
	var lastOf *Version
	var undated []*Version
	for i := range f.Versions {
		v := &f.Versions[i]
		at := v.Published.Unix()
		if at < earliestSane || at > latest {
			undated = append(undated, v)
			continue
		}
		if first == 0 || at < first {
			first = at
		}
		if at > last || at == last && v.Version > lastOf.Version {
			last, lastOf = at, v
		}
	}
	if lastOf == nil {
		return
	}
	n := o.number(lastOf.Version)
	for _, v := range undated {
		if m := o.number(v.Version); !n.ok || !m.ok || o.compare(&m, &n) > 0 {
			return
		}
	}
	s.Last = Release{lastOf.Version, lastOf.Published.UTC()}
	if len(undated) == 0 {
		s.First = time.Unix(first, 0).UTC()
	}
}

// place fills what is above a version and what is right below it.
func (f *Facts) place(s *Standing, o *order, own *number) {
	var n, newest, major, minor, before number
	firsts, added := map[uint64]bool{}, ^uint64(0) // the last one added: most come in order
	seen := map[string]bool{}                      // gems come once per processor
	for i := range f.Versions {
		v := &f.Versions[i]
		o.read(&n, v.Version)
		if !n.ok {
			s.Unordered++
			continue
		}
		if !o.like(own, &n) || !n.stable && own.stable {
			continue
		}
		n.v = v
		above := o.compare(&n, own)
		if above < 0 && higher(o, &before, &n) { // what was taken back since was still what users had
			before = n
		}
		if !n.stable || v.Deprecated != "" || v.Yanked != "" {
			continue
		}
		sameMinor := n.at[0] == own.at[0] && n.at[1] == own.at[1]
		sameMajor := n.at[0] == own.at[0] && own.at[0] != 0 || sameMinor
		if higher(o, &newest, &n) {
			newest = n
		}
		if sameMajor && higher(o, &major, &n) {
			major = n
		}
		if sameMinor && higher(o, &minor, &n) {
			minor = n
		}
		if above <= 0 || o.again(seen, v.Version) {
			continue
		}
		s.Behind++
		if sameMinor {
			s.MinorBack++
		}
		first := n.at[0]
		if first == own.at[0] {
			first = n.at[1] | 1<<63 // the second number of 0.x, apart from the first ones
		}
		if !sameMajor && first != added {
			firsts[first], added = true, first
		}
	}
	s.MajorsBack = majorsBack(firsts)
	s.Newest, s.Major, s.Minor = release(newest, s.AsOf), release(major, s.AsOf), release(minor, s.AsOf)
	if before.v != nil {
		previous := *before.v
		s.Previous = &previous
	}
}

// majorsBack counts first numbers; the second numbers of 0.x count only where
// there is nothing else, so that 0.3 is one major behind 1.0 and not seventeen.
func majorsBack(firsts map[uint64]bool) int {
	whole, zero := 0, 0
	for n := range firsts {
		if n>>63 == 0 {
			whole++
		} else {
			zero++
		}
	}
	if whole > 0 {
		return whole
	}
	return zero
}

func higher(o *order, top, n *number) bool { return top.v == nil || o.compare(n, top) > 0 }

func release(n number, asOf time.Time) Release {
	if n.v == nil {
		return Release{}
	}
	return Release{n.v.Version, sane(n.v.Published, asOf)}
}

// earliestSane and latestEver bound what can be the time of a publication, in
// seconds of Unix time: from 1990, before there were registries, to 2200.
const earliestSane, latestEver = 631_152_000, 7_258_118_400

// latestSane is the latest time of a publication in an answer of a time, zero
// when that is not known: two days later, because clocks differ.
func latestSane(asOf time.Time) int64 {
	if asOf.IsZero() {
		return latestEver
	}
	return min(latestEver, asOf.Unix()+2*24*60*60)
}
