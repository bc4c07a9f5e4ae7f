package registry

import "time"

// Standing is what a registry says of one version of a package, as much of it
// as judgements need. It depends on no clock.
type Standing struct {
	Source  string
	AsOf    time.Time
	Answer  Answer // Absent: no such package
	Version bool   // the registry has this version
	Reason  string // why the answer is Unknown

	Published             time.Time
	First                 time.Time // of the package
	Last                  Release   // published last, whatever its number
	Newest, Major, Minor  Release   // highest stable; with the same first number; with the same first two
	Behind                int       // stable versions above this one
	MajorsBack, MinorBack int
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

// Standing says how a version stands among those of its package.
func (f *Facts) Standing(version string) Standing {
	s := Standing{Source: f.Source, AsOf: f.AsOf, Answer: f.Answer, Reason: f.Reason, Archived: f.Archived, Maintainers: f.Maintainers}
	v := f.Find(version)
	if v == nil {
		return s
	}
	s.Version = true
	s.Published, s.Deprecated, s.Yanked = v.Published, v.Deprecated, v.Yanked
	s.Licenses, s.Scripts, s.Integrity = v.Licenses, v.Scripts, v.Integrity
	s.Repository, s.Publisher, s.Attested = v.Repository, v.Publisher, v.Attested
	s.Signatures, s.Past = v.Signatures, f.past(v)
	return s
}
