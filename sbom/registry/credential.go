package registry

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// credential is what one address is told to know who asks. It is written
// nowhere: not into errors, not into the cache, not into Facts.Source.
type credential struct {
	scheme string // "https", or "http" where the registry itself is configured so
	host   string // lower case, with the port if the address has one
	path   string // ends in "/": only what is below it is told
	header string // value of the field Authorization
}

// authorization returns the Authorization field for a request; "" for an
// address that no credential of the system was given for.
func (c Config) authorization(s System, u *url.URL) string {
	for _, part := range strings.Split(u.Path, "/") {
		if part == ".." || part == "." { // would leave the prefix that is looked at
			return ""
		}
	}
	best, header := -1, ""
	for _, l := range c.logins[s] {
		if l.scheme == u.Scheme && l.host == strings.ToLower(u.Host) && strings.HasPrefix(u.Path, l.path) && len(l.path) > best {
			best, header = len(l.path), l.header
		}
	}
	return header
}

// login adds a credential for what is below an address that address() returned.
// The first one for a path is kept.
func (c *Config) login(s System, base, path, header string) {
	if u, err := url.Parse(base); err == nil && header != "" {
		c.logins[s] = append(c.logins[s], credential{u.Scheme, u.Host, path, header})
	}
}

// pathOf is the path of an address that address() returned.
func pathOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "/"
	}
	return u.Path
}

// basic is the field for a name and a password (RFC 7617); "" for none.
func basic(login *url.Userinfo) string {
	if login == nil {
		return ""
	}
	password, _ := login.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(login.Username()+":"+password))
}

// readNetrc returns the login of each machine of the user's netrc file, that of
// Go and pip. Its "default" entry is left out: it is bound to no host.
func readNetrc(env Environment) (map[string]*url.Userinfo, error) {
	for _, path := range []string{env.get("NETRC"), env.home(".netrc"), env.home("_netrc")} {
		text, err := env.file(path)
		if err != nil {
			return nil, err
		}
		if text != "" {
			return parseNetrc(text), nil
		}
	}
	return nil, nil
}

// parseNetrc reads the netrc format; of several entries for one machine the
// first counts.
func parseNetrc(text string) map[string]*url.Userinfo {
	logins := map[string]*url.Userinfo{}
	var machine, user, password string
	end := func() {
		if _, twice := logins[machine]; machine != "" && password != "" && !twice {
			logins[machine] = url.UserPassword(user, password)
		}
		machine, user, password = "", "", ""
	}
	macro := false
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if macro = macro && len(fields) > 0; macro { // a macro lasts until an empty line
			continue
		}
		for i := 0; i < len(fields); i++ {
			value := ""
			if i+1 < len(fields) {
				value = fields[i+1]
			}
			switch {
			case fields[i] == "machine":
				end()
				machine = strings.ToLower(value)
			case fields[i] == "login":
				user = value
			case fields[i] == "password":
				password = value
			case fields[i] == "account":
			case fields[i] == "default":
				end()
				continue
			case fields[i] == "macdef":
				macro = true
				i = len(fields)
			case strings.HasPrefix(fields[i], "#"):
				i = len(fields)
			default:
				continue
			}
			i++
		}
	}
	end()
	return logins
}

// netrcLogin adds what netrc knows of an address's host, unless the address
// itself came with a login.
func (c *Config) netrcLogin(s System, base string, logins map[string]*url.Userinfo) {
	u, err := url.Parse(base)
	if err != nil || logins[u.Hostname()] == nil {
		return
	}
	for _, l := range c.logins[s] {
		if l.scheme == u.Scheme && l.host == u.Host {
			return
		}
	}
	c.login(s, base, "/", basic(logins[u.Hostname()]))
}
