package trust

import "github.com/fnaudit/fnaudit/sbom/registry"

// identity judges whose name each package bears. The function itself and what
// no registry is asked about bear nobody's.
func identity(of *Of) []Signal {
	var out []Signal
	for i := range of.Components {
		c := &of.Components[i]
		p, _, ok := registry.ParsePURL(c.PURL)
		if !ok || c.Main {
			continue
		}
		out = append(out, privateHost(of, c, p)...)
	}
	return out
}
