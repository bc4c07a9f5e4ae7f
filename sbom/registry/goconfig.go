package registry

import (
	"fmt"
	"strings"

	"golang.org/x/mod/module"
)

// goConfig is what Go's environment says of module proxies
// (https://go.dev/ref/mod#environment-variables).
type goConfig struct {
	proxies []Other // in order; none: nothing is configured
	refuse  string  // why no proxy is asked
	noProxy string  // patterns of modules that no proxy is told of
	noSum   string  // patterns of modules that the checksum database is not told of
	sumDB   string  // the checksum database, as GOSUMDB spells it; "off": none
}

// readGo reads the environment, the file that "go env -w" writes, and the file
// that the Go installation brings, in this order of precedence.
func readGo(c *Config, env Environment) error {
	user, err := goUserFile(env)
	if err != nil {
		return err
	}
	text, err := env.file(under(env.GOROOT, "go.env"))
	if err != nil {
		return err
	}
	installed := parseGoEnv(text)
	get := func(name string) string {
		for _, v := range []string{env.get(name), user[name], installed[name]} {
			if v != "" {
				return v
			}
		}
		return ""
	}
	private := get("GOPRIVATE")
	c.golang = goConfig{noProxy: private, noSum: private, sumDB: get("GOSUMDB")}
	if v := get("GONOPROXY"); v != "" {
		c.golang.noProxy = v
	}
	if v := get("GONOSUMDB"); v != "" {
		c.golang.noSum = v
	}
	if err := c.goProxies(get("GOPROXY")); err != nil {
		return err
	}
	if auth := get("GOAUTH"); auth != "" && !strings.Contains(auth, "netrc") {
		return nil
	}
	logins, err := readNetrc(env)
	if err != nil {
		return err
	}
	for _, p := range c.golang.proxies {
		c.netrcLogin(Go, p.URL, logins)
	}
	return nil
}

// goUserFile reads what "go env -w" wrote.
func goUserFile(env Environment) (map[string]string, error) {
	path := env.get("GOENV")
	switch path {
	case "off":
		return nil, nil
	case "":
		path = under(env.ConfigDir, "go", "env")
	}
	text, err := env.file(path)
	return parseGoEnv(text), err
}

// parseGoEnv reads lines of the form NAME=value.
func parseGoEnv(text string) map[string]string {
	settings := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(name, "#") {
			settings[name] = value
		}
	}
	return settings
}

// goProxies reads a proxy list: addresses with "," (the next one is asked when
// there is no such module) and "|" (or after any error) between them, ended by
// "direct" or "off".
func (c *Config) goProxies(list string) error {
	g := &c.golang
	after := false // any error
	for list != "" {
		entry := list
		sep := byte(0)
		if i := strings.IndexAny(list, ",|"); i >= 0 {
			entry, sep, list = list[:i], list[i], list[i+1:]
		} else {
			list = ""
		}
		switch entry = strings.TrimSpace(entry); entry {
		case "":
			continue
		case "direct", "off":
			if len(g.proxies) == 0 {
				g.refuse = fmt.Sprintf("GOPROXY is %s, so that no proxy may be told of any module: nothing is asked", entry)
			}
			return nil
		}
		base, login, err := address(entry, "an entry of GOPROXY")
		if err != nil {
			return err
		}
		g.proxies = append(g.proxies, Other{URL: base, Error: after})
		c.login(Go, base, pathOf(base), basic(login))
		after = sep == '|'
	}
	return nil
}

// endpoint says who is asked about a module.
func (g goConfig) endpoint(path string) Endpoint {
	switch {
	case module.MatchPrefixPatterns(g.noProxy, path):
		return Endpoint{Refuse: "GOPRIVATE or GONOPROXY keeps this module from every proxy: nothing is asked"}
	case g.refuse != "":
		return Endpoint{Refuse: g.refuse}
	case len(g.proxies) == 0:
		return Endpoint{}
	}
	return Endpoint{URL: g.proxies[0].URL, Others: g.proxies[1:]}
}

// GoSums returns the checksum database that may be told of a module, as GOSUMDB
// spells it: "name", "name+key" or "name+key address". "" when there is none.
func (c Config) GoSums(path string) string {
	g := c.golang
	if g.sumDB == "off" || c.refused[Go] != "" || module.MatchPrefixPatterns(g.noSum, path) {
		return ""
	}
	return g.sumDB
}
