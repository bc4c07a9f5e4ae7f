package codec

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// planned has what the documents that are written have, and what is odd of it.
type planned struct {
	Name     string             `json:"name"`
	Optional string             `json:"optional,omitempty"`
	N        int                `json:"n"`
	Size     int64              `json:"size,omitempty"`
	U        uint8              `json:"u"`
	F        float64            `json:"f"`
	G        float64            `json:"g,omitempty"`
	OK       bool               `json:"ok,omitempty"`
	At       time.Time          `json:"at"`
	Zero     time.Time          `json:"zero,omitzero"`
	Seen     *time.Time         `json:"seen,omitempty"`
	Words    []kindly           `json:"words"`
	More     []string           `json:"more,omitempty"`
	Blob     []byte             `json:"blob,omitempty"`
	Map      map[string]float64 `json:"map"`
	By       map[kindly][]int   `json:"by,omitempty"`
	Inner    inner              `json:"inner"`
	Empty    struct{}           `json:"empty,omitempty"`
	List     []inner            `json:"list"`
	Next     *inner             `json:"next"`
	Hidden   string             `json:"-"`
	NoTag    string
	*embedded
	Promoted
	hidden string
}

type kindly string

type inner struct {
	A string   `json:"a,omitempty"`
	B *float64 `json:"b,omitempty"`
}

type embedded struct{ X string }

// Promoted is embedded.
type Promoted struct {
	Y []inner `json:"y"`
}

// letters are what strings are put together from: what is escaped, by whatever rule.
var letters = []string{"a", "Z", " ", "\"", "\\", "<", ">", "&", "#", "##", "##v", "##[", "\n", "\t", "\x00", "\b", "\x1f", "\x7f", "é", "\u0085", "\u00ad", "\u200b", "\u202e", "\u2028", "\ufffd", "\ufeff", "😀", "\U000e0041", "\xff", "\xc3", "\xed\xa0\x80", "/"}

// fill gives a value whatever there is.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		if at := time.Unix(r.Int64N(1<<33), r.Int64N(2)*r.Int64N(1e9)); r.IntN(4) > 0 {
			v.Set(reflect.ValueOf(at.In(time.FixedZone("", 60*r.IntN(600)))))
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		var b strings.Builder
		for range r.IntN(6) {
			b.WriteString(letters[r.IntN(len(letters))])
		}
		v.SetString(b.String())
	case reflect.Bool:
		v.SetBool(r.IntN(2) > 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> r.IntN(64))
	case reflect.Uint8:
		v.SetUint(r.Uint64N(256))
	case reflect.Float64:
		v.SetFloat([]float64{0, 1, math.Copysign(0, -1), 0.1, 1e-7, -1e21, 1e300, 5e-324, r.Float64(), r.NormFloat64() * 1e9}[r.IntN(10)])
	case reflect.Pointer:
		if r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth+1)
		}
	case reflect.Slice:
		if n := r.IntN(5) - 1; n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(r, v.Index(i), depth+1)
			}
		}
	case reflect.Map:
		if n := r.IntN(5) - 1; n >= 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n {
				key, of := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(r, key, depth+1)
				fill(r, of, depth+1)
				v.SetMapIndex(key, of)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(r, v.Field(i), depth+1)
			}
		}
	}
}

// TestPlan: what is written is what encoding/json writes, byte for byte.
func TestPlan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 3000 {
		v := &planned{embedded: &embedded{"x"}}
		fill(r, reflect.ValueOf(v).Elem(), 0)
		if n%5 == 0 {
			v.embedded = nil
		}
		for _, indent := range []bool{false, true} {
			var got, want bytes.Buffer
			l := &layout{w: &got, indent: indent}
			if n%3 == 0 {
				v.hidden = "x"
			}
			if !l.write([]*planned{v, nil}) || l.err != nil {
				t.Fatalf("left to encoding/json, %v", l.err)
			}
			if err := writeOther(&want, []*planned{v, nil}, indent); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Fatalf("%d:\n%s\n%s", n, got.Bytes(), want.Bytes())
			}
			if !json.Valid(got.Bytes()) {
				t.Fatalf("no JSON: %s", got.Bytes())
			}
		}
	}
}

// FuzzPlan: whatever string there is, it is written as encoding/json writes it.
func FuzzPlan(f *testing.F) {
	for _, s := range letters {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got, want bytes.Buffer
		if l := (&layout{w: &got}); !l.write(map[string]string{s: s}) {
			t.Fatal("left to encoding/json")
		}
		if err := writeOther(&want, map[string]string{s: s}, false); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatalf("%q: %s, not %s: %v", s, got.Bytes(), want.Bytes(), err)
		}
	})
}

// TestPlanLeaves: what JSON cannot hold is encoding/json's error, and nothing of
// it is written; so are types that say themselves how they are written.
func TestPlanLeaves(t *testing.T) {
	type loop struct{ Next *loop }
	for _, v := range []any{math.NaN(), []float64{1, math.Inf(1)}, map[string]time.Time{"x": time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC)}, nil, json.RawMessage("1"), []any{1}, &loop{}, [2]int{}, struct {
		N int `json:",string"`
	}{1}, struct {
		inner
		A string `json:"a"`
	}{}, map[int]int{1: 1}, make(chan int)} {
		var b bytes.Buffer
		if (&layout{w: &b}).write(v) || b.Len() > 0 {
			t.Errorf("%T: %s", v, b.Bytes())
		}
	}
	var b bytes.Buffer
	if err := WriteJSON(&b, strings.Repeat("x", 3*piece)); err != nil || b.Len() != 3*piece+3 {
		t.Error(b.Len(), err)
	}
	if err := WriteJSON(&b, math.NaN()); err == nil {
		t.Error("NaN was written")
	}
}
