package attest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// odd are texts that a quick reader of JSON is likely to get wrong.
var odd = []string{
	``, ` `, `{`, `{}`, ` {} `, `{}x`, "{}\x00", `[]`, `[1,]`, `[,1]`, `{"a":1,}`, `{"a" 1}`, `{"a":}`, `{a:1}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"b":1,"b":2}}`,
	`{"a":01}`, `{"a":-}`, `{"a":-0}`, `{"a":1.}`, `{"a":.5}`, `{"a":1e}`, `{"a":1E+2}`, `{"a":-0.5e-07}`, `{"a":+1}`, `{"a":0x1}`, `{"a":NaN}`, `{"a":1 2}`,
	`{"a":tru}`, `{"a":true}`, `{"a":truex}`, `{"a":null}`, `{"a":nul`, `{"a":"b}`, `{"a":"\"}`, `{"a":"\\"}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\ud800"}`, `{"a":"\ud83d\ude00"}`,
	"{\"a\":\"\xff\"}", "{\"\xff\":1,\"\ufffd\":2}", "{\"a\":\"\t\"}", "{\"a\":\"\x7f\"}", `{"a":"é"}`, `{"a":[1,[2,{"b":[]}]] , "c" : "d"}`, "{\"a\":1}\n{\"a\":2}", `{"":0}`, "\ufeff{}", "{\"a\":\v1}",
	strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2),
	`{"a":` + strings.Repeat("[", maxDepth+3) + strings.Repeat("]", maxDepth+3) + `}`, `{"a":` + strings.Repeat("[", 10001) + strings.Repeat("]", 10001) + `}`,
}

// FuzzScanner: JSON is read by hand as encoding/json reads it, with the same errors.
func FuzzScanner(f *testing.F) {
	for _, text := range odd {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) { sameJSON(t, data) })
}

func sameJSON(t *testing.T, data []byte) {
	t.Helper()
	whole := bytes.Clone(data)
	same := func(what string, got, want any, gotErr, wantErr error) {
		t.Helper()
		if (gotErr == nil) != (wantErr == nil) || gotErr != nil && gotErr.Error() != wantErr.Error() {
			t.Fatalf("%s of %q: %v, by encoding/json %v", what, data, gotErr, wantErr)
		}
		if wantErr == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("%s of %q: %#v, by encoding/json %#v", what, data, got, want)
		}
	}
	got, gotErr := decode(data)
	want, wantErr := decodeSlowly(data)
	same("the value", got, want, gotErr, wantErr)
	read, gotErr := fields(data)
	slow, wantErr := fieldsSlowly(data)
	same("the fields", read, slow, gotErr, wantErr)
	if text := bytes.TrimLeft(data, "\ufeff \t\r\n"); bytes.HasPrefix(text, []byte("{")) {
		if keys, _, ok := members(text); ok {
			slow, bad := keysSlowly(text)
			if same("the keys", keys, slow, nil, nil); bad != "" {
				t.Fatalf("the keys of %q: it is %s by encoding/json", text, bad)
			}
		}
	}
	for _, raw := range read {
		s, err := textField(map[string]json.RawMessage{"x": raw}, "x")
		var slow string
		if (json.Unmarshal(raw, &slow) == nil) != (err == nil) || err == nil && s != slow {
			t.Fatalf("the text of %q: %q, %v, by encoding/json %q", raw, s, err, slow)
		}
	}
	if !bytes.Equal(data, whole) {
		t.Fatalf("%q was changed to %q", whole, data)
	}
}

// TestScanner changes a document in each of its bytes.
func TestScanner(t *testing.T) {
	doc := `{"a":{"b":[1,-2.5e+3,true,false,null,"x\"\u00e9","é"],"":{}},"a2":[],"c":"d"} `
	for i := range len(doc) {
		for _, c := range []byte("\"\\{}[],: 0-.eEtnu\x00\x1f\xc3\n") {
			for _, text := range []string{doc[:i] + string([]byte{c}) + doc[i:], doc[:i] + string([]byte{c}) + doc[i+1:], doc[:i], doc[i:]} {
				sameJSON(t, []byte(text))
			}
		}
	}
	s := scanner{data: []byte(doc)}
	if _, ok := s.value(0); !ok || !s.ended() {
		t.Error("a plain document is left to encoding/json")
	}
}

func BenchmarkDecode(b *testing.B) {
	doc := []byte(`{"verifier":{"id":"https://acme.example/fnaudit"},"policy":{"digest":{"sha256":"` + strings.Repeat("ab", 32) + `"}},"verifiedLevels":[` + strings.Repeat(`"FNAUDIT_TRUST_CHECKED",`, 20) + `"x"],"waived":0}`)
	for name, read := range map[string]func([]byte) (any, error){"scanner": decode, "tokens": decodeSlowly} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if _, err := read(doc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
