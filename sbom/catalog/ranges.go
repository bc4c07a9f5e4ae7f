package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// maxRange is how long a range may be, in bytes, and maxRanges how many of one
// package are kept.
const (
	maxRange  = 256
	maxRanges = 500
)

// rangesOf are what a package takes of the others that it needs, by the names as
// their registry compares them. What is said twice and differently is dropped,
// and so is what is too long to be a range of versions.
func (f *found) rangesOf() map[string]string {
	if len(f.ranges) == 0 || len(f.ranges) > maxRanges {
		return nil
	}
	out := make(map[string]string, len(f.ranges))
	for name, rng := range f.ranges {
		key := sbom.CanonicalName(f.typ, name)
		if have, ok := out[key]; ok && have != rng {
			rng = ""
		}
		out[key] = rng
	}
	maps.DeleteFunc(out, func(_, rng string) bool { return rng == "" || len(rng) > maxRange })
	if len(out) == 0 {
		return nil
	}
	return out
}

// takes are the ranges of a package.json, of what it needs to run.
func (m *npmManifest) takes() map[string]string {
	out := make(map[string]string, len(m.ranges)+len(m.optional)+len(m.peer))
	for _, ranges := range []map[string]string{m.peer, m.ranges, m.optional} { // npm lets the last one count
		for name, rng := range ranges {
			if rng = strings.TrimSpace(rng); rng == "" {
				rng = "*"
			}
			out[name] = rng
		}
	}
	return out
}

// takes are the ranges that an entry of a lockfile states, of what it needs to run.
func (e *lockEntry) takes(typ string) map[string]string {
	if len(e.ranges) > 0 {
		return e.ranges
	}
	if typ != "npm" {
		return nil
	}
	out := map[string]string{}
	for _, raw := range e.asks { // package-lock.json
		var ranges map[string]json.RawMessage
		if !bytes.HasPrefix(raw, []byte("{")) || json.Unmarshal(raw, &ranges) != nil {
			continue
		}
		for name, text := range ranges {
			var rng string
			if json.Unmarshal(text, &rng) == nil {
				out[name] = rng
			}
		}
	}
	return out
}

// take notes what an entry takes of another package; what it says twice and
// differently is not known.
func (e *lockEntry) take(name, rng string) {
	if e.ranges == nil {
		e.ranges = map[string]string{}
	}
	if have, ok := e.ranges[name]; ok && have != rng {
		rng = ""
	}
	e.ranges[name] = rng
}

// pythonTakes are the ranges of Requires-Dist entries that need no extra. What is
// named twice, as for several versions of Python, is left out.
func pythonTakes(specifiers []string) map[string]string {
	out := map[string]string{}
	for _, s := range specifiers {
		text, marker, _ := strings.Cut(s, ";")
		name := pythonName(text)
		if name == "" || strings.Contains(marker, "extra") || strings.Contains(text, "@") {
			continue
		}
		rest := strings.TrimSpace(text[strings.Index(text, name)+len(name):])
		if strings.HasPrefix(rest, "[") {
			_, rest, _ = strings.Cut(rest, "]")
		}
		rng := strings.Trim(strings.TrimSpace(rest), "()")
		if rng == "" {
			rng = ">=0"
		}
		name = sbom.CanonicalName("pypi", name)
		if have, ok := out[name]; ok && have != rng {
			rng = ""
		}
		out[name] = rng
	}
	return out
}
