package fleet

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// zipSum is CodeSha256 of a zip with this content.
func zipSum(content string) string {
	sum := sha256.Sum256([]byte(content))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// digestOf is the digest of that zip.
func digestOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256:" + hex.EncodeToString(sum[:])
}

const (
	account = "111122223333"
	region  = "eu-west-1"
)

func arnOf(name string) string {
	return "arn:aws:lambda:" + region + ":" + account + ":function:" + name
}

// entry is a function of a list, as JSON; more are further members.
func entry(name, sum string, more ...string) string {
	return fmt.Sprintf(`{"FunctionName":%q,"FunctionArn":%q,"Version":"$LATEST","Runtime":"nodejs20.x","CodeSha256":%q,"CodeSize":1234,
		"LastModified":"2026-11-20T10:11:12.123+0000","PackageType":"Zip","Architectures":["arm64"],"Environment":{"Variables":{"TOKEN":"hunter2"}}%s}`,
		name, arnOf(name), sum, strings.Join(append([]string{""}, more...), ","))
}

func list(entries ...string) string { return `{"Functions":[` + strings.Join(entries, ",") + `]}` }

func read(text string) *Export { return Read(strings.NewReader(text), "prod.json") }

func TestReadForms(t *testing.T) {
	a, b := entry("orders", zipSum("a")), entry("billing", zipSum("b"))
	for name, text := range map[string]string{
		"as the command line saves it": list(a, b),
		"pages":                        `{"Functions":[` + a + `],"NextMarker":"x"}` + "\n" + list(b),
		"an array of pages":            `[{"NextMarker":"x","Functions":[` + a + `]},` + list(b) + `]`,
		"functions, one a line":        strings.ReplaceAll(a, "\n", "") + "\n" + strings.ReplaceAll(b, "\n", "") + "\n",
		"an array of functions":        "[" + a + "," + b + "]",
		"versions":                     `{"Versions":[` + a + "," + b + `]}`,
		"get-function":                 `{"Configuration":` + a + `,"Code":{"Location":"x"}}{"Configuration":` + b + `}`,
		"a byte order mark":            "\ufeff" + list(a, b),
		"no next page":                 `{"NextMarker":"","Functions":[` + a + "," + b + `],"NextToken":null}`,
	} {
		e := read(text)
		if e.Problem != "" || len(e.Entries) != 2 {
			t.Errorf("%s: %d entries, problem %q", name, len(e.Entries), e.Problem)
			continue
		}
		d := e.Entries[0]
		want := finding.Deployed{Name: "orders", ARN: arnOf("orders"), Account: account, Region: region, Version: "$LATEST", Package: "zip", Digest: digestOf("a"),
			Size: 1234, Runtime: "nodejs20.x", Architecture: "arm64", Modified: time.Date(2026, 11, 20, 10, 11, 12, 123e6, time.UTC), Source: "prod.json"}
		if fmt.Sprint(d) != fmt.Sprint(want) {
			t.Errorf("%s: %+v\nwant %+v", name, d, want)
		}
		if strings.Contains(fmt.Sprintf("%+v", e), "hunter2") {
			t.Errorf("%s: the environment was kept", name)
		}
	}
}

func TestReadWhatIsWrong(t *testing.T) {
	good := entry("orders", zipSum("a"))
	deep := strings.Repeat(`{"Functions":[`, 3) + strings.Repeat(`]}`, 3)
	for name, c := range map[string]struct {
		text, problem string
		entries       int
	}{
		"nothing":               {"", "empty", 0},
		"space":                 {" \n", "empty", 0},
		"no JSON":               {"<html>", "no JSON", 0},
		"UTF-16":                {"\xff\xfe{\x00", "UTF-16", 0},
		"cut off":               {list(good)[:len(list(good))-1], "ends in the middle", 1},
		"cut off in an entry":   {`{"Functions":[` + good + `,` + good[:40], "ends in the middle", 1},
		"another page":          {`{"Functions":[` + good + `],"NextMarker":"x"}`, "names a next one", 1},
		"--max-items":           {`{"Functions":[` + good + `],"NextToken":"x"}`, "names a next one", 1},
		"a number":              {"17", "neither a list nor a function", 0},
		"an array in an array":  {"[[]]", "neither a list nor a function", 0},
		"another object":        {`{"Buckets":[]}`, "none of list-functions", 0},
		"a list of lists":       {deep, "1 entry could not be read", 0},
		"no list":               {`{"Functions":{}}`, "Functions is no list", 0},
		"two lists":             {`{"Functions":[],"Functions":[` + good + `]}`, "two lists", 0},
		"a text for a function": {`{"Functions":["orders",` + good + `]}`, "1 entry could not be read: an entry is no object", 1},
		"a name that is none":   {list(entry("or ders", zipSum("a")), good), "FunctionName has characters", 1},
		"control characters":    {list(`{"FunctionName":"a\u001b[2Jb"}`, good), "FunctionName has characters", 1},
		"a long name":           {list(entry(strings.Repeat("x", 500), zipSum("a")), good), "longer than 140 bytes", 1},
		"no name":               {list(`{"CodeSha256":"x"}`), "FunctionName is missing", 0},
		"another type":          {list(`{"FunctionName":["orders"]}`), "FunctionName is no text", 0},
		"a size below zero":     {list(`{"FunctionName":"orders","CodeSize":-1}`), "orders: CodeSize is no size", 0},
		"a size of text":        {list(`{"FunctionName":"orders","CodeSize":"1"}`), "orders: CodeSize is no size", 0},
		"another function's ARN": {list(`{"FunctionName":"orders","FunctionArn":"` + arnOf("billing") + `"}`),
			"orders: field FunctionArn names another function", 0},
		"another version's ARN": {list(`{"FunctionName":"orders","Version":"4","FunctionArn":"` + arnOf("orders") + `:3"}`), "orders: field FunctionArn names another version", 0},
		"no ARN":                {list(`{"FunctionName":"orders","FunctionArn":"arn:aws:s3:::orders"}`), "orders: field FunctionArn is not", 0},
		"no version":            {list(`{"FunctionName":"orders","Version":"007"}`), "orders: field Version is no version", 0},
		"one member twice":      {list(`{"FunctionName":"orders","CodeSha256":"a","CodeSha256":"b"}`), "CodeSha256 comes twice", 0},
		"a layer that is none":  {list(entry("orders", zipSum("a"), `"Layers":[{"Arn":"base.zip"}]`)), "one is not named by the ARN", 0},
		"too many layers":       {list(entry("orders", zipSum("a"), `"Layers":[`+strings.Repeat("{},", 40)+`{}]`)), "Layers has more than 32", 0},
		"a long value":          {`{"Comment":"` + strings.Repeat("x", 3<<20) + `","Functions":[]}`, "longer than 2 MB", 0},
		"much space":            {`{"Functions":[` + strings.Repeat(" ", 5<<20) + `]}`, "longer than 2 MB", 0},
		"a deep value":          {`{"Comment":` + strings.Repeat("[", 20_000), "", 0},
		"one version of a layer with two digests": {
			`{"LayerVersionArn":"arn:aws:lambda:eu-west-1:111122223333:layer:base:7","Content":{"CodeSha256":"` + zipSum("x") + `"}}` +
				`{"LayerVersionArn":"arn:aws:lambda:eu-west-1:111122223333:layer:base:7","Content":{"CodeSha256":"` + zipSum("y") + `"}}`, "two digests", 0},
		"many faults": {list(strings.Repeat(`"x",`, 9) + good), "9 entries could not be read: an entry is no object; an entry is no object; an entry is no object; and 6 more", 1},
	} {
		e := read(c.text)
		if e.Problem == "" || !strings.Contains(e.Problem, c.problem) || len(e.Entries) != c.entries {
			t.Errorf("%s: %d entries, problem %q; want %d and %q", name, len(e.Entries), e.Problem, c.entries, c.problem)
		}
		if strings.ContainsAny(e.Problem, "\x1b\x00") {
			t.Errorf("%s: %q is not fit for a terminal", name, e.Problem)
		}
	}
}

func TestCodeDigest(t *testing.T) {
	hexOf := strings.TrimPrefix(digestOf("a"), "sha256:")
	for _, c := range []struct{ kind, sum, want string }{
		{"Zip", zipSum("a"), digestOf("a")},
		{"", zipSum("a"), digestOf("a")},
		{"Image", hexOf, digestOf("a")},
		{"Image", digestOf("a"), digestOf("a")},
		{"Zip", hexOf, ""},
		{"", hexOf, ""},
		{"Image", zipSum("a"), ""},
		{"Zip", "", ""},
		{"Zip", strings.TrimSuffix(zipSum("a"), "="), ""},
		{"Zip", zipSum("a")[:42] + "9=", ""}, // bits that are not zero where nothing is
		{"Zip", zipSum("a") + "\n", ""},
		{"Zip", base64.StdEncoding.EncodeToString([]byte("short")), ""},
		{"Image", strings.ToUpper(hexOf), ""},
		{"Image", hexOf + "0", ""},
		{"Tape", zipSum("a"), ""},
	} {
		got, reason := codeDigest(c.kind, c.sum)
		if got != c.want || (got == "") == (reason == "") {
			t.Errorf("codeDigest(%q, %q) = %q, %q; want %q", c.kind, c.sum, got, reason, c.want)
		}
	}
}

func TestImages(t *testing.T) {
	hexOf := strings.TrimPrefix(digestOf("a"), "sha256:")
	conf := func(sum string) string {
		return fmt.Sprintf(`{"FunctionName":"thumbs","PackageType":"Image","CodeSha256":%q}`, sum)
	}
	for name, c := range map[string]struct{ text, digest string }{
		"from a list":          {list(conf(hexOf)), digestOf("a")},
		"with its reference":   {`{"Configuration":` + conf(hexOf) + `,"Code":{"ResolvedImageUri":"registry.example/thumbs@` + digestOf("a") + `"}}`, digestOf("a")},
		"by its reference":     {`{"Configuration":` + conf("") + `,"Code":{"ResolvedImageUri":"registry.example/thumbs@` + digestOf("a") + `"}}`, digestOf("a")},
		"that disagree":        {`{"Configuration":` + conf(hexOf) + `,"Code":{"ResolvedImageUri":"registry.example/thumbs@` + digestOf("b") + `"}}`, ""},
		"of a zip":             {`{"Configuration":` + entry("thumbs", zipSum("a")) + `,"Code":{"ResolvedImageUri":"registry.example/thumbs@` + digestOf("a") + `"}}`, ""},
		"with the form of zip": {list(conf(zipSum("a"))), ""},
	} {
		e := read(c.text)
		if len(e.Entries) != 1 || e.Entries[0].Digest != c.digest || (c.digest == "") != (e.Entries[0].DigestReason != "") {
			t.Errorf("%s: %+v, %q", name, e.Entries, e.Problem)
		}
	}
}

func TestMerge(t *testing.T) {
	now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	at := func(day string) string { return `"LastModified":"2026-11-` + day + `T00:00:00.000+0000"` }
	one := func(content, day string) string {
		return fmt.Sprintf(`{"FunctionName":"orders","FunctionArn":%q,"CodeSha256":%q,%s}`, arnOf("orders"), zipSum(content), at(day))
	}
	undated := fmt.Sprintf(`{"FunctionName":"orders","FunctionArn":%q,"CodeSha256":%q}`, arnOf("orders"), zipSum("b"))
	for name, c := range map[string]struct {
		texts      []string
		digest     string
		superseded int
		duplicates int
	}{
		"the same twice":      {[]string{one("a", "01"), one("a", "01")}, digestOf("a"), 0, 1},
		"the newer one":       {[]string{one("a", "01"), one("b", "02")}, digestOf("b"), 1, 0},
		"at one time":         {[]string{one("a", "02"), one("b", "02")}, "", 2, 0},
		"without a time":      {[]string{one("a", "02"), undated}, "", 2, 0},
		"in the future":       {[]string{one("a", "01"), strings.Replace(one("b", "02"), "2026", "2031", 1)}, "", 2, 0},
		"and one without":     {[]string{one("a", "01"), one("c", "03"), undated}, "", 3, 0},
		"an old clash":        {[]string{one("a", "01"), one("b", "01"), one("c", "03")}, digestOf("c"), 2, 0},
		"twice in one export": {[]string{one("a", "01") + one("b", "02")}, digestOf("b"), 1, 0},
	} {
		var exports []*Export
		for i, text := range c.texts {
			exports = append(exports, Read(strings.NewReader(text), fmt.Sprintf("%d.json", i)))
		}
		for range 2 {
			inv := Merge(exports, now)
			duplicates := 0
			for _, e := range inv.Exports {
				duplicates += e.Duplicates
			}
			if len(inv.Deployed) != 1 || inv.Deployed[0].Digest != c.digest || len(inv.Superseded) != c.superseded || duplicates != c.duplicates {
				t.Errorf("%s: %+v, superseded %d, duplicates %d", name, inv.Deployed, len(inv.Superseded), duplicates)
			}
			slices.Reverse(exports)
		}
	}
}

func TestMergeKeepsAccountsRegionsAndVersionsApart(t *testing.T) {
	text := list(
		entry("orders", zipSum("a")),
		strings.ReplaceAll(entry("orders", zipSum("b")), region, "us-east-1"),
		strings.ReplaceAll(entry("orders", zipSum("c")), account, "444455556666"),
		strings.NewReplacer(`"$LATEST"`, `"10"`, `function:orders"`, `function:orders:10"`).Replace(entry("orders", zipSum("d"))),
		strings.NewReplacer(`"$LATEST"`, `"9"`, `function:orders"`, `function:orders:9"`).Replace(entry("orders", zipSum("e"))),
	) + fmt.Sprintf(`{"Aliases":[{"AliasArn":"%s:live","Name":"live","FunctionVersion":"10"},{"AliasArn":"%s:dev","Name":"dev","FunctionVersion":"$LATEST"}]}`, arnOf("orders"), arnOf("orders"))
	e := read(text)
	inv := Merge([]*Export{e}, time.Now())
	var got []string
	for _, d := range inv.Deployed {
		got = append(got, d.Account+" "+d.Region+" "+d.Version+" "+strings.Join(d.Aliases, ","))
	}
	want := []string{"111122223333 eu-west-1 $LATEST dev", "111122223333 eu-west-1 9 ", "111122223333 eu-west-1 10 live", "111122223333 us-east-1 $LATEST ", "444455556666 eu-west-1 $LATEST "}
	if e.Problem != "" || !slices.Equal(got, want) {
		t.Errorf("%q, problem %q", got, e.Problem)
	}
}

// A version that an alias sends calls to runs, whether an export lists it or not.
func TestAliasesRouteCalls(t *testing.T) {
	alias := func(name, version, routing string) string {
		return fmt.Sprintf(`{"Aliases":[{"AliasArn":"%s:%s","Name":%q,"FunctionVersion":%q%s}]}`, arnOf("orders"), name, name, version, routing)
	}
	weighted := func(weights string) string { return `,"RoutingConfig":{"AdditionalVersionWeights":` + weights + `}` }
	three := strings.NewReplacer(`"$LATEST"`, `"3"`, `function:orders"`, `function:orders:3"`).Replace(entry("orders", zipSum("c")))
	for name, c := range map[string]struct {
		text, problem string
		want          []string // version, aliases, routes, whether its bytes are known
	}{
		"a listed one":                   {list(three) + alias("live", "3", ""), "", []string{"3 [live] [] true"}},
		"no routing":                     {list(three) + alias("live", "3", `,"RoutingConfig":null`), "", []string{"3 [live] [] true"}},
		"a second one":                   {list(three) + alias("live", "3", weighted(`{"4":0.1}`)), "", []string{"3 [live] [{live 0.9}] true", "4 [live] [{live 0.1}] false"}},
		"one that no list has":           {list(three) + alias("live", "2", ""), "", []string{"2 [live] [] false", "3 [] [] true"}},
		"one without calls":              {list(three) + alias("live", "3", weighted(`{"4":0}`)), "", []string{"3 [live] [] true"}},
		"all calls to the second":        {list(three) + alias("live", "2", weighted(`{"3":1.0}`)), "", []string{"3 [live] [] true"}},
		"only aliases":                   {alias("live", "$LATEST", ""), "", []string{"$LATEST [live] [] false"}},
		"two exports that differ":        {list(three) + alias("live", "3", "") + alias("live", "3", weighted(`{"4":0.25}`)), "", []string{"3 [live] [{live 0.75}] true", "4 [live] [{live 0.25}] false"}},
		"a share above all":              {list(three) + alias("live", "3", weighted(`{"4":1.5}`)), "no share", []string{"3 [] [] true"}},
		"a share below none":             {list(three) + alias("live", "3", weighted(`{"4":-1}`)), "no share", []string{"3 [] [] true"}},
		"a share of text":                {list(three) + alias("live", "3", weighted(`{"4":"0.1"}`)), "no share", []string{"3 [] [] true"}},
		"a version that is none":         {list(three) + alias("live", "3", weighted(`{"\u001b":0.1}`)), "no share", []string{"3 [] [] true"}},
		"one version twice":              {list(three) + alias("live", "3", weighted(`{"4":0.1,"4":0.2}`)), "twice", []string{"3 [] [] true"}},
		"too many":                       {list(three) + alias("live", "3", weighted(`{"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0}`)), "more than 8", []string{"3 [] [] true"}},
		"another type":                   {list(three) + alias("live", "3", weighted(`[]`)), "no object", []string{"3 [] [] true"}},
		"a routing of another type":      {list(three) + alias("live", "3", `,"RoutingConfig":7`), "RoutingConfig", []string{"3 [] [] true"}},
		"a list that does not say where": {list(`{"FunctionName":"orders","Version":"3","CodeSha256":"`+zipSum("c")+`"}`) + alias("live", "3", ""), "", []string{"3 [] [] true"}},
	} {
		e := read(c.text)
		var got []string
		for _, d := range Merge([]*Export{e}, time.Now()).Deployed {
			got = append(got, fmt.Sprint(d.Version, " ", d.Aliases, " ", d.Routes, " ", d.Digest != ""))
			if (d.Digest == "") != strings.Contains(d.DigestReason, "the alias live sends calls to version") || d.Digest == "" && (d.Account != account || d.Source != "prod.json") {
				t.Errorf("%s: %+v", name, d)
			}
		}
		if !slices.Equal(got, c.want) || (c.problem == "") != (e.Problem == "") || !strings.Contains(e.Problem, c.problem) {
			t.Errorf("%s: %q, want %q, problem %q", name, got, c.want, e.Problem)
		}
	}
}

// What else AWS says of a function is taken where it matters, and passed over elsewhere.
func TestReadAllThatAWSSays(t *testing.T) {
	rest := `"SnapStart":{"ApplyOn":"PublishedVersions","OptimizationStatus":"On"},"DurableConfig":{"RetentionPeriodInDays":14},"TracingConfig":{"Mode":"PassThrough"},
		"ImageConfigResponse":{"ImageConfig":{"Command":["a\u001b[2J"]}},"VpcConfig":{"SubnetIds":[]},"EphemeralStorage":{"Size":512},"SigningJobArn":"x","State":"Inactive",
		"StateReasonCode":"Idle","RuntimeVersionConfig":{"RuntimeVersionArn":"x"},"LoggingConfig":{"LogFormat":"Text"},"MasterArn":"` + arnOf("orders") + `:3"`
	one := entry("us-east-1.orders", zipSum("a"), rest)
	e := read(list(one) + `{"Configuration":` + one + `,"Code":{"RepositoryType":"S3"},"Tags":{"team":"pay","empty":"","stage":"prod"},"Concurrency":{"ReservedConcurrentExecutions":1}}`)
	inv := Merge([]*Export{e}, time.Now())
	if e.Problem != "" || len(inv.Deployed) != 1 {
		t.Fatalf("%+v, problem %q", inv.Deployed, e.Problem)
	}
	d := inv.Deployed[0]
	if d.State != "Inactive" || !slices.Equal(d.Tags, []string{"empty", "stage=prod", "team=pay"}) || inv.masters[d.ARN] != "orders" || inv.Exports[0].Duplicates != 1 {
		t.Errorf("%+v, master %q, %+v", d, inv.masters[d.ARN], inv.Exports)
	}
	for name, tags := range map[string]string{
		"control characters": `{"a":"\u001b[2J"}`, "another type": `{"a":1}`, "a list": `[]`, "one twice": `{"a":"b","a":"c"}`, "a long one": `{"a":"` + strings.Repeat("x", 300) + `"}`,
	} {
		if e := read(`{"Configuration":` + one + `,"Tags":` + tags + `}`); e.Problem == "" || len(e.Entries) != 0 {
			t.Errorf("tags, %s: %+v, problem %q", name, e.Entries, e.Problem)
		}
	}
}

func TestLogicalName(t *testing.T) {
	for name, want := range map[string]string{
		"shop-OrdersFunction-1A2B3C4D5E6F7":     "OrdersFunction",
		"shop-prod-OrdersFunction-GT1nBuvEbrVm": "OrdersFunction",
		"shop-OrdersFnBCC86E6A-1A2B3C4D5E6F":    "OrdersFnBCC86E6A",
		"orders":                                "",
		"shop-orders":                           "",
		"shop-orders-production":                "", // ten letters
		"shop-orders-verification":              "", // twelve letters, none of them upper-case
		"shop-Orders-1A2B3C4D5E6":               "",
		"-Orders-1A2B3C4D5E6F":                  "",
		"shop--1A2B3C4D5E6F":                    "",
		"1A2B3C4D5E6F":                          "",
		"shop-us-east-1.Orders-1A2B3C4D5E6F":    "",
		"shop-Orders_Function-1A2B3C4D5E6F":     "",
	} {
		if got, ok := logicalName(name); ok != (want != "") || ok && got != want {
			t.Errorf("logicalName(%q) = %q, %v; want %q", name, got, ok, want)
		}
	}
	for logical, want := range map[string]string{"OrdersFnBCC86E6A": "OrdersFn", "OrdersFn": "", "BCC86E6A": "", "OrdersFnbcc86e6a": ""} {
		if got, ok := constructName(logical); ok != (want != "") || ok && got != want {
			t.Errorf("constructName(%q) = %q, %v; want %q", logical, got, ok, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(list(entry("orders", zipSum("a"), `"Layers":[{"Arn":"arn:aws:lambda:eu-west-1:111122223333:layer:base:7","CodeSize":9}]`)))
	f.Add(`[{"Aliases":[{"AliasArn":"` + arnOf("orders") + `:live","FunctionVersion":"1"}]}]`)
	f.Add(`{"LayerVersionArn":"arn:aws:lambda:eu-west-1:111122223333:layer:base:7","Content":{"CodeSha256":"x"}}`)
	f.Add(`{"Configuration":{},"Code":null}`)
	f.Add(`{"Aliases":[{"AliasArn":"` + arnOf("orders") + `:live","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"2":0.1}}}]}`)
	f.Add(`{"Configuration":` + entry("orders", zipSum("a"), `"MasterArn":"`+arnOf("main")+`"`) + `,"Tags":{"a":"b"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		e := read(text)
		if e.Problem == "" && len(e.Entries) == 0 && len(e.Layers) == 0 && len(e.aliases) == 0 && !strings.Contains(text, "[") {
			t.Errorf("%q says nothing, and that is no problem", text)
		}
		for _, d := range e.Entries {
			if d.Name == "" || !plain(d.Name, "-_.") || d.Digest != "" && !isDigest(d.Digest) {
				t.Errorf("entry %+v", d)
			}
		}
		Merge([]*Export{e, e}, time.Now())
	})
}

// endless gives the same bytes for ever.
type endless struct{ text string }

func (e endless) Read(p []byte) (int, error) { return copy(p, e.text), nil }

func TestReadStops(t *testing.T) {
	for name, r := range map[string]io.Reader{
		"space":     endless{strings.Repeat(" ", 4096)},
		"one text":  io.MultiReader(strings.NewReader(`{"a":"`), endless{strings.Repeat("x", 4096)}),
		"one array": io.MultiReader(strings.NewReader(`{"a":`), endless{strings.Repeat("[", 4096)}),
		"one key":   io.MultiReader(strings.NewReader(`{"`), endless{strings.Repeat("x", 4096)}),
	} {
		if e := Read(r, "x"); e.Problem == "" {
			t.Errorf("%s: no problem", name)
		}
	}
}

// tagsAnswer is what get-resources answers for these resources.
func tagsAnswer(mappings ...string) string {
	return `{"ResourceTagMappingList":[` + strings.Join(mappings, ",") + `]}`
}

// taggedAs is a resource with one tag.
func taggedAs(arn, key, value string) string {
	return fmt.Sprintf(`{"ResourceARN":%q,"Tags":[{"Key":%q,"Value":%q}],"ComplianceDetails":{"ComplianceStatus":true}}`, arn, key, value)
}

func TestReadTags(t *testing.T) {
	of := func(exports ...*Export) ([]string, string) {
		inv := Merge(exports, time.Now())
		problem := ""
		for _, e := range inv.Exports {
			problem += e.Problem
		}
		if len(inv.Deployed) == 0 {
			return nil, problem
		}
		return inv.Deployed[0].Tags, problem
	}
	orders, got := list(entry("orders", zipSum("a"))), `{"Configuration":`+entry("orders", zipSum("a"))+`,"Tags":{"env":"prod"}}`
	for name, c := range map[string]struct {
		exports []string
		want    string
		problem string // a part of it
	}{
		"beside a list":                   {[]string{orders, tagsAnswer(taggedAs(arnOf("orders"), "env", "prod"))}, "[env=prod]", ""},
		"before it, in one file":          {[]string{tagsAnswer(taggedAs(arnOf("orders"), "env", "")) + orders}, "[env]", ""},
		"none any more":                   {[]string{orders, tagsAnswer(`{"ResourceARN":"` + arnOf("orders") + `","Tags":[]}`)}, "[]", ""},
		"of what else there is":           {[]string{orders, tagsAnswer(taggedAs("arn:aws:s3:::orders", "env", "x"), taggedAs("arn:aws:lambda:eu-west-1:111122223333:event-source-mapping:1", "env", "x"), taggedAs(arnOf("billing"), "env", "x"))}, "[]", ""},
		"of another account":              {[]string{orders, tagsAnswer(taggedAs(strings.Replace(arnOf("orders"), account, "444455556666", 1), "env", "x"))}, "[]", ""},
		"get-function says the same":      {[]string{got, tagsAnswer(taggedAs(arnOf("orders"), "env", "prod"))}, "[env=prod]", ""},
		"get-function says otherwise":     {[]string{got, tagsAnswer(taggedAs(arnOf("orders"), "env", "dev"))}, "[]", "another export says other tags of " + arnOf("orders")},
		"one file says it twice":          {[]string{orders + tagsAnswer(taggedAs(arnOf("orders"), "env", "prod"), taggedAs(arnOf("orders"), "env", "dev"))}, "[]", "its tags are there twice, and differ"},
		"more pages":                      {[]string{orders, `{"PaginationToken":"eyJ","ResourceTagMappingList":[]}`}, "[]", "its last page names a next one"},
		"the last of two pages":           {[]string{orders, `{"PaginationToken":"eyJ","ResourceTagMappingList":[]}{"PaginationToken":"","ResourceTagMappingList":[` + taggedAs(arnOf("orders"), "env", "prod") + `]}`}, "[env=prod]", ""},
		"one key twice":                   {[]string{orders, tagsAnswer(`{"ResourceARN":"` + arnOf("orders") + `","Tags":[{"Key":"a","Value":"1"},{"Key":"a","Value":"2"}]}`)}, "[]", "orders: field Tags names one tag twice"},
		"control characters":              {[]string{orders, tagsAnswer(`{"ResourceARN":"` + arnOf("orders") + `","Tags":[{"Key":"a","Value":"\u001b[2J"}]}`)}, "[]", "orders: field Tags has control characters"},
		"no key":                          {[]string{orders, tagsAnswer(`{"ResourceARN":"` + arnOf("orders") + `","Tags":[{"Value":"2"}]}`)}, "[]", "orders: field Tags holds what is no tag"},
		"of a version, which has none":    {[]string{orders, tagsAnswer(taggedAs(arnOf("orders")+":3", "env", "prod"))}, "[]", "field ResourceARN is not the ARN of a function"},
		"no ARN":                          {[]string{orders, tagsAnswer(taggedAs("orders", "env", "prod"))}, "[]", "field ResourceARN is no ARN"},
		"no list":                         {[]string{orders, `{"ResourceTagMappingList":{}}`}, "[]", "ResourceTagMappingList is no list"},
		"list-tags, which names nothing":  {[]string{orders, `{"Tags":{"env":"prod"}}`}, "[]", "it holds what list-tags answers, which does not say of which function"},
		"list-tags with something beside": {[]string{orders, `{"Tags":{"env":"prod"},"x":1}`}, "[]", "none of list-functions"},
	} {
		var exports []*Export
		for _, text := range c.exports {
			exports = append(exports, read(text))
		}
		tags, problem := of(exports...)
		if got := fmt.Sprint(tags); got != c.want || !strings.Contains(problem, c.problem) || (problem == "") != (c.problem == "") {
			t.Errorf("%s: tags %s, want %s; problem %q, want %q", name, got, c.want, problem, c.problem)
		}
	}
}
