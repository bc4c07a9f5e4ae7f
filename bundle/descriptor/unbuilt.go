package descriptor

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// maxManifest bounds the manifests that are looked at in bytes.
const maxManifest = 4 << 20

// unbuilt says why a folder that a template names is source and not what is
// deployed. "sam build" installs what a manifest at its top names and compiles
// (docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-using-build.html);
// judging the folder as it is would call a function clean whose packages nobody
// has seen. method is how the template says that the folder is to be built, ""
// for what is built already; next is what to do about it.
func unbuilt(dir, runtime, method, next string) []bundle.Gap {
	gap := func(what, why string) []bundle.Gap { return []bundle.Gap{{What: what, Reason: why + next}} }
	if method != "" {
		return gap(dir, "built by "+method+", so this folder is source and not what is deployed")
	}
	has := func(names ...string) string {
		for _, n := range names {
			if m, err := filepath.Glob(filepath.Join(globEscape(dir), n)); err == nil && len(m) > 0 {
				return filepath.Base(m[0])
			}
		}
		return ""
	}
	compiled := func(names ...string) []bundle.Gap {
		if n := has(names...); n != "" {
			return gap(n, "the folder is source that is compiled before it is deployed")
		}
		return nil
	}
	language := strings.TrimRight(runtime, "0123456789.x")
	switch {
	case strings.HasPrefix(runtime, "java"):
		return compiled("pom.xml", "build.gradle", "build.gradle.kts")
	case strings.HasPrefix(runtime, "dotnet"):
		return compiled("*.csproj", "*.fsproj", "*.sln")
	case strings.HasPrefix(runtime, "provided"), strings.HasPrefix(runtime, "go"):
		if has("bootstrap") != "" {
			return nil
		}
		return compiled("go.mod", "Cargo.toml", "Makefile", "*.csproj")
	}
	const why = "names packages that are not installed here"
	switch {
	case (language == "nodejs" || runtime == "") && has("package.json") != "" && has("node_modules") == "" && nodeNeeds(filepath.Join(dir, "package.json")):
		return gap("package.json", "package.json "+why)
	case (language == "python" || runtime == "") && has("requirements.txt") != "" && has("*.dist-info", "*.egg-info") == "" && pythonNeeds(filepath.Join(dir, "requirements.txt")):
		return gap("requirements.txt", "requirements.txt "+why)
	case language == "ruby" && has("Gemfile") != "" && has("vendor") == "":
		return gap("Gemfile", "Gemfile "+why)
	}
	return nil
}

// globEscape makes a folder's name match itself only.
func globEscape(s string) string {
	if filepath.Separator == '\\' {
		return s // no escapes on Windows; its names hold neither * nor ?
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// nodeNeeds reports whether a package.json asks for packages to run with. One
// that cannot be read may.
func nodeNeeds(file string) bool {
	data, err := readLimited(file)
	if err != nil {
		return true
	}
	var doc struct {
		Dependencies json.RawMessage `json:"dependencies"`
	}
	var names map[string]json.RawMessage
	if json.Unmarshal(data, &doc) != nil || len(doc.Dependencies) > 0 && json.Unmarshal(doc.Dependencies, &names) != nil {
		return true
	}
	return len(names) > 0
}

// pythonNeeds reports whether a requirements file asks for anything.
func pythonNeeds(file string) bool {
	data, err := readLimited(file)
	if err != nil {
		return true
	}
	s := bufio.NewScanner(strings.NewReader(string(data)))
	s.Buffer(nil, maxManifest)
	for s.Scan() {
		line := strings.TrimSpace(s.Text())
		if line != "" && line[0] != '#' {
			return true
		}
	}
	return s.Err() != nil
}

func readLimited(file string) ([]byte, error) {
	st, err := os.Lstat(file)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, os.ErrInvalid // a link may lead anywhere, a pipe may block
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxManifest))
}
