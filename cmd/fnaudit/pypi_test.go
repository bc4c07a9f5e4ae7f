package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// mkpypi publishes the Python projects of a folder on the plain server, as an
// index at $WEB/pypi/simple/. DIR/NAME/VERSION is a METADATA file without its
// first three lines; before it may stand a line "#" with words: "yanked",
// "sdist" (no wheel), "inside" (the metadata is in the wheel only), "json" (and in
// the JSON API), "swapped" (the metadata is not what the index says), "new"
// (published the day before the clock of the scripts), "python=SPEC".
func mkpypi(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: mkpypi DIR")
	}
	names, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, n := range names {
		versions, err := os.ReadDir(filepath.Join(ts.MkAbs(args[0]), n.Name()))
		ts.Check(err)
		page := map[string]any{"meta": map[string]any{"api-version": "1.1"}, "name": n.Name()}
		var files, list []any
		for _, v := range versions {
			text, err := os.ReadFile(filepath.Join(ts.MkAbs(args[0]), n.Name(), v.Name()))
			ts.Check(err)
			list = append(list, v.Name())
			files = append(files, pypiPublish(ts, n.Name(), v.Name(), string(text)))
		}
		page["versions"], page["files"] = list, files
		pypiWrite(ts, "simple/"+n.Name()+"/index.html", page)
	}
}

// pypiPublish writes the files of one version and returns what the index says of it.
func pypiPublish(ts *testscript.TestScript, name, version, text string) map[string]any {
	var words []string
	if line, rest, ok := strings.Cut(text, "\n"); ok && strings.HasPrefix(line, "#") {
		words, text = strings.Fields(line[1:]), rest
	}
	is := func(word string) bool { return slices.Contains(words, word) }
	metadata := "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n" + text
	module := strings.ReplaceAll(name, "-", "_")
	file := module + "-" + version + "-py3-none-any.whl"
	data := pypiWheel(ts, module, version, metadata)
	if is("sdist") {
		file = module + "-" + version + ".tar.gz"
		data = pypiSource(ts, module+"-"+version, metadata)
	}
	pypiWrite(ts, "files/"+file, data)
	said := map[string]any{"filename": file, "url": "../../files/" + file, "hashes": map[string]any{"sha256": fmt.Sprintf("%x", sha256.Sum256(data))},
		"upload-time": "2026-01-02T00:00:00Z", "yanked": is("yanked"), "size": len(data)}
	if !is("sdist") && !is("inside") && !is("json") {
		said["core-metadata"] = map[string]any{"sha256": fmt.Sprintf("%x", sha256.Sum256([]byte(metadata)))}
		if is("swapped") {
			metadata += "Requires-Dist: evil\n"
		}
		pypiWrite(ts, "files/"+file+".metadata", []byte(metadata))
	}
	if is("new") {
		said["upload-time"] = "2026-11-27T00:00:00Z"
	}
	for _, w := range words {
		if spec, ok := strings.CutPrefix(w, "python="); ok {
			said["requires-python"] = spec
		}
	}
	if is("json") {
		var requires []string
		for line := range strings.Lines(text) {
			if need, ok := strings.CutPrefix(line, "Requires-Dist: "); ok {
				requires = append(requires, strings.TrimSpace(need))
			}
		}
		pypiWrite(ts, "pypi/"+name+"/"+version+"/json", map[string]any{"info": map[string]any{"name": name, "version": version, "requires_dist": requires}})
	}
	return said
}

// pypiWrite writes a file of the index; what is no bytes as JSON.
func pypiWrite(ts *testscript.TestScript, name string, what any) {
	data, is := what.([]byte)
	if !is {
		var err error
		data, err = json.Marshal(what)
		ts.Check(err)
	}
	path := filepath.Join(ts.MkAbs("www/pypi"), name)
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o777))
	ts.Check(os.WriteFile(path, data, 0o666))
}

// pypiWheel packs a wheel with one module.
func pypiWheel(ts *testscript.TestScript, module, version, metadata string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	info := module + "-" + version + ".dist-info/"
	record := ""
	for _, f := range [][2]string{
		{module + "/__init__.py", "VERSION = 1\n"},
		{info + "METADATA", metadata},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", ""},
	} {
		if f[1] == "" {
			f[1] = record + f[0] + ",,\n"
		}
		sum := sha256.Sum256([]byte(f[1]))
		record += fmt.Sprintf("%s,sha256=%s,%d\n", f[0], base64.RawURLEncoding.EncodeToString(sum[:]), len(f[1]))
		w, err := z.CreateHeader(&zip.FileHeader{Name: f[0], Method: zip.Deflate, Modified: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)})
		ts.Check(err)
		_, err = w.Write([]byte(f[1]))
		ts.Check(err)
	}
	ts.Check(z.Close())
	return b.Bytes()
}

// pypiSource packs a source archive.
func pypiSource(ts *testscript.TestScript, folder, metadata string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	ts.Check(w.WriteHeader(&tar.Header{Name: folder + "/PKG-INFO", Mode: 0o644, Size: int64(len(metadata)), Typeflag: tar.TypeReg}))
	_, err := w.Write([]byte(metadata))
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(z.Close())
	return b.Bytes()
}
