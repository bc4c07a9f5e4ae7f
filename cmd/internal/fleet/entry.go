package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Bounds of one entry: AWS's own, with some room
// (https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html, read 2026-11-28).
const (
	maxName    = 140
	maxARN     = 400
	maxLayers  = 32 // AWS allows 5
	maxMembers = 1000
)

// members are the members of an object that an export is asked for, by their
// exact name.
type members struct {
	raw map[string]json.RawMessage
	n   int
	err error // a member that was asked for is there twice
}

// wanted are the members that are kept. The environment, which holds secrets,
// is none of them.
var wanted = []string{
	"FunctionName", "FunctionArn", "Version", "Runtime", "PackageType", "CodeSha256", "CodeSize", "LastModified", "Layers", "State", "Architectures",
	"NextMarker", "NextToken", "Configuration", "Code", "ResolvedImageUri",
	"Arn", "LayerVersionArn", "Content", "AliasArn", "FunctionVersion", "RoutingConfig", "AdditionalVersionWeights", "MasterArn", "Tags", "PaginationToken", "ResourceARN", "Key", "Value",
}

// take reads the value of a member. encoding/json would take the last of two
// with one name, and another program the first: that is an error.
func (m *members) take(dec *json.Decoder, key string) error {
	var value json.RawMessage
	if err := dec.Decode(&value); err != nil {
		return err
	}
	if m.n++; m.n > maxMembers {
		return fmt.Errorf("one object has more than %d members", maxMembers)
	}
	if !slices.Contains(wanted, key) {
		return nil
	}
	if m.raw == nil {
		m.raw = map[string]json.RawMessage{}
	}
	if _, twice := m.raw[key]; twice {
		m.err = fmt.Errorf("%s comes twice in one object", key)
	}
	m.raw[key] = value
	return nil
}

// object reads the members of a whole object.
func object(raw json.RawMessage) (members, error) {
	var m members
	dec := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return m, errors.New("an entry is no object")
	}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return m, err
		}
		if err := m.take(dec, tok.(string)); err != nil {
			return m, err
		}
	}
	return m, m.err
}

// pair is a member of an object whose names are data.
type pair struct {
	key   string
	value json.RawMessage
}

// pairs reads a member that is an object with at most n members of any name, none
// of them twice.
func (m members) pairs(key string, n int) ([]pair, error) {
	if !m.there(key) {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(m.raw[key]))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil, fmt.Errorf("%s is no object", key)
	}
	var out []pair
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, err
		}
		p := pair{key: tok.(string)}
		if err := dec.Decode(&p.value); err != nil {
			return nil, err
		}
		if len(out) == n {
			return nil, fmt.Errorf("%s has more than %d members", key, n)
		}
		if slices.ContainsFunc(out, func(have pair) bool { return have.key == p.key }) {
			return nil, fmt.Errorf("%s names one member twice", key)
		}
		out = append(out, p)
	}
	return out, nil
}

// there says whether a member has a value other than null, "" among them.
func (m members) there(key string) bool {
	v, ok := m.raw[key]
	return ok && string(v) != "null" && string(v) != `""`
}

// text reads a member that is text of at most n bytes; "" when it is not there.
func (m members) text(key string, n int) (string, error) {
	var s string
	if !m.there(key) {
		return "", nil
	}
	if err := json.Unmarshal(m.raw[key], &s); err != nil {
		return "", fmt.Errorf("%s is no text", key)
	}
	if len(s) > n {
		return "", fmt.Errorf("%s is longer than %d bytes", key, n)
	}
	return s, nil
}

// size reads a member that is a count of bytes; 0 when it is not there.
func (m members) size(key string) (int64, error) {
	var n int64
	if !m.there(key) {
		return 0, nil
	}
	if err := json.Unmarshal(m.raw[key], &n); err != nil || n < 0 {
		return 0, fmt.Errorf("%s is no size", key)
	}
	return n, nil
}

// list reads a member that is an array of at most n values.
func (m members) list(key string, n int) ([]json.RawMessage, error) {
	var list []json.RawMessage
	if !m.there(key) {
		return nil, nil
	}
	if err := json.Unmarshal(m.raw[key], &list); err != nil {
		return nil, fmt.Errorf("%s is no list", key)
	}
	if len(list) > n {
		return nil, fmt.Errorf("%s has more than %d entries", key, n)
	}
	return list, nil
}

// fields reads the texts of an entry, each of its own characters and length, so
// that nothing an export holds has to be trusted with where it is printed.
func (m members) fields(into map[string]*string) error {
	for _, f := range []struct {
		key   string
		n     int
		chars string // besides letters and digits
	}{
		{"FunctionName", maxName, "-_."}, {"FunctionArn", maxARN, "-_.:$/"}, {"Version", 32, "$"}, {"Runtime", 64, "-_."},
		{"PackageType", 16, ""}, {"CodeSha256", 100, "+/=:"}, {"LastModified", 64, "-:.+"}, {"State", 32, ""}, {"MasterArn", maxARN, "-_.:$/"},
	} {
		s, err := m.text(f.key, f.n)
		if err != nil {
			return err
		}
		if !plain(s, f.chars) {
			return fmt.Errorf("%s has characters that none has", f.key)
		}
		*into[f.key] = s
	}
	return nil
}

// plain says whether a text is of letters, digits and the given characters.
func plain(s, chars string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte(chars, c) < 0 {
			return false
		}
	}
	return true
}

// deployed reads a function. image is the digest that get-function says the image
// has. master is the name of the function that it is a replica of, in another
// region; "" when it is none.
func deployed(m members, image string) (d finding.Deployed, master string, err error) {
	var kind, sum, modified, of string
	err = m.fields(map[string]*string{"FunctionName": &d.Name, "FunctionArn": &d.ARN, "Version": &d.Version, "Runtime": &d.Runtime,
		"PackageType": &kind, "CodeSha256": &sum, "LastModified": &modified, "State": &d.State, "MasterArn": &of})
	if err == nil && d.Name == "" {
		err = errors.New("field FunctionName is missing")
	}
	if err != nil {
		return d, "", named(d.Name, err)
	}
	if d.Size, err = m.size("CodeSize"); err != nil {
		return d, "", named(d.Name, err)
	}
	if err := place(&d); err != nil {
		return d, "", named(d.Name, err)
	}
	if of != "" {
		f, ok := parseFunction(of)
		if !ok {
			return d, "", named(d.Name, errors.New("field MasterArn is not the ARN of a function"))
		}
		master = f.name
	}
	if err := settings(&d, m); err != nil {
		return d, "", named(d.Name, err)
	}
	d.Package, d.Modified = strings.ToLower(kind), when(modified)
	if kind == "" {
		d.Package = strings.ToLower(packageZip)
	}
	d.Digest, d.DigestReason = codeDigest(kind, sum)
	switch {
	case image == "":
	case kind != packageImage || sum != "" && d.Digest != image:
		d.Digest, d.DigestReason = "", "CodeSha256 and ResolvedImageUri name different images"
	default:
		d.Digest, d.DigestReason = image, ""
	}
	return d, master, nil
}

func named(name string, err error) error {
	if name == "" || !plain(name, "-_.") || len(name) > maxName {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// place takes account, region and version from the ARN, which has to agree with
// the rest.
func place(d *finding.Deployed) error {
	if d.Version != "" && !isVersion(d.Version) {
		return errors.New("field Version is no version")
	}
	if d.ARN == "" {
		return nil
	}
	f, ok := parseFunction(d.ARN)
	if !ok {
		return errors.New("field FunctionArn is not the ARN of a function")
	}
	if f.name != d.Name {
		return errors.New("field FunctionArn names another function")
	}
	if isVersion(f.qualifier) {
		if d.Version != "" && d.Version != f.qualifier {
			return errors.New("field FunctionArn names another version")
		}
		d.Version = f.qualifier
	}
	d.Account, d.Region = f.account, f.region
	return nil
}

// settings takes what is listed: layers and architecture.
func settings(d *finding.Deployed, m members) error {
	layers, err := m.list("Layers", maxLayers)
	if err != nil {
		return err
	}
	for _, raw := range layers {
		l, err := object(raw)
		if err != nil {
			return fmt.Errorf("field Layers: %w", err)
		}
		var layer finding.DeployedLayer
		if layer.ARN, err = l.text("Arn", maxARN); err != nil {
			return fmt.Errorf("field Layers: %w", err)
		}
		if layer.Size, err = l.size("CodeSize"); err != nil {
			return fmt.Errorf("field Layers: %w", err)
		}
		if _, ok := parseLayer(layer.ARN); !ok {
			return errors.New("field Layers: one is not named by the ARN of a version")
		}
		d.Layers = append(d.Layers, layer)
	}
	list, err := m.list("Architectures", 8)
	if err != nil {
		return err
	}
	if len(list) == 1 {
		if err := json.Unmarshal(list[0], &d.Architecture); err != nil || !plain(d.Architecture, "_-") || len(d.Architecture) > 32 {
			return errors.New("field Architectures holds no architecture")
		}
	}
	return nil
}
