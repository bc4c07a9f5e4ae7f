package registry

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// pipConfig is what pip's configuration says of indexes
// (https://pip.pypa.io/en/stable/topics/configuration/). pip asks all of them
// for each name and takes the best version of any: whoever can publish a name on
// one of them can replace a package of another.
type pipConfig struct {
	indexes []string // in order; none: nothing is configured
	public  bool     // pip's built-in index is one of them, and written nowhere
}

// readPip reads the machine's files, the user's, that of PIP_CONFIG_FILE and the
// environment, the later ones over the earlier ones, and of uv the environment.
func readPip(c *Config, env Environment) error {
	settings, err := pipFiles(env)
	if err != nil {
		return err
	}
	get := func(key string) string {
		if v := env.get("PIP_" + strings.ToUpper(strings.ReplaceAll(key, "-", "_"))); v != "" {
			return v
		}
		if v, ok := settings["install."+key]; ok {
			return v
		}
		return settings["global."+key]
	}
	if pipTrue(get("no-index")) {
		return fmt.Errorf("pip's configuration switches indexes off (no-index)")
	}
	main := get("index-url")
	if main == "" {
		main = env.first("UV_DEFAULT_INDEX", "UV_INDEX_URL")
	}
	more := strings.Fields(get("extra-index-url") + " " + env.get("UV_INDEX") + " " + env.get("UV_EXTRA_INDEX_URL"))
	if main == "" && len(more) > 0 {
		c.python.public = true
	}
	for _, raw := range append(strings.Fields(main), more...) {
		if name, rest, ok := strings.Cut(raw, "="); ok && !strings.ContainsAny(name, ":/") {
			raw = rest // uv gives indexes names
		}
		base, login, err := address(raw, "an index of pip")
		if err != nil {
			return err
		}
		c.login(PyPI, base, "/", basic(login)) // the files are on the same host, at another path
		if !slices.Contains(c.python.indexes, base) {
			c.python.indexes = append(c.python.indexes, base)
		}
	}
	logins, err := readNetrc(env)
	for _, base := range c.python.indexes {
		c.netrcLogin(PyPI, base, logins)
	}
	return err
}

// pipFiles reads the files of the machine and the user. A virtual environment's
// file is not read: that folder may be part of what is audited.
func pipFiles(env Environment) (map[string]string, error) {
	settings := map[string]string{}
	last := env.get("PIP_CONFIG_FILE")
	if last == "/dev/null" || last == "nul" { // pip's way to read no file at all
		return settings, nil
	}
	var paths []string
	for _, dir := range strings.Split(env.get("XDG_CONFIG_DIRS"), ":") {
		if filepath.IsAbs(dir) { // others are to be ignored (XDG Base Directory Specification)
			paths = append(paths, filepath.Join(dir, "pip", "pip.conf"))
		}
	}
	paths = append(paths, "/etc/xdg/pip/pip.conf", "/etc/pip.conf", "/Library/Application Support/pip/pip.conf")
	paths = append(paths, under(env.get("ProgramData"), "pip", "pip.ini"))
	paths = append(paths, env.home(".pip", "pip.conf"), env.home("pip", "pip.ini"))
	paths = append(paths, env.home(".config", "pip", "pip.conf"), under(env.ConfigDir, "pip", "pip.conf"), under(env.ConfigDir, "pip", "pip.ini"))
	for _, path := range append(paths, last) {
		text, err := env.file(path)
		if err != nil {
			return nil, err
		}
		parsePipConf(text, settings)
	}
	return settings, nil
}

// parsePipConf reads the sections of a pip.conf: "section.key" -> value, keys
// with "-" for "_". Values go on in indented lines.
func parsePipConf(text string, into map[string]string) {
	section, key := "", ""
	var value strings.Builder
	end := func() {
		if key != "" {
			into[key] = value.String()
		}
		key = ""
		value.Reset()
	}
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
		case (line[0] == ' ' || line[0] == '\t') && key != "":
			value.WriteString("\n" + trimmed)
		case trimmed[0] == '[':
			end()
			section = strings.ToLower(strings.Trim(trimmed, "[] \t"))
		default:
			end()
			name := trimmed
			if i := strings.IndexAny(trimmed, "=:"); i >= 0 {
				name = trimmed[:i]
				value.WriteString(strings.TrimSpace(trimmed[i+1:]))
			}
			name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-")
			key = section + "." + strings.TrimLeft(name, "-")
		}
	}
	end()
}

// pipTrue says whether pip takes a value for yes.
func pipTrue(s string) bool {
	return slices.Contains([]string{"1", "true", "yes", "on", "y", "t"}, strings.ToLower(strings.TrimSpace(s)))
}

// endpoint says who is asked about a project: every index.
func (p pipConfig) endpoint() Endpoint {
	if len(p.indexes) == 0 {
		return Endpoint{}
	}
	e := Endpoint{URL: p.indexes[0], Public: p.public}
	for _, u := range p.indexes[1:] {
		e.Others = append(e.Others, Other{URL: u})
	}
	return e
}
