package jsbundle

import (
	"strings"
	"testing"
)

// read returns what Embedded finds, as show prints it, and the manifests.
func read(t *testing.T, src string) (string, []Manifest) {
	t.Helper()
	claims, found, err := Embedded([]byte(src))
	if err != nil {
		t.Errorf("%.60q: %v", src, err)
	}
	return show(claims), found
}

func TestManifests(t *testing.T) {
	const want = "left-pad@1.3.0 0.95"
	for _, tt := range []struct{ name, src, want string }{
		{"minified", `var X=m((e,t)=>{t.exports={name:"left-pad",version:"1.3.0",description:"pads",main:"index.js",private:!1}});`, want},
		{"quoted keys", `module.exports = { "name": 'left-pad', "version": '1.3.0', "license": 'WTFPL' };`, want},
		{"backticks", "e.exports={name:`left-pad`,version:`1.3.0`,main:`i.js`}", want},
		{"JSON.parse, apostrophes", `e.exports=JSON.parse('{"name":"left-pad","version":"1.3.0","scripts":{"test":"node \\"t.js\\""}}')`, want},
		{"JSON.parse, escaped", `e.exports=JSON.parse("{\"name\":\"left-pad\",\"version\":\"1.3.0\",\"main\":\"i.js\"}")`, want},
		{"JSON.parse, backticks", "e.exports=JSON.parse(`{\"name\":\"left-pad\",\"version\":\"1.3.0\",\"main\":\"i.js\"}`)", want},
		{"eval", `eval("module.exports = JSON.parse('{\"name\":\"left-pad\",\"version\":\"1.3.0\",\"main\":\"i.js\"}');\n//# sourceURL=x")`, want},
		{"eval of an object", `eval("module.exports = {\"name\":\"left-pad\",\"version\":\"1.3.0\",\"main\":\"i.js\"}")`, want},
		{"rollup's constants", "var name = \"left-pad\";\nvar version = \"1.3.0\";\nvar description$1 = \"pads\";\nvar dependencies = {\n\t\"a\": \"1.0.0\" };\nvar main = \"i.js\";\nfoo();", want},
		{"constants, minified", `const name="left-pad",version="1.3.0",main="i.js";f();`, want},
		{"scoped", `x={name:"@s/left-pad",version:"1.3.0",dependencies:{}}`, "@s/left-pad@1.3.0 0.95"},
		{"prerelease", `x={name:"a",version:"1.3.0-rc.1+b2",license:"MIT"}`, "a@1.3.0-rc.1+b2 0.95"},
		{"two weak keys", `x={name:"a",version:"1.3.0",description:"d",types:"t"}`, "a@1.3.0 0.95"},
		{"inside a list", `x=[{name:"a",version:"1.0.0",main:"i"},{name:"b",version:"2.0.0",main:"i"}]`, "a@1.0.0 0.95; b@2.0.0 0.95"},

		{"user data", `s.register({name:"left-pad",version:"1.3.0"})`, ""},
		{"user data with a description", `s.register({name:"left-pad",version:"1.3.0",description:"d"})`, ""},
		{"private", `x={name:"app",version:"1.3.0",private:true,dependencies:{a:"1.0.0"}}`, ""},
		{"private, minified", `x={name:"app",version:"1.3.0",private:!0,main:"i"}`, ""},
		{"private in JSON", `x=JSON.parse('{"name":"app","version":"1.3.0","private":true,"main":"i"}')`, ""},
		{"a range", `x={name:"a",version:"^1.3.0",main:"i"}`, ""},
		{"no version", `x={name:"a",main:"i"}`, ""},
		{"computed", `x={name:n,version:"1.3.0",main:"i"}`, ""},
		{"prose for a name", `x={name:"Left Pad",version:"1.3.0",main:"i"}`, ""},
		{"an author is no package", `x={author:{name:"ann",version:"1.0.0",email:"a@b"}}`, ""},
		{"constants that are the code's own", `var name = "left-pad"; f(name); g(name); h(name); var version = "1.3.0"; var main = 3;`, ""},
		{"a string that is not parsed", `x='{"name":"left-pad","version":"1.3.0","main":"i.js"}'`, ""},
	} {
		if got, _ := read(t, tt.src); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestPinned(t *testing.T) {
	src := `a={name:"host",version:"1.0.0",main:"i",dependencies:{"@s/exact":"1.2.3",range:"^1.0.0",absent:"2.0.0",known:"3.0.0"},devDependencies:{dev:"4.0.0"}};
b={name:"other",version:"1.0.0",main:"i",dependencies:{"@s/exact":"1.2.3"}};
c=JSON.parse('{"name":"third","version":"1.0.0","main":"i","dependencies":{"parsed":"5.0.0"}}')`
	_, found := read(t, src)
	claims := []Claim{{Name: "@s/exact"}, {Name: "range"}, {Name: "known", Version: "3.0.1"}, {Name: "dev"}, {Name: "parsed"}}
	if got := show(Pinned(claims, found)); got != "@s/exact@1.2.3 0.85; parsed@5.0.0 0.85" {
		t.Errorf("got %s", got)
	}
	rolled := "var name = \"host\";\nvar version = \"1.0.0\";\nvar dependencies = { exact: \"1.2.3\" };\nvar main = 1;"
	_, found = read(t, rolled)
	if got := show(Pinned([]Claim{{Name: "exact"}}, found)); got != "exact@1.2.3 0.85" {
		t.Errorf("rollup: got %s of %+v", got, found)
	}
}

func TestLiterals(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"lodash, minified", `var t,n="4.17.99",r=200,i="Unsupported core-js use. Try it",o="Expected a function",a="__lodash_hash_undefined__";f.runInContext=g;x="lodash.templateSources["+1`, "lodash@4.17.99 0.8"},
		{"lodash, backticks", "var n=`4.17.99`,i=`Unsupported core-js use. Try it`,a=`__lodash_hash_undefined__`;f.runInContext=g;x=`lodash.templateSources[`+1", "lodash@4.17.99 0.8"},
		{"modules of lodash-es", `var a="__lodash_hash_undefined__";x="lodash.templateSources["+1`, ""},
		{"moment", `throw"use moment.updateLocale(localeName, config) to change";r.version="2.29.9",r.HTML5_FMT={DATETIME_LOCAL_SECONDS:"x"}`, "moment@2.29.9 0.8"},
		{"a version far away", `x.version="9.9.9";` + strings.Repeat("f();", 1000) + `throw"use moment.updateLocale(localeName, config) to change";r={DATETIME_LOCAL_SECONDS:"x"}`, "moment 0.8"},
		{"mustache", "var m={name:`mustache.js`,version:`4.0.9`};throw`Invalid template! Template should be a \"string\"`", "mustache@4.0.9 0.8"},
		{"in a regular expression or template", "x(`jwt malformed`);y(`secretOrPrivateKey must have a value ${z}`)", "jsonwebtoken 0.8"},
		{"one text is not enough", "x(`jwt malformed`)", ""},
		{"in a comment", "// jwt malformed, secretOrPrivateKey must have a value\nx()", ""},
		{"jszip, the nearest of two", `a={version:"1.0.0"};` + strings.Repeat("f();", 300) + `throw Error("The constructor has been removed in JSZip 3.0, please check the upgrade guide.");J.version="3.9.9"`, "jszip@3.9.9 0.8"},
		{"two SDKs of one key", `a="Stripe/v1 NodeBindings/";b="X-Stripe-Client-User-Agent";c.PACKAGE_VERSION="1.0.0";d.PACKAGE_VERSION="2.0.0"`, "stripe 0.8"},
		{"stripe", `a="Stripe/v1 NodeBindings/";b="X-Stripe-Client-User-Agent";c.PACKAGE_VERSION="14.9.9"`, "stripe@14.9.9 0.8"},
		{"what must not be there", `a="useandom-26T198340PX75pxJACKVERYMINDBUSHWOLF_GQZbfghjklqvwyzrict";b="Knex: Timeout acquiring a connection"`, "knex 0.8"},
	} {
		if got, _ := read(t, tt.src); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAWS(t *testing.T) {
	const s3 = `x={apiVersion:"2006-03-01",serviceId:e?.serviceId??"S3",urlParser:p};y={defaultUserAgentProvider:u({serviceId:n.serviceId,clientVersion:"3.218.0"})};`
	const kit = `a="contentLengthMiddleware";b="hostHeaderMiddleware";`
	manifest := func(dependencies string) string {
		return `m={name:"@aws-sdk/client-s3",version:"3.365.0",main:"i",dependencies:{` + dependencies + `}};`
	}
	for _, tt := range []struct{ name, src, want string }{
		{"client", s3, "@aws-sdk/client-s3@3.218.0 0.95"},
		{"another service", strings.Replace(s3, `"S3"`, "`Cognito Identity Provider`", 1), "@aws-sdk/client-cognito-identity-provider@3.218.0 0.95"},
		{"version from the manifest", strings.Replace(s3, `"3.218.0"`, "p.version", 1), "@aws-sdk/client-s3 0.95"},
		{"others have a clientVersion too", `x={clientVersion:"4.3.0",engine:1}`, ""},
		{"no service id", `x={serviceId:"lower case",clientVersion:"3.1.0"};y={serviceId:n,z:"S3"}`, ""},
		{"old: all in one scope", s3 + kit, "@aws-sdk/client-s3@3.218.0 0.95; @aws-sdk/middleware-content-length 0.85; @aws-sdk/middleware-host-header 0.85"},
		{"new: two scopes", strings.Replace(s3, "218", "600", 1) + kit, "@aws-sdk/client-s3@3.600.0 0.95; @smithy/middleware-content-length 0.85; @aws-sdk/middleware-host-header 0.85"},
		{"in between nothing tells", strings.Replace(s3, "218", "365", 1) + kit, "@aws-sdk/client-s3@3.365.0 0.95; @aws-sdk/middleware-host-header 0.85"},
		{"but a manifest", manifest(`"@smithy/middleware-content-length":"^1.0.1"`) + kit, "@aws-sdk/client-s3@3.365.0 0.95; @smithy/middleware-content-length 0.85; @aws-sdk/middleware-host-header 0.85"},
		{"without a client the texts are anybody's", kit, ""},
		{"clients inside nested-clients", strings.ReplaceAll(strings.Replace(s3, `"S3"`, `"STS"`, 1), "218", "900"), ""},
		{"STS as a package", strings.Replace(s3, `"S3"`, `"STS"`, 1), "@aws-sdk/client-sts@3.218.0 0.95"},
	} {
		if got, _ := read(t, tt.src); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

// TestTables holds the tables to their own rules.
func TestTables(t *testing.T) {
	table := literals()
	for _, text := range table.texts {
		if strings.ContainsAny(text, "\n\t") || strings.TrimSpace(text) != text {
			t.Errorf("text %q has blanks around it or ends a line", text)
		}
	}
	for _, r := range table.rules {
		if packageName(r.name+"/") != r.name || len(r.all) == 0 {
			t.Errorf("rule of %q", r.name)
		}
		if len(r.all) == 1 && len(table.texts[r.all[0]]) < anchorBytes {
			t.Errorf("%s is recognised by %q alone", r.name, table.texts[r.all[0]])
		}
	}
	for product, all := range products() {
		for _, p := range all {
			if product != strings.ToLower(product) || packageName(p.name+"/") != p.name {
				t.Errorf("product %q: %+v", product, p)
			}
		}
	}
}

// TestEmbeddedIsLinear runs on what makes careless readers slow, and on what
// could make them claim without end.
func TestEmbeddedIsLinear(t *testing.T) {
	for _, unit := range []string{
		`{name:"a",version:"1.0.0",main:`, `{a:`, `[`, `x={name:"a",version:"1.0.0",main:1};`, `JSON.parse('{"name":"version`, `JSON.parse('{"name":"a","version":"1.0.0","main":1}');`,
		"/*! a\n * Copyright 2 */", "//! moment.js\n", "/*! Bundled license information:\n\na/b.js:\n */", `"1.0.0",`, `version="1.0.0";`, `"DATETIME_LOCAL_SECONDS";r.version="1.0.0";`,
		`"jwt malformed",`, `serviceId:"S3",clientVersion:"3.1.0",`, `var name="a",version="1.0.0",main="x";`, "eval(\"{name:1}\");", `{dependencies:{"a":"1.0.0"},`,
	} {
		src := []byte(strings.Repeat(unit, 1<<20/len(unit)))
		claims, found, _ := Embedded(src)
		Pinned(claims, found)
		if len(claims) > 100_000 || len(found) > maxManifests {
			t.Errorf("%q: %d claims, %d manifests", unit, len(claims), len(found))
		}
	}
}

func FuzzEmbedded(f *testing.F) {
	for _, s := range []string{
		`e.exports={name:"a",version:"1.0.0",main:"i",private:!1,dependencies:{b:"1.0.0"}}`, `JSON.parse('{"name":"a","version":"1.0.0","main":1}')`,
		"var name = \"a\";\nvar version = \"1.0.0\";\nvar dependencies = {b:\"1.0.0\"};f", `serviceId:e??"S3",clientVersion:"3.1.0"`,
		"/*! a\n * Copyright 2014 x\n * MIT Licensed */", "//! moment.js\n//! version : 2.0.0\n", `"__lodash_hash_undefined__","lodash.templateSources[",runInContext,"4.0.0","Unsupported core-js use"`,
		"/*! Bundled license information:\n\na/b.js:\n  (*! c v1.0.0 *)\n*/",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		claims, found, _ := Embedded(src)
		claims = append(claims, Pinned(claims, found)...)
		for _, c := range claims {
			if packageName(c.Name+"/") != c.Name || c.Version != "" && exact(c.Version) == "" || c.Method == "" || c.Offset < 0 || c.Offset > int64(len(src)) || c.Confidence <= 0 || c.Confidence > 1 {
				t.Errorf("%+v", c)
			}
		}
	})
}
