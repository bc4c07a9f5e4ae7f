package registry

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// recordOf is a record with n versions and something in every field.
func recordOf(n int) record {
	r := record{
		Facts: Facts{
			Package: Package{NPM, "@a/b"}, Answer: Known, Source: "https://registry.example/", AsOf: getDay,
			Default: fmt.Sprintf("1.0.%d", n-1), Archived: "github.com/a/b", Maintainers: []string{"ann", "bob"},
		},
		validators: validators{`W/"x"`, "Sun, 01 Feb 2026 00:00:00 GMT"},
		looked:     map[string]time.Time{"1.0.0": getDay},
	}
	for i := range n {
		r.Versions = append(r.Versions, Version{
			Version: fmt.Sprintf("1.0.%d", i), Published: getDay.Add(time.Duration(i-n) * time.Hour),
			Deprecated: map[bool]string{true: "use c, not this"}[i%2 == 0], Yanked: map[bool]string{true: "yanked"}[i == 3],
			Publisher: "ann", Repository: "github.com/a/b", Attested: Answer(i % 3),
			Licenses: []string{"MIT"}, Integrity: map[string]string{"sha512": strings.Repeat("ab", 64)}, Archive: "https://registry.example/b.tgz",
			Scripts: []string{"postinstall: node x.js"}, Requires: map[string]string{"c": "^1"}, Signatures: []Signature{{"k", "s"}},
		})
	}
	return r
}

func decode(b []byte, want func(string) bool) (record, bool) {
	return decodeRecord(bytes.NewReader(b), int64(len(b)), "key", Package{NPM, "@a/b"}, want)
}

func TestRecordRoundTrip(t *testing.T) {
	for _, n := range []int{1, 5, 2000} { // the last does not fit into the first read
		r := recordOf(n)
		got, ok := decode(r.encode("key"), nil)
		if !ok || !reflect.DeepEqual(got, r) {
			t.Fatalf("%d versions: %v\ngot  %+v\nwant %+v", n, ok, got, r)
		}
		got, ok = decode(r.encode("key"), func(v string) bool { return v == "1.0.0" })
		r.trim(func(v string) bool { return v == "1.0.0" })
		if !ok || !reflect.DeepEqual(got, r) {
			t.Fatalf("%d versions, details of one: %v\ngot  %+v\nwant %+v", n, ok, got, r)
		}
	}
	absent := record{Facts: Facts{Package: Package{NPM, "@a/b"}, Answer: Absent, Source: "deps.dev", AsOf: getDay}}
	got, ok := decode(absent.encode("key"), nil)
	if got.Versions = nil; !ok || !reflect.DeepEqual(got, absent) {
		t.Errorf("%v %+v", ok, got)
	}
}

// TestRecordHostileFields: nothing that a registry says can make a line of its own.
func TestRecordHostileFields(t *testing.T) {
	r := recordOf(2)
	bad := "a\tb\nc\x00d\x1b[31m"
	r.Default, r.Source, r.Archived, r.Maintainers, r.etag = bad, bad, bad, []string{bad, bad}, bad
	r.Versions[0].Version, r.Versions[0].Deprecated, r.Versions[0].Publisher = bad, bad, bad
	r.Versions[1].Published = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
	got, ok := decode(r.encode("key"), func(v string) bool { return v == "1.0.1" })
	if !ok || len(got.Versions) != 2 || len(got.Maintainers) != 2 {
		t.Fatalf("%v %+v", ok, got)
	}
	clean := "a b c d [31m"
	if got.Default != clean || got.etag != clean || got.Maintainers[1] != clean || got.Versions[0].Version != clean || got.Versions[0].Deprecated != clean {
		t.Errorf("%+v", got)
	}
	if !got.Versions[1].Published.IsZero() {
		t.Errorf("published %v", got.Versions[1].Published)
	}
	if got.Versions[1].Licenses == nil {
		t.Error("the details are gone")
	}
}

// TestRecordDamage: whatever byte is changed, wherever it is cut, the record is
// absent or says what was written.
func TestRecordDamage(t *testing.T) {
	r := recordOf(3)
	whole := r.encode("key")
	for cut := range len(whole) {
		if _, ok := decode(whole[:cut], nil); ok {
			t.Fatalf("cut to %d of %d bytes it is a record", cut, len(whole))
		}
	}
	if _, ok := decode(append(whole[:len(whole):len(whole)], '\n'), nil); ok {
		t.Error("with a byte more it is a record")
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		b := bytes.Clone(whole)
		b[random.IntN(len(b))] ^= byte(1 + random.IntN(255))
		if got, ok := decode(b, nil); ok && !reflect.DeepEqual(got, r) {
			t.Fatalf("damaged it says %+v", got)
		}
	}
	if _, ok := decodeRecord(bytes.NewReader(whole), int64(len(whole)), "other", Package{}, nil); ok {
		t.Error("it answers for another package")
	}
}

func TestRecordIsBounded(t *testing.T) {
	r := recordOf(1)
	r.Maintainers = []string{strings.Repeat("m", firstRead)}
	if b := r.encode("key"); b != nil {
		t.Errorf("%d bytes", len(b))
	}
	r = recordOf(1)
	r.Versions[0].Deprecated = strings.Repeat("m", maxRecord)
	if b := r.encode("key"); b != nil {
		t.Errorf("%d bytes", len(b))
	}
}

func FuzzRecord(f *testing.F) {
	for _, n := range []int{1, 3} {
		r := recordOf(n)
		f.Add(r.encode("key"))
	}
	absent := record{Facts: Facts{Answer: Absent, AsOf: getDay}}
	f.Add(absent.encode("key"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := decode(b, nil)
		if !ok {
			if r, ok = decode(resummed(b), nil); !ok {
				return
			}
		}
		if again, ok := decode(r.encode("key"), nil); !ok || len(again.Versions) != len(r.Versions) {
			t.Errorf("written again it is %v %+v", ok, again)
		}
	})
}

// resummed puts the right checksum and lengths into what may be a record, so
// that fuzzing reaches what they protect.
func resummed(b []byte) []byte {
	head, l, ok := cutHead(string(b[:min(len(b), maxHead)]))
	if !ok || l.head+l.light > len(b) {
		return b
	}
	light, rest := b[l.head:l.head+l.light], b[l.head+l.light:]
	sum := crc32.Update(crc32.Checksum(b[:l.checked], castagnoli), castagnoli, light)
	parts := fmt.Sprintf("parts %d %d %d %d %08x\n", l.texts, l.versions, len(light), len(rest), sum)
	return slices.Concat([]byte(strings.Join(head[:headLines-1], "\n")+"\n"+parts), light, rest)
}

func FuzzAnswer(f *testing.F) {
	c := &Client{Dir: f.TempDir()}
	key := hash("x")
	c.writeAnswer(key, stored{Document{Body: []byte("body"), Fetched: getDay}, validators{`"e"`, ""}})
	b, err := os.ReadFile(c.filePath("answers", key))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, ok := parseAnswer(key, b, 100); ok && len(s.Body) > 100 {
			t.Errorf("%d bytes", len(s.Body))
		}
	})
}
