package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
)

// TestEntryFollows: what a wrapper script, a package's script or a functions
// framework starts is the function's.
func TestEntryFollows(t *testing.T) {
	many := []member{{"s0", "#!/bin/sh\nexec /s1"}}
	for i := 1; i < 100; i++ {
		many = append(many, member{fmt.Sprint("s", i), fmt.Sprintf("#!/bin/sh\nexec /s%d\n", i+1)})
	}
	node := member{"usr/bin/node", entryFixture()}
	for name, c := range map[string]struct {
		files  []member
		config bundle.Image
		want   string
	}{
		"exec": {[]member{node, {"docker-entrypoint.sh", "#!/bin/sh\nset -e\n# exec node no.js\nif [ -n \"$X\" ]; then exec node \"other.js\"; fi\ncd /srv\nexec node \\\n  server.js \"$@\"\n"},
			{"srv/server.js", "1"}, {"other.js", "1"}, {"no.js", "1"}}, bundle.Image{Entrypoint: []string{"/docker-entrypoint.sh"}}, "docker-entrypoint.sh other.js srv/server.js"},
		"arguments": {[]member{node, {"usr/local/bin/run.sh", "#!/usr/bin/env bash\nexec \"$@\"\n"}, {"a.js", "1"}},
			bundle.Image{Entrypoint: []string{"run.sh"}, Cmd: []string{"node", "a.js"}}, "a.js usr/local/bin/run.sh"},
		"two wrappers": {[]member{{"a.sh", "#!/bin/sh\nexec /b.sh"}, {"b.sh", "#!/bin/sh\nexec /app; exec /a.sh"}, {"app", entryFixture()}}, bundle.Image{Cmd: []string{"/a.sh"}}, "a.sh app b.sh"},
		"no shell":     {[]member{{"a", "#!/usr/bin/perl\nexec /b"}, {"b", "1"}}, bundle.Image{Cmd: []string{"/a"}}, "a"},
		"not there":    {[]member{{"a", "#!/bin/sh\nexec /b"}}, bundle.Image{Cmd: []string{"/a"}}, "a"},
		"npm start": {[]member{node, {"w/package.json", `{"scripts":{"prestart":"node ./pre.js","start":"NODE_ENV=x node 'src/main'"}}`}, {"w/src/main.js", "1"}, {"w/pre.js", "1"}},
			bundle.Image{Cmd: []string{"npm", "start"}, WorkingDir: "/w"}, "w/pre.js w/src/main.js"},
		"npm run":          {[]member{node, {"package.json", `{"scripts":{"serve":"node s.js"}}`}, {"s.js", "1"}}, bundle.Image{Cmd: []string{"/bin/sh", "-c", "npm run --silent serve"}}, "s.js"},
		"yarn":             {[]member{node, {"package.json", `{"scripts":{"serve":"node s.js"}}`}, {"s.js", "1"}}, bundle.Image{Cmd: []string{"yarn", "serve"}}, "s.js"},
		"start by default": {[]member{node, {"package.json", `{}`}, {"server.js", "1"}}, bundle.Image{Cmd: []string{"npm", "start"}}, "server.js"},
		"main":             {[]member{node, {"w/package.json", `{"main":"lib/app"}`}, {"w/lib/app.js", "1"}}, bundle.Image{Cmd: []string{"node", "/w"}}, "w/lib/app.js"},
		"main out of it":   {[]member{node, {"w/package.json", `{"main":"../../../x.js"}`}, {"x.js", "1"}}, bundle.Image{Cmd: []string{"node", "/w"}}, "x.js"},
		"odd manifest":     {[]member{node, {"w/package.json", `{"main":{"a":1},"scripts":[1]}`}, {"w/index.js", "1"}}, bundle.Image{Cmd: []string{"node", "/w"}}, "w/index.js"},
		"framework": {[]member{{"w/package.json", `{"main":"fn.js","scripts":{"start":"functions-framework --target=hello"}}`}, {"w/fn.js", "1"}},
			bundle.Image{Cmd: []string{"npm", "start"}, WorkingDir: "/w"}, "w/fn.js"},
		"framework, source": {[]member{{"w/x.py", "1"}}, bundle.Image{Cmd: []string{"functions-framework", "--source", "x.py", "--target", "f"}, WorkingDir: "/w"}, "w/x.py"},
		"FUNCTION_TARGET":   {[]member{{"w/main.py", "1"}, {"usr/bin/gunicorn", "#!/usr/bin/python"}}, bundle.Image{Cmd: []string{"gunicorn"}, WorkingDir: "/w", Env: []string{"FUNCTION_TARGET=f"}}, "usr/bin/gunicorn w/main.py"},
		"chain":             {many, bundle.Image{Cmd: []string{"/s0"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fn := openImage(t, &c.config, c.files)
			fn.Platform = bundle.PlatformNone
			e := (&composition{fn: fn}).entryOf(0)
			got := strings.Join(slices.Sorted(maps.Keys(e.files)), " ")
			switch {
			case name == "chain":
				if n := len(e.files); n < maxFollowed || n > maxFollowed+2 {
					t.Errorf("%d files", n)
				}
			case got != c.want:
				t.Errorf("got %q, want %q", got, c.want)
			}
			for _, p := range e.missing {
				if !slices.ContainsFunc(c.config.Cmd, func(w string) bool { return strings.HasSuffix(w, p) }) {
					t.Errorf("%s is called missing", p)
				}
			}
		})
	}
}

// TestEntryFollowsBounded: a script of many lines costs no more than the words
// that are looked up.
func TestEntryFollowsBounded(t *testing.T) {
	body := "#!/bin/sh\n" + strings.Repeat("exec b\n", 9000)
	fn := openImage(t, &bundle.Image{Cmd: []string{"/a"}, Env: []string{"PATH=" + strings.Repeat("/x:", 200)}}, []member{{"a", body}})
	e := (&composition{fn: fn}).entryOf(0)
	if e.wordCount > maxCommandWords+2 {
		t.Errorf("%d words", e.wordCount)
	}
}
