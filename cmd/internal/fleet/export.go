package fleet

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Bounds of an export.
const (
	MaxBytes    = 512 << 20 // of one file
	maxEntry    = 2 << 20   // bytes of one function; AWS's own limits keep one under 100 KB
	maxVersions = 200_000   // of one file
	maxBad      = 3         // entries whose fault is said
)

// Export is what one file says.
type Export struct {
	Source  string
	Entries []finding.Deployed
	Layers  map[string]string // digest by the ARN of a layer version; "" where the file contradicts itself
	Problem string            // why it does not say everything; "" when it does

	aliases []alias
	tags    map[string]map[string]string // by the ARN of a function without a version
	masters map[string]string            // of which function a replica is one, by its ARN: the name
}

// alias is a name of a version.
type alias struct {
	function, name, version string  // function: its ARN without a version
	weight                  float64 // the share of its calls that the version gets, 0-1; 1 when it has no other
}

// Read reads a saved list of functions. Whatever is wrong with it is its Problem:
// what was read before, or beside, is kept.
//
// It reads what the AWS command line saves of list-functions, of
// list-versions-by-function, get-function, get-layer-version, list-aliases and
// resourcegroupstaggingapi get-resources, and what the API answers, page by page: one document or several, one a line or
// not, or an array of them. A last page that names a next one means that functions are
// missing (https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html, read 2026-11-28).
func Read(r io.Reader, source string) *Export {
	e := &Export{Source: source, Layers: map[string]string{}, masters: map[string]string{}, tags: map[string]map[string]string{}}
	text := bufio.NewReaderSize(io.LimitReader(r, MaxBytes+1), 64<<10)
	switch mark, _ := text.Peek(3); {
	case len(mark) >= 2 && (mark[0] == 0xff && mark[1] == 0xfe || mark[0] == 0xfe && mark[1] == 0xff):
		e.Problem = "it is UTF-16, as a shell may have saved it: save it as UTF-8"
		return e
	case bytes.Equal(mark, []byte("\ufeff")):
		text.Discard(3)
	}
	in := &reader{out: e, fuel: &fuel{r: text, total: MaxBytes}}
	in.dec = json.NewDecoder(in.fuel)
	in.dec.UseNumber()
	if err := in.documents(); err != nil {
		in.fault("%s", plainError(err))
	}
	if in.values == 0 && e.Problem == "" {
		e.Problem = "it is empty"
	}
	if e.Problem == "" && in.next {
		e.Problem = "its last page names a next one, so some are missing: save the list without --max-items, or with all its pages"
	}
	if in.bad > 0 {
		in.fault("%s could not be read: %s", finding.Count(in.bad, "entry", "entries"), joined(in.why, in.bad))
	}
	return e
}

// reader reads one export.
type reader struct {
	dec    *json.Decoder
	fuel   *fuel
	out    *Export
	values int
	next   bool // the page that was read last names a next one
	bad    int
	why    []string
}

// errRan is the error of a value that is longer than an entry may be.
var errRan = fmt.Errorf("one value is longer than %d MB", maxEntry>>20)

// fuel bounds what is read between two fillings, and in all.
type fuel struct {
	r           io.Reader
	left, total int64
}

func (f *fuel) Read(p []byte) (int, error) {
	if f.total <= 0 {
		return 0, fmt.Errorf("it is longer than %d MB", MaxBytes>>20)
	}
	if f.left <= 0 {
		return 0, errRan
	}
	n, err := f.r.Read(p[:min(int64(len(p)), f.left, f.total)])
	f.left -= int64(n)
	f.total -= int64(n)
	return n, err
}

// refill allows one more entry.
func (r *reader) refill() { r.fuel.left = maxEntry }

// fault notes why the export does not say everything; the first reason stays.
func (r *reader) fault(format string, args ...any) {
	if r.out.Problem == "" {
		r.out.Problem = fmt.Sprintf(format, args...)
	}
}

// reject counts an entry that does not make sense.
func (r *reader) reject(why error) {
	if r.bad++; len(r.why) < maxBad {
		r.why = append(r.why, why.Error())
	}
}

// documents reads values until the end.
func (r *reader) documents() error {
	for {
		r.refill()
		tok, err := r.dec.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		r.values++
		switch tok {
		case json.Delim('{'):
			err = r.object()
		case json.Delim('['):
			err = r.array()
		default:
			err = errors.New("it holds something that is neither a list nor a function")
		}
		if err != nil {
			return err
		}
	}
}

// array reads an array of documents, after its bracket.
func (r *reader) array() error {
	for r.more() {
		tok, err := r.dec.Token()
		if err != nil {
			return err
		}
		if tok != json.Delim('{') {
			return errors.New("it holds an array of something that is neither a list nor a function")
		}
		if err := r.object(); err != nil {
			return err
		}
	}
	_, err := r.dec.Token()
	return err
}

// more refills and says whether there is another value before the bracket.
func (r *reader) more() bool {
	r.refill()
	return r.dec.More()
}

// object reads a document, after its brace: a page, a function, or a layer
// version. What the lists of a page hold is read entry by entry.
func (r *reader) object() error {
	m := members{}
	page := false
	for r.more() {
		key, err := r.key()
		if err != nil {
			return err
		}
		read := map[string]func(json.RawMessage) error{"Functions": r.function, "Versions": r.function, "Aliases": r.alias, "ResourceTagMappingList": r.tagged}[key]
		if read == nil {
			if err := m.take(r.dec, key); err != nil {
				return err
			}
			continue
		}
		if page {
			return fmt.Errorf("%s: one object holds two lists", key)
		}
		page = true
		if err := r.entries(key, read); err != nil {
			return err
		}
	}
	if _, err := r.dec.Token(); err != nil {
		return err
	}
	return r.document(m, page)
}

// key reads a member's name.
func (r *reader) key() (string, error) {
	tok, err := r.dec.Token()
	if err != nil {
		return "", err
	}
	key, _ := tok.(string)
	return key, nil
}

// entries reads the list of a page.
func (r *reader) entries(key string, read func(json.RawMessage) error) error {
	tok, err := r.dec.Token()
	if err != nil {
		return err
	}
	if tok != json.Delim('[') {
		return fmt.Errorf("%s is no list", key)
	}
	for r.more() {
		var raw json.RawMessage
		if err := r.dec.Decode(&raw); err != nil {
			return err
		}
		if len(r.out.Entries) >= maxVersions {
			return fmt.Errorf("it lists more than %d functions", maxVersions)
		}
		if err := read(raw); err != nil {
			r.reject(err)
		}
	}
	_, err = r.dec.Token()
	return err
}

// document takes what an object outside of a list says.
func (r *reader) document(m members, page bool) error {
	if m.err != nil {
		r.reject(m.err)
		return nil
	}
	switch {
	case page:
		r.next = m.there("NextMarker") || m.there("NextToken") || m.there("PaginationToken")
	case m.there("LayerVersionArn"):
		if err := r.layer(m); err != nil {
			r.reject(err)
		}
	case m.there("Configuration"):
		if err := r.got(m); err != nil {
			r.reject(err)
		}
	case m.there("FunctionName"), m.there("FunctionArn"):
		if err := r.configuration(m, "", members{}); err != nil {
			r.reject(err)
		}
	case m.there("Tags") && m.n == 1:
		return errors.New("it holds what list-tags answers, which does not say of which function: give what aws resourcegroupstaggingapi get-resources --resource-type-filters lambda:function answers")
	default:
		return errors.New("it holds an object that is none of list-functions, list-versions-by-function, list-aliases, get-function, get-layer-version and get-resources")
	}
	return nil
}

// function reads an entry of a list.
func (r *reader) function(raw json.RawMessage) error {
	m, err := object(raw)
	if err != nil {
		return err
	}
	return r.configuration(m, "", members{})
}

// got reads the answer to get-function, which names the image, too.
func (r *reader) got(m members) error {
	conf, err := object(m.raw["Configuration"])
	if err != nil {
		return fmt.Errorf("field Configuration: %w", err)
	}
	image := ""
	if m.there("Code") {
		code, err := object(m.raw["Code"])
		if err == nil {
			image, err = code.text("ResolvedImageUri", 2048)
		}
		if err != nil {
			return fmt.Errorf("field Code: %w", err)
		}
	}
	return r.configuration(conf, imageDigest(image), m)
}

// configuration reads a function. around is what stands around it, with its tags.
func (r *reader) configuration(m members, image string, around members) error {
	d, master, err := deployed(m, image)
	if err != nil {
		return err
	}
	if around.there("Tags") {
		said, err := tags(around)
		if err != nil {
			return named(d.Name, err)
		}
		if f, ok := parseFunction(d.ARN); !ok {
			d.Tags = tagWords(said)
		} else if err := r.out.tag(f.bare(), said); err != nil {
			return named(d.Name, err)
		}
	}
	if master != "" && d.ARN != "" {
		r.out.masters[d.ARN] = master
	}
	d.Source = r.out.Source
	r.out.Entries = append(r.out.Entries, d)
	return nil
}

// layer reads the answer to get-layer-version.
func (r *reader) layer(m members) error {
	arn, err := m.text("LayerVersionArn", maxARN)
	if err != nil {
		return err
	}
	if _, ok := parseLayer(arn); !ok {
		return errors.New("field LayerVersionArn is not the ARN of a version of a layer")
	}
	content, err := object(m.raw["Content"])
	if err != nil {
		return fmt.Errorf("field Content of %s: %w", arn, err)
	}
	sum, err := content.text("CodeSha256", 100)
	if err != nil {
		return fmt.Errorf("field Content of %s: %w", arn, err)
	}
	digest, reason := codeDigest(packageZip, sum)
	if digest == "" {
		return fmt.Errorf("%s: %s", arn, reason)
	}
	if before, twice := r.out.Layers[arn]; twice && before != digest {
		r.out.Layers[arn] = ""
		return fmt.Errorf("%s is there with two digests", arn)
	}
	r.out.Layers[arn] = digest
	return nil
}

// alias reads an entry of list-aliases: the version that it names, and those that
// get a share of its calls beside
// (https://docs.aws.amazon.com/lambda/latest/api/API_AliasRoutingConfiguration.html,
// read 2026-11-28).
func (r *reader) alias(raw json.RawMessage) error {
	m, err := object(raw)
	if err != nil {
		return err
	}
	arn, err := m.text("AliasArn", maxARN)
	if err != nil {
		return err
	}
	version, err := m.text("FunctionVersion", 32)
	if err != nil {
		return err
	}
	f, ok := parseFunction(arn)
	if !ok || f.qualifier == "" || !isVersion(version) {
		return errors.New("an alias does not say of which function and version it is")
	}
	more, err := weights(m)
	if err != nil {
		return fmt.Errorf("alias %s of %s: %w", f.qualifier, f.name, err)
	}
	if len(r.out.aliases)+len(more) >= maxVersions {
		return fmt.Errorf("more than %d aliases", maxVersions)
	}
	rest := 1.0
	for _, a := range more {
		rest -= a.weight
	}
	rest = math.Round(rest*1e6) / 1e6 // 1 - 0.9 is no 0.1
	for _, a := range append(more, alias{version: version, weight: max(rest, 0)}) {
		a.function, a.name = f.bare(), f.qualifier
		r.out.aliases = append(r.out.aliases, a)
	}
	return nil
}

// maxWeights bounds the versions of one alias; AWS allows one beside its own.
const maxWeights = 8

// weights reads the versions that get a share of an alias's calls.
func weights(m members) ([]alias, error) {
	if !m.there("RoutingConfig") {
		return nil, nil
	}
	routing, err := object(m.raw["RoutingConfig"])
	if err != nil {
		return nil, fmt.Errorf("field RoutingConfig: %w", err)
	}
	list, err := routing.pairs("AdditionalVersionWeights", maxWeights)
	if err != nil {
		return nil, fmt.Errorf("field RoutingConfig: %w", err)
	}
	var out []alias
	for _, p := range list {
		var weight float64
		if err := json.Unmarshal(p.value, &weight); err != nil || weight < 0 || weight > 1 || !isVersion(p.key) {
			return nil, errors.New("field RoutingConfig holds what is no share of a version")
		}
		out = append(out, alias{version: p.key, weight: weight})
	}
	slices.SortFunc(out, func(a, b alias) int { return compareVersion(a.version, b.version) })
	return out, nil
}

// joined lists the first reasons of n.
func joined(why []string, n int) string {
	var b bytes.Buffer
	for i, w := range why {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(w)
	}
	if n > len(why) {
		fmt.Fprintf(&b, "; and %d more", n-len(why))
	}
	return b.String()
}

// plainError says in words where JSON ends that is cut off.
func plainError(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return "it ends in the middle"
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("it is no JSON from byte %d on: %s", syntax.Offset, syntax.Error())
	}
	return err.Error()
}

// when reads LastModified, which AWS writes as 2026-11-28T10:11:12.123+0000. The
// zero time is that of a text that is no time.
func when(text string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05.999-0700", time.RFC3339Nano} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() >= 2014 && t.Year() < 2200 { // no function is older than the platform
			return t.UTC()
		}
	}
	return time.Time{}
}
