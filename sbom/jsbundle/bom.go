package jsbundle

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// BOM reads the CycloneDX document that a bundler's plugin wrote beside a bundle
// (bom.json, .well-known/sbom). Such a document says nothing about sizes, so that
// nothing in it can agree with the bytes: its claims are only declared, see
// Confirmed. The error says that it is no such document, or was made by another
// tool, or cannot be read to its end.
func BOM(data []byte, from string) (Account, error) {
	r := newJSONReader(data)
	b := bom{jsonReader: r}
	err := r.object(func(key string) (err error) {
		switch key {
		case "bomFormat":
			b.format, err = r.text()
			return err
		case "metadata":
			return b.metadata()
		case "components":
			return r.array(b.component)
		}
		return r.skip()
	})
	if err == nil {
		err = r.end()
	}
	switch {
	case err != nil:
	case b.format != "CycloneDX":
		err = fmt.Errorf("it is no CycloneDX document")
	case !b.bundler:
		err = fmt.Errorf("no bundler is among the tools that made it")
	}
	if err != nil {
		return Account{}, fmt.Errorf("read SBOM %s: %w", from, err)
	}
	a := Account{Gap: "an SBOM has no figures to hold against the bytes"}
	for _, p := range b.packages {
		a.Claims = append(a.Claims, Claim{Name: p.name, Version: p.version, Method: MethodMetafile, Confidence: accountDeclared, Offset: -1, From: from,
			Detail: "declared only: the SBOM that the bundler's plugin wrote lists it"})
	}
	a.Claims = unique(a.Claims)
	return a, nil
}

// Confirmed returns claims for those packages of an SBOM or another account that
// does not agree with the bytes which other evidence finds in the bytes, with the
// version that the account says: only where it says one, since nothing tells which
// of two is there. Where the bytes say versions and none is the account's, the
// claim is worth no more than a declaration: it shows the disagreement.
func Confirmed(declared, found []Claim) []Claim {
	versions := map[string][]string{}
	for _, c := range declared {
		if c.Version != "" && len(versions[c.Name]) < 2 && !slices.Contains(versions[c.Name], c.Version) {
			versions[c.Name] = append(versions[c.Name], c.Version)
		}
	}
	type release struct{ name, version string }
	said := map[release]bool{}     // of what is found
	versioned := map[string]bool{} // of what is found: whether with a version
	for _, c := range found {
		said[release{c.Name, c.Version}] = true
		versioned[c.Name] = versioned[c.Name] || c.Version != ""
	}
	var out []Claim
	for _, c := range declared {
		other, present := versioned[c.Name]
		if !present || c.Version == "" || len(versions[c.Name]) != 1 || said[release{c.Name, c.Version}] {
			continue
		}
		c.Confidence, c.Detail = 0.9, "its code is in the bundle, and the account of the bundler says this version"
		if other {
			c.Path = "" // where it was installed the bytes say
			c.Confidence, c.Detail = accountDeclared, "declared only: its code is in the bundle, and says otherwise than the account of the bundler"
		}
		out = append(out, c)
	}
	return unique(out)
}

// bom is what is kept of a document.
type bom struct {
	*jsonReader
	format   string
	bundler  bool
	packages []origin
}

// metadata looks for a bundler among the tools: an array of tools up to
// CycloneDX 1.4, an object with components from 1.5 on.
func (b *bom) metadata() error {
	return b.object(func(key string) error {
		if key != "tools" {
			return b.skip()
		}
		return b.tools()
	})
}

// tools looks at every text in the tools, however they are arranged.
func (b *bom) tools() error {
	for open := 0; ; {
		t, err := b.Token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case string:
			b.bundler = b.bundler || namesBundler(t)
		case json.Delim:
			if t == '{' || t == '[' {
				open++
			} else {
				open--
			}
		}
		if open > maxJSONDepth {
			return errDepth
		}
		if open == 0 {
			return nil
		}
	}
}

// namesBundler reports whether the name of a tool is that of a bundler or of a
// plugin of one.
func namesBundler(tool string) bool {
	return slices.ContainsFunc([]string{"webpack", "rollup", "esbuild", "rolldown", "rspack", "vite", "parcel", "rsbuild"}, func(name string) bool {
		return strings.Contains(strings.ToLower(tool), name)
	})
}

// component reads one component and those inside it.
func (b *bom) component() error {
	return b.object(func(key string) error {
		switch key {
		case "purl":
			purl, err := b.text()
			if p, ok := npmPURL(purl); ok {
				if len(b.packages) >= maxAccounted {
					return fmt.Errorf("more than %d components", maxAccounted)
				}
				b.packages = append(b.packages, p)
			}
			return err
		case "components":
			return b.array(b.component)
		}
		return b.skip()
	})
}

// npmPURL reads "pkg:npm/%40scope/name@1.2.3"
// (https://github.com/package-url/purl-spec).
func npmPURL(purl string) (origin, bool) {
	rest, ok := strings.CutPrefix(purl, "pkg:npm/")
	if !ok {
		return origin{}, false
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	rest, err := url.PathUnescape(rest)
	if err != nil {
		return origin{}, false
	}
	name, version := rest, ""
	if at := strings.LastIndexByte(rest, '@'); at > 0 {
		name, version = rest[:at], exact(rest[at+1:])
	}
	if packageName(name+"/") != name || name == "" {
		return origin{}, false
	}
	return origin{whose: packages, name: name, version: version}, true
}
