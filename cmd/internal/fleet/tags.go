package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Bounds of tags: AWS's own
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html, read
// 2026-11-28), with room for those that it adds itself.
const (
	maxTags     = 100
	maxTagKey   = 128
	maxTagValue = 256
	maxResource = 1011 // bytes of the ARN of what is tagged, of any service
)

// tags reads the tags that get-function says.
func tags(m members) (map[string]string, error) {
	list, err := m.pairs("Tags", maxTags)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, p := range list {
		var value string
		if err := json.Unmarshal(p.value, &value); err != nil {
			return nil, errors.New("field Tags holds what is no tag")
		}
		if err := addTag(out, p.key, value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// addTag adds a tag that is within the bounds, and that is not there yet.
func addTag(to map[string]string, key, value string) error {
	switch _, twice := to[key]; {
	case key == "" || len([]rune(key)) > maxTagKey || len([]rune(value)) > maxTagValue:
		return errors.New("field Tags holds what is no tag")
	case strings.ContainsFunc(key+value, unicode.IsControl):
		return errors.New("field Tags has control characters")
	case twice:
		return errors.New("field Tags names one tag twice")
	}
	to[key] = value
	return nil
}

// tagged reads an entry of what get-resources of the Resource Groups Tagging API
// answers, which names what is tagged by its ARN, a function by the one without a
// version. What else is tagged is passed over
// (https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_ResourceTagMapping.html,
// read 2026-11-28).
func (r *reader) tagged(raw json.RawMessage) error {
	m, err := object(raw)
	if err != nil {
		return err
	}
	arn, err := m.text("ResourceARN", maxResource)
	if err != nil {
		return err
	}
	if p := strings.SplitN(arn, ":", 7); len(p) < 7 || p[2] != "lambda" || p[5] != "function" {
		if len(p) < 6 || p[0] != "arn" {
			return errors.New("field ResourceARN is no ARN")
		}
		return nil
	}
	f, ok := parseFunction(arn)
	if !ok || f.qualifier != "" {
		return errors.New("field ResourceARN is not the ARN of a function")
	}
	list, err := m.list("Tags", maxTags)
	if err != nil {
		return named(f.name, err)
	}
	out := map[string]string{}
	for _, raw := range list {
		t, err := object(raw)
		if err != nil {
			return named(f.name, fmt.Errorf("field Tags: %w", err))
		}
		key, err := t.text("Key", 4*maxTagKey)
		if err != nil {
			return named(f.name, fmt.Errorf("field Tags: %w", err))
		}
		value, err := t.text("Value", 4*maxTagValue)
		if err != nil {
			return named(f.name, fmt.Errorf("field Tags: %w", err))
		}
		if err := addTag(out, key, value); err != nil {
			return named(f.name, err)
		}
	}
	if err := r.out.tag(f.bare(), out); err != nil {
		return named(f.name, err)
	}
	return nil
}

// tag notes the tags of a function, by its ARN without a version. Two answers about
// one function that differ are an error: nobody knows which is newer, and a policy
// may demand less of what has a tag.
func (e *Export) tag(function string, tags map[string]string) error {
	if before, twice := e.tags[function]; twice && !maps.Equal(before, tags) {
		e.tags[function] = nil
		return errors.New("its tags are there twice, and differ")
	}
	if len(e.tags) >= maxVersions {
		return fmt.Errorf("more than %d functions with tags", maxVersions)
	}
	e.tags[function] = tags
	return nil
}

// tagsOf joins what the exports say of tags, by the ARN without a version. A
// function of which two of them differ has none: each is returned with the index
// of the later export.
func tagsOf(exports []*Export) (tags map[string][]string, differ map[int][]string) {
	all, differ := map[string]map[string]string{}, map[int][]string{}
	for i, e := range exports {
		for arn, said := range e.tags {
			if before, twice := all[arn]; twice && !maps.Equal(before, said) {
				differ[i] = append(differ[i], arn)
				continue
			}
			all[arn] = said
		}
	}
	for _, list := range differ {
		for _, arn := range list {
			delete(all, arn)
		}
	}
	tags = map[string][]string{}
	for arn, said := range all {
		tags[arn] = tagWords(said)
	}
	return tags, differ
}

// tagWords is tags as a policy names them, sorted: "key=value", or "key" where the
// value is empty.
func tagWords(tags map[string]string) []string {
	var out []string
	for key, value := range tags {
		if value != "" {
			value = "=" + value
		}
		out = append(out, key+value)
	}
	slices.Sort(out)
	return out
}

// tagProblem says of which functions an export says other tags than another one.
func tagProblem(arns []string) string {
	slices.Sort(arns)
	text := "another export says other tags of " + arns[0]
	if more := len(arns) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + ": give the newer answers alone"
}

// shared is the tags that all of some deployed functions have.
func shared(group []finding.Deployed) []string {
	var out []string
	for _, tag := range group[0].Tags {
		if !slices.ContainsFunc(group[1:], func(d finding.Deployed) bool { return !slices.Contains(d.Tags, tag) }) {
			out = append(out, tag)
		}
	}
	return out
}
