package vulndb

import (
	"archive/zip"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// plainRecord reads a record with encoding/json, for what both readers keep
// the same way.
type plainRecord struct {
	ID       string     `json:"id"`
	Aliases  []string   `json:"aliases"`
	Severity []Severity `json:"severity"`
	Summary  string     `json:"summary"`
	Affected []struct {
		Package struct {
			Ecosystem string `json:"ecosystem"`
			Name      string `json:"name"`
		} `json:"package"`
		Ranges []struct {
			Type   string              `json:"type"`
			Repo   string              `json:"repo"`
			Events []map[string]string `json:"events"`
		} `json:"ranges"`
		Versions []string `json:"versions"`
	} `json:"affected"`
}

// agrees compares what ParseRecord made of a record with encoding/json's view.
func agrees(t *testing.T, data []byte, a *Advisory) {
	t.Helper()
	var r plainRecord
	if err := json.Unmarshal(data, &r); err != nil {
		return // skipped values are not checked by every rule
	}
	if a.ID != r.ID || a.Summary != clip(r.Summary, maxSummary) || !slices.Equal(a.Aliases, ids(r.Aliases)) || len(a.Affected) != len(r.Affected) {
		t.Fatalf("%s\n%+v\n%+v", data, a, r)
	}
	for i, e := range r.Affected {
		got := a.Affected[i]
		if got.Ecosystem != e.Package.Ecosystem || got.Name != e.Package.Name || !slices.Equal(got.Versions, e.Versions) || len(got.Ranges) != len(e.Ranges) {
			t.Fatalf("%s: entry %d\n%+v\n%+v", r.ID, i, got, e)
		}
		for j, g := range e.Ranges {
			want := Range{Type: RangeType(g.Type), Repo: g.Repo}
			for _, ev := range g.Events {
				for _, k := range []EventKind{Introduced, Fixed, LastAffected, Limit} {
					if v := ev[string(k)]; v != "" && g.Type != "GIT" {
						want.Events = append(want.Events, Event{k, v})
					}
				}
			}
			if len(want.Events) == 1 || len(want.Events) == len(g.Events) { // an object with two events has no order there
				if !reflect.DeepEqual(got.Ranges[j], want) {
					t.Fatalf("%s: entry %d, range %d\n%+v\n%+v", r.ID, i, j, got.Ranges[j], want)
				}
			}
		}
	}
}

// TestParseSharedFeed compares both readers over every record of a real feed.
func TestParseSharedFeed(t *testing.T) {
	n := 0
	for _, in := range sharedFeed(t) {
		z, err := zip.OpenReader(in.Archive)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			a, err := ParseRecord(b)
			if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			agrees(t, b, a)
			back, err := decodeAdvisory(string(encodeAdvisory(nil, a)))
			if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			// An empty list comes back as none.
			if x, y := encodeAdvisory(nil, back), encodeAdvisory(nil, a); string(x) != string(y) {
				t.Fatalf("%s: not what was stored", f.Name)
			}
			n++
		}
		z.Close()
	}
	t.Logf("%d records", n)
}

func TestParseRecordErrors(t *testing.T) {
	for name, tt := range map[string]struct{ record, want string }{
		"empty":           {``, "no object"},
		"null":            {`null`, "no object"},
		"array":           {`[]`, "no object"},
		"no id":           {`{"modified":"x"}`, "id is missing"},
		"id of control":   {"{\"id\":\"a\\nb\"}", "control"},
		"long id":         {`{"id":"` + strings.Repeat("x", maxName+1) + `"}`, "over"},
		"id a number":     {`{"id":7}`, "no string"},
		"unclosed":        {`{"id":"X"`, "no comma"},
		"unclosed string": {`{"id":"X`, "does not end"},
		"more after":      {`{"id":"X"} {}`, "more after"},
		"deep":            {`{"id":"X","details":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "deep"},
		"range type":      {`{"id":"X","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"MAGIC","events":[{"introduced":"0"}]}]}]}`, "MAGIC"},
		"empty event":     {`{"id":"X","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{}]}]}]}`, "without a version"},
		"no name":         {`{"id":"X","affected":[{"package":{"ecosystem":"npm"}}]}`, "name is missing"},
		"no ecosystem":    {`{"id":"X","affected":[{"package":{"name":"p"}}]}`, "ecosystem is missing"},
		"bad escape":      {`{"id":"\q"}`, "malformed"},
	} {
		if a, err := ParseRecord([]byte(tt.record)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v, want %q", name, a, err, tt.want)
		}
	}
}

// TestParseRecordLenient has oddities in places that nothing is judged by.
func TestParseRecordLenient(t *testing.T) {
	a, err := ParseRecord([]byte(`{"id":"X","aliases":null,"details":{"odd":[1,{"x":"]}"}]},"severity":[{"type":"CVSS_V3","score":""}],
		"affected":[{"package":{"ecosystem":"Go","name":"m"},"ecosystem_specific":[],"database_specific":"text"},{"ranges":null}],
		"database_specific":{"severity":{"level":9},"cwe_ids":"CWE-1","cvss_v3_score":"high","cvss_v2_score":99},"withdrawn":null}`))
	if err != nil {
		t.Fatal(err)
	}
	if a.Word != "" || a.Score != 0 || a.CWEs != nil || !a.Withdrawn.IsZero() || len(a.Affected) != 2 || len(a.Severities) != 0 {
		t.Errorf("%+v", a)
	}
	var refs strings.Builder
	for range MaxReferences {
		refs.WriteString(`{"type":"WEB","url":"u"},`)
	}
	a, err = ParseRecord([]byte(`{"id":"X","references":[` + refs.String() + `{"type":"FIX","url":"f"}]}`))
	if err != nil || len(a.References) != MaxReferences || a.References[0].Type != "FIX" {
		t.Errorf("%v, %+v", err, a)
	}
}

// FuzzParseRecord parses anything. What is accepted means the same to
// encoding/json, and survives being stored.
func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(recordJSON("GHSA-1", "npm", "p", "0", "1.0.0")))
	f.Add([]byte(`{"id":"a\u00e9\ud83d\ude00","summary":"\\\"","affected":[{"package":{"ecosystem":"npm","name":"p"},"versions":["1",null],"ranges":[{"type":"GIT","repo":"r","events":[{"introduced":"0"}]}]}]}`))
	f.Add([]byte(`{"id":"X","database_specific":{"severity":"LOW","cwe_ids":["CWE-1"],"cvss_v3_score":5.5},"withdrawn":"2020-01-01T00:00:00Z"}`))
	f.Add([]byte("{\"id\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ParseRecord(data)
		if err != nil {
			return
		}
		if strings.Count(string(data), `"affected"`) <= 1 && strings.Count(string(data), `"package"`) <= len(a.Affected) && plainKeys(data) {
			agrees(t, data, a)
		}
		enc := encodeAdvisory(nil, a)
		back, err := decodeAdvisory(string(enc))
		if err != nil {
			t.Fatalf("%v: %+v", err, a)
		}
		if string(encodeAdvisory(nil, back)) != string(enc) {
			t.Fatalf("not what was stored: %+v, %+v", a, back)
		}
		db := &starter{names: map[string]map[string][]*Advisory{}}
		for _, eco := range ecosystems(a) {
			db.names[eco] = map[string][]*Advisory{}
			for _, n := range prepare(eco, a, nil).names {
				ask(Package{Ecosystem: eco, Name: n, Version: "1.0.0"}).answer([]*Advisory{a})
			}
		}
	})
}

// plainKeys says that encoding/json and the scanner read the same keys: the
// former merges doubled keys and ignores their case.
func plainKeys(data []byte) bool {
	s := string(data)
	if strings.ToLower(s) != s && !strings.Contains(s, `"id"`) {
		return false
	}
	for _, k := range []string{"id", "aliases", "summary", "affected", "package", "ecosystem", "name", "ranges", "type", "repo", "events", "versions", "severity"} {
		if strings.Count(strings.ToLower(s), `"`+k+`"`) != strings.Count(s, `"`+k+`"`) || strings.Count(s, `"`+k+`"`) > 1 {
			return false
		}
	}
	return !strings.Contains(s, `\u`)
}

// FuzzDecode reads encoded advisories that nobody encoded.
func FuzzDecode(f *testing.F) {
	a, err := ParseRecord([]byte(recordJSON("GHSA-1", "npm", "p", "0", "1.0.0")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encodeAdvisory(nil, a))
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := decodeAdvisory(string(data)); err == nil && a.ID == "" {
			t.Fatal("an advisory without an id")
		}
	})
}

// FuzzOpen changes a store: the bytes at some places, and the checksum of the
// header put right again, so that what lies behind it is reached.
func FuzzOpen(f *testing.F) {
	whole, packages := memoryStore(f, 8)
	f.Add(uint32(20), uint64(1), false)
	f.Add(uint32(offSections), uint64(1)<<40, true)
	f.Add(uint32(offBlocks), uint64(0xffffffff), true)
	f.Add(uint32(headerSize), uint64(0), true)
	f.Add(uint32(len(whole)-9), uint64(7), true)
	f.Fuzz(func(t *testing.T, at uint32, value uint64, repair bool) {
		b := slices.Clone(whole)
		for i := range 8 {
			if n := int(at)%len(b) + i; n < len(b) {
				b[n] ^= byte(value >> (8 * i))
			}
		}
		if repair {
			sum := checksum(b[:offChecksum])
			for i := range 4 {
				b[offChecksum+i] = byte(sum >> (8 * i))
			}
		}
		db, err := asDB(b)
		if err != nil {
			return
		}
		for _, p := range packages {
			db.Match(t.Context(), p)
		}
		db.Lookup(t.Context(), "GHSA-0001")
		db.Covers("npm:1")
	})
}

// FuzzMatch asks about any version of any ecosystem.
func FuzzMatch(f *testing.F) {
	f.Add("npm", "1.0.0", "0", "2.0.0", "2.0.0")
	f.Add("PyPI", "1.0+local", "0", "1.0", "3")
	f.Add("Maven", "${x}", "0", "1.0", "")
	f.Add("Debian:12", "1:1-1", "0", "1:1-2", "*")
	f.Fuzz(func(t *testing.T, ecosystem, version, introduced, fixed, limit string) {
		a := &Advisory{ID: "X", Affected: []Affected{{Ecosystem: ecosystem, Name: "p", Ranges: []Range{{Type: Ecosystem, Events: []Event{{Introduced, introduced}, {Fixed, fixed}, {Limit, limit}}}}}}}
		p := Package{Ecosystem: ecosystem, Name: "p", Version: version}
		r := ask(p).answer([]*Advisory{a})
		if len(r.Matches)+len(r.Unversioned) > 1 {
			t.Fatalf("one advisory, %+v", r)
		}
		if len(r.Unversioned) == 1 && version != "" && len(r.Problems) == 0 {
			t.Fatalf("undecided without a reason: %+v", r)
		}
		Groups(p, r.Matches)
	})
}
