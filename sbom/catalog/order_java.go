package catalog

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// javaOrder applies the class path of AWS Lambda's Java runtimes: /var/task,
// /var/task/lib/*.jar, then /opt/java/lib/*.jar, the archives of a folder in
// the order of their names
// (https://docs.aws.amazon.com/lambda/latest/dg/java-package.html, "loads JAR
// files in Unicode alphabetical order", and packaging-layers.html, as of
// 2026-08). Of one artifact in several versions the first wins: the classes of
// the later ones are not reached. What lies elsewhere, or inside another
// archive, is loaded by rules of its own and stays as it is.
func (c *composition) javaOrder() {
	if c.fn.Platform != bundle.PlatformAWS {
		return
	}
	at := map[string][]int{} // package -> places on the class path
	for i := range c.places {
		p := &c.places[i]
		if _, ok := javaRank(p); ok {
			k := c.key(p.found) + " " + p.found.classifier
			at[k] = append(at[k], i)
		}
	}
	for _, list := range at {
		if len(list) < 2 {
			continue
		}
		first := slices.MinFunc(list, func(i, j int) int { return comparePlaces(&c.places[i], &c.places[j]) })
		for _, i := range list {
			if comparePlaces(&c.places[first], &c.places[i]) != 0 {
				c.places[i].state = sbom.Shadowed
			}
		}
	}
}

func comparePlaces(a, b *place) int {
	x, _ := javaRank(a)
	y, _ := javaRank(b)
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.path, b.path))
}

// javaRank returns the place of an archive's folder on the class path, false
// for a package that is not on it by way of an archive of its own: a copy that
// was merged into another archive may have been moved to another name.
func javaRank(p *place) (int, bool) {
	f := p.found
	if f.typ != "maven" || p.state != sbom.Live || f.archive == "" || strings.Contains(f.archive, "!/") || path.Ext(f.archive) != ".jar" {
		return 0, false
	}
	switch path.Dir(p.path) {
	case "var/task/lib":
		return 1, true
	case "opt/java/lib":
		return 2, true
	}
	return 0, false
}
