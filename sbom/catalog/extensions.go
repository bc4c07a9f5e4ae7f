package catalog

import (
	"fmt"
	"path"
	"sort"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// extensionFolder is where AWS Lambda looks for external extensions: it starts
// every executable file directly in it beside the function, in the same
// environment and with the same credentials
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-extensions.html).
const extensionFolder = "opt/extensions/"

// maxExtensions is how many files there are listed. The platform starts ten
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxExtensions = 50

// extensions lists the files that the platform starts beside the function and
// that nothing else was found to be: a Go program there is its module already.
// Their modes are not asked, since a zip may have lost them. What is over the
// limit is an unknown.
func (c *composition) extensions() (list []sbom.Component, left []sbom.Unknown) {
	if c.fn.Platform != "" && c.fn.Platform != bundle.PlatformAWS {
		return nil, nil
	}
	files := c.fn.Tree.Files()
	first := sort.Search(len(files), func(i int) bool { return files[i].Path >= extensionFolder })
	known := map[string]bool{}
	for i := range c.places {
		if p := &c.places[i]; strings.HasPrefix(p.path, extensionFolder) && p.found.name != "" {
			known[p.path] = true
		}
	}
	for _, f := range files[first:] {
		name, below := strings.CutPrefix(f.Path, extensionFolder)
		switch {
		case !below:
			return list, left
		case strings.Contains(name, "/") || known[f.Path]:
			continue
		case len(list) == maxExtensions:
			return list, []sbom.Unknown{{Artifact: f.Layer, Path: path.Dir(c.inArtifact(f)), Kind: sbom.Limit, Code: true,
				Reason: fmt.Sprintf("more than %d files in /opt/extensions: the rest is not listed", maxExtensions)}}
		}
		list = append(list, c.extension(f, name))
	}
	return list, left
}

// extension is one of them as a component. Its version is not known.
func (c *composition) extension(f bundle.File, name string) sbom.Component {
	at := c.inArtifact(f)
	p := place{found: &found{path: at}, artifact: f.Layer, path: f.Path, state: sbom.Live}
	origin, digest := c.origin(&p)
	return sbom.Component{
		PURL: sbom.PURL("generic", name, ""), Name: name, State: sbom.Live, Origin: origin,
		Occurrences: []sbom.Occurrence{{Artifact: f.Layer, Layer: digest, Path: at, State: sbom.Live}},
		Evidence:    []sbom.Evidence{{Method: sbom.MethodExtension, Confidence: 0.9, Artifact: f.Layer, Path: at, Detail: "the platform starts it beside the function"}},
	}
}

// inArtifact is the path of a file of the tree inside its artifact.
func (c *composition) inArtifact(f bundle.File) string {
	return strings.TrimPrefix(strings.TrimPrefix(f.Path, c.mount(f.Layer)), "/")
}
