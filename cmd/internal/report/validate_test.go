package report_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/osv-scanner/v2/pkg/models"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// TestValidateFile validates files that a real run wrote:
//
//	FNAUDIT_VALIDATE=json:report.json,sarif:report.sarif go test -run TestValidateFile ./cmd/internal/report
//
// "@FILE" names a file with such a list, for more than fits into a variable.
func TestValidateFile(t *testing.T) {
	list := os.Getenv("FNAUDIT_VALIDATE")
	if list == "" {
		t.Skip("FNAUDIT_VALIDATE is not set: no files to validate")
	}
	if file, ok := strings.CutPrefix(list, "@"); ok {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list = strings.TrimSpace(string(text))
	}
	for _, entry := range strings.Split(list, ",") {
		format, path, ok := strings.Cut(entry, ":")
		if !ok {
			t.Fatalf("FNAUDIT_VALIDATE: %q is not format:path", entry)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(format, text); err != nil {
			t.Errorf("%s is not valid %s: %v", path, format, err)
		}
		if err := inert(text); err != nil && format != "github" && format != "ics" { // whose own checks do the same
			t.Errorf("%s: %v", path, err)
		}
	}
}

// validate checks text against the schema of its format, and that other tools' readers take it.
func validate(format string, text []byte) error {
	switch format {
	case "html":
		return htmlValid(text)
	case "table":
		return nil
	case "json":
		return check("report", report.Schema, "", text)
	case "jsonl":
		lines := bufio.NewScanner(bytes.NewReader(text))
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			if err := check("report", report.Schema, "#/$defs/line", lines.Bytes()); err != nil {
				return err
			}
		}
		return lines.Err()
	case "sarif":
		if path := os.Getenv("FNAUDIT_SARIF_SCHEMA"); path != "" {
			if err := checkFile(path, text); err != nil {
				return err
			}
		}
		return checkFile("testdata/sarif-subset.schema.json", text)
	case "cyclonedx-json":
		if err := checkFile(filepath.Join(moduleDir("github.com/CycloneDX/cyclonedx-go"), "schema", "bom-1.6.schema.json"), text); err != nil {
			return err
		}
		return readsBack(text)
	case "spdx-json":
		if err := checkFile(filepath.Join(moduleDir("github.com/anchore/syft"), "schema", "spdx-json", "spdx-schema-2.3.json"), text); err != nil {
			return err
		}
		return readsBack(text)
	case "openvex":
		if path := os.Getenv("FNAUDIT_OPENVEX_SCHEMA"); path != "" {
			if err := checkFile(path, text); err != nil {
				return err
			}
		}
		return checkFile("testdata/openvex-0.2.0.schema.json", text)
	case "osv-json":
		return checkOSV(text)
	case "ics":
		return checkICS(text)
	case "junit":
		return checkJUnit(text)
	case "markdown":
		return checkMarkdown(text)
	case "github":
		return checkGitHub(text)
	}
	return fmt.Errorf("no validation for format %q", format)
}

func readsBack(text []byte) error {
	_, err := codec.Decode(bytes.NewReader(text), 0)
	return err
}

// checkOSV reads the output with osv-scanner's own types, which refuse any
// field of a record that the OSV schema does not have; FNAUDIT_OSV_SCHEMA names
// a copy of the schema itself.
func checkOSV(text []byte) error {
	var results models.VulnerabilityResults
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&results); err != nil {
		return err
	}
	for _, f := range results.Flatten() { // panics when a record is in no group
		if f.Vulnerability.GetId() == "" || f.Package.Name == "" {
			return errors.New("record without id or package without name")
		}
	}
	path := os.Getenv("FNAUDIT_OSV_SCHEMA")
	if path == "" {
		return nil
	}
	var raw struct {
		Results []struct {
			Packages []struct {
				Vulnerabilities []json.RawMessage `json:"vulnerabilities"`
			} `json:"packages"`
		} `json:"results"`
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	for _, r := range raw.Results {
		for _, p := range r.Packages {
			for _, v := range p.Vulnerabilities {
				if err := checkFile(path, v); err != nil {
					return fmt.Errorf("%w\n%s", err, v)
				}
			}
		}
	}
	return nil
}

// schemas caches compiled schemas: CycloneDX's takes long to compile.
var schemas sync.Map

func checkFile(path string, text []byte) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return check(path, data, "", text)
}

func check(name string, schema []byte, fragment string, text []byte) error {
	compiled, err := compile(name, schema, fragment)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return compiled.Validate(value)
}

func compile(name string, schema []byte, fragment string) (*jsonschema.Schema, error) {
	if s, ok := schemas.Load(name + fragment); ok {
		return s.(*jsonschema.Schema), nil
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(besides{filepath.Dir(name)})
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, err
	}
	const at = "file:///schema.json"
	if err := c.AddResource(at, value); err != nil {
		return nil, err
	}
	s, err := c.Compile(at + fragment)
	if err != nil {
		return nil, err
	}
	schemas.Store(name+fragment, s)
	return s, nil
}

// besides loads a schema that another one refers to from the folder of that
// one: CycloneDX names spdx.schema.json and jsf-0.82.schema.json by URL, and
// ships the latter under another extension.
type besides struct{ dir string }

func (b besides) Load(url string) (any, error) {
	base := url[strings.LastIndexByte(url, '/')+1:]
	for _, name := range []string{base, strings.Replace(base, ".schema.json", ".schemax.json", 1)} {
		if f, err := os.Open(filepath.Join(b.dir, name)); err == nil {
			defer f.Close()
			return jsonschema.UnmarshalJSON(f)
		}
	}
	return nil, fmt.Errorf("schema %s is not beside the one that names it", url)
}

var moduleDirs sync.Map

// moduleDir is where a module's source lies: its schemas are read from there.
func moduleDir(module string) string {
	if d, ok := moduleDirs.Load(module); ok {
		return d.(string)
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "module " + module + " not found"
	}
	dir := strings.TrimSpace(string(out))
	moduleDirs.Store(module, dir)
	return dir
}

// inert says what of an output a terminal, a browser or a log would act on.
func inert(text []byte) error {
	if bytes.HasPrefix(text, []byte("<!doctype html>")) {
		return nil // it is to be acted on; htmlValid checks by what
	}
	for _, bad := range []string{"\x1b", "\u009b", "\x00", "\u202e", "<script", "<svg", "<img", "\x07", "\r"} {
		if i := bytes.Index(text, []byte(bad)); i >= 0 {
			return fmt.Errorf("raw %q at byte %d: …%q…", bad, i, text[max(0, i-40):min(len(text), i+40)])
		}
	}
	for n, line := range bytes.Split(text, []byte("\n")) {
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("::")) || bytes.Contains(line, []byte("##vso[")) || bytes.Contains(line, []byte("##[")) {
			return fmt.Errorf("line %d starts a workflow command: %q", n+1, line)
		}
	}
	return nil
}
