package policy

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/spelling"
)

// MaxBytes is how large a policy file may be.
const MaxBytes = 1 << 20

// file is the YAML form of a policy. A pointer tells "left out" from "empty".
type file struct {
	Version int       `yaml:"version"`
	Extends string    `yaml:"extends"`
	Rules   fileRules `yaml:",inline"`

	Functions   []fileOverride `yaml:"functions"`
	Database    *fileStore     `yaml:"database"`
	Waivers     []fileWaiver   `yaml:"waivers"`
	WaiversWarn *string        `yaml:"waivers_warn"`
	Gate        *fileGate      `yaml:"gate"`

	TrustRoots   map[string]fileRoot `yaml:"trust_roots"`
	Artifacts    []fileArtifact      `yaml:"artifacts"`
	Dependencies *fileDependencies   `yaml:"dependencies"`
	Priority     *filePriority       `yaml:"priority"`
}

// fileRules is what a policy can say of some functions otherwise than of the rest.
type fileRules struct {
	Fail            *fileLine      `yaml:"fail"`
	Warn            *fileLine      `yaml:"warn"`
	UnknownSeverity *string        `yaml:"unknown_severity"`
	Require         *[]string      `yaml:"require"`
	Incomplete      *fileGaps      `yaml:"incomplete"`
	Coverage        *fileCoverage  `yaml:"coverage"`
	Signature       *fileResponses `yaml:"signature"`
	Provenance      *fileResponses `yaml:"provenance"`
	Stale           *fileStale     `yaml:"stale"`
	Facts           *fileFacts     `yaml:"facts"`
	Grace           *fileGrace     `yaml:"grace"`
	Licences        *fileLicences  `yaml:"licences"`
	VEX             *fileVEX       `yaml:"vex"`
}

type fileLine struct {
	Fixable        *string `yaml:"fixable"`
	Severity       *string `yaml:"severity"`
	KnownExploited *bool   `yaml:"known_exploited"`
	Malware        *bool   `yaml:"malware"`
	Certainty      *string `yaml:"certainty"`
	Archive        *string `yaml:"archive"`
	Absent         *bool   `yaml:"absent"`
	Runtime        *string `yaml:"runtime"`
	Stale          *string `yaml:"stale"`
	Untrusted      *string `yaml:"untrusted"`
	Licence        *string `yaml:"licence"`
	Exposure       *string `yaml:"exposure"`
	Drift          *string `yaml:"drift"`

	Origins map[string]*fileOriginLine `yaml:"origins"`
}

// fileOriginLine is what of a line can be another for packages of one origin.
type fileOriginLine struct {
	Fixable        *string `yaml:"fixable"`
	Severity       *string `yaml:"severity"`
	Certainty      *string `yaml:"certainty"`
	KnownExploited *bool   `yaml:"known_exploited"`
}

type fileGaps struct {
	Unknowns  *[]string `yaml:"unknowns"`
	Unmatched *[]string `yaml:"unmatched"`
}

type fileStore struct {
	MaxAge    *string `yaml:"max_age"`
	KEVMaxAge *string `yaml:"kev_max_age"`
}

type fileWaiver struct {
	ID        string `yaml:"id"`
	Component string `yaml:"component"`
	Range     string `yaml:"range"`
	Function  string `yaml:"function"`
	Path      string `yaml:"path"`
	Reason    string `yaml:"reason"`
	Owner     string `yaml:"owner"`
	Expires   string `yaml:"expires"`
}

// Parse reads a policy file. It is strict: an unknown key, a wrong type, a
// word that is not one of the listed ones, a key without a value, a second
// document and a waiver without reason, owner or expiry are errors that name the
// line or the key.
func Parse(data []byte, name string) (*Policy, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("read policy %s: %d bytes is over the limit of %d", name, len(data), MaxBytes)
	}
	if err := refuse(data); err != nil {
		return nil, fmt.Errorf("read policy %s: %w", name, err)
	}
	var f file
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := decode(dec, &f); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read policy %s: the file is empty; start with \"version: 1\"", name)
		}
		return nil, fmt.Errorf("read policy %s: %s", name, yamlError(err, data))
	}
	if err := decode(dec, new(file)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read policy %s: more than one YAML document; only the first would count", name)
	}
	if empty := emptyValue(data, reflect.TypeFor[file](), true); empty != "" {
		return nil, fmt.Errorf("read policy %s: %s", name, empty)
	}
	if f.Version != 1 {
		return nil, fmt.Errorf("read policy %s: version is %d, this program knows version 1: write \"version: 1\"", name, f.Version)
	}
	if f.Extends == "" {
		f.Extends = CI
	}
	p, ok := Builtin(f.Extends)
	if !ok {
		return nil, fmt.Errorf("read policy %s: extends: %q is not a built-in policy (%s)", name, clip(f.Extends), strings.Join(Names(), ", "))
	}
	sum := sha256.Sum256(data)
	p.Name, p.Extends, p.Digest = name, f.Extends, "sha256:"+hex.EncodeToString(sum[:])
	if err := f.apply(p); err != nil {
		return nil, fmt.Errorf("read policy %s: %w", name, err)
	}
	return p, nil
}

// decode reads one document. The YAML library panics on some malformed input
// (goccy/go-yaml v1.19.2: a tag where a list is expected), which must be an
// error like any other.
func decode(dec *yaml.Decoder, f *file) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not valid YAML: %v", r)
		}
	}()
	return dec.Decode(f)
}

func (f *file) apply(p *Policy) error {
	errs := []error{f.Rules.apply(p), f.applyTrust(p)}
	note := func(err error) { errs = append(errs, err) }
	if f.Database != nil {
		note(duration(f.Database.MaxAge, &p.MaxAge, "database.max_age"))
		note(duration(f.Database.KEVMaxAge, &p.KEVMaxAge, "database.kev_max_age"))
	}
	note(f.Gate.apply(&p.Gate))
	note(f.Dependencies.apply(&p.Dependencies))
	note(f.Priority.apply(&p.Weights))
	for i, w := range f.Waivers {
		parsed, err := w.parse()
		if err != nil {
			note(fmt.Errorf("waivers[%d]: %w", i, err))
		}
		p.Waivers = append(p.Waivers, parsed)
	}
	note(duration(f.WaiversWarn, &p.WaiversWarn, "waivers_warn"))
	if errors.Join(errs...) != nil {
		return errors.Join(errs...) // the overrides would say all of it again
	}
	for i, o := range f.Functions {
		parsed, err := o.parse(*p)
		if err != nil {
			note(fmt.Errorf("functions[%d]%w", i, err))
		}
		p.Functions = append(p.Functions, parsed)
	}
	return errors.Join(errs...)
}

// apply changes a policy to what the rules say. p must not share its lists
// with another policy: copied sees to that.
func (f *fileRules) apply(p *Policy) error {
	errs := []error{f.Fail.apply(&p.Fail, "fail"), f.Warn.apply(&p.Warn, "warn")}
	note := func(err error) { errs = append(errs, err) }
	note(word(f.UnknownSeverity, &p.UnknownSeverity, "unknown_severity", severities))
	note(f.applyRequire(p))
	if g := f.Incomplete; g != nil {
		note(words(g.Unknowns, &p.Unknowns, "incomplete.unknowns", []string{"unreadable", "opaque", "limit", "unattributed"}))
		note(words(g.Unmatched, &p.Unmatched, "incomplete.unmatched", origins))
		if g.Unmatched != nil && slices.Contains(p.Unmatched, "app") {
			p.Unmatched = append(p.Unmatched, "") // a component of unknown origin may be the app's
		}
	}
	note(f.Coverage.apply(&p.Coverage))
	note(f.Signature.apply(&p.Signature, "signature"))
	note(f.Provenance.apply(&p.Provenance, "provenance"))
	note(f.Stale.apply(&p.Stale))
	note(f.Facts.apply(&p.Facts))
	note(f.Grace.apply(&p.Grace))
	note(f.Licences.apply(&p.Licences))
	note(f.VEX.apply(&p.VEX))
	f.licenceLines(p)
	if slices.Contains(p.Require, "licence") && !p.Licences.Given() {
		note(errors.New("require: the check \"licence\" has nothing to go by: say in licences what is allowed or denied"))
	}
	p.KnownExploited = p.KnownExploited || f.Fail != nil && f.Fail.KnownExploited != nil && *f.Fail.KnownExploited || f.Grace != nil && f.Grace.KnownExploited != nil
	return errors.Join(errs...)
}

func (f *fileRules) applyRequire(p *Policy) error {
	if f.Require == nil {
		return nil
	}
	var errs []error
	for _, c := range *f.Require {
		if !slices.Contains(checkNames, c) {
			errs = append(errs, fmt.Errorf("require: %q is not a check (%s)", clip(c), strings.Join(checkNames, ", ")))
		} else if !slices.Contains(p.Require, c) {
			p.Require = append(p.Require, c)
		}
	}
	return errors.Join(errs...)
}

// licenceLines draws the lines for licences where lists are given and no line
// is: who denies a licence wants it to fail, under a policy that fails anything.
func (f *fileRules) licenceLines(p *Policy) {
	if f.Licences == nil {
		return
	}
	if p.Fail.Licence == "" && (f.Fail == nil || f.Fail.Licence == nil) && p.fails() {
		p.Fail.Licence = finding.Medium
	}
	if p.Warn.Licence == "" && (f.Warn == nil || f.Warn.Licence == nil) {
		p.Warn.Licence = finding.Low
	}
}

func (l *fileLine) apply(to *Line, key string) error {
	if l == nil {
		return nil
	}
	errs := []error{
		level(l.Fixable, &to.Fixable, nil, key+".fixable"),
		level(l.Severity, &to.Severity, &to.Any, key+".severity"),
		level(l.Archive, &to.Archive, nil, key+".archive"),
		level(l.Stale, &to.Stale, nil, key+".stale"),
		level(l.Untrusted, &to.Untrusted, nil, key+".untrusted"),
		level(l.Licence, &to.Licence, nil, key+".licence"),
		level(l.Exposure, &to.Exposure, nil, key+".exposure"),
		level(l.Drift, &to.Drift, nil, key+".drift"),
		word(l.Certainty, &to.Certainty, key+".certainty", certainties),
		word(l.Runtime, &to.Runtime, key+".runtime", []string{"blocked", "deprecated", "soon", "any", "none"}),
	}
	if l.KnownExploited != nil {
		to.KnownExploit = *l.KnownExploited
	}
	if l.Malware != nil {
		to.Malware = *l.Malware
	}
	if l.Absent != nil {
		to.Absent = *l.Absent
	}
	if to.Runtime == "none" {
		to.Runtime = "" // as in a policy that has no such line
	}
	if to.Certainty == "" {
		to.Certainty = finding.Probable // a line that matches no certainty would never count
	}
	return errors.Join(append(errs, l.applyOrigins(to, key+".origins"))...)
}

// applyOrigins reads the lines of single origins. What such a line leaves out
// is as in the line around it.
func (l *fileLine) applyOrigins(to *Line, key string) error {
	if l.Origins == nil {
		return nil
	}
	var errs []error
	to.Origins = maps.Clone(to.Origins)
	for _, origin := range slices.Sorted(maps.Keys(l.Origins)) {
		from := l.Origins[origin]
		switch {
		case !slices.Contains(origins, origin):
			errs = append(errs, fmt.Errorf("%s: %q is not one of %s", key, clip(origin), strings.Join(origins, ", ")))
		case from == nil || *from == (fileOriginLine{}):
			errs = append(errs, fmt.Errorf("%s.%s: it changes nothing: name a line, as in {fixable: critical}, or none", key, origin))
		}
		if from == nil {
			continue
		}
		own := to.Origins[origin]
		at := key + "." + origin
		errs = append(errs, origined(from.Fixable, &own.Fixable, at+".fixable"), origined(from.Severity, &own.Severity, at+".severity"),
			word(from.Certainty, &own.Certainty, at+".certainty", certainties))
		if from.KnownExploited != nil {
			own.KnownExploit = from.KnownExploited
		}
		if to.Origins == nil {
			to.Origins = map[string]OriginLine{}
		}
		to.Origins[origin] = own
	}
	return errors.Join(errs...)
}

// origined reads a severity of an origin's line, where "" is as in the line
// around it, and "none" is not.
func origined(s *string, to *string, key string) error {
	return word(s, to, key, []string{"critical", "high", "medium", "low", "any", "none"})
}

// origins are the origins of packages that a policy may name.
var origins = []string{"app", "layer", "base", "runtime"}

var certainties = []string{"certain", "probable", "possible"}

var severities = []string{"critical", "high", "medium", "low", "none"}

// checkNames are the checks that a policy may require.
var checkNames = []string{"open", "catalog", "archive", "vulnerability", "reachability", "runtime", "signature", "provenance", "facts", "attestation", "stale", "trust", "licence", "exposure", "integrity"}

// level reads a severity line: a severity, "none" for no line at all, and "any"
// for every finding, which is a mark of its own where anyTo is given.
func level(s *string, to *finding.Severity, anyTo *bool, key string) error {
	if s == nil {
		return nil
	}
	allowed := []string{"critical", "high", "medium", "low", "none", "any"}
	if !slices.Contains(allowed, *s) {
		return fmt.Errorf("%s: %q is not one of %s", key, clip(*s), strings.Join(allowed, ", "))
	}
	*to = finding.Severity(*s)
	if *s == "none" || *s == "any" {
		*to = ""
	}
	if anyTo != nil {
		*anyTo = *s == "any"
	} else if *s == "any" {
		*to = finding.None // the least there is
	}
	return nil
}

func word[T ~string](s *string, to *T, key string, allowed []string) error {
	if s == nil {
		return nil
	}
	if !slices.Contains(allowed, *s) {
		return fmt.Errorf("%s: %q is not one of %s", key, clip(*s), strings.Join(allowed, ", "))
	}
	*to = T(*s)
	return nil
}

func words(list *[]string, to *[]string, key string, allowed []string) error {
	if list == nil {
		return nil
	}
	for _, s := range *list {
		if !slices.Contains(allowed, s) {
			return fmt.Errorf("%s: %q is not one of %s", key, clip(s), strings.Join(allowed, ", "))
		}
	}
	*to = slices.Clone(*list)
	return nil
}

// ParseDuration reads a duration as Go writes it ("36h") or in days ("7d").
// It must be positive.
func ParseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || !(n > 0) || n > math.MaxInt64/float64(24*time.Hour) {
			return 0, fmt.Errorf("%q is not a duration: write it as 7d or 36h", s)
		}
		return time.Duration(n * float64(24*time.Hour)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a duration: write it as 7d or 36h", s)
	}
	return d, nil
}

// yamlError turns a decoder's error into one line with its place, and for an
// unknown key the key that was probably meant. Of several unknown keys the decoder
// names any; here it is the first.
func yamlError(err error, data []byte) string {
	msg := yaml.FormatError(err, false, false)
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) && unknown.Token != nil {
		key := unknown.Token
		if first := firstUnknown(data); first != nil {
			key = first
			msg = fmt.Sprintf("[%d:%d] unknown field %q", key.Position.Line, key.Position.Column, clip(key.Value))
		}
		typed, all := key.Value, slices.Concat(keys, gateKeys, dependencyKeys, licenceKeys, graceKeys, overrideKeys, priorityKeys, vexKeys)
		long := slices.DeleteFunc(slices.Clone(all), func(k string) bool { return len(k) < 4 }) // "fix" is the start of too much
		if slices.Contains(all, typed) {
			msg += "; it is a key of another section"
		} else if near := cmp.Or(spelling.Nearest(typed, long), spelling.Nearest(typed, all)); near != "" {
			msg += fmt.Sprintf("; did you mean %q?", near)
		}
	}
	return msg
}

// keys are all keys of a policy file, for suggestions.
var keys = []string{
	"version", "extends", "functions", "fail", "warn", "unknown_severity", "require", "incomplete", "coverage", "database", "waivers", "waivers_warn",
	"fixable", "severity", "known_exploited", "malware", "certainty", "archive", "absent", "runtime", "unknowns", "unmatched", "minimum", "bundle", "max_age", "kev_max_age",
	"exposure", "drift", "origins", "range", "function",
	"id", "component", "path", "reason", "owner", "expires",
	"signature", "provenance", "rejected", "missing", "unverifiable", "trust_roots", "artifacts",
	"file", "embedded", "public_key", "x509", "notation_policy", "notation_store", "sha256", "not_before", "not_after",
	"match", "kind", "any_of", "sigstore", "key", "aws_signer", "notation", "jar", "root", "issuer", "san", "source", "runner", "key_id", "profiles",
	"tlog", "sct", "timestamps", "signed_timestamps", "predicate", "signer", "builders", "max_level", "tag", "branch", "workflow", "inputs", "min_level",
}
