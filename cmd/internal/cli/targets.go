package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// targetFlags say what to open; scan and sbom share them.
type targetFlags struct {
	layers   []string
	runtime  string
	platform string
	handler  string
	name     string
	arch     string
	base     string
	each     string
	targets  string
	locks    []string
	descriptorFlags
}

// prefixes force the kind of a target. Those of later kinds are not accepted yet.
var prefixes = []string{"zip:", "dir:", "binary:", "sbom:", "oci:", "archive:", imagePrefix}

// maxTargetLine bounds one line of a targets file in bytes.
const maxTargetLine = 1 << 20

// audited are the targets, and the folder of --each: what lies beside an archive
// there came from where the archive did.
func (t targetFlags) audited(specs []bundle.Spec) []bundle.Spec {
	if t.each == "" {
		return specs
	}
	return append(slices.Clip(specs), bundle.Spec{Ref: t.each})
}

// specs turns arguments and flags into what to open, in the order given.
// A path that does not exist is an error before anything is judged.
func (t targetFlags) specs(args []string) ([]bundle.Spec, error) {
	var out []bundle.Spec
	for _, a := range args {
		expanded, err := t.expand(a)
		if err != nil {
			return nil, err
		}
		out = append(out, expanded...)
	}
	out, err := t.chosen(out)
	if err != nil {
		return nil, err
	}
	if t.each != "" {
		each, err := archivesIn(t.each)
		if err != nil {
			return nil, err
		}
		out = append(out, each...)
	}
	listedFrom := len(out)
	if t.targets != "" {
		listed, err := readTargets(t.targets)
		if err != nil {
			return nil, err
		}
		out = append(out, listed...)
	}
	switch {
	case len(out) == 0:
		return nil, usage("fnaudit scan function.zip, or --each DIR, or --targets FILE", "no target was named")
	case len(out) > 1 && len(t.layers) > 0:
		return nil, usage("name the layers of each function in a --targets file", "--layer with more than one target: it is not clear which function it belongs to")
	case len(out) > 1 && t.name != "":
		return nil, usage("name the functions in a --targets file", "--name with more than one target")
	}
	if t.platform != "" && !slices.Contains(platforms, t.platform) {
		return nil, usage("one of "+strings.Join(platforms, ", "), "unknown platform %q", t.platform)
	}
	if t.arch != "" && !architecture(t.arch) {
		return nil, usage("x86_64 or arm64; of an image also "+strings.Join(otherArchitectures, ", "), "--arch %q is no architecture", t.arch)
	}
	if err := t.baseThere(); err != nil {
		return nil, err
	}
	fixed := make([]bool, len(out))
	for i := range out {
		s := &out[i]
		fixed[i] = i >= listedFrom
		if len(out) == 1 && len(t.layers) > 0 {
			s.Layers = t.layers
			s.Declared.Gaps = withoutLayers(s.Declared.Gaps)
		}
		if s.Runtime == "" {
			s.Runtime = t.runtime
		}
		if s.Handler == "" {
			s.Handler = t.handler
		}
		if s.Platform == "" {
			s.Platform = bundle.Platform(t.platform)
		}
		if s.Arch == "" {
			s.Arch = archOf(t.arch)
		}
		s.Base = t.base
		if t.name != "" {
			s.Name, s.Found = t.name, false
		}
		if s.Name == "" {
			s.Name = nameOf(s.Ref)
		}
		for _, p := range toOpen(*s, t.layers) {
			if err := exists(p); err != nil {
				return nil, err
			}
		}
		if err := t.imageFlags(s, len(out) == 1); err != nil {
			return nil, err
		}
	}
	distinct(out, fixed)
	return out, nil
}

var platforms = []string{
	string(bundle.PlatformAWS), string(bundle.PlatformAzure), string(bundle.PlatformGoogle), string(bundle.PlatformKnative), string(bundle.PlatformNone),
}

// split separates a forced kind from the path. A prefix of one letter is a Windows drive.
func split(ref string) (kind, path string) {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(ref, p); ok {
			return strings.TrimSuffix(p, ":"), rest
		}
	}
	return "", ref
}

// later are prefixes that INTERFACE promises and this version does not read.
var later = []string{"digest:"}

func exists(ref string) error {
	_, path, _ := bundle.SplitRef(ref)
	if path == "-" || strings.HasPrefix(ref, imagePrefix) {
		return nil
	}
	if strings.HasPrefix(ref, "sam:") {
		return usage("name it as an argument: fnaudit scan "+ref, "target %s: a template is not one function", ref)
	}
	if isExport(ref) {
		return usage("fnaudit rescan REPORT... "+ref, "target %s: what is deployed is held against reports", ref)
	}
	for _, p := range later {
		if strings.HasPrefix(ref, p) {
			return usage("zip:, dir:, binary:, oci:, archive:, image:, sam: and sbom: are read", "target %s: %s targets are not read by this version", ref, p)
		}
	}
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return usage("", "open %s: no such file or folder", path)
	}
	if err != nil {
		return usage("", "open %s: %w", path, err)
	}
	return nil
}

// nameOf is the default name of a function: the base name without its extension.
func nameOf(ref string) string {
	if kind, path := split(ref); kind == "image" {
		path, _, _ = strings.Cut(path, "@")
		path = path[strings.LastIndexByte(path, '/')+1:]
		path, _, _ = strings.Cut(path, ":")
		return path
	}
	kind, path, image := bundle.SplitRef(ref)
	if path == "-" {
		return "stdin"
	}
	if image != "" && !strings.HasPrefix(image, "sha256:") {
		return filepath.Base(image)
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	base := filepath.Base(path)
	if kind != "binary" { // image.tar.gz is called image
		base = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".zst"), ".tar")
	}
	if name := strings.TrimSuffix(base, filepath.Ext(base)); name != "" {
		return name
	}
	return base
}

// archivesIn lists the archives and image layouts directly in a folder, sorted by name. The
// content decides what is an archive, so a file that claims to be one by its
// name and is not is kept: it must come out as unreadable, not be passed over.
func archivesIn(dir string) ([]bundle.Spec, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, usage("--each takes a folder of function packages", "read folder %s: %w", dir, err)
	}
	var out []bundle.Spec
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		st, err := os.Stat(path)
		if err != nil || !st.Mode().IsRegular() && !st.IsDir() {
			continue
		}
		kind, err := bundle.Sniff(path)
		named := !st.IsDir() && slices.Contains([]string{".zip", ".jar", ".war", ".tar"}, strings.ToLower(filepath.Ext(path)))
		if named || err == nil && slices.Contains([]bundle.Kind{bundle.KindZip, bundle.KindJar, bundle.KindImage, bundle.KindLayout}, kind) {
			out = append(out, bundle.Spec{Ref: path, Found: true})
		}
	}
	if len(out) == 0 {
		return nil, usage("name one unpacked function as a plain argument", "folder %s holds no archive", dir)
	}
	return out, nil
}

// target is one line of a --targets file.
type target struct {
	Name     string   `json:"name"`
	Target   string   `json:"target"`
	Runtime  string   `json:"runtime"`
	Handler  string   `json:"handler"`
	Platform string   `json:"platform"`
	Layers   []string `json:"layers"`
	Owner    string   `json:"owner"`
	Tags     []string `json:"tags"`
}

// readTargets reads JSON lines. Paths in it are relative to the working
// folder, as those on the command line are.
func readTargets(file string) ([]bundle.Spec, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, usage("", "read targets: %w", err)
	}
	defer f.Close()
	var out []bundle.Spec
	names := map[string]int{}
	s := bufio.NewScanner(f)
	s.Buffer(nil, maxTargetLine)
	for n := 1; s.Scan(); n++ {
		line := bytes.TrimSpace(s.Bytes())
		if len(line) == 0 {
			continue
		}
		var t target
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&t); err != nil {
			return nil, usage(`one JSON object a line: {"name":"orders","target":"orders.zip","runtime":"nodejs20.x","layers":[]}`, "read targets %s, line %d: %w", file, n, err)
		}
		if _, err := dec.Token(); !errors.Is(err, io.EOF) {
			return nil, usage("one JSON object a line", "read targets %s, line %d: more than one value", file, n)
		}
		if t.Target == "" {
			return nil, usage("", "read targets %s, line %d: \"target\" is missing", file, n)
		}
		if t.Platform != "" && !slices.Contains(platforms, t.Platform) {
			return nil, usage("one of "+strings.Join(platforms, ", "), "read targets %s, line %d: unknown platform %q", file, n, t.Platform)
		}
		spec := bundle.Spec{Name: t.Name, Ref: t.Target, Runtime: t.Runtime, Handler: t.Handler, Platform: bundle.Platform(t.Platform), Layers: t.Layers,
			Declared: bundle.Declared{Owner: t.Owner, Tags: t.Tags}}
		if spec.Name == "" {
			spec.Name = nameOf(spec.Ref)
		}
		if before, dup := names[spec.Name]; dup {
			return nil, usage("give each function a name of its own", "read targets %s, line %d: the name %q is already used in line %d", file, n, spec.Name, before)
		}
		names[spec.Name] = n
		out = append(out, spec)
	}
	if err := s.Err(); err != nil {
		return nil, usage("", "read targets %s: %w", file, err)
	}
	if len(out) == 0 {
		return nil, usage("", "read targets %s: the file names no target", file)
	}
	return out, nil
}
