package night

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// filled gives every field of a type a value, so that one that is not read shows.
func filled(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("a \"<\u00e9\U0001f600\n\\" + v.Type().Name())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(-7)
	case reflect.Float64:
		v.SetFloat(0.25e-3)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(v.Elem(), depth)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			if v.Type().Elem().Kind() == reflect.Uint8 {
				v.Index(i).SetUint(200)
			} else {
				filled(v.Index(i), depth)
			}
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		one := reflect.New(v.Type().Elem()).Elem()
		filled(one, depth)
		v.SetMapIndex(reflect.ValueOf("k"), one)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 11, 23, 1, 2, 3, 4000, time.UTC)))
			return
		}
		for i := range v.NumField() {
			filled(v.Field(i), depth+1)
		}
	}
}

// TestDecodeReport: every field of a report comes out as encoding/json reads it.
func TestDecodeReport(t *testing.T) {
	var doc, want, got finding.Document
	filled(reflect.ValueOf(&doc).Elem(), 0)
	for _, indent := range []string{"", "\t"} {
		text, err := json.MarshalIndent(doc, "", indent)
		if err != nil {
			t.Fatal(err)
		}
		want, got = finding.Document{}, finding.Document{}
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if err := decode(string(text), &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(want, got) {
			t.Error("a report is read in another way than by encoding/json")
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	type small struct {
		A string         `json:"a"`
		N int            `json:"n"`
		M map[string]int `json:"m"`
	}
	for _, text := range []string{
		"", "{", "[]", "null {}", `{"a":"x"} {}`, `{"a":"x","a":"y"}`, `{"m":{"k":1,"k":2}}`, `{"a":1}`, `{"n":"1"}`, `{"n":1.5}`, `{"n":01}`, `{"n":99999999999999999999}`,
		"{\"a\":\"x\ny\"}", `{"a":"\x"}`, `{"a":"\u12"}`, "{\"a\":\"\xff\"}", `{"a":"x",}`, `{"zzz":[1,2}`, `{"zzz":` + strings.Repeat("[", maxDepth+1), `{"a" "x"}`, `{"n":-}`, `{"a":"x"`, `{"zzz":tru}`,
	} {
		var v small
		if err := decode(text, &v); err == nil {
			t.Errorf("%.60q was read", text)
		}
	}
	for text, want := range map[string]small{
		`{"zzz":{"y":[1,{"x":null}],"w":"\""},"a":"\ud83d\ude00\ud800\/"}`: {A: "\U0001f600\ufffd/"},
		` { "n" : -0 , "m" : { } , "a" : null } `:                          {M: map[string]int{}},
	} {
		var v small
		if err := decode(text, &v); err != nil || !reflect.DeepEqual(v, want) {
			t.Errorf("%s: %v, %v", text, v, err)
		}
	}
}

// FuzzDecode: whatever is read is read as encoding/json reads it.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"name":"a","checks":[{"check":"open","state":"ran"}]}`, `{"findings":[{"epss":1e-3,"kev":true,"aliases":["b"]}]}`, `{"components":[{"hashes":{"a":"b"}}]}`, `{"x":[[[{}]]]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got, want finding.Report
		if err := decode(text, &got); err != nil {
			return
		}
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("%q: read, and encoding/json says %v", text, err)
		}
	})
}
