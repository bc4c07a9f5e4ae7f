package integrity

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// maxWheelFiles bounds the files of one wheel.
const maxWheelFiles = 100_000

// wheels compares the RECORD of each distribution with that of the wheel that
// the registry published. A RECORD says of itself that it is right: who changes
// a file may write the new digest there. Where no wheel is at hand, RECORD alone
// is what there is.
func (py *python) wheels(ctx context.Context) {
	if py.reg == nil {
		return
	}
	var wg sync.WaitGroup
	turns := make(chan struct{}, maxFetches)
	for _, d := range py.list {
		p, version, ok := registry.ParsePURL(d.component)
		names := py.wheelNames(d)
		if !ok || version == "" || len(names) == 0 {
			continue
		}
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			for _, name := range names {
				var lines map[string]recordLine
				_, err := py.reg.Extract(ctx, p, version, name, registry.Taking{
					Form: wheelForm,
					Make: wheelRecord,
					Read: func(body []byte) (err error) {
						lines, err = byPath(body)
						return err
					},
				})
				if err == nil {
					d.wheel = lines
					return
				}
			}
		})
	}
	wg.Wait()
}

// wheelNames spells the file names that a distribution's wheel can have, from
// the tags in its WHEEL
// (https://packaging.python.org/specifications/binary-distribution-format/#file-name-convention).
// Tags that differ in one part were written as one: "py2.py3-none-any".
func (py *python) wheelNames(d *distribution) []string {
	i, ok := py.check.files.volumes[d.volume].Find(d.info + "/WHEEL")
	if !ok {
		return nil
	}
	data, err := py.check.files.read(place{d.volume, i}, maxSidecar)
	if err != nil {
		return nil
	}
	var parts [3][]string
	for line := range strings.Lines(string(data)) {
		tag, ok := strings.CutPrefix(strings.TrimSpace(line), "Tag:")
		three := strings.SplitN(strings.TrimSpace(tag), "-", 3)
		if !ok || len(three) != 3 || strings.ContainsAny(tag, "/\\?#%") {
			continue
		}
		for k, one := range three {
			if !slices.Contains(parts[k], one) {
				parts[k] = append(parts[k], one)
			}
		}
	}
	if len(parts[0]) == 0 || len(parts[0])+len(parts[1])+len(parts[2]) > 16 {
		return nil
	}
	stem := strings.TrimSuffix(path.Base(d.info), ".dist-info")
	name := func() string {
		return fmt.Sprintf("%s-%s-%s-%s.whl", stem, strings.Join(parts[0], "."), strings.Join(parts[1], "."), strings.Join(parts[2], "."))
	}
	names := []string{name()}
	for k := range parts {
		slices.Sort(parts[k])
	}
	if sorted := name(); sorted != names[0] {
		names = append(names, sorted)
	}
	return names
}

// wheelForm names what is taken from a wheel: its RECORD, as it is.
const wheelForm = "RECORD of a wheel 1"

// byPath reads a RECORD: path -> line.
func byPath(record []byte) (map[string]recordLine, error) {
	lines, err := parseRecord(record)
	if err != nil {
		return nil, err
	}
	out := make(map[string]recordLine, len(lines))
	for _, l := range lines {
		out[l.path] = l
	}
	return out, nil
}

// wheelRecord reads the RECORD in a wheel.
func wheelRecord(a *registry.Archive) ([]byte, error) {
	if a.Size > maxArchive {
		return nil, errTooLarge
	}
	z, err := zip.NewReader(a.Bytes, a.Size)
	if err != nil {
		return nil, fmt.Errorf("open the wheel: %w", err)
	}
	if len(z.File) > maxWheelFiles {
		return nil, errTooLarge
	}
	for _, f := range z.File {
		if dir, base := path.Split(f.Name); base != "RECORD" || !strings.HasSuffix(dir, ".dist-info/") || strings.Count(f.Name, "/") != 1 {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("open the wheel's RECORD: %w", err)
		}
		defer r.Close()
		data, err := io.ReadAll(io.LimitReader(r, maxRecord+1))
		if err != nil {
			return nil, fmt.Errorf("read the wheel's RECORD: %w", err)
		}
		if len(data) > maxRecord {
			return nil, errTooLarge
		}
		return data, nil
	}
	return nil, errors.New("the wheel has no RECORD")
}

// against compares a distribution's RECORD with that of its wheel. When WHEEL,
// which says what built it, is another one too, this is another build, as
// distributions of Linux make them, and its files may differ.
func (py *python) against(d *distribution, named map[string]int) {
	if d.wheel == nil {
		return
	}
	other := false
	for i := range d.lines {
		l := &d.lines[i]
		if path.Base(l.path) == "WHEEL" && path.Dir(l.path) == path.Base(d.info) {
			other = l.alg != 0 && d.wheel[l.path].sum != l.sum
		}
	}
	if other {
		d.because("it is another build than the wheel that the registry published")
		return
	}
	for i := range d.lines {
		l := &d.lines[i]
		at, ok := d.at(l.path)
		if !ok || !isPythonCode(l.path) || strings.HasSuffix(l.path, ".pyc") || strings.HasPrefix(l.path, "../") {
			continue
		}
		want, listed := d.wheel[l.path]
		g := Difference{Rule: RuleChanged, Weight: High, Artifact: d.volume, Path: at, Source: "registry",
			Title: clip(at) + " has another digest in its RECORD than in the wheel that the registry published", Detail: "its RECORD was rewritten"}
		switch {
		case !listed && py.ofData(d, l.path), listed && (want.alg != l.alg || want.sum == l.sum):
			continue
		case !listed:
			g.Rule, g.Title = RuleUnlisted, clip(at)+" is in its RECORD and not in the wheel that the registry published"
		}
		d.because("its RECORD is not that of the published wheel")
		py.name(named, d, g)
	}
}

// ofData reports whether a wheel has a file in its .data folder, from where
// installers spread it: NAME-VERSION.data/purelib/a.py becomes a.py.
func (py *python) ofData(d *distribution, name string) bool {
	data := strings.TrimSuffix(path.Base(d.info), ".dist-info") + ".data/"
	for _, scheme := range []string{"purelib/", "platlib/", "data/", "scripts/"} {
		if _, ok := d.wheel[data+scheme+name]; ok {
			return true
		}
	}
	return false
}
