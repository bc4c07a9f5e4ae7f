package attest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// pep740 writes a bundle as PEP 740 does.
func pep740(t *testing.T, b *protobundle.Bundle) string {
	t.Helper()
	entry, err := protojson.Marshal(b.GetVerificationMaterial().GetTlogEntries()[0])
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(object{"version": 1,
		"envelope":              object{"statement": b.GetDsseEnvelope().GetPayload(), "signature": b.GetDsseEnvelope().GetSignatures()[0].GetSig()},
		"verification_material": object{"certificate": b.GetVerificationMaterial().GetCertificate().GetRawBytes(), "transparency_entries": []json.RawMessage{entry}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestLists verifies the lists in which registries hand out bundles.
func TestLists(t *testing.T) {
	l := newLab(t)
	d := keyless(l.trust(true, false, true))
	good, other := l.bundle(order{statement: statementAbout(labArtifact)}), l.bundle(order{statement: statementAbout([]byte("other"))})
	text := func(b *protobundle.Bundle) string {
		data, err := protojson.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	npm := func(bundles ...string) string {
		var list []string
		for _, b := range bundles {
			list = append(list, `{"predicateType":"https://example.org/note/v1","bundle":`+b+`}`)
		}
		return `{"attestations":[` + strings.Join(list, ",") + `]}`
	}
	pypi := func(attestations ...string) string {
		return `{"version":1,"attestation_bundles":[{"publisher":{"kind":"GitHub","repository":"evil/evil"},"attestations":[` + strings.Join(attestations, ",") + `]}]}`
	}
	for name, c := range map[string]struct {
		data string
		want string // statuses in order
		says string
	}{
		"npm":                         {npm(text(good)), "verified", "signer"},
		"npm, two":                    {npm(text(good), text(other)), "verified rejected", "signer"},
		"npm, empty":                  {npm(), "rejected", "empty"},
		"npm without a bundle":        {`{"attestations":[{"predicateType":"x"}]}`, "rejected", "no bundle"},
		"npm, no list":                {`{"attestations":1}`, "rejected", "list of npm"},
		"PyPI":                        {pypi(pep740(t, good)), "verified", "signer"},
		"PyPI, two":                   {pypi(pep740(t, other), pep740(t, good)), "rejected verified", "not about"},
		"PyPI, empty":                 {pypi(), "rejected", "no attestation"},
		"PyPI, single":                {pep740(t, good), "verified", "signer"},
		"PyPI, other version":         {strings.Replace(pep740(t, good), `"version":1`, `"version":2`, 1), "rejected", "version 2"},
		"PyPI, broken base64":         {strings.Replace(pep740(t, good), `"signature":"`, `"signature":"!`, 1), "rejected", "PEP 740"},
		"PyPI, no log entry":          {pypi(`{"version":1,"envelope":{"statement":"e30=","signature":"e30="},"verification_material":{"certificate":"e30="}}`), "rejected", ""},
		"lines of both":               {npm(text(good)) + "\n" + pypi(pep740(t, other), pep740(t, good)) + "\n", "verified rejected verified", "signer"},
		"statement without signature": {string(statementAbout(labArtifact)), "unverifiable", "no signature"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := Verify(context.Background(), Request{Subject: labSubject(labArtifact), Demand: d, Now: time.Now(), Evidence: []Evidence{{Source: "list.json", Data: []byte(c.data)}}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range out.Results {
				if !isPredicate(r.Kind) {
					got = append(got, r.Status.String())
				}
				if !strings.HasPrefix(r.Source, "list.json") {
					t.Errorf("source %q", r.Source)
				}
			}
			if strings.Join(got, " ") != c.want || !strings.Contains(out.Results[0].Reason, c.says) {
				t.Errorf("got %v (%+v), want %s", got, out.Results[0], c.want)
			}
		})
	}
	t.Run("too many", func(t *testing.T) {
		many := `{"attestations":[` + strings.TrimSuffix(strings.Repeat(`{"bundle":{}},`, maxDocuments+1), ",") + `]}`
		if r := ask(t, Request{Subject: labSubject(labArtifact), Demand: d}, Evidence{Data: []byte(many)}); r.Status != Unverifiable || !strings.Contains(r.Reason, fmt.Sprint(maxDocuments)) {
			t.Errorf("%+v", r)
		}
	})
	t.Run("too many in all", func(t *testing.T) {
		line := `{"attestations":[` + strings.TrimSuffix(strings.Repeat(`{"bundle":{}},`, maxDocuments/2), ",") + "]}\n"
		list := unfold([]Evidence{{Source: "many.jsonl", Data: []byte(strings.Repeat(line, 5))}})
		last := list[len(list)-1]
		if len(list) != maxDocuments+1 || last.Fault == nil {
			t.Fatalf("%d documents, the last %v", len(list), last.Fault)
		}
		if r := faulty(last); r.Status != Unverifiable || r.Kind != KindSigstore || !strings.Contains(r.Reason, "many.jsonl") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("array too long", func(t *testing.T) {
		list := unfold([]Evidence{{Source: "many.json", Data: []byte("[" + strings.Repeat("1,", 3*maxDocuments) + "1]")}})
		if len(list) != maxDocuments+1 || list[maxDocuments].Fault == nil {
			t.Errorf("%d documents", len(list))
		}
	})
	t.Run("broken behind a good one", func(t *testing.T) {
		list := unfold([]Evidence{{Source: "a.jsonl", Data: []byte("{\"payload\":\"\",\"payloadType\":\"\"}\n{\"mediaType\": dev.sigstore.bundle")}})
		if len(list) != 2 || list[1].Format != FormatBundle || !strings.HasPrefix(string(list[1].Data), `{"mediaType"`) {
			t.Errorf("%+v", list)
		}
	})
}
