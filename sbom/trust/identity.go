package trust

import "github.com/fnaudit/fnaudit/sbom/registry"

// identity judges whose name each package bears, whether anybody knows it, and
// how new it is. The function itself is published nowhere, and of what is no
// package of a registry nobody is asked.
func identity(of *Of) []Signal {
	var out []Signal
	for i := range of.Components {
		c := &of.Components[i]
		p, _, ok := registry.ParsePURL(c.PURL)
		if !ok || c.Main {
			continue
		}
		s := of.Standings[c.PURL]
		out = append(out, privateHost(of, c, p)...)
		if !of.Private.Match(p) {
			out = append(out, lookalike(c, p)...)
		}
		out = append(out, unknownTo(of, c, p, s)...)
		out = append(out, novelty(of, c, s)...)
	}
	return out
}
