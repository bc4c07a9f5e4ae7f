package policy

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Response is what a policy makes of a signature or a provenance that is not
// verified. The zero value is Incomplete: what nobody decided is never a pass.
type Response string

// The responses.
const (
	RespondFail       Response = "fail"
	RespondIncomplete Response = "incomplete"
	RespondWarn       Response = "warn"
	RespondIgnore     Response = "ignore"
)

// Responses is what a policy makes of each status.
type Responses struct {
	Rejected, Missing, Unverifiable Response
}

// Of returns the response to a status word of the report. What is not known is
// answered as unverifiable.
func (r Responses) Of(status string) Response {
	answer := r.Unverifiable
	switch status {
	case "verified":
		return RespondIgnore
	case "rejected":
		answer = r.Rejected
	case "missing":
		answer = r.Missing
	}
	if answer == "" {
		return RespondIncomplete
	}
	return answer
}

// Trust is whom a policy trusts, and for which artifacts it demands what. It
// holds names of files and no file: who reads them is the caller's business.
// The zero value demands nothing and trusts nobody by name.
type Trust struct {
	Roots     map[string]TrustRoot
	Artifacts []ArtifactRule // the first that matches an artifact applies to it
}

// TrustRoot is something that is trusted without proof. Exactly one of the
// first five is set.
type TrustRoot struct {
	File           string // Sigstore trusted_root.json or the registry's keys
	Embedded       string // a root that the program brings: "public-good", "github"
	PublicKey      string // file: PEM, minisign, signify, OpenPGP
	X509           string // file of certificates in PEM
	NotationPolicy string // file: trustpolicy.json

	NotationStore string // folder; "" beside the policy
	SHA256        string // of the file, lower-case hexadecimal; "" when it is not pinned
	NotBefore     time.Time
	NotAfter      time.Time // of a key; zero: no bound
}

// ArtifactRule is what is demanded of the artifacts that it matches.
type ArtifactRule struct {
	Kinds   []string // as in the report; "layer" for what is not the function's code. Empty: all
	Paths   []string // patterns of path.Match over the reference, or over its base name when they hold no slash. Empty: all
	Require []Requirement
}

// Requirement is met when one of its signers verifies, or when its provenance does.
type Requirement struct {
	AnyOf      []Signer
	Provenance *Provenance
}

// Signer is somebody whose signature counts.
type Signer struct {
	Format string // "sigstore", "key", "aws_signer", "notation", "jar"
	Root   string // name of a trust root

	Issuer   string // exact, or a pattern when it starts with ^
	Identity string // exact, or a pattern when it starts with ^
	Source   string // source repository of the certificate, exact
	Runner   string
	KeyID    string
	Profiles []string // AWS Signer: allowed profile version ARNs
	Mode     string   // AWS Signer: what the platform must do with other code, by the function's descriptor: "enforce", or at least "warn"; "": not asked

	Log, SCT, Timestamps, SignedTimestamps int // -1: what the root can vouch for
}

// Provenance is what a provenance must state, and who must have signed it.
type Provenance struct {
	Signer     Signer
	Predicates []string // predicate types; empty: any version of SLSA provenance
	Builders   []TrustedBuilder
	Source     string
	Tag        string // exact, or "semver:v1"
	Branch     string
	Workflow   string
	Inputs     map[string]string
	MinLevel   int
}

// TrustedBuilder is a builder that the signer may speak for, up to a level.
type TrustedBuilder struct {
	ID       string
	MaxLevel int
}

type fileResponses struct {
	Rejected     *string `yaml:"rejected"`
	Missing      *string `yaml:"missing"`
	Unverifiable *string `yaml:"unverifiable"`
}

func (f *fileResponses) apply(to *Responses, key string) error {
	if f == nil {
		return nil
	}
	allowed := []string{"fail", "incomplete", "warn", "ignore"}
	return errors.Join(
		word(f.Rejected, &to.Rejected, key+".rejected", allowed),
		word(f.Missing, &to.Missing, key+".missing", allowed),
		word(f.Unverifiable, &to.Unverifiable, key+".unverifiable", allowed))
}

type fileRoot struct {
	File           string `yaml:"file"`
	Embedded       string `yaml:"embedded"`
	PublicKey      string `yaml:"public_key"`
	X509           string `yaml:"x509"`
	NotationPolicy string `yaml:"notation_policy"`
	NotationStore  string `yaml:"notation_store"`
	SHA256         string `yaml:"sha256"`
	NotBefore      string `yaml:"not_before"`
	NotAfter       string `yaml:"not_after"`
}

type fileArtifact struct {
	Match   *fileMatch        `yaml:"match"`
	Require []fileRequirement `yaml:"require"`
}

type fileMatch struct {
	Kind []string `yaml:"kind"`
	Path []string `yaml:"path"`
}

type fileRequirement struct {
	AnyOf      []fileSigner    `yaml:"any_of"`
	Sigstore   *fileIdentity   `yaml:"sigstore"`
	Key        *fileIdentity   `yaml:"key"`
	AWSSigner  *fileIdentity   `yaml:"aws_signer"`
	Notation   *fileIdentity   `yaml:"notation"`
	Jar        *fileIdentity   `yaml:"jar"`
	Provenance *fileProvenance `yaml:"provenance"`
}

type fileSigner struct {
	Sigstore  *fileIdentity `yaml:"sigstore"`
	Key       *fileIdentity `yaml:"key"`
	AWSSigner *fileIdentity `yaml:"aws_signer"`
	Notation  *fileIdentity `yaml:"notation"`
	Jar       *fileIdentity `yaml:"jar"`
}

type fileIdentity struct {
	Root             string   `yaml:"root"`
	Issuer           string   `yaml:"issuer"`
	SAN              string   `yaml:"san"`
	Source           string   `yaml:"source"`
	Runner           string   `yaml:"runner"`
	KeyID            string   `yaml:"key_id"`
	Profiles         []string `yaml:"profiles"`
	Mode             string   `yaml:"mode"`
	Tlog             *int     `yaml:"tlog"`
	SCT              *int     `yaml:"sct"`
	Timestamps       *int     `yaml:"timestamps"`
	SignedTimestamps *int     `yaml:"signed_timestamps"`
}

type fileProvenance struct {
	Predicate []string          `yaml:"predicate"`
	Signer    *fileSigner       `yaml:"signer"`
	Builders  []fileBuilder     `yaml:"builders"`
	Source    string            `yaml:"source"`
	Tag       string            `yaml:"tag"`
	Branch    string            `yaml:"branch"`
	Workflow  string            `yaml:"workflow"`
	Inputs    map[string]string `yaml:"inputs"`
	MinLevel  int               `yaml:"min_level"`
}

type fileBuilder struct {
	ID       string `yaml:"id"`
	MaxLevel int    `yaml:"max_level"`
}

// applyTrust reads the trust sections. Every name must lead somewhere: a
// signer whose root is misspelt would otherwise never verify, or verify by
// another root.
func (f *file) applyTrust(p *Policy) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f.TrustRoots)) {
		r, err := f.TrustRoots[name].parse()
		if err != nil {
			errs = append(errs, fmt.Errorf("trust_roots.%s: %w", name, err))
		}
		if p.Trust.Roots == nil {
			p.Trust.Roots = map[string]TrustRoot{}
		}
		p.Trust.Roots[name] = r
	}
	for i, a := range f.Artifacts {
		rule, err := a.parse(p.Trust.Roots)
		if err != nil {
			errs = append(errs, fmt.Errorf("artifacts[%d]%w", i, err))
		}
		p.Trust.Artifacts = append(p.Trust.Artifacts, rule)
	}
	return errors.Join(errs...)
}

func (f fileRoot) parse() (TrustRoot, error) {
	r := TrustRoot{File: f.File, Embedded: f.Embedded, PublicKey: f.PublicKey, X509: f.X509,
		NotationPolicy: f.NotationPolicy, NotationStore: f.NotationStore, SHA256: strings.ToLower(f.SHA256)}
	set := 0
	for _, s := range []string{f.File, f.Embedded, f.PublicKey, f.X509, f.NotationPolicy} {
		if s != "" {
			set++
		}
	}
	if set != 1 {
		return r, errors.New("name exactly one of file, embedded, public_key, x509, notation_policy")
	}
	if f.Embedded != "" && f.Embedded != "public-good" && f.Embedded != "github" {
		return r, fmt.Errorf("embedded: %q is not one of public-good, github", f.Embedded)
	}
	if f.SHA256 != "" {
		if raw, err := hex.DecodeString(f.SHA256); err != nil || len(raw) != 32 {
			return r, errors.New("sha256: want 64 hexadecimal digits")
		}
		if f.Embedded != "" {
			return r, errors.New("sha256: it pins a file, and an embedded root is none")
		}
	}
	if f.NotationStore != "" && f.NotationPolicy == "" {
		return r, errors.New("notation_store: it belongs to a notation_policy")
	}
	for _, b := range []struct {
		key, text string
		to        *time.Time
	}{{"not_before", f.NotBefore, &r.NotBefore}, {"not_after", f.NotAfter, &r.NotAfter}} {
		if b.text == "" {
			continue
		}
		if f.PublicKey == "" {
			return r, fmt.Errorf("%s: it bounds a public_key, and there is none", b.key)
		}
		at, err := time.Parse(time.RFC3339, b.text)
		if err != nil {
			if at, err = time.Parse(time.DateOnly, b.text); err != nil {
				return r, fmt.Errorf("%s: %q is not a time: write it as 2026-11-22T00:00:00Z or 2026-11-22", b.key, b.text)
			}
		}
		*b.to = at
	}
	return r, nil
}

// artifactKinds are the kinds that a rule may name.
var artifactKinds = []string{"zip", "layer", "jar", "image", "layout", "binary", "directory"}

func (f fileArtifact) parse(roots map[string]TrustRoot) (ArtifactRule, error) {
	var rule ArtifactRule
	if f.Match != nil {
		rule.Kinds, rule.Paths = f.Match.Kind, f.Match.Path
	}
	for _, k := range rule.Kinds {
		if !slices.Contains(artifactKinds, k) {
			return rule, fmt.Errorf(".match.kind: %q is not one of %s", k, strings.Join(artifactKinds, ", "))
		}
	}
	for _, p := range rule.Paths {
		if _, err := path.Match(p, ""); err != nil {
			return rule, fmt.Errorf(".match.path: %q is not a pattern", p)
		}
	}
	if len(f.Require) == 0 {
		return rule, errors.New(".require: it demands nothing, so it would let everything pass: name a signer, or leave the rule out")
	}
	for i, r := range f.Require {
		req, err := r.parse(roots)
		if err != nil {
			return rule, fmt.Errorf(".require[%d]%w", i, err)
		}
		rule.Require = append(rule.Require, req)
	}
	return rule, nil
}

func (f fileRequirement) parse(roots map[string]TrustRoot) (Requirement, error) {
	var req Requirement
	one := fileSigner{Sigstore: f.Sigstore, Key: f.Key, AWSSigner: f.AWSSigner, Notation: f.Notation, Jar: f.Jar}
	forms := 0
	if len(f.AnyOf) > 0 {
		forms++
	}
	if one != (fileSigner{}) {
		forms++
	}
	if f.Provenance != nil {
		forms++
	}
	if forms != 1 {
		return req, errors.New(": name one signer, any_of several, or a provenance")
	}
	if f.Provenance != nil {
		p, err := f.Provenance.parse(roots)
		if err != nil {
			return req, fmt.Errorf(".provenance%w", err)
		}
		req.Provenance = p
		return req, nil
	}
	list := f.AnyOf
	if len(list) == 0 {
		list = []fileSigner{one}
	}
	for i, s := range list {
		signer, err := s.parse(roots)
		if err != nil {
			if len(f.AnyOf) > 0 {
				return req, fmt.Errorf(".any_of[%d]%w", i, err)
			}
			return req, err
		}
		req.AnyOf = append(req.AnyOf, signer)
	}
	return req, nil
}

func (f fileSigner) parse(roots map[string]TrustRoot) (Signer, error) {
	var found *fileIdentity
	var s Signer
	for _, form := range []struct {
		name string
		id   *fileIdentity
	}{{"sigstore", f.Sigstore}, {"key", f.Key}, {"aws_signer", f.AWSSigner}, {"notation", f.Notation}, {"jar", f.Jar}} {
		if form.id == nil {
			continue
		}
		if found != nil {
			return s, fmt.Errorf(": %s and %s in one signer: write them as two entries of any_of", s.Format, form.name)
		}
		found, s.Format = form.id, form.name
	}
	if found == nil {
		return s, errors.New(": name one of sigstore, key, aws_signer, notation, jar")
	}
	if err := found.apply(&s, roots); err != nil {
		return s, fmt.Errorf(".%s%w", s.Format, err)
	}
	return s, nil
}

// rootForms says which forms of a trust root a format can use.
func rootForms(format string, r TrustRoot) bool {
	switch format {
	case "sigstore":
		return r.File != "" || r.Embedded != ""
	case "key":
		return r.PublicKey != ""
	case "aws_signer", "jar":
		return r.X509 != ""
	case "notation":
		return r.NotationPolicy != ""
	}
	return false
}

func (f *fileIdentity) apply(s *Signer, roots map[string]TrustRoot) error {
	s.Root, s.Issuer, s.Identity, s.Source, s.Runner = f.Root, f.Issuer, f.SAN, f.Source, f.Runner
	s.KeyID, s.Profiles, s.Mode = f.KeyID, f.Profiles, f.Mode
	r, ok := roots[f.Root]
	switch {
	case f.Root == "" && s.Format != "sigstore":
		return errors.New(".root: name the trust root that it is checked with")
	case f.Root != "" && !ok:
		return fmt.Errorf(".root: there is no trust root %q (%s)", f.Root, strings.Join(slices.Sorted(maps.Keys(roots)), ", "))
	case f.Root != "" && !rootForms(s.Format, r):
		return fmt.Errorf(".root: the trust root %q is of another form than %s needs", f.Root, s.Format)
	}
	for _, p := range []struct{ key, text string }{{"issuer", f.Issuer}, {"san", f.SAN}} {
		if err := pattern(p.text); err != nil {
			return fmt.Errorf(".%s: %w", p.key, err)
		}
	}
	if s.Format == "sigstore" && (f.SAN == "" || f.Issuer == "") {
		return errors.New(": name the san and the issuer of the certificate: without them anybody's signature would do")
	}
	if s.Format == "aws_signer" && len(f.Profiles) == 0 {
		return errors.New(".profiles: list the signing profile versions that are allowed")
	}
	if s.Format == "jar" && f.SAN == "" {
		return errors.New(".san: name the signer of the certificate")
	}
	if s.Format != "aws_signer" && len(f.Profiles) > 0 {
		return errors.New(".profiles: only aws_signer has them")
	}
	if s.Format != "aws_signer" && f.Mode != "" {
		return errors.New(".mode: only aws_signer has one")
	}
	if f.Mode != "" && f.Mode != "enforce" && f.Mode != "warn" {
		return fmt.Errorf(".mode: %q is not one of enforce, warn", f.Mode)
	}
	if f.Runner != "" && f.Runner != "github-hosted" && f.Runner != "self-hosted" {
		return fmt.Errorf(".runner: %q is not one of github-hosted, self-hosted", f.Runner)
	}
	for _, n := range []struct {
		key  string
		from *int
		to   *int
	}{{"tlog", f.Tlog, &s.Log}, {"sct", f.SCT, &s.SCT}, {"timestamps", f.Timestamps, &s.Timestamps}, {"signed_timestamps", f.SignedTimestamps, &s.SignedTimestamps}} {
		*n.to = -1
		if n.from == nil {
			continue
		}
		if *n.from < 0 || *n.from > 16 {
			return fmt.Errorf(".%s: %d is not a number from 0 to 16", n.key, *n.from)
		}
		*n.to = *n.from
	}
	return nil
}

// pattern checks an identity: exact text, or a pattern that starts with ^ and
// must say where it ends.
func pattern(text string) error {
	if !strings.HasPrefix(text, "^") {
		return nil
	}
	if !strings.HasSuffix(text, "$") {
		return fmt.Errorf("the pattern %q has no $ at its end, so it would match longer names too", text)
	}
	_, err := regexp.Compile(text)
	return err
}

func (f *fileProvenance) parse(roots map[string]TrustRoot) (*Provenance, error) {
	p := &Provenance{Predicates: f.Predicate, Source: f.Source, Tag: f.Tag, Branch: f.Branch, Workflow: f.Workflow, Inputs: f.Inputs, MinLevel: f.MinLevel}
	if f.Signer == nil {
		return nil, errors.New(".signer: say who must have signed it: a provenance that anybody may sign proves nothing")
	}
	var err error
	if p.Signer, err = f.Signer.parse(roots); err != nil {
		return nil, fmt.Errorf(".signer%w", err)
	}
	if f.Tag != "" && f.Branch != "" {
		return nil, errors.New(": tag and branch exclude each other")
	}
	if f.MinLevel < 0 || f.MinLevel > 4 {
		return nil, fmt.Errorf(".min_level: %d is not a SLSA build level (0 to 4)", f.MinLevel)
	}
	for i, b := range f.Builders {
		if b.ID == "" || b.MaxLevel < 0 || b.MaxLevel > 4 {
			return nil, fmt.Errorf(".builders[%d]: want an id, and a max_level from 1 to 4", i)
		}
		p.Builders = append(p.Builders, TrustedBuilder{ID: b.ID, MaxLevel: max(b.MaxLevel, 1)})
	}
	if f.MinLevel > 1 && !slices.ContainsFunc(p.Builders, func(b TrustedBuilder) bool { return b.MaxLevel >= f.MinLevel }) {
		return nil, fmt.Errorf(".min_level: no builder is trusted for level %d, so nothing could pass: list one with that max_level", f.MinLevel)
	}
	return p, nil
}

// Matches says whether a rule is about an artifact. role is "layer" for what is
// not the function's code.
func (r ArtifactRule) Matches(ref, kind, role string) bool {
	if len(r.Kinds) > 0 && !slices.Contains(r.Kinds, kind) && !(role == "layer" && slices.Contains(r.Kinds, "layer")) {
		return false
	}
	if role == "layer" && len(r.Kinds) > 0 && !slices.Contains(r.Kinds, "layer") {
		return false
	}
	if len(r.Paths) == 0 {
		return true
	}
	ref = strings.ReplaceAll(ref, `\`, "/")
	return slices.ContainsFunc(r.Paths, func(p string) bool {
		name := ref
		if !strings.Contains(p, "/") {
			name = path.Base(ref)
		}
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}

// Rule returns the rule for an artifact, and false when the policy has none.
func (t Trust) Rule(ref, kind, role string) (ArtifactRule, bool) {
	for _, r := range t.Artifacts {
		if r.Matches(ref, kind, role) {
			return r, true
		}
	}
	return ArtifactRule{}, false
}
