package descriptor

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/bundle"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// TestTemplates runs testdata/*.txtar: a project's files, and the golden list
// of what its descriptor declares. Lines of the comment at the top:
//
//	target: PATH           what is named (default template.yaml)
//	root: DIR              Options.Root
//	parameter: NAME=VALUE  one of Options.Parameters
//	link: NAME -> TARGET   a symbolic link to make
//
// The project lies in the folder "in"; the folder "out" beside it is a neighbour
// that nothing in the project may reach.
func TestTemplates(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			path, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			golden := -1
			dir := t.TempDir()
			for i, f := range ar.Files {
				if f.Name == "golden" {
					golden = i
					continue
				}
				name := filepath.Join(dir, "in", filepath.FromSlash(f.Name))
				if rest, ok := strings.CutPrefix(f.Name, "out/"); ok {
					name = filepath.Join(dir, "out", filepath.FromSlash(rest))
				}
				write(t, name, f.Data)
			}
			if golden < 0 {
				t.Fatal("no golden")
			}
			t.Chdir(filepath.Join(dir, "in"))
			got := declared(t, string(ar.Comment))
			if *update {
				ar.Files[golden].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(ar.Files[golden].Data); got != want {
				t.Errorf("declared:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// declared reads the descriptor of a case and shows it.
func declared(t *testing.T, comment string) string {
	t.Helper()
	target, opt := "template.yaml", Options{Parameters: map[string]string{}}
	for line := range strings.Lines(comment) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "target":
			target = value
		case "root":
			opt.Root = value
		case "parameter":
			name, text, err := Parameter(value)
			if err != nil {
				t.Fatal(err)
			}
			opt.Parameters[name] = text
		case "link":
			from, to, _ := strings.Cut(value, " -> ")
			if err := os.Symlink(filepath.FromSlash(to), from); err != nil {
				t.Skip(err)
			}
		}
	}
	var d Descriptor
	if path, ok := strings.CutPrefix(target, "sam:"); ok {
		var err error
		if d, err = Named("sam", path); err != nil {
			return "error: " + err.Error() + "\n"
		}
	} else {
		var ok bool
		if d, ok = Find(target); !ok {
			return "not a descriptor\n"
		}
	}
	specs, err := d.Functions(t.Context(), opt)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	for _, s := range specs {
		show(&b, s)
	}
	return filepath.ToSlash(b.String())
}

// show writes one function for a golden, what is unset left out.
func show(b *strings.Builder, s bundle.Spec) {
	line := func(key string, value any) {
		if text := fmt.Sprint(value); text != "" && text != "[]" {
			fmt.Fprintf(b, "  %s: %s\n", key, text)
		}
	}
	d := s.Declared
	fmt.Fprintf(b, "%s\n", s.Name)
	line("ref", s.Ref)
	line("unread", s.Unread)
	if s.Inline != nil {
		line("inline", fmt.Sprintf("%s %q", s.Inline.Name, s.Inline.Text))
	}
	line("runs", strings.TrimSpace(fmt.Sprintf("%s %s %s", s.Runtime, s.Handler, s.Arch)))
	line("layers", s.Layers)
	for _, g := range d.Gaps {
		line("gap", g.What+": "+g.Reason)
	}
	line("called", d.FunctionName)
	for _, t := range d.Triggers {
		line("trigger", strings.TrimSpace(fmt.Sprintf("%s %s %s %s", t.Name, t.Type, t.Detail, t.Auth)))
	}
	line("url", d.URLAuth)
	line("role", d.Role)
	line("policies", strings.Join(d.Policies, ", "))
	line("environment", d.Environment)
	line("declared layers", d.Layers)
	line("image", d.Image)
	line("signing", d.CodeSigning)
	line("signing mode", d.SigningMode)
	line("profiles", strings.Join(d.Profiles, ", "))
	line("condition", d.Condition)
	line("unresolved", strings.Join(d.Unresolved, ", "))
}

func TestFindIsByContent(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"a.txt":     {"AWSTemplateFormatVersion: '2010-09-09'\nResources: {}\n", true},
		"b.zip":     {"Resources:\n  A:\n    Type: AWS::Lambda::Function\n", true},
		"c.yaml":    {"name: ci\non: push\n", false},
		"bom.json":  {`{"bomFormat":"CycloneDX","components":[{"name":"AWS::Serverless::Function Resources"}]}`, false},
		"zip.yaml":  {"PK\x03\x04 AWSTemplateFormatVersion", false},
		"nul.yaml":  {"AWSTemplateFormatVersion\x00", false},
		"utf.yaml":  {"\xef\xbb\xbfAWSTemplateFormatVersion: x", true},
		"ci.yaml":   {"steps:\n  - run: echo Resources AWS::Lambda::Function AWSTemplateFormatVersion\n", false},
		"flow.json": {"{Resources: {F: {Type: AWS::Lambda::Function}}}", true},
		"quoted":    {"\"Resources\":\n  F: {Type: AWS::Lambda::Function}\n", true},
		"syft.json": {`{"artifacts":[{"name":"Resources AWS::x"}],"schema":{"url":"https://raw.githubusercontent.com/anchore/syft/main/x"}}`, false},
		"empty":     {"", false},
		"bytes.bin": {"\xff\xfeAWSTemplateFormatVersion: x", false},
	} {
		path := filepath.Join(dir, name)
		write(t, path, []byte(c.text))
		if _, got := Find(path); got != c.want && !strings.HasPrefix(c.text, "PK") {
			t.Errorf("%s: descriptor %v, want %v", name, got, c.want)
		}
	}
	if _, ok := Find(filepath.Join(dir, "missing")); ok {
		t.Error("a missing file is a descriptor")
	}
	if _, err := Named("sam", filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing template: %v", err)
	}
	if _, err := Named("sam", dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder without a template: %v", err)
	}
	if _, err := Named("pulumi", dir); err == nil {
		t.Error("an unknown kind is no error")
	}
}

// TestBombs wants an error or a small result, soon, from documents that are
// small and mean much.
func TestBombs(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("x0: &x0 [a, a]\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&laughs, "x%d: &x%d {'Fn::Join': ['', [*x%d, *x%d]]}\n", i, i, i-1, i-1)
	}
	laughs.WriteString("Resources: {F: {Type: AWS::Lambda::Function, Properties: {Runtime: *x59, Code: *x59, Layers: *x59}}}\n")

	var merge strings.Builder
	merge.WriteString("g0: &g0 {a: 1}\no0: &o0 {a: 1}\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&merge, "g%d: &g%d {a: *g%d, b: *g%d}\no%d: &o%d {a: *o%d, b: *o%d}\n", i, i, i-1, i-1, i, i, i-1, i-1)
	}
	merge.WriteString("Globals: {Function: {Environment: *g59}}\nResources: {F: {Type: AWS::Serverless::Function, Properties: {Environment: *o59, CodeUri: s3://a/b}}}\n")

	var conditions strings.Builder
	conditions.WriteString("Conditions:\n  C0: {'Fn::Equals': [a, b]}\n")
	for i := 1; i < 80; i++ {
		fmt.Fprintf(&conditions, "  C%d: {'Fn::Or': [{Condition: C%d}, {Condition: C%d}]}\n", i, i-1, i-1)
	}
	conditions.WriteString("Resources: {F: {Type: AWS::Lambda::Function, Properties: {Runtime: {'Fn::If': [C79, a, b]}, Code: {S3Bucket: a, S3Key: b}}}}\n")

	var double strings.Builder
	double.WriteString("Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Code: x\n      Handler: ")
	double.WriteString(strings.Repeat("{'Fn::Sub': ['${a}${a}', {a: ", 40) + "x" + strings.Repeat("}]}", 40) + "\n")

	for name, text := range map[string]string{
		"aliases": laughs.String(), "merge": merge.String(), "conditions": conditions.String(), "sub": double.String(),
		"brackets":   "Resources: " + strings.Repeat("[", 1<<19),
		"braces":     "Resources: " + strings.Repeat("{a: ", 1<<18),
		"dashes":     "Resources:\n" + strings.Repeat("- ", 1<<19),
		"json":       `{"Resources":` + strings.Repeat(`{"a":`, 1<<17) + "1" + strings.Repeat("}", 1<<17) + "}",
		"keys":       "Resources: {" + strings.Repeat("a: b, ", 1<<17) + "}",
		"own alias":  "Resources: &a {b: *a}",
		"no alias":   "Resources: *a",
		"documents":  "Resources: {}\n---\nResources: {}\n",
		"too large":  "Resources: " + strings.Repeat("x", maxDocument),
		"circle":     "Conditions: {A: {Condition: B}, B: {Condition: A}}\nResources: {F: {Type: AWS::Lambda::Function, Properties: {Code: {'Fn::If': [A, x, y]}}}}\n",
		"not a tree": "[a, b]",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "template.yaml")
			write(t, file, []byte(text))
			specs, err := readSAM(context.Background(), file, Options{})
			if err == nil && len(specs) != 1 {
				t.Fatalf("neither an error nor one function: %v", specs)
			}
			for _, s := range specs {
				if s.Unread == "" {
					t.Errorf("the code of %s is said to be readable: %+v", s.Name, s)
				}
			}
		})
	}
}

// FuzzTemplate holds that no template makes the reader panic, hang, name a path
// outside of its root, or lose a function: whatever it declares is either there
// to be opened or has a reason.
func FuzzTemplate(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, e := range ar.Files {
			if strings.Contains(e.Name, "template") {
				f.Add(e.Data)
			}
		}
	}
	f.Add([]byte("Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ../x, Layers: [!Ref L]}}, L: {Type: AWS::Lambda::LayerVersion, Properties: {Content: /etc}}}"))
	top := f.TempDir()
	dir := filepath.Join(top, "project")
	for _, name := range []string{"project/src/index.js", "project/layer.zip", "outside/secret.js"} {
		name = filepath.Join(top, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("x"), 0o666); err != nil {
			f.Fatal(err)
		}
	}
	real, err := newRoot(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(dir, "template.yaml")
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
		specs, err := readSAM(t.Context(), file, Options{})
		if err != nil {
			return
		}
		for _, s := range specs {
			if s.Declared.Descriptor == "" || s.Name == "" && s.Declared.Resource != "" {
				t.Fatalf("nobody knows where this is from: %+v", s)
			}
			if s.Unread == "" && s.Inline == nil {
				s.Layers = append(s.Layers, s.Ref)
			}
			for _, p := range s.Layers {
				in, err := newRoot(p)
				if err != nil || !real.holds(in.real) {
					t.Fatalf("%s is named and lies outside: %v", p, err)
				}
			}
		}
	})
}
