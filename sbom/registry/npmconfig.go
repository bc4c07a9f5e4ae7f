package registry

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// npmConfig is what npm's configuration says of registries
// (https://docs.npmjs.com/cli/v11/configuring-npm/npmrc). Its built-in default
// registry is written in no file, so it is not used: deps.dev is.
type npmConfig struct {
	registry string
	scopes   map[string]string        // "@scope" -> address
	bad      map[string]string        // "@scope", or "" for the registry -> why its address cannot be used
	getenv   func(name string) string // for the scopes that only the environment names
}

// readNPM reads the environment, the user's npmrc and the machine's, in this
// order of precedence. A project's npmrc is never read.
func readNPM(c *Config, env Environment) error {
	user := env.first("npm_config_userconfig", "NPM_CONFIG_USERCONFIG")
	if user == "" {
		user = env.home(".npmrc")
	}
	text, err := env.file(user)
	if err != nil {
		return err
	}
	settings := parseNpmrc(text, env.get)
	for _, path := range npmGlobal(env, settings) {
		if text, err = env.file(path); err != nil {
			return err
		}
		for key, value := range parseNpmrc(text, env.get) {
			if _, set := settings[key]; !set {
				settings[key] = value
			}
		}
	}
	if v := env.first("npm_config_registry", "NPM_CONFIG_REGISTRY"); v != "" {
		settings["registry"] = v
	}
	c.npm = npmConfig{scopes: map[string]string{}, bad: map[string]string{}, getenv: env.get}
	c.npmRegistries(settings)
	c.npmLogins(settings)
	return nil
}

// npmGlobal are the places of the machine's npmrc.
func npmGlobal(env Environment, user map[string]string) []string {
	if v := env.first("npm_config_globalconfig", "NPM_CONFIG_GLOBALCONFIG"); v != "" {
		return []string{v}
	}
	if v := user["globalconfig"]; v != "" {
		return []string{v}
	}
	prefix := env.first("npm_config_prefix", "NPM_CONFIG_PREFIX", "PREFIX")
	if prefix == "" {
		prefix = user["prefix"]
	}
	if strings.HasPrefix(prefix, "~/") {
		prefix = env.home(prefix[2:])
	}
	places := []string{"/usr/etc/npmrc", "/usr/local/etc/npmrc", "/etc/npmrc"}
	if prefix != "" {
		return append([]string{under(prefix, "etc", "npmrc")}, places...)
	}
	return places
}

// npmRegistries takes the addresses out of the settings. A bad one is kept as a
// reason: its packages must not be asked for elsewhere.
func (c *Config) npmRegistries(settings map[string]string) {
	for key, value := range settings {
		scope, ok := strings.CutSuffix(key, ":registry")
		if key == "registry" {
			scope = ""
		} else if !ok || !strings.HasPrefix(scope, "@") {
			continue
		}
		base, login, err := address(value, "npm's setting "+key)
		switch {
		case err != nil:
			c.npm.bad[scope] = err.Error() + ": nothing is asked"
			continue
		case scope == "":
			c.npm.registry = base
		default:
			c.npm.scopes[scope] = base
		}
		c.login(NPM, base, pathOf(base), basic(login))
	}
}

// npmLogins takes the credentials out of the settings: keys of the form
// "//host/path/:_authToken". What is bound to no address is not used.
func (c *Config) npmLogins(settings map[string]string) {
	plain := map[string]bool{} // hosts whose registry is configured without encryption
	for _, base := range append([]string{c.npm.registry}, values(c.npm.scopes)...) {
		if u, err := url.Parse(base); err == nil && u.Scheme == "http" {
			plain[u.Host] = true
		}
	}
	for key, value := range settings {
		at := strings.LastIndexByte(key, ':')
		if !strings.HasPrefix(key, "//") || at < 2 {
			continue
		}
		header := npmHeader(key[at+1:], value, settings[key[:at]+":_password"])
		base, _, err := address("https:"+key[:at], key[:at])
		if header == "" || err != nil {
			continue
		}
		c.login(NPM, base, pathOf(base), header)
		if u, err := url.Parse(base); err == nil && plain[u.Host] {
			c.login(NPM, "http:"+strings.TrimPrefix(base, "https:"), u.Path, header)
		}
	}
}

// npmHeader is the Authorization field of a setting; "" for one that is not
// about a login, and for one that still holds a variable nobody set.
func npmHeader(kind, value, password string) string {
	if value == "" || strings.Contains(value+password, "${") || strings.ContainsAny(value, "\r\n") {
		return ""
	}
	switch kind {
	case "_authToken":
		return "Bearer " + value
	case "_auth":
		return "Basic " + value
	case "username":
		clear, err := base64.StdEncoding.DecodeString(password)
		if err != nil || len(clear) == 0 {
			return ""
		}
		return basic(url.UserPassword(value, string(clear)))
	}
	return ""
}

// endpoint says who is asked about a package.
func (n npmConfig) endpoint(name string) Endpoint {
	if scope, _, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(scope, "@") {
		if e, ok := n.scoped(scope); ok {
			return e
		}
	}
	if why := n.bad[""]; why != "" {
		return Endpoint{Refuse: why}
	}
	return Endpoint{URL: n.registry}
}

// scoped is the registry that was given to a scope. npm reads those from the
// environment too, where they can only be asked for by name.
func (n npmConfig) scoped(scope string) (Endpoint, bool) {
	if n.getenv != nil {
		if raw := n.getenv("npm_config_" + scope + ":registry"); raw != "" {
			base, _, err := address(raw, "npm's setting of the registry of a scope, in the environment,")
			if err != nil {
				return Endpoint{Refuse: err.Error() + ": nothing is asked"}, true
			}
			return Endpoint{URL: base, Own: true}, true
		}
	}
	if why := n.bad[scope]; why != "" {
		return Endpoint{Refuse: why}, true
	}
	if base := n.scopes[scope]; base != "" {
		return Endpoint{URL: base, Own: true}, true
	}
	return Endpoint{}, false
}

// npmVariable is a variable in an npmrc: "${NAME}", or "${NAME?}" that may be unset.
var npmVariable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\\*\$\{[^${}?]+\??\}`) })

// parseNpmrc reads the settings of an npmrc. Sections are not npm's: what
// follows one is left out, as npm does. The last of equal keys counts.
func parseNpmrc(text string, getenv func(string) string) map[string]string {
	settings := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == ';' || line[0] == '#' {
			continue
		}
		if line[0] == '[' && line[len(line)-1] == ']' && !strings.Contains(line, "=") {
			break
		}
		key, value, _ := strings.Cut(line, "=")
		settings[npmExpand(npmUnquote(key), getenv)] = npmExpand(npmUnquote(value), getenv)
	}
	return settings
}

// npmUnquote takes the quotes off a value; an unquoted one ends where a comment begins.
func npmUnquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ';', '#':
			return strings.TrimSpace(s[:i])
		}
	}
	return s
}

// npmExpand puts variables in. One that is not set stays as it is written, so
// that what holds it is seen to be no address and no token.
func npmExpand(s string, getenv func(string) string) string {
	if !strings.Contains(s, "${") {
		return s
	}
	return npmVariable().ReplaceAllStringFunc(s, func(found string) string {
		at := strings.IndexByte(found, '$')
		if at%2 == 1 { // escaped
			return found[(at+1)/2:]
		}
		name := found[at+2 : len(found)-1]
		name, optional := strings.CutSuffix(name, "?")
		value := getenv(name)
		if value == "" && !optional {
			value = fmt.Sprintf("${%s}", name)
		}
		return found[:at/2] + value
	})
}

// values are the values of a map, in no order.
func values(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	return out
}
