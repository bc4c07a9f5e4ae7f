package registry

import "net/url"

// Config says which registry is asked about which packages: the configuration
// of the ecosystems' own tools, of the user and of the machine, never that of
// what is audited. The zero value asks deps.dev about everything.
type Config struct{}

// Endpoint is who answers for a package.
type Endpoint struct {
	URL    string // base address of the registry; "": deps.dev
	Refuse string // why nobody is asked: a mirror whose protocol is not spoken, a registry switched off
	Own    bool   // the configuration gives names like this one a registry of their own, which may be told even private names
	Public bool   // what none of these has, the tool's built-in registry is asked for: deps.dev here
}

// For says who is asked about a package.
func (c Config) For(p Package) Endpoint { return Endpoint{} }

// authorization returns the Authorization field for a request; "" for an
// address that no credential of the system was given for.
func (c Config) authorization(s System, u *url.URL) string { return "" }
