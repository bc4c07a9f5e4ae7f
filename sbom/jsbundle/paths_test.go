package jsbundle

import "testing"

func TestParseModule(t *testing.T) {
	for s, want := range map[string]origin{
		"node_modules/lodash/lodash.js":                                                                               {packages, "lodash", "", "node_modules/lodash"},
		"./node_modules/@aws-sdk/client-s3/dist-es/index.js":                                                          {packages, "@aws-sdk/client-s3", "", "node_modules/@aws-sdk/client-s3"},
		"../../../apps/a/node_modules/a/node_modules/b/i.js":                                                          {packages, "b", "", "apps/a/node_modules/a/node_modules/b"},
		"webpack://app/./node_modules/axios/index.js":                                                                 {packages, "axios", "", "node_modules/axios"},
		"webpack:///./node_modules/axios/index.js?abcd":                                                               {packages, "axios", "", "node_modules/axios"},
		"webpack://@my/app/./node_modules/axios/index.js":                                                             {packages, "axios", "", "node_modules/axios"},
		"file:///home/u/app/node_modules/ms/index.js":                                                                 {packages, "ms", "", "home/u/app/node_modules/ms"},
		"/var/app/node_modules/ms/index.js":                                                                           {packages, "ms", "", "var/app/node_modules/ms"},
		`C:\app\node_modules\ms\index.js`:                                                                             {packages, "ms", "", "app/node_modules/ms"},
		`..\..\node_modules\@a\b\index.js`:                                                                            {packages, "@a/b", "", "node_modules/@a/b"},
		"./node_modules/x/loader.js!./node_modules/ms/index.js":                                                       {packages, "ms", "", "node_modules/ms"},
		"./node_modules/x/loader.js!./src/a.ts":                                                                       {whose: own},
		"./node_modules/ms/index.js + 3 modules":                                                                      {packages, "ms", "", "node_modules/ms"},
		"[project]/node_modules/ms/index.js [app] (ecmascript)":                                                       {packages, "ms", "", "node_modules/ms"},
		"node_modules/.pnpm/lodash@4.17.15/node_modules/lodash/lodash.js":                                             {packages, "lodash", "4.17.15", "node_modules/.pnpm/lodash@4.17.15/node_modules/lodash"},
		"../node_modules/.pnpm/@a+b@1.2.3-rc.1_react@17.0.2/node_modules/@a/b/i.js":                                   {packages, "@a/b", "1.2.3-rc.1", "node_modules/.pnpm/@a+b@1.2.3-rc.1_react@17.0.2/node_modules/@a/b"},
		"node_modules/.pnpm/a@1.2.3(b@4.5.6)/node_modules/a/i.js":                                                     {packages, "a", "1.2.3", "node_modules/.pnpm/a@1.2.3(b@4.5.6)/node_modules/a"},
		"node_modules/.pnpm/a@1.2.3/node_modules/b/i.js":                                                              {packages, "b", "", "node_modules/.pnpm/a@1.2.3/node_modules/b"},
		"node_modules/.bun/axios@0.21.0+17f2aa/node_modules/axios/index.js":                                           {packages, "axios", "0.21.0", "node_modules/.bun/axios@0.21.0+17f2aa/node_modules/axios"},
		".yarn/cache/lodash-npm-4.17.15-566d9324f7-c029ab2983.zip/node_modules/lodash/a.js":                           {packages, "lodash", "4.17.15", ".yarn/cache/lodash-npm-4.17.15-566d9324f7-c029ab2983.zip/node_modules/lodash"},
		"../.yarn/__virtual__/a-virtual-0f3/0/cache/@x-a-npm-7.0.0-beta.4-0a1b2c3d4e-10c0.zip/node_modules/@x/a/i.js": {packages, "@x/a", "7.0.0-beta.4", ".yarn/__virtual__/a-virtual-0f3/0/cache/@x-a-npm-7.0.0-beta.4-0a1b2c3d4e-10c0.zip/node_modules/@x/a"},
		".yarn/unplugged/sharp-npm-0.30.0-8c2e9a11b2/node_modules/sharp/lib/i.js":                                     {packages, "sharp", "0.30.0", ".yarn/unplugged/sharp-npm-0.30.0-8c2e9a11b2/node_modules/sharp"},
		".yarn/cache/@x-a-npm-7.0.0-beta.4-0a1b2c3d4e-5f5f5f5f5f.zip/node_modules/@x/a/i.js":                          {packages, "@x/a", "7.0.0-beta.4", ".yarn/cache/@x-a-npm-7.0.0-beta.4-0a1b2c3d4e-5f5f5f5f5f.zip/node_modules/@x/a"},
		"src/index.js":                         {whose: own},
		"../../lib/My Code/a.ts":               {whose: own},
		"webpack://app/./src/index.js":         {whose: own},
		"node_modules/file.js":                 {},
		"node_modules/.cache/x.js":             {},
		"node_modules/../../etc/passwd":        {},
		"node_modules/@a/b":                    {},
		"my_node_modules/a/b.js":               {whose: own},
		"webpack://app/webpack/bootstrap":      {whose: bundlers},
		"webpack/runtime/make namespace":       {whose: bundlers},
		"webpack://a/external commonjs \"fs\"": {whose: bundlers},
		"external node-commonjs \"fs\"":        {whose: bundlers},
		"(disabled):node_modules/a/b.js":       {whose: bundlers},
		"./node_modules/a/b.js (ignored)":      {whose: bundlers},
		"\x00commonjsHelpers.js":               {whose: bundlers},
		"see the docs":                         {},
		"":                                     {whose: bundlers},
	} {
		if got := parseModule(s); got != want {
			t.Errorf("%q:\n got %+v\nwant %+v", s, got, want)
		}
	}
}

func FuzzPaths(f *testing.F) {
	for _, s := range []string{"node_modules/.pnpm/@a+b@1.2.3_c@1/node_modules/@a/b/i.js", "webpack://x/./node_modules/a/b?c|d", `C:\node_modules\a\b`, ".yarn/cache/a-npm-1.2.3-0123456789.zip/node_modules/a/b", "a!b#c + 2 modules", "@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := parseModule(s)
		if (m.whose == packages) != (m.name != "") || m.name == "" && (m.version != "" || m.install != "") {
			t.Errorf("%q: %+v", s, m)
		}
		if m.version != "" && exact(m.version) != m.version {
			t.Errorf("%q: version %q", s, m.version)
		}
	})
}
