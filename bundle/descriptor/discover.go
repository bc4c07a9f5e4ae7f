package descriptor

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// templateNames are the names that "sam build" and "sam deploy" look for, in
// their order (docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-cli-command-reference-sam-build.html,
// --template-file).
func templateNames() []string { return []string{"template.yaml", "template.yml", "template.json"} }

// samProject finds the template of a project folder as "sam deploy" does: the
// built one when there is one.
func samProject(dir string) (string, bool) {
	for _, d := range []string{filepath.Join(dir, ".aws-sam", "build"), dir} {
		if file, ok := templateIn(d); ok {
			return file, true
		}
	}
	if base(dir) == ".aws-sam" {
		return templateIn(filepath.Join(dir, "build"))
	}
	return "", false
}

// samOutput recognises the output folder of "sam build", ".aws-sam" around it
// and a project folder that has one. Any other folder with a template in it may
// as well be one function whose package holds the project's files.
func samOutput(dir string) (string, bool) {
	if file, ok := templateIn(filepath.Join(dir, ".aws-sam", "build")); ok {
		return file, true
	}
	if base(dir) == ".aws-sam" {
		return templateIn(filepath.Join(dir, "build"))
	}
	if samBuilt(dir) {
		return templateIn(dir)
	}
	return "", false
}

// samBuilt reports whether a folder is what "sam build" writes: it lies in
// .aws-sam, or has the record of the build beside or above it
// (docs.aws.amazon.com/serverless-application-model/latest/developerguide/using-sam-cli-build.html).
func samBuilt(dir string) bool {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	if slices.Contains(strings.Split(filepath.ToSlash(abs), "/"), ".aws-sam") {
		return true
	}
	for _, d := range []string{abs, filepath.Dir(abs)} {
		if st, err := os.Lstat(filepath.Join(d, "build.toml")); err == nil && st.Mode().IsRegular() {
			return true
		}
	}
	return false
}

// templateIn finds the template of a folder. In .aws-sam/build the name is
// enough: what "sam build" wrote there and somebody broke is a broken template,
// and not a file of a function.
func templateIn(dir string) (string, bool) {
	made := base(dir) == "build" && base(filepath.Dir(dir)) == ".aws-sam"
	for _, name := range templateNames() {
		file := filepath.Join(dir, name)
		if st, err := os.Stat(file); err == nil && st.Mode().IsRegular() {
			if head, err := readHead(file); made || err == nil && samText(head) {
				return file, true
			}
		}
	}
	return "", false
}

// samText tells a CloudFormation template by its first bytes: text with one of
// the sections that nothing else has at the start of a line (anywhere in JSON),
// or with a resource of a type of AWS. That alone is enough, since a template
// that is broken may have lost its sections or their indentation: whoever names
// it is told what is wrong with it, and not that it is no zip.
func samText(head []byte) bool {
	text := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if wide := bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")); wide && bytes.IndexByte(text, 0) > 0 {
		text = bytes.ReplaceAll(text[2:], []byte{0}, nil) // UTF-16, which YAML allows: the words looked for are ASCII
	}
	if len(text) == 0 || bytes.IndexByte(text, 0) >= 0 {
		return false
	}
	has := func(word string) bool { return bytes.Contains(text, []byte(word)) }
	if bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
		if has(`"bomFormat"`) || has(`"spdxVersion"`) || has("anchore/syft") {
			return false // a bill of materials may speak of anything
		}
		return has("AWSTemplateFormatVersion") || has("AWS::") && (has("Resources") || has(`"Type"`))
	}
	return line(text, "AWSTemplateFormatVersion") || has("Type: AWS::") || has("Type: 'AWS::") || has(`Type: "AWS::`) || line(text, "Resources") && has("AWS::")
}

// line reports whether a line of YAML starts with a key, quoted or not.
func line(text []byte, key string) bool {
	for _, k := range []string{key + ":", `"` + key + `":`, "'" + key + "':"} {
		if bytes.HasPrefix(text, []byte(k)) || bytes.Contains(text, []byte("\n"+k)) {
			return true
		}
	}
	return false
}

// projectRoot is the folder that paths of a template may not leave: the
// template's own, and for the output of "sam build", whose paths to what was
// not built lead back into the project ("../../layers"), the project's.
func projectRoot(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	for d := abs; ; d = filepath.Dir(d) {
		if filepath.Base(d) == ".aws-sam" {
			return filepath.Dir(d)
		}
		if filepath.Dir(d) == d {
			return abs
		}
	}
}
