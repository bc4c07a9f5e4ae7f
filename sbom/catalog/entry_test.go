package catalog

import (
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
)

// entryFixture is a program that no package accounts for.
func entryFixture() string { return string(elfWith(".text", []byte("code"), 0)) }

// TestEntry: what the image runs is the function's, though it lies below other
// layers, and a language's runtime is not.
func TestEntry(t *testing.T) {
	const task = "LAMBDA_TASK_ROOT=/var/task"
	for name, c := range map[string]struct {
		files   string // of the image
		config  bundle.Image
		handler string
		want    string
		missing string
	}{
		"path":                 {files: "usr/bin/app", config: bundle.Image{Entrypoint: []string{"/usr/bin/app"}}, want: "usr/bin/app"},
		"command":              {files: "app b", config: bundle.Image{Cmd: []string{"/app"}}, want: "app"},
		"PATH":                 {files: "x/app y/app", config: bundle.Image{Entrypoint: []string{"app"}, Env: []string{"PATH=/y:/x"}}, want: "y/app"},
		"default PATH":         {files: "usr/bin/app app", config: bundle.Image{Entrypoint: []string{"app"}}, want: "usr/bin/app"},
		"folder":               {files: "w/app", config: bundle.Image{Entrypoint: []string{"./app"}, WorkingDir: "/w"}, want: "w/app"},
		"link":                 {files: "app>opt/real opt/real", config: bundle.Image{Entrypoint: []string{"/app"}}, want: "opt/real"},
		"script":               {files: "usr/local/bin/node srv/app.js", config: bundle.Image{Entrypoint: []string{"node", "/srv/app.js"}}, want: "srv/app.js"},
		"script without end":   {files: "usr/local/bin/node srv/app.js", config: bundle.Image{Entrypoint: []string{"node", "app"}, WorkingDir: "/srv"}, want: "srv/app.js"},
		"folder of a script":   {files: "usr/bin/node srv/index.js", config: bundle.Image{Entrypoint: []string{"node", "."}, WorkingDir: "/srv"}, want: "srv/index.js"},
		"linked interpreter":   {files: "usr/bin/python3>python3.12 usr/bin/python3.12 a.py", config: bundle.Image{Entrypoint: []string{"python3", "a.py"}}, want: "a.py"},
		"jar":                  {files: "opt/jdk/bin/java x.jar", config: bundle.Image{Entrypoint: []string{"/opt/jdk/bin/java", "-Xmx1g", "-jar", "x.jar"}}, want: "x.jar"},
		"class path":           {files: "usr/bin/java a/x.jar a/b/y.jar c.jar", config: bundle.Image{Entrypoint: []string{"java", "-cp", "/a/*:/c.jar", "Main"}}, want: "a/x.jar c.jar"},
		"shell form":           {files: "bin/sh usr/bin/node srv/app.js", config: bundle.Image{Entrypoint: []string{"/bin/sh", "-c", "exec node $D/app.js && true"}, Env: []string{"D=/srv"}}, want: "srv/app.js"},
		"own node":             {files: "srv/node", config: bundle.Image{Entrypoint: []string{"/srv/node"}}, want: "srv/node"},
		"lambda":               {files: "lambda-entrypoint.sh var/lang/bin/node var/runtime/bootstrap var/task/a/index.mjs", config: bundle.Image{Entrypoint: []string{"/lambda-entrypoint.sh"}, Cmd: []string{"a/index.handler"}, Env: []string{task}}, handler: "a/index.handler", want: "var/task/a/index.mjs"},
		"lambda, module":       {files: "var/lang/bin/python t/a/b.py", config: bundle.Image{Env: []string{"LAMBDA_TASK_ROOT=/t"}}, handler: "a.b.handler", want: "t/a/b.py"},
		"lambda, custom":       {files: "lambda-entrypoint.sh var/runtime/bootstrap", config: bundle.Image{Entrypoint: []string{"/lambda-entrypoint.sh"}}, handler: "any.thing", want: "var/runtime/bootstrap"},
		"lambda, java":         {files: "var/lang/bin/java var/task/lib/a.jar", handler: "a.B::c"},
		"no such program":      {files: "a", config: bundle.Image{Entrypoint: []string{"/srv/app", "x"}}, missing: "srv/app"},
		"no such script":       {files: "a", config: bundle.Image{Entrypoint: []string{"node", "app.js"}, WorkingDir: "/srv"}, missing: "srv/app.js"},
		"no such handler":      {files: "var/lang/bin/node", handler: "index.handler", missing: "var/task/index"},
		"handler as command":   {files: "var/task/index.js", config: bundle.Image{Cmd: []string{"index.handler"}}, handler: "index.handler", want: "var/task/index.js"},
		"link out of the tree": {files: "app>../../x", config: bundle.Image{Entrypoint: []string{"/app"}}, missing: "app"},
	} {
		t.Run(name, func(t *testing.T) {
			var members []member
			for _, f := range strings.Fields(c.files) {
				p, to, link := strings.Cut(f, ">")
				body := entryFixture()
				if link {
					body = "-> " + to
				}
				members = append(members, member{p, body})
			}
			fn := openImage(t, &c.config, members)
			fn.Platform, fn.Handler = bundle.PlatformNone, c.handler
			if c.handler != "" {
				fn.Platform = bundle.PlatformAWS
			}
			e := (&composition{fn: fn}).entryOf(0)
			want := map[string]bool{}
			for _, p := range strings.Fields(c.want) {
				want[p] = true
			}
			for p := range e.files {
				if !want[p] {
					t.Errorf("%s counts as run", p)
				}
			}
			for p := range want {
				if !e.files[p] {
					t.Errorf("%s does not count as run", p)
				}
			}
			if got := strings.Join(e.missing, " "); got != c.missing {
				t.Errorf("missing: %q, want %q", got, c.missing)
			}
		})
	}
}

// TestEntryIsTheFunctions: a program that says nothing about itself counts when
// it is what runs, in the base image too.
func TestEntryIsTheFunctions(t *testing.T) {
	base := []member{
		{"etc/os-release", "ID=debian\nVERSION_ID=12\n"}, {"var/lib/dpkg/status", dpkgEntry("tool", "1")},
		{"usr/bin/app", entryFixture()}, {"usr/bin/stray", entryFixture()},
	}
	fn := openImage(t, &bundle.Image{Entrypoint: []string{"app"}}, base, []member{{"etc/data", "x"}})
	s, err := New(Options{}).Run(t.Context(), fn)
	if err != nil {
		t.Fatal(err)
	}
	want := "base 0 tool 1\n? app opaque code=true usr/bin/app\n? base opaque code=false usr/bin/stray"
	if got := placed(s, fn.Volumes[0].Image()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	fn = openImage(t, &bundle.Image{})
	if s, err = New(Options{}).Run(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
	if got := placed(s, fn.Volumes[0].Image()); got != "? app unreadable code=true " {
		t.Errorf("an image without files: %s", got)
	}
}
