package catalog

import (
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
)

func TestBaseOf(t *testing.T) {
	for name, c := range map[string]struct {
		layers   string // D declared, G guessed, - neither
		aws      int
		packages bool
		want     string
	}{
		"nothing":                      {layers: "", aws: -1, want: ""},
		"one layer":                    {layers: "-", aws: 0, packages: true, want: "-"},
		"no sign":                      {layers: "---", aws: -1, want: "---"},
		"a distribution below":         {layers: "---", aws: -1, packages: true, want: "b--"},
		"the entry point":              {layers: "----", aws: 2, packages: true, want: "bbb-"},
		"the entry point above":        {layers: "G---", aws: 2, packages: true, want: "bbb-"},
		"the entry point below":        {layers: "GGG-", aws: 1, want: "bbb-"},
		"the entry point in the last":  {layers: "G--", aws: 2, packages: true, want: "b--"},
		"declared":                     {layers: "D---", aws: 2, packages: true, want: "b---"},
		"all declared":                 {layers: "DD", aws: -1, want: "bb"},
		"guessed, without a system":    {layers: "GG-", aws: -1, want: "bb-"},
		"guessed, with a distribution": {layers: "GG-", aws: -1, packages: true, want: "bb-"},
	} {
		layers := make([]bundle.ImageLayer, len(c.layers))
		for i := range layers {
			layers[i].Base, layers[i].BaseGuessed = c.layers[i] != '-', c.layers[i] == 'G'
		}
		got := ""
		for _, b := range baseOf(layers, c.aws, c.packages) {
			got += map[bool]string{true: "b", false: "-"}[b]
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestPlatformFolders(t *testing.T) {
	for p, want := range map[string]bool{
		"var/runtime/index.mjs": true, "var/lang/bin/node": true, "lambda-entrypoint.sh": true, "azure-functions-host/a.dll": true,
		"var/task/index.js": false, "opt/lang/a": false, "usr/lib/libc.so.6": false, "var/runtimes/a": false,
	} {
		if platformFolder(p) != want {
			t.Errorf("%s: %v", p, !want)
		}
	}
	for p, want := range map[string]bool{
		"layers/google.nodejs.runtime/node/bin/node":              true,
		"layers/google.utils.nginx/nginx/bin/nginx":               true,
		"layers/google.nodejs.npm/node_modules/a/package.json":    false,
		"layers/google.python.pip/pip/lib/python3.12/a/METADATA":  false,
		"srv/layers/google.nodejs.runtime/node/bin/node":          false,
		"layers/other.nodejs.runtime/node/lib/node_modules/npm/a": false,
	} {
		if buildpackRuntime(p) != want {
			t.Errorf("%s: %v", p, !want)
		}
	}
}
