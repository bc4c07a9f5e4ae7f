package jsbundle

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestAsks(t *testing.T) {
	for src, want := range map[string]string{
		`var z = require("zod"), f = __require('lodash/fp');`:    "lodash zod",
		`import{z}from"zod";import * as s from "@scope/pkg/sub"`: "@scope/pkg zod",
		`import "side-effect"; const l = await import("lazy")`:   "lazy side-effect",
		`e.exports=r("pg")`:                                     "pg",
		`require(/* why */ "noted")`:                            "noted",
		`f("a", "b"); x = "c"; y = ["d"]; ("./own"); ("Prose")`: "",
		`Array.from; "zod"`:                                     "",
	} {
		res := Inspect("index.js", []byte(src), Companions{})
		if got := strings.Join(slices.Sorted(maps.Keys(res.Asks)), " "); got != want {
			t.Errorf("%s: asks for %q, want %q", src, got, want)
		}
	}
}
