package policy

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaNode is what the tests look at of a JSON Schema.
type schemaNode struct {
	Ref         string                 `json:"$ref"`
	Description string                 `json:"description"`
	Properties  map[string]*schemaNode `json:"properties"`
	Items       *schemaNode            `json:"items"`
	Additional  json.RawMessage        `json:"additionalProperties"`
	Enum        []string               `json:"enum"`
	Defs        map[string]*schemaNode `json:"$defs"`
}

// TestSchemaKeys holds that schema and program know the same keys, and that
// each has a description and refuses others beside it.
func TestSchemaKeys(t *testing.T) {
	var root schemaNode
	if err := json.Unmarshal(Schema, &root); err != nil {
		t.Fatal(err)
	}
	got, want := map[string]bool{}, map[string]bool{}
	schemaKeys(t, &root, &root, "", got)
	eachKey(reflect.TypeFor[file](), "", func(section, key string) {
		if section+"."+key != "grace.malware" && section+"."+key != "functions[].grace.malware" { // known so that the error can say why
			want[section+"."+key] = true
		}
	})
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !got[key] {
			t.Errorf("the schema lacks %s", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if !want[key] {
			t.Errorf("the program does not know %s", key)
		}
	}
	if len(want) < 150 {
		t.Errorf("only %d keys found", len(want))
	}
}

func schemaKeys(t *testing.T, root, n *schemaNode, path string, out map[string]bool) {
	if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
		n = root.Defs[name]
	}
	if n.Items != nil {
		schemaKeys(t, root, n.Items, path+"[]", out)
	}
	free := &schemaNode{}
	if len(n.Additional) > 0 && n.Additional[0] == '{' {
		if err := json.Unmarshal(n.Additional, free); err != nil {
			t.Fatal(err)
		}
		schemaKeys(t, root, free, strings.TrimPrefix(path+".*", "."), out)
	}
	if len(n.Properties) > 0 && string(n.Additional) != "false" {
		t.Errorf("%s lets other keys pass", path)
	}
	for name, p := range n.Properties {
		below := strings.TrimPrefix(path+"."+name, ".")
		if strings.HasSuffix(path, ".origins") || strings.HasSuffix(path, "registries") || path == "fail.origins" { // in the program a mapping of checked names
			schemaKeys(t, root, p, path+".*", out)
			continue
		}
		if p.Description == "" {
			t.Errorf("%s has no description", below)
		}
		out[path+"."+name] = true
		schemaKeys(t, root, p, below, out)
	}
}

// TestSchemaWords holds that the words that the schema offers are those that
// the program reads.
func TestSchemaWords(t *testing.T) {
	var root schemaNode
	if err := json.Unmarshal(Schema, &root); err != nil {
		t.Fatal(err)
	}
	p := root.Properties
	for name, c := range map[string]struct{ got, want []string }{
		"extends":          {p["extends"].Enum, Names()},
		"require":          {p["require"].Items.Enum, checkNames},
		"unknown_severity": {p["unknown_severity"].Enum, severities},
		"unmatched":        {p["incomplete"].Properties["unmatched"].Items.Enum, origins},
		"certainty":        {root.Defs["line"].Properties["certainty"].Enum, certainties},
		"platform":         {p["functions"].Items.Properties["match"].Properties["platform"].Enum, platforms},
		"artifact kind":    {p["artifacts"].Items.Properties["match"].Properties["kind"].Items.Enum, artifactKinds},
		"origins":          {slices.Sorted(maps.Keys(root.Defs["line"].Properties["origins"].Properties)), slices.Sorted(slices.Values(origins))},
		"registries":       {slices.Sorted(maps.Keys(p["dependencies"].Properties["registries"].Properties)), slices.Sorted(slices.Values(registryTypes))},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: schema %q, program %q", name, c.got, c.want)
		}
	}
}

// TestSchemaValidates holds that every policy of the cases that can be read is
// valid by the schema, and that what is wrong by a key or a word is not.
func TestSchemaValidates(t *testing.T) {
	schema := compiled(t)
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(casesDir + "/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	good, bad := 0, 0
	for _, file := range append(files, more...) {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if !strings.HasPrefix(f.Name, "policy") || strings.HasPrefix(string(f.Data), "builtin:") {
				continue
			}
			found := Problems(f.Data)
			if len(found) == 0 {
				good++
				if err := validPolicy(t, schema, f.Data); err != nil {
					t.Errorf("%s: a good policy is not valid: %v", file, err)
				}
				continue
			}
			for _, p := range found {
				if strings.Contains(p.Text, "there is no such key") || strings.Contains(p.Text, "is not one of critical") || strings.Contains(p.Text, ": want ") {
					bad++
					if validPolicy(t, schema, f.Data) == nil {
						t.Errorf("%s: valid by the schema: %s", file, p.Text)
					}
				}
			}
		}
	}
	if good < 40 || bad < 5 {
		t.Errorf("only %d good and %d bad policies were tried", good, bad)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("policy.json", value); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// validPolicy checks YAML text against the schema.
func validPolicy(t *testing.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	data, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

// TestSchemaEmpty holds that the schema refuses what has no value, as Parse does.
func TestSchemaEmpty(t *testing.T) {
	schema := compiled(t)
	for _, text := range []string{
		"fail: {fixable: }", "waivers: [~]", "require:", "database: {max_age: \"\"}", "functions: [{match: {name: \"\"}, fail: {severity: low}}]",
		"waivers: [{id: CVE-2021-1, component: \"\", reason: r, owner: o, expires: 2027-01-01}]",
	} {
		data := []byte("version: 1\n" + text + "\n")
		if _, err := Parse(data, "p.yaml"); err == nil {
			t.Errorf("%s: it is read", text)
		}
		if validPolicy(t, schema, data) == nil {
			t.Errorf("%s: valid by the schema", text)
		}
	}
}
