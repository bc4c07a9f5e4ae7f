package gate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	vsa "github.com/in-toto/attestation/go/predicates/vsa/v1"
	vulns "github.com/in-toto/attestation/go/predicates/vulns/v02"
	ita "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

var update = flag.Bool("update", false, "rewrite the goldens")

var day = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func digest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

// run is a run with a key of its own.
func run(t testing.TB) *Run {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.NewSigner("key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil, attest.Services{})
	if err != nil {
		t.Fatal(err)
	}
	return &Run{
		Tool: finding.Tool{Name: "fnaudit", Version: "v1.0.0"}, VerifierID: "https://acme.example/fnaudit",
		Policy: Policy{URI: "file:release.yaml", Digest: digest("c")}, Judged: day.Add(time.Hour), Started: day, Finished: day.Add(time.Minute), Signer: s,
		Database: finding.Database{ID: digest("d"), BuiltAt: day, Records: 3, Ecosystems: map[string]finding.Ecosystem{
			"npm": {Records: 2, AsOf: day}, "PyPI": {Records: 1, AsOf: day.Add(-24 * time.Hour)}}},
	}
}

// passed is a function with everything that a statement can say.
func passed() Function {
	rep := finding.NewReport("orders", "dist/orders.zip")
	rep.Platform, rep.Runtime, rep.Handler, rep.Architecture = "aws-lambda", "nodejs20.x", "index.handler", "x86_64"
	rep.Verdict = finding.Verdict{Decision: finding.Pass}
	rep.Artifacts = []finding.Artifact{{Ref: "dist/orders.zip", Kind: "zip", Digest: digest("a")}, {Ref: "layers/base.zip", Kind: "zip", Digest: digest("b")}}
	for _, c := range []string{"open", "catalog", "vulnerability", "signature", "provenance"} {
		rep.Ran(c, nil)
	}
	rep.Skip("reachability", "there is no Go binary")
	rep.Attestations = []finding.Attestation{
		{Kind: "sigstore", Status: "verified"}, {Kind: "slsa-provenance", Status: "verified", Artifact: 1}, {Kind: "slsa-provenance", Status: "rejected"}}
	rep.Findings = []finding.Finding{
		{Kind: finding.KindVulnerability, ID: "GHSA-aaaa-bbbb-cccc", Aliases: []string{"CVE-2026-1"}, Severity: finding.High, Certainty: finding.Certain, Score: 7.5,
			Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", Component: "pkg:npm/left<pad>@1.0.0", State: "live", Origin: "app", Reach: "unknown", Fixed: []string{"1.0.2"},
			Waived: &finding.Waived{Reason: "not called", Owner: "ada", Expires: day}},
		{Kind: finding.KindRuntime, ID: "nodejs20.x", Severity: finding.Low},
		{Kind: finding.KindMalware, ID: "MAL-2026-1", Severity: finding.Critical, Certainty: finding.Certain, Component: "pkg:npm/evil@1.0.0", Reach: "unknown"},
	}
	return Function{Report: rep, Name: "orders.zip", Resource: "https://acme.example/functions/orders", SBOM: []byte(`{"bomFormat": "CycloneDX", "specVersion": "1.6"}` + "\n"),
		BuildLevel: 2, Evidence: []attest.Descriptor{{URI: "file:orders.zip.intoto.jsonl", Digest: map[string]string{"sha256": strings.Repeat("e", 64)}}}}
}

// payload is the statement of a bundle.
func payload(t testing.TB, bundle []byte) []byte {
	t.Helper()
	var b struct{ DsseEnvelope struct{ Payload []byte } }
	if err := json.Unmarshal(bundle, &b); err != nil {
		t.Fatal(err)
	}
	return b.DsseEnvelope.Payload
}

// TestStatements holds the three statements against goldens, which were held by
// hand against the specifications that the types name.
func TestStatements(t *testing.T) {
	list, err := run(t).Attest(t.Context(), passed())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 3 {
		t.Fatalf("%d statements", len(list))
	}
	for i, a := range list {
		if a.Suffix != Suffixes()[i] || a.Identity == "" {
			t.Errorf("statement %d: %s by %q", i, a.Suffix, a.Identity)
		}
		var got bytes.Buffer
		if err := json.Indent(&got, payload(t, a.Bundle), "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		text := got.String()
		for j, before := range list[:i] { // signatures differ each time
			text = strings.ReplaceAll(text, fmt.Sprintf("%x", sha256.Sum256(before.Bundle)), fmt.Sprintf("the sha256 of statement %d", j))
		}
		golden := filepath.Join("testdata", strings.TrimPrefix(strings.TrimSuffix(a.Suffix, ".sigstore.json"), ".")+".golden.json")
		if *update {
			if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || text != string(want) {
			t.Errorf("%s: %v\n%s", golden, err, text)
		}
	}
}

// TestTypes reads the predicates with the types that the in-toto project
// publishes: no field of theirs has another name or another kind here, and only
// the extension is unknown to them.
func TestTypes(t *testing.T) {
	list, err := run(t).Attest(t.Context(), passed())
	if err != nil {
		t.Fatal(err)
	}
	strict := protojson.UnmarshalOptions{}
	read := func(i int, m proto.Message) {
		t.Helper()
		var st ita.Statement
		if err := strict.Unmarshal(payload(t, list[i].Bundle), &st); err != nil {
			t.Fatal(err)
		}
		if err := st.Validate(); err != nil {
			t.Error(err)
		}
		delete(st.Predicate.Fields, "fnaudit")
		if v := st.Predicate.Fields["verifier"]; v != nil { // the types are of SLSA 1.0; 1.1 added the version
			delete(v.GetStructValue().Fields, "version")
		}
		text, err := protojson.Marshal(st.Predicate)
		if err != nil {
			t.Fatal(err)
		}
		if err := strict.Unmarshal(text, m); err != nil {
			t.Error(err)
		}
	}
	var v vulns.Vulns
	read(1, &v)
	if v.GetScanner().GetDb().GetLastUpdate().AsTime() != day.Add(-24*time.Hour) || len(v.GetScanner().GetResult()) != 2 || v.GetMetadata().GetScanFinishedOn() == nil {
		t.Errorf("%v", &v)
	}
	var s vsa.VerificationSummary
	read(2, &s)
	if s.GetVerificationResult() != "PASSED" || len(s.GetInputAttestations()) != 3 || s.GetPolicy().GetDigest()["sha256"] == "" || s.GetVerifier().GetId() == "" {
		t.Errorf("%v", &s)
	}
}

// TestNothingToSay: with no finding the list is empty and not absent, and
// nothing is claimed that nobody checked.
func TestNothingToSay(t *testing.T) {
	f := passed()
	f.Report.Findings, f.Report.Attestations, f.BuildLevel, f.Evidence = nil, nil, 0, nil
	f.Report.Artifacts = f.Report.Artifacts[:1]
	list, err := run(t).Attest(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	vulns, summary := string(payload(t, list[1].Bundle)), string(payload(t, list[2].Bundle))
	if !strings.Contains(vulns, `"result":[]`) || !strings.Contains(summary, `"verifiedLevels":["SLSA_BUILD_LEVEL_UNEVALUATED","FNAUDIT_VULNERABILITY_CHECKED"]`) || !strings.Contains(summary, `"layers":[]`) {
		t.Errorf("%s\n%s", vulns, summary)
	}
}

func TestAttestRefuses(t *testing.T) {
	for name, change := range map[string]func(*Run, *Function){
		"fail":           func(_ *Run, f *Function) { f.Report.Verdict.Decision = finding.Fail },
		"incomplete":     func(_ *Run, f *Function) { f.Report.Verdict.Decision = finding.Incomplete },
		"not judged":     func(_ *Run, f *Function) { f.Report.Verdict = finding.Verdict{} },
		"no artifact":    func(_ *Run, f *Function) { f.Report.Artifacts = nil },
		"no digest":      func(_ *Run, f *Function) { f.Report.Artifacts[0].Digest = "" },
		"odd digest":     func(_ *Run, f *Function) { f.Report.Artifacts[0].Digest = "sha256:A" + strings.Repeat("a", 63) },
		"other digest":   func(_ *Run, f *Function) { f.Report.Artifacts[0].Digest = "sha512:" + strings.Repeat("a", 64) },
		"layer unread":   func(_ *Run, f *Function) { f.Report.Artifacts[1].Digest = "" },
		"no verifier":    func(r *Run, _ *Function) { r.VerifierID = "" },
		"no policy":      func(r *Run, _ *Function) { r.Policy = Policy{} },
		"policy unbound": func(r *Run, _ *Function) { r.Policy.Digest = "" },
		"no resource":    func(_ *Run, f *Function) { f.Resource = "" },
		"SBOM broken":    func(_ *Run, f *Function) { f.SBOM = []byte("{") },
		"no SBOM":        func(_ *Run, f *Function) { f.SBOM = nil },
	} {
		r, f := run(t), passed()
		change(r, &f)
		if list, err := r.Attest(t.Context(), f); err == nil || list != nil {
			t.Errorf("%s: %d statements, %v", name, len(list), err)
		}
	}
}

func TestOlder(t *testing.T) {
	made := Database{ID: digest("d"), Ecosystems: map[string]time.Time{"npm": day, "PyPI": day}, Feeds: map[string]time.Time{"kev": day}}
	for name, c := range map[string]struct {
		today finding.Database
		want  string
	}{
		"the same":        {finding.Database{ID: digest("d")}, ""},
		"newer":           {finding.Database{ID: digest("e"), Ecosystems: map[string]finding.Ecosystem{"npm": {AsOf: day.Add(1)}, "PyPI": {AsOf: day}}}, ""},
		"one older":       {finding.Database{ID: digest("e"), Ecosystems: map[string]finding.Ecosystem{"npm": {AsOf: day.Add(1)}, "PyPI": {AsOf: day.Add(-time.Second)}}}, "PyPI are as of 2026-11-20T11:59:59Z"},
		"without a date":  {finding.Database{ID: digest("e"), Ecosystems: map[string]finding.Ecosystem{"npm": {}}}, "npm"},
		"others only":     {finding.Database{ID: digest("e"), Ecosystems: map[string]finding.Ecosystem{"Go": {AsOf: day}}}, ""},
		"nothing at hand": {finding.Database{}, ""},
		"an older list":   {finding.Database{ID: digest("e"), Feeds: []finding.Feed{{Name: "epss"}, {Name: "kev", AsOf: day.Add(-time.Second)}}}, "its list kev is as of 2026-11-20T11:59:59Z"},
		"a newer list":    {finding.Database{ID: digest("e"), Feeds: []finding.Feed{{Name: "kev", AsOf: day.Add(time.Hour)}}}, ""},
	} {
		if got := made.Older(c.today); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestOtherLayers(t *testing.T) {
	e := Extension{Layers: []Layer{{"a.zip", digestSet(digest("a"))}, {"b.zip", digestSet(digest("b"))}}}
	at := func(list ...string) (out []finding.Artifact) {
		for _, c := range list {
			out = append(out, finding.Artifact{Digest: digest(c)})
		}
		return out
	}
	if got := e.OtherLayers(at("a", "b")); got != "" {
		t.Error(got)
	}
	for _, list := range [][]string{{"b", "a"}, {"a"}, {"a", "b", "c"}, {"a", "c"}, nil} { // the order decides which file wins
		if e.OtherLayers(at(list...)) == "" {
			t.Errorf("%v are the same layers", list)
		}
	}
	if !e.LayerOf(digest("b")) || e.LayerOf(digest("c")) {
		t.Error("LayerOf")
	}
}

func TestReadSummary(t *testing.T) {
	list, err := run(t).Attest(t.Context(), passed())
	if err != nil {
		t.Fatal(err)
	}
	st, err := attest.ParseStatement(payload(t, list[2].Bundle))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ReadSummary(st)
	if err != nil || s.Verifier != "https://acme.example/fnaudit" || s.Extension.Database.ID != digest("d") || len(s.Extension.Layers) != 1 || !s.TimeVerified.Equal(day.Add(time.Hour)) {
		t.Errorf("%+v, %v", s, err)
	}
	other, err := attest.ParseStatement(payload(t, list[1].Bundle))
	if err != nil {
		t.Fatal(err)
	}
	bad := []*attest.Statement{nil, other}
	for _, text := range []string{`[]`, ``, `{`, `{"verifier":"x"}`, `{"resourceUri":1}`, `{"timeVerified":"yesterday"}`, `{"timeVerified":""}`, `{"verifiedLevels":["a",1]}`, `{"policy":{"digest":{"sha256":1}}}`,
		`{"fnaudit":{"layers":{}}}`, `{"fnaudit":{"layers":["a"]}}`, `{"fnaudit":{"waived":"1"}}`, `{"fnaudit":{"waived":1.5}}`, `{"fnaudit":{"database":{"ecosystems":{"npm":"x"}}}}`, `{"fnaudit":{},"fnaudit":{}}`} {
		bad = append(bad, &attest.Statement{PredicateType: SummaryType, Predicate: json.RawMessage(text)})
	}
	for _, st := range bad {
		if _, err := ReadSummary(st); err == nil {
			t.Errorf("%+v is a summary", st)
		}
	}
}

// TestReadSummaryWhole: what the gate can write of an extension is read again, and
// names that only look the same to encoding/json are not.
func TestReadSummaryWhole(t *testing.T) {
	var want Extension
	fill(reflect.ValueOf(&want).Elem())
	body, err := json.Marshal(summary{Extension: want, TimeVerified: day, ResourceURI: "file:x", Verifier: verifier{ID: "https://acme.example"}, VerifiedLevels: []string{"A"}, Policy: attest.Descriptor{URI: "file:p", Digest: digestSet(digest("a"))}})
	if err != nil {
		t.Fatal(err)
	}
	read := func(text string) Summary {
		s, err := ReadSummary(&attest.Statement{PredicateType: SummaryType, Predicate: json.RawMessage(text)})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return s
	}
	s := read(string(body))
	if !reflect.DeepEqual(s.Extension, want) || !s.TimeVerified.Equal(day) || s.ResourceURI != "file:x" || s.Verifier != "https://acme.example" || !slices.Equal(s.Levels, []string{"A"}) || s.Policy.Digest["sha256"] == "" {
		t.Errorf("%s is read as %+v", body, s)
	}
	if s := read(`{"Verifier":{"id":"x"},"verifier":{"ID":"y"},"FNAUDIT":{"waived":1},"fnaudit":null,"timeVerified":null}`); s.Verifier != "" || s.Extension.Waived != 0 || !s.TimeVerified.IsZero() {
		t.Errorf("names without regard to case: %+v", s)
	}
}

// fill gives every field of a value something that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(day.UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.Map:
		one := reflect.New(v.Type().Elem()).Elem()
		fill(one)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), one)
	case reflect.String:
		v.SetString("text")
	case reflect.Int:
		v.SetInt(7)
	}
}

func TestAbout(t *testing.T) {
	dir := t.TempDir()
	list, err := run(t).Attest(t.Context(), passed())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"summary": {list[2].Bundle, digest("a")}, "vulnerabilities": {list[1].Bundle, ""}, "text": {[]byte("hello"), ""}, "JSON": {[]byte("{}"), ""}, "empty": {nil, ""},
		"envelope": {[]byte(`{"dsseEnvelope":{"payloadType":"x","payload":"e30=","signatures":[{"sig":""}]}}`), ""},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := About(path); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if About(filepath.Join(dir, "none")) != "" || About(dir) != "" {
		t.Error("what is no file is about something")
	}
}
