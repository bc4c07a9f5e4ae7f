package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A folder that packages install programs into may stand in PATH: "npm run" and
// an activated virtual environment put it there. What lies in it is audited, so
// that a program called go there must not say which proxy is told of modules.
func TestGoroot(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program has another name there")
	}
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	install := func(dir string) string {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(root, dir, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, dir, "bin", "go"), nil, 0o755); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(root, dir, "bin")
	}
	real := install("usr/go")
	here, venv, module := install("app/tools"), install("env"), install("app/node_modules/evil")
	if err := os.WriteFile(filepath.Join(root, "env", "pyvenv.cfg"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	shims := filepath.Join(root, "app", "node_modules", ".bin")
	if err := os.MkdirAll(filepath.Join(root, "app", "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(shims, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(module, "go"), filepath.Join(shims, "go")); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(root, "shims") // a link from elsewhere leads into the same folders
	if err := os.MkdirAll(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(venv, "go"), filepath.Join(outside, "go")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, cwd string
		path      []string
	}{
		{"node_modules/.bin", "app/sub", []string{shims}},
		{"node_modules", "app/sub", []string{module}},
		{"a virtual environment", "app/sub", []string{venv}},
		{"a link into a virtual environment", "app/sub", []string{outside}},
		{"the current folder", "app", []string{here}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(filepath.Join(root, tt.cwd))
			path := strings.Join(append(tt.path, real), string(filepath.ListSeparator))
			env := Env{Getenv: func(name string) string { return map[string]string{"PATH": path}[name] }}
			if got, want := goroot(&env), filepath.Join(root, "usr", "go"); got != want {
				t.Errorf("goroot = %s, want %s", got, want)
			}
		})
	}
	t.Run("the home folder", func(t *testing.T) {
		t.Chdir(root)
		env := Env{Getenv: func(name string) string {
			return map[string]string{"PATH": real, "HOME": filepath.Join(root, "usr")}[name]
		}}
		if got, want := goroot(&env), filepath.Join(root, "usr", "go"); got != want {
			t.Errorf("goroot = %s, want %s", got, want)
		}
	})
}
