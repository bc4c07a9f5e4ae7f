package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"testing"
)

// configured is an environment made of files and variables.
func configured(files, vars map[string]string) Environment {
	return Environment{
		Getenv: func(name string) string { return vars[name] },
		ReadFile: func(path string) ([]byte, error) {
			switch text, ok := files[path]; {
			case !ok:
				return nil, fmt.Errorf("open %s: %w", path, fs.ErrNotExist)
			case text == "DENIED":
				return nil, fmt.Errorf("open %s: %w", path, fs.ErrPermission)
			default:
				return []byte(text), nil
			}
		},
		Home: "/home/u", ConfigDir: "/home/u/.config", GOROOT: "/goroot",
	}
}

// shown is an endpoint in one line.
func shown(e Endpoint) string {
	var b strings.Builder
	b.WriteString(e.URL)
	for _, o := range e.Others {
		fmt.Fprintf(&b, " , %s", o.URL)
		if o.Error {
			b.WriteString(" after any error")
		}
	}
	if e.Own {
		b.WriteString(" own")
	}
	if e.Public {
		b.WriteString(" public")
	}
	if e.Refuse != "" {
		b.WriteString("REFUSE " + e.Refuse)
	}
	return strings.TrimSpace(b.String())
}

type m = map[string]string

func TestConfigNothing(t *testing.T) {
	for name, c := range map[string]Config{"zero": {}, "nothing there": ReadConfig(configured(nil, nil)), "zero environment": ReadConfig(Environment{})} {
		for _, s := range []System{NPM, PyPI, Go, Maven, Cargo, NuGet, RubyGems, "other"} {
			if e := c.For(Package{s, "a"}); shown(e) != "" {
				t.Errorf("%s, %s: %s", name, s, shown(e))
			}
		}
		if got := c.GoSums("a.test/b"); got != "" {
			t.Errorf("%s: sums %q", name, got)
		}
	}
}

func TestConfigEndpoint(t *testing.T) {
	const npmrc, pipConf = "/home/u/.npmrc", "/home/u/.config/pip/pip.conf"
	cases := []struct {
		name    string
		files   m
		vars    m
		pkg     string
		want    string // as shown prints it; "~text": a refusal that says text
		refused bool
	}{
		{name: "npm user file", files: m{npmrc: "registry=https://npm.corp.test/r"}, pkg: "npm:a", want: "https://npm.corp.test/r/"},
		{name: "npm with spaces, quotes and a comment", files: m{npmrc: "; x\n# y\n registry = \"https://npm.corp.test/r/\" \n"}, pkg: "npm:a", want: "https://npm.corp.test/r/"},
		{name: "npm comment after a value", files: m{npmrc: "registry=https://npm.corp.test/ ; ours"}, pkg: "npm:a", want: "https://npm.corp.test/"},
		{name: "npm environment over files", files: m{npmrc: "registry=https://npm.corp.test/"}, vars: m{"npm_config_registry": "https://env.test"}, pkg: "npm:a", want: "https://env.test/"},
		{name: "npm environment in capitals", vars: m{"NPM_CONFIG_REGISTRY": "http://127.0.0.1:4873"}, pkg: "npm:a", want: "http://127.0.0.1:4873/"},
		{name: "npm user over machine", files: m{npmrc: "registry=https://user.test/", "/etc/npmrc": "registry=https://etc.test/"}, pkg: "npm:a", want: "https://user.test/"},
		{name: "npm machine", files: m{"/usr/etc/npmrc": "registry=https://usr.test/", "/etc/npmrc": "registry=https://etc.test/"}, pkg: "npm:a", want: "https://usr.test/"},
		{name: "npm global file named", files: m{"/g/npmrc": "registry=https://g.test/", "/etc/npmrc": "registry=https://etc.test/"}, vars: m{"NPM_CONFIG_GLOBALCONFIG": "/g/npmrc"}, pkg: "npm:a", want: "https://g.test/"},
		{name: "npm prefix", files: m{"/p/etc/npmrc": "registry=https://p.test/"}, vars: m{"PREFIX": "/p"}, pkg: "npm:a", want: "https://p.test/"},
		{name: "npm prefix of the user file", files: m{npmrc: "prefix=~/.global", "/home/u/.global/etc/npmrc": "registry=https://p.test/"}, pkg: "npm:a", want: "https://p.test/"},
		{name: "npm user file named", files: m{"/x": "registry=https://x.test/", npmrc: "registry=https://no.test/"}, vars: m{"NPM_CONFIG_USERCONFIG": "/x"}, pkg: "npm:a", want: "https://x.test/"},
		{name: "npm user file in the current folder", files: m{".npmrc": "registry=https://evil.test/"}, vars: m{"NPM_CONFIG_USERCONFIG": ".npmrc"}, pkg: "npm:a", want: "~not an absolute path", refused: true},
		{name: "npm scope", files: m{npmrc: "@corp:registry=https://corp.test/npm"}, pkg: "npm:@corp/a", want: "https://corp.test/npm/ own"},
		{name: "npm scope leaves the rest", files: m{npmrc: "@corp:registry=https://corp.test/npm"}, pkg: "npm:corp", want: ""},
		{name: "npm scope of another", files: m{npmrc: "@corp:registry=https://corp.test/npm\nregistry=https://all.test"}, pkg: "npm:@corporate/a", want: "https://all.test/"},
		{name: "npm scope in the environment", vars: m{"npm_config_@corp:registry": "https://corp.test/"}, pkg: "npm:@corp/a", want: "https://corp.test/ own"},
		{name: "npm variable", files: m{npmrc: "registry=https://${HOST}/npm"}, vars: m{"HOST": "h.test"}, pkg: "npm:a", want: "https://h.test/npm/"},
		{name: "npm variable that is not set", files: m{npmrc: "registry=https://${HOST}/npm"}, pkg: "npm:a", want: "~npm's setting registry", refused: true},
		{name: "npm bad scope does not fall through", files: m{npmrc: "@corp:registry=ftp://x.test\nregistry=https://all.test"}, pkg: "npm:@corp/a", want: "~@corp:registry", refused: true},
		{name: "npm bad scope leaves the rest", files: m{npmrc: "@corp:registry=ftp://x.test\nregistry=https://all.test"}, pkg: "npm:a", want: "https://all.test/"},
		{name: "npm login in the address", files: m{npmrc: "registry=https://me:secret@npm.test/"}, pkg: "npm:a", want: "https://npm.test/"},
		{name: "npm unreadable", files: m{npmrc: "DENIED"}, pkg: "npm:a", want: "~permission", refused: true},
		{name: "npm too long", files: m{npmrc: strings.Repeat("a=b\n", 1<<19)}, pkg: "npm:a", want: "~over 1048576 bytes", refused: true},
		{name: "npm after a section", files: m{npmrc: "[x]\nregistry=https://no.test/"}, pkg: "npm:a", want: ""},

		{name: "go environment", vars: m{"GOPROXY": "https://go.test"}, pkg: "golang:a.test/b", want: "https://go.test/"},
		{name: "go list", vars: m{"GOPROXY": "https://one.test/x, https://two.test|https://three.test,direct"}, pkg: "golang:a.test/b", want: "https://one.test/x/ , https://two.test/ , https://three.test/ after any error"},
		{name: "go nothing after direct", vars: m{"GOPROXY": "https://one.test,direct,https://two.test"}, pkg: "golang:a.test/b", want: "https://one.test/"},
		{name: "go direct", vars: m{"GOPROXY": "direct"}, pkg: "golang:a.test/b", want: "~GOPROXY is direct", refused: true},
		{name: "go off", vars: m{"GOPROXY": "off"}, pkg: "golang:a.test/b", want: "~GOPROXY is off", refused: true},
		{name: "go file", vars: m{"GOPROXY": "file:///srv/go,https://one.test"}, pkg: "golang:a.test/b", want: "~an entry of GOPROXY", refused: true},
		{name: "go user file", files: m{"/home/u/.config/go/env": "GOPROXY=https://user.test\n", "/goroot/go.env": "GOPROXY=https://root.test"}, pkg: "golang:a.test/b", want: "https://user.test/"},
		{name: "go installation", files: m{"/goroot/go.env": "# c\nGOPROXY=https://root.test,direct\n"}, pkg: "golang:a.test/b", want: "https://root.test/"},
		{name: "go user file named", files: m{"/e": "GOPROXY=https://e.test"}, vars: m{"GOENV": "/e"}, pkg: "golang:a.test/b", want: "https://e.test/"},
		{name: "go user file off", files: m{"/home/u/.config/go/env": "GOPROXY=https://user.test\n"}, vars: m{"GOENV": "off"}, pkg: "golang:a.test/b", want: ""},
		{name: "go private", vars: m{"GOPROXY": "https://go.test", "GOPRIVATE": "*.corp.test,github.com/corp"}, pkg: "golang:github.com/corp/x/v2", want: "~GOPRIVATE", refused: true},
		{name: "go private without a proxy", vars: m{"GOPRIVATE": "*.corp.test"}, pkg: "golang:git.corp.test/x", want: "~GOPRIVATE", refused: true},
		{name: "go private of another", vars: m{"GOPROXY": "https://go.test", "GOPRIVATE": "github.com/corp"}, pkg: "golang:github.com/corporate/x", want: "https://go.test/"},
		{name: "go noproxy over private", vars: m{"GOPROXY": "https://go.test", "GOPRIVATE": "github.com/corp", "GONOPROXY": "none"}, pkg: "golang:github.com/corp/x", want: "https://go.test/"},

		{name: "pip environment", vars: m{"PIP_INDEX_URL": "https://pip.test/simple"}, pkg: "pypi:a", want: "https://pip.test/simple/"},
		{name: "pip user file", files: m{pipConf: "[global]\nindex-url = https://pip.test/simple\n"}, pkg: "pypi:a", want: "https://pip.test/simple/"},
		{name: "pip install over global", files: m{pipConf: "[install]\nindex_url: https://i.test/simple\n[global]\nindex-url = https://g.test/simple\n"}, pkg: "pypi:a", want: "https://i.test/simple/"},
		{name: "pip user over machine", files: m{pipConf: "[global]\nindex-url=https://u.test/s\n", "/etc/pip.conf": "[global]\nindex-url=https://etc.test/s"}, pkg: "pypi:a", want: "https://u.test/s/"},
		{name: "pip old user file", files: m{"/home/u/.pip/pip.conf": "[global]\nindex-url=https://old.test/s\n"}, pkg: "pypi:a", want: "https://old.test/s/"},
		{name: "pip machine", files: m{"/etc/xdg/pip/pip.conf": "[global]\nindex-url=https://xdg.test/s\n"}, pkg: "pypi:a", want: "https://xdg.test/s/"},
		{name: "pip named file", files: m{"/c": "[global]\nindex-url=https://c.test/s\n", pipConf: "[global]\nindex-url=https://u.test/s\n"}, vars: m{"PIP_CONFIG_FILE": "/c"}, pkg: "pypi:a", want: "https://c.test/s/"},
		{name: "pip no file", files: m{pipConf: "[global]\nindex-url=https://u.test/s\n"}, vars: m{"PIP_CONFIG_FILE": "/dev/null"}, pkg: "pypi:a", want: ""},
		{name: "pip several", files: m{pipConf: "[global]\nindex-url = https://a.test/s\nextra-index-url =\n    https://b.test/s\n    # c\n    https://u:p@c.test/s\n"}, pkg: "pypi:a", want: "https://a.test/s/ , https://b.test/s/ , https://c.test/s/"},
		{name: "pip extra only", vars: m{"PIP_EXTRA_INDEX_URL": "https://b.test/s https://b.test/s/"}, pkg: "pypi:a", want: "https://b.test/s/ public"},
		{name: "pip no index", files: m{pipConf: "[install]\nno-index = true\n"}, pkg: "pypi:a", want: "~switches indexes off", refused: true},
		{name: "pip relative file", vars: m{"PIP_CONFIG_FILE": "pip.conf"}, pkg: "pypi:a", want: "~not an absolute path", refused: true},
		{name: "pip local folder", vars: m{"PIP_INDEX_URL": "/srv/simple"}, pkg: "pypi:a", want: "~an index of pip", refused: true},
		{name: "uv", vars: m{"UV_DEFAULT_INDEX": "https://uv.test/s", "UV_INDEX": "ours=https://b.test/s"}, pkg: "pypi:a", want: "https://uv.test/s/ , https://b.test/s/"},

		{name: "maven mirror", files: m{"/home/u/.m2/settings.xml": `<settings xmlns="x"><mirrors><mirror><id>a</id><url>https://u:p@nexus.corp.test/m</url><mirrorOf>*,!own</mirrorOf></mirror></mirrors></settings>`}, pkg: "maven:a:b", want: "~Maven names the mirror nexus.corp.test, whose", refused: true},
		{name: "maven mirror of another", files: m{"/home/u/.m2/settings.xml": `<settings><mirrors><mirror><url>http://0.0.0.0/</url><mirrorOf>external:http:*</mirrorOf></mirror><mirror><url>http://x.test/</url><mirrorOf>*,!central</mirrorOf></mirror></mirrors></settings>`}, pkg: "maven:a:b", want: ""},
		{name: "maven central replaced", files: m{"/home/u/.m2/settings.xml": `<settings><profiles><profile><repositories><repository><id>central</id><url>https://art.test/</url></repository></repositories></profile></profiles></settings>`}, pkg: "maven:a:b", want: "~art.test", refused: true},
		{name: "maven installation", files: m{"/mvn/conf/settings.xml": `<settings><mirrors><mirror><url>https://art.test/</url><mirrorOf>central</mirrorOf></mirror></mirrors></settings>`}, vars: m{"MAVEN_HOME": "/mvn"}, pkg: "maven:a:b", want: "~art.test", refused: true},
		{name: "maven broken", files: m{"/home/u/.m2/settings.xml": `<settings><mirrors>`}, pkg: "maven:a:b", want: "~is not XML", refused: true},
		{name: "nuget only its own", files: m{"/home/u/.nuget/NuGet/NuGet.Config": `<configuration><packageSources><add key="nuget.org" value="https://x.nuget.org/v3/index.json"/><add key="l" value="/srv/feed"/></packageSources></configuration>`}, pkg: "nuget:a", want: ""},
		{name: "nuget another", files: m{"/home/u/.nuget/NuGet/NuGet.Config": `<configuration><packageSources><add key="corp" value="https://feed.corp.test/index.json"/></packageSources></configuration>`}, pkg: "nuget:a", want: "~feed.corp.test", refused: true},
		{name: "nuget another, disabled", files: m{"/home/u/.nuget/NuGet/NuGet.Config": `<configuration><packageSources><add key="corp" value="https://feed.corp.test/index.json"/></packageSources><disabledPackageSources><add key="corp" value="true"/></disabledPackageSources></configuration>`}, pkg: "nuget:a", want: ""},
		{name: "nuget look-alike", files: m{"/home/u/.nuget/NuGet/NuGet.Config": `<configuration><packageSources><add key="nuget.org" value="https://evilnuget.org/"/></packageSources></configuration>`}, pkg: "nuget:a", want: "~evilnuget.org", refused: true},
		{name: "cargo", files: m{"/home/u/.cargo/config.toml": "[source.crates-io]\nreplace-with = 'corp'\n\n[source.corp]\nregistry = \"sparse+https://cargo.corp.test/index/\" # ours\n"}, pkg: "cargo:a", want: "~cargo.corp.test", refused: true},
		{name: "cargo inline", files: m{"/home/u/.cargo/config": "source.crates-io = { replace-with = \"v\" }\nsource.v.directory = \"/v\"\n"}, pkg: "cargo:a", want: "~Cargo names the mirror somewhere else", refused: true},
		{name: "cargo comment", files: m{"/home/u/.cargo/config.toml": "[source.crates-io]\n# replace-with = 'corp'\n"}, pkg: "cargo:a", want: ""},
		{name: "cargo environment", vars: m{"CARGO_SOURCE_CRATES_IO_REPLACE_WITH": "corp", "CARGO_SOURCE_CORP_REGISTRY": "https://c.test/"}, pkg: "cargo:a", want: "~c.test", refused: true},
		{name: "bundler", files: m{"/home/u/.bundle/config": "---\nBUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG/: \"https://gems.corp.test/\"\n"}, pkg: "gem:a", want: "~gems.corp.test", refused: true},
		{name: "bundler mirror of another", files: m{"/home/u/.bundle/config": "---\nBUNDLE_MIRROR__HTTPS://GEMS__OTHER/: \"https://gems.corp.test/\"\nBUNDLE_MIRROR__ALL__FALLBACK_TIMEOUT: \"3\"\n"}, pkg: "gem:a", want: ""},
		{name: "bundler environment", vars: m{"BUNDLE_MIRROR__ALL": "https://gems.corp.test"}, pkg: "gem:a", want: "~gems.corp.test", refused: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			system, name, _ := strings.Cut(c.pkg, ":")
			got := shown(ReadConfig(configured(c.files, c.vars)).For(Package{System(system), name}))
			if says, refusal := strings.CutPrefix(c.want, "~"); refusal || c.refused {
				if !strings.HasPrefix(got, "REFUSE ") || !strings.Contains(got, says) || !strings.HasSuffix(got, ": nothing is asked") {
					t.Errorf("%s\nwant a refusal that says %q", got, says)
				}
				for _, secret := range []string{"u:p", "secret"} {
					if strings.Contains(got, secret) {
						t.Errorf("%s shows a password", got)
					}
				}
			} else if got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// TestConfigLogin holds that a credential is told to its own address only.
func TestConfigLogin(t *testing.T) {
	const npmrc = "registry=https://npm.test/repo/\n@plain:registry=http://plain.test:8080/\n" +
		"//npm.test/repo/:_authToken=${TOKEN}\n//npm.test/repo/inner/:_auth=aW5uZXI6eA==\n" +
		"//up.test/:username=me\n//up.test/:_password=cHc=\n//plain.test:8080/:_authToken=P\n" +
		"//unset.test/:_authToken=${NOBODY}\n_authToken=everywhere\n//old.test/:always-auth=true\n"
	const netrc = "# mine\nmachine go.test login me password pw\nmachine\tpip.test\n\tlogin you\n\tpassword word\nmacdef init\n\tmachine m.test login a password b\n\ndefault login any password thing\n"
	c := ReadConfig(configured(
		m{"/home/u/.npmrc": npmrc, "/home/u/.netrc": netrc},
		m{"TOKEN": "T", "GOPROXY": "https://go.test/x,https://u:p@in.test/proxy,https://no.test", "PIP_INDEX_URL": "https://pip.test/simple/", "PIP_EXTRA_INDEX_URL": "https://x:y@extra.test/simple/"},
	))
	for _, one := range []struct {
		system  System
		address string
		want    string
	}{
		{NPM, "https://npm.test/repo/a", "Bearer T"},
		{NPM, "https://NPM.test/repo/@s%2fa", "Bearer T"},
		{NPM, "https://npm.test/repo/inner/a", "Basic aW5uZXI6eA=="},
		{NPM, "https://npm.test/repository/a", ""},
		{NPM, "https://npm.test/other", ""},
		{NPM, "https://npm.test/repo/../other", ""},
		{NPM, "https://npm.test/repo/%2e%2e/other", ""},
		{NPM, "http://npm.test/repo/a", ""},
		{NPM, "https://npm.test:444/repo/a", ""},
		{NPM, "https://sub.npm.test/repo/a", ""},
		{NPM, "https://up.test/a", "Basic bWU6cHc="},
		{NPM, "http://plain.test:8080/@plain%2fa", "Bearer P"},
		{NPM, "https://unset.test/a", ""},
		{NPM, "https://old.test/a", ""},
		{NPM, "https://go.test/a", ""},
		{PyPI, "https://npm.test/repo/a", ""},
		{Go, "https://go.test/x/a.test/b/@v/list", "Basic bWU6cHc="},
		{Go, "http://go.test/x/", ""},
		{Go, "https://in.test/proxy/a", "Basic dTpw"},
		{Go, "https://in.test/else", ""},
		{Go, "https://no.test/a", ""},
		{Go, "https://m.test/a", ""},
		{PyPI, "https://pip.test/files/a.whl", "Basic eW91OndvcmQ="},
		{PyPI, "https://extra.test/files/a.whl", "Basic eDp5"},
		{PyPI, "https://go.test/", ""},
		{Maven, "https://npm.test/repo/a", ""},
	} {
		u, err := url.Parse(one.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.authorization(one.system, u); got != one.want {
			t.Errorf("%s %s: %q, want %q", one.system, one.address, got, one.want)
		}
	}
}

func TestConfigGoSums(t *testing.T) {
	c := ReadConfig(configured(m{"/goroot/go.env": "GOSUMDB=sum.test\n"}, m{"GOPRIVATE": "corp.test"}))
	if got := c.GoSums("a.test/b"); got != "sum.test" {
		t.Errorf("got %q", got)
	}
	if got := c.GoSums("corp.test/b"); got != "" {
		t.Errorf("private: got %q", got)
	}
	if got := ReadConfig(configured(nil, m{"GOSUMDB": "off"})).GoSums("a.test/b"); got != "" {
		t.Errorf("off: got %q", got)
	}
	if got := ReadConfig(configured(nil, m{"GOSUMDB": "s.test", "GOPROXY": "file:///x"})).GoSums("a.test/b"); got != "" {
		t.Errorf("refused: got %q", got)
	}
}

// FuzzConfig holds that no file makes a registry of what is none, and that no
// password comes out of any.
func FuzzConfig(f *testing.F) {
	f.Add("registry=https://u:HUSH@a.test/\n//a.test/:_authToken=HUSH\n@s:registry=${A}\\${B}")
	f.Add("GOPROXY=https://HUSH:x@a.test|direct\nGOSUMDB=x")
	f.Add("[global]\nindex-url = http://a:HUSH@b.test/\n extra")
	f.Add("machine a.test login b password HUSH macdef x\n\n")
	f.Add("[source.crates-io]\nreplace-with='x'\n[source]\nx.registry='https://HUSH@x.test'")
	f.Add("<configuration><packageSources><add key='a' value='https://a:HUSH@b.test'/></packageSources></configuration>")
	f.Add("<settings><mirrors><mirror><url>https://a:HUSH@b.test</url><mirrorOf>*</mirrorOf></mirror></mirrors></settings>")
	f.Add("BUNDLE_MIRROR__ALL: \"https://a:HUSH@b.test\"")
	f.Fuzz(func(t *testing.T, text string) {
		env := configured(nil, m{"A": "https://a.test", "PIP_EXTRA_INDEX_URL": "https://b.test"})
		env.ReadFile = func(string) ([]byte, error) { return []byte(text), nil }
		c := ReadConfig(env)
		for _, s := range []System{NPM, PyPI, Go, Maven, Cargo, NuGet, RubyGems} {
			e := c.For(Package{s, "@s/a"})
			for _, address := range append([]Other{{URL: e.URL}}, e.Others...) {
				if address.URL == "" {
					continue
				}
				u, err := url.Parse(address.URL)
				if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || !strings.HasSuffix(u.Path, "/") {
					t.Errorf("%s: %q", s, address.URL)
				}
			}
		}
		for _, logins := range c.logins {
			for _, l := range logins {
				if l.header == "" || strings.ContainsAny(l.header, "\r\n") || !strings.HasSuffix(l.path, "/") || l.host == "" {
					t.Errorf("%+v", l)
				}
			}
		}
	})
}

func TestConfigNoFolder(t *testing.T) {
	env := configured(nil, nil)
	env.Home = "home"
	if e := ReadConfig(env).For(Package{NPM, "a"}); e.Refuse == "" {
		t.Errorf("a home folder that is relative: %+v", e)
	}
	env = configured(nil, nil)
	env.ReadFile = func(string) ([]byte, error) { return nil, errors.New("is a directory") }
	for _, s := range []System{NPM, PyPI, Go, Maven, Cargo, NuGet, RubyGems} {
		if e := ReadConfig(env).For(Package{s, "a"}); e.Refuse == "" || e.URL != "" {
			t.Errorf("%s: %+v", s, e)
		}
	}
}
