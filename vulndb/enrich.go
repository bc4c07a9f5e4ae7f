package vulndb

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// The feeds: lists beside the advisories that say more about them, by CVE.
const (
	// FeedKEV is CISA's catalogue of known exploited vulnerabilities
	// (https://www.cisa.gov/known-exploited-vulnerabilities-catalog).
	FeedKEV = "kev"
	// FeedEPSS is FIRST's Exploit Prediction Scoring System
	// (https://www.first.org/epss/).
	FeedEPSS = "epss"
)

// Exploited is what the catalogue of known exploited vulnerabilities says. Its
// days are those of UTC, from 1970 to 2149.
type Exploited struct {
	Added      time.Time // the day on which it was listed first
	Due        time.Time // the day by which the catalogue's readers must act; zero: none is said
	Ransomware bool      // known to be used by ransomware
}

// Score is what EPSS says.
type Score struct {
	EPSS       float64 // probability of exploitation in the next 30 days, 0 to 1, in steps of 1e-9
	Percentile float64 // share of all CVEs that score the same or less, 0 to 1, in the same steps
}

// Exploited returns what the catalogue says of a flaw that has all of these ids,
// in any spelling of upper and lower case: the first day of those it lists, the
// first due day, and ransomware if that is said of one. It is nil when none is
// listed, or the store has no catalogue, of which Snapshot.Feed tells.
func (db *DB) Exploited(ids []string) (*Exploited, error) {
	var out *Exploited
	err := db.eachValue(FeedKEV, ids, func(v uint64) error {
		e, err := unpackExploited(v)
		switch {
		case err != nil:
			return err
		case out == nil:
			out = &e
			return nil
		}
		if e.Added.Before(out.Added) {
			out.Added = e.Added
		}
		if out.Due.IsZero() || !e.Due.IsZero() && e.Due.Before(out.Due) {
			out.Due = e.Due
		}
		out.Ransomware = out.Ransomware || e.Ransomware
		return nil
	})
	return out, err
}

// Score returns the highest that EPSS gives to any of the ids of a flaw; nil
// when it scores none of them, or the store has no scores.
func (db *DB) Score(ids []string) (*Score, error) {
	var out *Score
	err := db.eachValue(FeedEPSS, ids, func(v uint64) error {
		s, err := unpackScore(v)
		if err == nil && (out == nil || s.EPSS > out.EPSS) {
			out = &s
		}
		return err
	})
	return out, err
}

// eachValue calls use with what a feed says of each id.
func (db *DB) eachValue(feed string, ids []string, use func(uint64) error) error {
	f := db.feeds[feed]
	if f == nil {
		return nil
	}
	err := db.read(func() error {
		for _, id := range ids {
			key, ok := cveKey(strings.ToUpper(id))
			if !ok {
				continue
			}
			v, ok, err := f.value(key)
			if err == nil && ok {
				err = use(v)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return advise(fmt.Errorf("look up in the list %s: %w", feed, err))
	}
	return nil
}

// cveKey returns the number that a CVE is sorted by. ok is false for what is no
// CVE as the CVE program spells them: four digits of a year since 1999, and at
// least four more, padded with zeros to four only. More than nine do not occur.
func cveKey(id string) (key uint64, ok bool) {
	const prefix, year, most = "CVE-", 4, 9
	rest, ok := strings.CutPrefix(id, prefix)
	if !ok || len(rest) < year+1+4 || len(rest) > year+1+most || rest[year] != '-' {
		return 0, false
	}
	number := rest[year+1:]
	if len(number) > 4 && number[0] == '0' {
		return 0, false
	}
	y, ok := decimal(rest[:year])
	n, all := decimal(number)
	return y<<32 | n, ok && all && y >= 1999
}

// decimal reads a few digits.
func decimal(s string) (n uint64, ok bool) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + uint64(s[i]-'0')
	}
	return n, true
}

// daySeconds is one day.
const daySeconds = 24 * 60 * 60

// packExploited packs days since 1970 into 16 bits each.
func packExploited(e Exploited) (uint64, error) {
	added, ok := packDay(e.Added)
	if !ok || added == 0 {
		return 0, fmt.Errorf("the day %s on which it was added", e.Added.Format(time.DateOnly))
	}
	due := uint64(0)
	if !e.Due.IsZero() {
		if due, ok = packDay(e.Due); !ok || due == 0 {
			return 0, fmt.Errorf("the due day %s", e.Due.Format(time.DateOnly))
		}
	}
	return added | due<<16 | uint64(b2i(e.Ransomware))<<32, nil
}

func packDay(t time.Time) (uint64, bool) {
	d := t.Unix() / daySeconds
	return uint64(d), d >= 0 && d <= math.MaxUint16
}

func unpackExploited(v uint64) (Exploited, error) {
	added, due := v&math.MaxUint16, v>>16&math.MaxUint16
	if added == 0 || v>>33 != 0 {
		return Exploited{}, damaged("an entry of the list %s", FeedKEV)
	}
	e := Exploited{Added: time.Unix(int64(added)*daySeconds, 0).UTC(), Ransomware: v>>32 == 1}
	if due > 0 {
		e.Due = time.Unix(int64(due)*daySeconds, 0).UTC()
	}
	return e, nil
}

// billion is what a packed 1 is. EPSS has five decimals today, and had nine.
const billion = 1_000_000_000

func packScore(s Score) (uint64, error) {
	for _, x := range [...]float64{s.EPSS, s.Percentile} {
		if !(x >= 0 && x <= 1) { // so is NaN
			return 0, fmt.Errorf("%g is not between 0 and 1", x)
		}
	}
	return uint64(math.Round(s.EPSS*billion)) | uint64(math.Round(s.Percentile*billion))<<32, nil
}

func unpackScore(v uint64) (Score, error) {
	s := Score{EPSS: float64(v&math.MaxUint32) / billion, Percentile: float64(v>>32) / billion}
	if s.EPSS > 1 || s.Percentile > 1 {
		return Score{}, damaged("an entry of the list %s", FeedEPSS)
	}
	return s, nil
}
