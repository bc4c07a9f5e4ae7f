package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
)

// maxConfig is how long a configuration file may be, in bytes.
const maxConfig = 1 << 20

// Environment is where the configuration of the ecosystems' tools lies: that of
// the user and of the machine. Nothing is read from the current folder, because
// that may belong to what is audited; a relative path counts as an error for
// the same reason. The zero value configures nothing.
type Environment struct {
	Getenv    func(name string) string          // nil: no variable is set
	ReadFile  func(path string) ([]byte, error) // nil: there are no files
	Home      string                            // the user's home folder; "": none
	ConfigDir string                            // the user's configuration folder, as os.UserConfigDir; "": none
	GOROOT    string                            // of the Go installation; "": none
}

// Config says which registry is asked about which packages: the configuration
// of the ecosystems' own tools, of the user and of the machine, never that of
// what is audited. The zero value asks deps.dev about everything. It is safe
// for concurrent use.
//
// A file that is there and cannot be read switches its ecosystem off instead of
// leaving it to deps.dev: it may name a mirror whose packages are nobody's business.
type Config struct {
	npm     npmConfig
	golang  goConfig
	python  pipConfig
	refused map[System]string       // why nobody is asked
	logins  map[System][]credential // for their own addresses only
}

// Endpoint is who answers for a package.
type Endpoint struct {
	URL    string  // base address of the registry, ends in "/", without credentials; "": deps.dev
	Others []Other // asked after URL, in order; what that means is the system's: see Other
	Refuse string  // why nobody is asked: a mirror whose protocol is not spoken, a registry switched off
	Own    bool    // the configuration gives names like this one a registry of their own, which may be told even private names
	Public bool    // what none of these has, the tool's built-in registry is asked for: deps.dev here

	visit   *visit // while a package is looked up: see Client.document
	private bool   // it is asked about a private name, which no other host may be told of
}

// Other is a further registry for a package. Each index of pip is asked, since
// pip takes the best version of all of them; a proxy of Go is asked when the
// one before it has no such module.
type Other struct {
	URL   string
	Error bool // Go: also when the one before could not answer ("|" in GOPROXY)
}

// ReadConfig reads the configuration of npm, Go, pip, Maven, NuGet, Cargo and
// Bundler. It has no error: what is wrong is the Refuse of the packages concerned.
//
// Not read are the files of their relatives (Yarn, pnpm, Bun, uv, Poetry, Gradle,
// gem), those of virtual environments, and the registries built into the tools,
// which are written in no file.
func ReadConfig(env Environment) Config {
	c := Config{refused: map[System]string{}, logins: map[System][]credential{}}
	for s, read := range map[System]func(*Config, Environment) error{
		NPM: readNPM, Go: readGo, PyPI: readPip,
		Maven: readMaven, NuGet: readNuGet, Cargo: readCargo, RubyGems: readBundler,
	} {
		if err := read(&c, env); err != nil {
			c.refused[s] = err.Error() + ": nothing is asked"
		}
	}
	return c
}

// For says who is asked about a package.
func (c Config) For(p Package) Endpoint {
	if why := c.refused[p.System]; why != "" {
		return Endpoint{Refuse: why}
	}
	switch p.System {
	case NPM:
		return c.npm.endpoint(p.Name)
	case Go:
		return c.golang.endpoint(p.Name)
	case PyPI:
		return c.python.endpoint()
	}
	return Endpoint{}
}

// get returns a variable; "" when it is not set.
func (e Environment) get(name string) string {
	if e.Getenv == nil {
		return ""
	}
	return e.Getenv(name)
}

// first returns the first variable that is set.
func (e Environment) first(names ...string) string {
	for _, n := range names {
		if v := e.get(n); v != "" {
			return v
		}
	}
	return ""
}

// home returns a path in the user's home folder; "" when there is none.
func (e Environment) home(parts ...string) string { return under(e.Home, parts...) }

// under joins a path; "" stays "".
func under(folder string, parts ...string) string {
	if folder == "" {
		return ""
	}
	return filepath.Join(append([]string{folder}, parts...)...)
}

// file returns the text of a configuration file; "" when there is none.
func (e Environment) file(path string) (string, error) {
	if path == "" || e.ReadFile == nil {
		return "", nil
	}
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("the configuration file %q is not an absolute path, and nothing is read from the current folder", path)
	}
	b, err := e.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read the configuration file %s: %w", path, err)
	case len(b) > maxConfig:
		return "", fmt.Errorf("the configuration file %s is over %d bytes", path, maxConfig)
	}
	return strings.TrimPrefix(string(b), "\ufeff"), nil
}

// address takes the credentials out of a configured address and returns the
// rest, ending in "/". The error does not repeat the address, which may hold a password.
func address(raw, where string) (base string, login *url.Userinfo, err error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", nil, fmt.Errorf("%s is not the http or https address of a registry", where)
	}
	login, u.User = u.User, nil
	u.Host = strings.ToLower(u.Host)
	if !strings.HasSuffix(u.Path, "/") {
		u = u.JoinPath("/")
	}
	return u.String(), login, nil
}

// mirrored is the error for a mirror whose protocol is not spoken.
func mirrored(tool, raw string) error {
	host := "somewhere else"
	if u, err := url.Parse(strings.TrimSpace(raw)); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	return fmt.Errorf("the configuration of %s names the mirror %s, whose protocol is not spoken yet", tool, host)
}
