package gate

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/fnaudit/fnaudit/bundle/attest"
)

// reading takes fields out of a predicate, by names as they are written: the one
// document that a signature is over must not say two things to two readers, and
// encoding/json would take "VERIFIER" for "verifier". A field that is absent or null is
// the zero value; one of another type is an error, and the first error stays.
type reading struct{ err error }

// as takes a field as a type of [attest.Statement.Document].
func as[T any](r *reading, o map[string]any, name, kind string) T {
	v, ok := o[name].(T)
	if !ok && o[name] != nil {
		r.fail(name, kind)
	}
	return v
}

func (r *reading) fail(name, kind string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s is no %s", name, kind)
	}
}

func (r *reading) text(o map[string]any, name string) string { return as[string](r, o, name, "text") }

func (r *reading) object(o map[string]any, name string) map[string]any {
	return as[map[string]any](r, o, name, "object")
}

func (r *reading) count(o map[string]any, name string) int {
	number := as[json.Number](r, o, name, "number")
	n, err := strconv.Atoi(string(number))
	if number != "" && err != nil {
		r.fail(name, "whole number")
	}
	return n
}

func (r *reading) time(o map[string]any, name string) (at time.Time) {
	if text := r.text(o, name); o[name] != nil && at.UnmarshalText([]byte(text)) != nil {
		r.fail(name, "time")
	}
	return at
}

func (r *reading) texts(o map[string]any, name string) (out []string) {
	for _, v := range as[[]any](r, o, name, "list") {
		s, ok := v.(string)
		if !ok {
			r.fail(name, "list of texts")
		}
		out = append(out, s)
	}
	return out
}

func (r *reading) digests(o map[string]any, name string) map[string]string {
	set := r.object(o, name)
	out := make(map[string]string, len(set))
	for algorithm := range set {
		out[algorithm] = r.text(set, algorithm)
	}
	return out
}

func (r *reading) times(o map[string]any, name string) map[string]time.Time {
	set := r.object(o, name)
	if set == nil {
		return nil
	}
	out := make(map[string]time.Time, len(set))
	for key := range set {
		out[key] = r.time(set, key)
	}
	return out
}

func (r *reading) layers(o map[string]any, name string) (out []Layer) {
	for _, v := range as[[]any](r, o, name, "list") {
		l, ok := v.(map[string]any)
		if !ok {
			r.fail(name, "list of objects")
		}
		out = append(out, Layer{Name: r.text(l, "name"), Digest: r.digests(l, "digest")})
	}
	return out
}

// summaryFrom reads the predicate of a summary.
func summaryFrom(doc any) (Summary, error) {
	o, ok := doc.(map[string]any)
	if !ok {
		return Summary{}, fmt.Errorf("the predicate is no object")
	}
	r := new(reading)
	policy, ext := r.object(o, "policy"), r.object(o, "fnaudit")
	fn, db := r.object(ext, "function"), r.object(ext, "database")
	s := Summary{
		TimeVerified: r.time(o, "timeVerified"), ResourceURI: r.text(o, "resourceUri"), Verifier: r.text(r.object(o, "verifier"), "id"), Levels: r.texts(o, "verifiedLevels"),
		Policy: attest.Descriptor{Name: r.text(policy, "name"), URI: r.text(policy, "uri"), Digest: r.digests(policy, "digest")},
		Extension: Extension{
			Function: Subject{Name: r.text(fn, "name"), Platform: r.text(fn, "platform"), Runtime: r.text(fn, "runtime"), Handler: r.text(fn, "handler"), Architecture: r.text(fn, "architecture")},
			Layers:   r.layers(ext, "layers"), Checks: r.texts(ext, "checks"), Lockfiles: r.layers(ext, "lockfiles"),
			Database: Database{ID: r.text(db, "id"), Records: r.count(db, "records"), Ecosystems: r.times(db, "ecosystems"), Feeds: r.times(db, "feeds")},
			Waived:   r.count(ext, "waived"), VEX: r.count(ext, "vex"), Accepted: r.count(ext, "waivedUnknowns"), Baseline: r.count(ext, "baseline"), Grace: r.count(ext, "grace"),
		},
	}
	return s, r.err
}
