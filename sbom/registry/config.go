package registry

// Config says which registry is asked about which packages: the configuration
// of the ecosystems' own tools, of the user and of the machine, never that of
// what is audited. The zero value asks deps.dev about everything.
type Config struct{}

// Endpoint is who answers for a package.
type Endpoint struct {
	URL    string // base address of the registry; "": deps.dev
	Refuse string // why nobody is asked: a mirror whose protocol is not spoken, a registry switched off
}

// For says who is asked about a package.
func (c Config) For(p Package) Endpoint { return Endpoint{} }
