package report_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// htmlPage is what a browser makes of a page.
type htmlPage struct {
	elements []*html.Node
	policy   string           // Content-Security-Policy
	run      map[string]int   // digests of what runs or styles
	blocks   map[string][]any // the data
	text     string           // of the static table
}

// htmlRead parses a page and opens its blocks.
func htmlRead(text []byte) (*htmlPage, error) {
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	p := &htmlPage{run: map[string]int{}, blocks: map[string][]any{}}
	var walk func(*html.Node, bool) error
	walk = func(n *html.Node, static bool) error {
		if n.Type == html.ElementNode {
			p.elements = append(p.elements, n)
			static = static || htmlAttribute(n, "id") == "static"
			if err := p.element(n); err != nil {
				return err
			}
		}
		if n.Type == html.TextNode && static {
			p.text += n.Data + "\n"
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if err := walk(c, static); err != nil {
				return err
			}
		}
		return nil
	}
	return p, walk(root, false)
}

func (p *htmlPage) element(n *html.Node) error {
	inside := ""
	if n.FirstChild != nil {
		inside = n.FirstChild.Data
	}
	switch kind := htmlAttribute(n, "type"); {
	case n.Data == "meta" && htmlAttribute(n, "http-equiv") == "Content-Security-Policy":
		p.policy = htmlAttribute(n, "content")
	case n.Data == "style", n.Data == "script" && kind == "":
		sum := sha256.Sum256([]byte(inside))
		p.run["'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'"]++
	case n.Data == "script" && kind == "application/gzip":
		values, err := htmlBlock(inside)
		if err != nil {
			return fmt.Errorf("block %s: %w", htmlAttribute(n, "id"), err)
		}
		p.blocks[htmlAttribute(n, "id")] = values
	case n.Data == "script":
		return fmt.Errorf("a script of type %q", kind)
	}
	return nil
}

func htmlBlock(text string) ([]any, error) {
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	var values []any
	return values, json.Unmarshal(raw, &values)
}

func htmlAttribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// htmlElements are those that a page may hold; what a document says adds none.
var htmlElements = strings.Fields("html head meta title style script body a header nav div main section h1 p table caption thead tbody tr th td span small ul li footer")

// htmlValid checks that a page is what it says it is: no element and no
// attribute that acts or loads, and a policy that names just what is there.
func htmlValid(text []byte) error {
	p, err := htmlRead(text)
	if err != nil {
		return err
	}
	for _, n := range p.elements {
		if !slices.Contains(htmlElements, n.Data) {
			return fmt.Errorf("element <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" || a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
				return fmt.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
	for digest := range p.run {
		if !strings.Contains(p.policy, digest) {
			return fmt.Errorf("the policy %q lacks %s", p.policy, digest)
		}
	}
	if len(p.run) != 3 || strings.Count(p.policy, "sha256-") != 3 || !strings.HasPrefix(p.policy, "default-src 'none'; ") || strings.Contains(p.policy, "unsafe") {
		return fmt.Errorf("policy %q of %d scripts and styles", p.policy, len(p.run))
	}
	for _, name := range []string{"run", "functions", "components", "findings"} {
		if _, ok := p.blocks[name]; !ok {
			return fmt.Errorf("no block %q", name)
		}
	}
	if err := htmlSeen(p.blocks); err != nil {
		return err
	}
	return inert([]byte(p.text))
}

// htmlSeen says which text of the data holds a character that is not seen.
func htmlSeen(v any) error {
	switch v := v.(type) {
	case string:
		if strings.ContainsFunc(v, codec.Unsafe) {
			return fmt.Errorf("text %q", v)
		}
	case map[string][]any:
		for _, x := range v {
			if err := htmlSeen(x); err != nil {
				return err
			}
		}
	case map[string]any:
		for k, x := range v {
			if err := errors.Join(htmlSeen(k), htmlSeen(x)); err != nil {
				return err
			}
		}
	case []any:
		for _, x := range v {
			if err := htmlSeen(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// What a page holds, without the script and the style, and opened.
func TestHTMLGolden(t *testing.T) {
	for name, doc := range map[string]*finding.Document{"fail": samples()["fail"], "rescanned": htmlRescanned()} {
		text := write(t, "html", doc, report.Options{})
		p, err := htmlRead(text)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.MarshalIndent(p.blocks, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		start, end := bytes.Index(text, []byte("<section id=\"static\"")), bytes.Index(text, []byte("</section>"))
		golden(t, name+".html.txt", slices.Concat(text[start:end], []byte("</section>\n"), data, []byte("\n")))
	}
}

// Every function, component and finding of the document is in the page, and an
// index leads to the right one.
func TestHTMLIndexes(t *testing.T) {
	doc := htmlFleet(40)
	p, err := htmlRead(write(t, "html", doc, report.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	field := func(v any, name string) any { return v.(map[string]any)[name] }
	for i, r := range doc.Functions {
		f := p.blocks["functions"][i]
		details := p.blocks[fmt.Sprintf("details-%v", field(f, "block"))][int(field(f, "index").(float64))]
		if got := field(field(details, "artifacts").([]any)[0], "ref"); got != r.Artifacts[0].Ref || field(f, "name") != r.Name {
			t.Fatalf("function %d is %v with the details of %v", i, field(f, "name"), got)
		}
		for j, c := range r.Components {
			if got := p.blocks["components"][int(field(f, "components").([]any)[j].(float64))]; field(got, "purl") != c.PURL {
				t.Fatalf("%s: component %d is %v, want %s", r.Name, j, got, c.PURL)
			}
			if got := field(field(field(details, "places").([]any)[j], "locations").([]any)[0], "path"); got != c.Locations[0].Path {
				t.Fatalf("%s: component %d lies in %v, want %s", r.Name, j, got, c.Locations[0].Path)
			}
		}
		for j, want := range r.Findings {
			got := p.blocks["findings"][int(field(f, "findings").([]any)[j].(float64))]
			if of := p.blocks["components"][int(field(got, "of").(float64))]; field(got, "id") != want.ID || field(of, "purl") != want.Component {
				t.Fatalf("%s: finding %d is %v of %v", r.Name, j, got, of)
			}
		}
	}
	if n := len(p.blocks["components"]); n < 1000 || n > 12000 {
		t.Errorf("%d different components: each is to be there once", n)
	}
}

// Huge texts and lists are cut, and the page says so.
func TestHTMLCut(t *testing.T) {
	r := failing()
	r.Name = strings.Repeat("\u202e<b>", 200_000)
	r.Verdict.Reasons = make([]string, 500)
	for i := range r.Verdict.Reasons {
		r.Verdict.Reasons[i] = fmt.Sprint("reason ", i)
	}
	for i := range 100_000 {
		r.Unknowns = append(r.Unknowns, finding.Unknown{Path: fmt.Sprint("file-", i), Kind: "opaque", Reason: "nobody knows"})
	}
	for range 1000 {
		r.Components[0].Locations = append(r.Components[0].Locations, finding.Location{Path: strings.Repeat("a/", 5000)})
	}
	text := write(t, "html", wrapDocument(r), report.Options{})
	if err := htmlValid(text); err != nil {
		t.Fatal(err)
	}
	if len(text) > 250_000 {
		t.Errorf("%d bytes", len(text))
	}
	p, _ := htmlRead(text)
	data, _ := json.Marshal(p.blocks["details-0"])
	for _, want := range []string{`"more":{"unknowns":99004}`, `"more":989`, "(cut: 10000 bytes)"} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("no %s in the details", want)
		}
	}
	for _, want := range []string{"and 488 more", "(cut: "} {
		if !strings.Contains(p.text, want) {
			t.Errorf("no %q in the static table", want)
		}
	}
}

// A text that is not plain is decoded, cut and made visible; what is plain is
// copied.
func FuzzHTMLText(f *testing.F) {
	f.Add(hostile)
	f.Add(`\u202e"\\"</script><!--` + "\u2028\xff")
	f.Fuzz(func(t *testing.T, s string) {
		r := passing("hello")
		r.Name, r.Verdict.Reasons, r.Components[0].Hashes = s, []string{s}, map[string]string{s: s}
		r.Components[0].Locations[0].Path = s
		if err := htmlValid(write(t, "html", wrapDocument(r), report.Options{})); err != nil {
			t.Fatal(err)
		}
	})
}
