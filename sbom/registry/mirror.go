package registry

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
)

// The tools below may be configured to use a mirror whose protocol is not
// spoken here. Then nobody is asked about their packages, because the names of
// what lies on that mirror are not for others to know.

// mavenSettings is what is read of a settings.xml
// (https://maven.apache.org/settings.html#mirrors).
type mavenSettings struct {
	Mirrors []struct {
		URL string `xml:"url"`
		Of  string `xml:"mirrorOf"`
	} `xml:"mirrors>mirror"`
	Repositories []struct {
		ID  string `xml:"id"`
		URL string `xml:"url"`
	} `xml:"profiles>profile>repositories>repository"`
}

// readMaven looks for a mirror of the central repository, and for another
// repository under its name, in the user's settings and the installation's.
func readMaven(_ *Config, env Environment) error {
	for _, path := range []string{
		env.home(".m2", "settings.xml"),
		under(env.get("M2_HOME"), "conf", "settings.xml"),
		under(env.get("MAVEN_HOME"), "conf", "settings.xml"),
	} {
		text, err := env.file(path)
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		var s mavenSettings
		if xml.Unmarshal([]byte(text), &s) != nil {
			return fmt.Errorf("the configuration file %s is not XML", path)
		}
		for _, m := range s.Mirrors {
			if mirrorsCentral(m.Of) {
				return mirrored("Maven", m.URL)
			}
		}
		for _, r := range s.Repositories {
			if strings.TrimSpace(r.ID) == "central" {
				return mirrored("Maven", r.URL)
			}
		}
	}
	return nil
}

// mirrorsCentral says whether a mirrorOf covers the central repository.
func mirrorsCentral(of string) bool {
	covers := false
	for _, id := range strings.Split(of, ",") {
		switch strings.TrimSpace(id) {
		case "central", "*", "external:*":
			covers = true
		case "!central":
			return false
		}
	}
	return covers
}

// nugetConfig is what is read of a NuGet.Config
// (https://learn.microsoft.com/nuget/reference/nuget-config-file).
type nugetConfig struct {
	Sources  nugetList `xml:"packageSources"`
	Disabled nugetList `xml:"disabledPackageSources"`
}

type nugetList struct {
	Entries []nugetEntry `xml:",any"`
}

type nugetEntry struct {
	XMLName xml.Name
	Key     string `xml:"key,attr"`
	Value   string `xml:"value,attr"`
}

// readNuGet looks for a package source besides NuGet's own in the user's
// configuration: NuGet asks all of them, and which names lie where is theirs to know.
func readNuGet(_ *Config, env Environment) error {
	for _, path := range []string{
		env.home(".nuget", "NuGet", "NuGet.Config"),
		env.home(".config", "NuGet", "NuGet.Config"),
		under(env.get("APPDATA"), "NuGet", "NuGet.Config"),
		under(env.get("NUGET_COMMON_APPLICATION_DATA"), "NuGet", "Config", "NuGet.Config"),
		under(env.get("ProgramFiles(x86)"), "NuGet", "Config", "NuGet.Config"),
		"/etc/opt/NuGet/Config/NuGet.Config",
	} {
		text, err := env.file(path)
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		var n nugetConfig
		if xml.Unmarshal([]byte(text), &n) != nil {
			return fmt.Errorf("the configuration file %s is not XML", path)
		}
		if raw := n.foreign(); raw != "" {
			return mirrored("NuGet", raw)
		}
	}
	return nil
}

// foreign is the address of the first enabled source on the network that is not
// NuGet's own; "" when there is none.
func (n nugetConfig) foreign() string {
	off := map[string]bool{}
	for _, e := range n.Disabled.Entries {
		off[e.Key] = strings.EqualFold(e.Value, "true")
	}
	found := ""
	for _, e := range n.Sources.Entries {
		if e.XMLName.Local == "clear" {
			found = ""
			continue
		}
		u, err := url.Parse(strings.TrimSpace(e.Value))
		if found != "" || off[e.Key] || err != nil || u.Scheme != "http" && u.Scheme != "https" {
			continue
		}
		if host := strings.ToLower(u.Hostname()); host != "nuget.org" && !strings.HasSuffix(host, ".nuget.org") {
			found = e.Value
		}
	}
	return found
}

// readCargo looks for a replacement of the default source in the user's
// configuration (https://doc.rust-lang.org/cargo/reference/source-replacement.html).
func readCargo(_ *Config, env Environment) error {
	if with := env.get("CARGO_SOURCE_CRATES_IO_REPLACE_WITH"); with != "" {
		return mirrored("Cargo", env.get("CARGO_SOURCE_"+strings.ToUpper(strings.ReplaceAll(with, "-", "_"))+"_REGISTRY"))
	}
	folder := env.get("CARGO_HOME")
	if folder == "" {
		folder = env.home(".cargo")
	}
	for _, name := range []string{"config", "config.toml"} { // the first one wins, as in Cargo
		text, err := env.file(under(folder, name))
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		if raw, replaced := cargoReplacement(text); replaced {
			return mirrored("Cargo", raw)
		}
		return nil
	}
	return nil
}

// cargoReplacement looks for a replacement of crates-io in a Cargo configuration
// and for the address of what replaces it. It reads no TOML but lines: whatever
// of their forms says "replace-with" of crates-io is taken for one, since the
// price of a mistake is a package that nobody is asked about.
func cargoReplacement(text string) (registry string, replaced bool) {
	section, with := "", ""
	registries := map[string]string{}
	unquote := strings.NewReplacer(`"`, "", "'", "", " ", "", "\t", "")
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(unquote.Replace(line), "[]") + "."
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		key, value = section+unquote.Replace(key), unquote.Replace(value)
		switch {
		case strings.Contains(key+value, "replace-with") && strings.Contains(key+value, "crates-io"):
			replaced, with = true, value
		case strings.HasSuffix(key, ".registry"):
			registries[strings.TrimSuffix(strings.TrimPrefix(key, "source."), ".registry")] = strings.TrimPrefix(value, "sparse+")
		}
	}
	return registries[with], replaced
}

// readBundler looks for a mirror of the default source in the environment and in
// the user's configuration (https://bundler.io/man/bundle-config.1.html).
func readBundler(_ *Config, env Environment) error {
	if v := env.first("BUNDLE_MIRROR__ALL", "BUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG/", "BUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG"); v != "" {
		return mirrored("Bundler", v)
	}
	path := env.get("BUNDLE_USER_CONFIG")
	if path == "" {
		path = under(env.get("BUNDLE_USER_HOME"), "config")
	}
	if path == "" {
		path = env.home(".bundle", "config")
	}
	text, err := env.file(path)
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		key = strings.ToUpper(strings.Trim(key, `"'`))
		if !ok || !strings.HasPrefix(key, "BUNDLE_MIRROR__") || strings.HasSuffix(key, "__FALLBACK_TIMEOUT/") || strings.HasSuffix(key, "__FALLBACK_TIMEOUT") {
			continue
		}
		if strings.HasPrefix(key, "BUNDLE_MIRROR__ALL") || strings.Contains(key, "//RUBYGEMS__ORG") {
			return mirrored("Bundler", strings.Trim(strings.TrimSpace(value), `"'`))
		}
	}
	return nil
}
