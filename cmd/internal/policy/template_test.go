package policy

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTemplate holds what a fresh policy promises: it judges as the built-in
// one, its shown values change nothing, and all of it is valid without the #.
func TestTemplate(t *testing.T) {
	for _, name := range Names() {
		text := Template(name)
		if first, _, _ := strings.Cut(text, "\n"); !strings.HasPrefix(first, "# yaml-language-server: $schema=") {
			t.Errorf("%s: first line %q", name, first)
		}
		values, _, _ := strings.Cut(text, "\n## database is")
		for what, text := range map[string]string{"as written": text, "with its values": uncomment(values)} {
			p, err := Parse([]byte(text), "team.yaml")
			if err != nil {
				t.Fatalf("%s %s: %v", name, what, err)
			}
			if got, want := rulesOf(t, p), rulesOf(t, must(Builtin(name))); !bytes.Equal(got, want) {
				t.Errorf("%s %s judges otherwise:\n%s\nwant:\n%s", name, what, got, want)
			}
		}
		all := uncomment(text)
		if found := Problems([]byte(all)); len(found) > 0 {
			t.Errorf("%s: without the #: %v\n%s", name, found, all)
		}
		if err := validPolicy(t, compiled(t), []byte(all)); err != nil {
			t.Errorf("%s: without the #: %v", name, err)
		}
		for _, line := range strings.Split(text, "\n") {
			if len(line) > 100 {
				t.Errorf("%s: a line of %d characters: %s", name, len(line), line)
			}
		}
	}
	if Template("builtin:other") != "" {
		t.Error("a template of a policy that is not there")
	}
}

// TestTemplateIsWhole holds that each section of a policy is in the template.
func TestTemplateIsWhole(t *testing.T) {
	text := Template(CI)
	for key := range fieldsOf(reflect.TypeFor[file]()) {
		if key != "version" && key != "extends" && !strings.Contains(text, "\n# "+key+":") {
			t.Errorf("no section %s", key)
		}
	}
	for key := range fieldsOf(reflect.TypeFor[fileLine]()) {
		if key != "origins" && key != "licence" && strings.Count(text, "\n#   "+key+":") < 2 {
			t.Errorf("the lines do not show %s", key)
		}
	}
}

// uncomment takes the # from every setting of a template.
func uncomment(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, "# "); ok && i > 0 {
			lines[i] = rest
		}
	}
	return strings.Join(lines, "\n")
}

// rulesOf is what a policy demands, whatever its name.
func rulesOf(t *testing.T, p *Policy) []byte {
	t.Helper()
	q := *p
	q.Name, q.Digest, q.Extends = "", "", ""
	q.Require, q.Unmatched = slices.Sorted(slices.Values(q.Require)), slices.Sorted(slices.Values(q.Unmatched))
	if !q.fails() {
		q.Fail.Certainty = "" // of nothing
	}
	if q.Weights == DefaultWeights() {
		q.Weights = Weights{}
	}
	text, err := rules(&q)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func must(p *Policy, ok bool) *Policy {
	if !ok {
		panic("no such built-in policy")
	}
	return p
}

func TestDurationYAML(t *testing.T) {
	for want, d := range map[string]time.Duration{"7d": 7 * 24 * time.Hour, "36h": 36 * time.Hour, "30m": 30 * time.Minute, "1h1m1s": 3661 * time.Second, "10s": 10 * time.Second} {
		if got := durationYAML(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
